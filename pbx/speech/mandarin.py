"""Mandarin, zh: the words of its grammar (chinese.py).

A telephone's one is 幺 (yāo), which cannot be taken for 七; dates say 号, as people do.
"""

from __future__ import annotations

from pbx.speech.chinese import Chinese, Currency, Wording

_TELEPHONE = dict(zip("0123456789", "零幺二三四五六七八九", strict=True)) | {
    "+": "加",
    "*": "星号",
    "#": "井号",
}

MANDARIN = Chinese(
    Wording(
        units="亿万千百十",
        two="两",
        paired="亿万千百",
        minus="负",
        point="点",
        day="号",
        days={"yesterday": "昨天", "today": "今天", "tomorrow": "明天"},
        hours=((0, "凌晨"), (5, "早上"), (8, "上午"), (12, "中午"), (13, "下午"), (18, "晚上")),
        midnight="零",
        clock="点",
        half="半",
        telephone=_TELEPHONE,
        own_currency="CNY",
        currencies={
            "CNY": Currency("元", "人民币", "角", "分"),
            "HKD": Currency("元", "港币", "角", "分"),
            "MOP": Currency("元", "澳门币", "角", "分"),
            "TWD": Currency("元", "新台币", "角", "分"),
            "USD": Currency("美元", hundredths="美分"),
            "EUR": Currency("欧元", hundredths="欧分"),
            "GBP": Currency("英镑", hundredths="便士"),
            "JPY": Currency("日元"),
        },
    )
)
"""What puts values into Mandarin words."""
