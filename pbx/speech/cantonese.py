"""Cantonese, yue: the words of its grammar (chinese.py), in traditional characters.

A two is 二 before 百 (二百) and 兩 before 千, 萬 and 億; a telephone's one is 一.
Midnight is 凌晨十二點.
"""

from __future__ import annotations

from pbx.speech.chinese import DIGITS, Chinese, Currency, Wording

_TELEPHONE = dict(zip("0123456789", DIGITS, strict=True)) | {"+": "加", "*": "星號", "#": "井號"}

CANTONESE = Chinese(
    Wording(
        units="億萬千百十",
        two="兩",
        paired="億萬千",
        minus="負",
        point="點",
        day="號",
        days={"yesterday": "琴日", "today": "今日", "tomorrow": "聽日"},
        hours=((0, "凌晨"), (5, "朝早"), (12, "中午"), (13, "下晝"), (18, "夜晚")),
        midnight="十二",
        clock="點",
        half="半",
        telephone=_TELEPHONE,
        own_currency="HKD",
        currencies={
            "HKD": Currency("元", "港幣", "角", "分"),
            "CNY": Currency("元", "人民幣", "角", "分"),
            "MOP": Currency("元", "澳門幣", "角", "分"),
            "TWD": Currency("元", "新台幣", "角", "分"),
            "USD": Currency("美元", hundredths="美仙"),
            "EUR": Currency("歐元", hundredths="歐仙"),
            "GBP": Currency("英鎊", hundredths="便士"),
            "JPY": Currency("日圓"),
        },
    )
)
"""What puts values into Cantonese words."""
