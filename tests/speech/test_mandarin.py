"""Mandarin, row by row."""

from __future__ import annotations

import pytest

from pbx.speech.values import spoken
from tests.speech.golden import NOW, rows

TABLE = """
number | 0 | 零
number | 1 | 一
number | 2 | 二
number | 9 | 九
number | 10 | 十
number | 11 | 十一
number | 12 | 十二
number | 19 | 十九
number | 20 | 二十
number | 22 | 二十二
number | 99 | 九十九
number | 100 | 一百
number | 101 | 一百零一
number | 110 | 一百一十
number | 111 | 一百一十一
number | 112 | 一百一十二
number | 120 | 一百二十
number | 200 | 两百
number | 202 | 两百零二
number | 210 | 两百一十
number | 220 | 两百二十
number | 222 | 两百二十二
number | 999 | 九百九十九
number | 1000 | 一千
number | 1001 | 一千零一
number | 1010 | 一千零一十
number | 1012 | 一千零一十二
number | 1100 | 一千一百
number | 2000 | 两千
number | 2002 | 两千零二
number | 2020 | 两千零二十
number | 2200 | 两千二百
number | 2222 | 两千二百二十二
number | 10000 | 一万
number | 10001 | 一万零一
number | 10010 | 一万零一十
number | 10100 | 一万零一百
number | 11000 | 一万一千
number | 12000 | 一万二千
number | 20000 | 两万
number | 20002 | 两万零二
number | 22222 | 两万二千二百二十二
number | 100000 | 十万
number | 100001 | 十万零一
number | 100010 | 十万零一十
number | 102000 | 十万二千
number | 120000 | 十二万
number | 200000 | 二十万
number | 1000000 | 一百万
number | 1002000 | 一百万二千
number | 2000000 | 两百万
number | 10000000 | 一千万
number | 20002000 | 两千万二千
number | 100000000 | 一亿
number | 100000001 | 一亿零一
number | 100002000 | 一亿零二千
number | 100100000 | 一亿零一十万
number | 110000000 | 一亿一千万
number | 200000000 | 两亿
number | 202000000 | 两亿零二百万
number | 1000000000 | 十亿
number | 20000000000 | 两百亿
number | 1000000000000 | 一万亿
number | -1 | 负一
number | -2002 | 负两千零二
number | -0 | 零
number | 0.5 | 零点五
number | 2.2 | 二点二
number | 3.14 | 三点一四
number | 10.05 | 十点零五
number | 1.50 | 一点五零
number | -0.25 | 负零点二五
number | 1,234,567 | 一百二十三万四千五百六十七
number | ２００ | 两百
number | 007 | 七
number | 很多 | 很多
number | 1,23 | 1,23
number | 12345678901234567 | 12345678901234567

count | 0 | 零
count | 2 | 两
count | 12 | 十二
count | 102 | 一百零二

digits | 1 | 幺
digits | 0123456789 | 零幺二，三四五，六七八九
digits | 101 | 幺零幺
digits | 110 | 幺幺零
digits | 10086 | 幺零零八六
digits | 13800138000 | 幺三八，零零幺三，八零零零
digits | +8613912345678 | 加八六，幺三九，幺二三四，五六七八
digits | 4008001234 | 四零零，八零零，幺二三四
digits | 010-65529988 | 零幺零，六五五二九九八八
digits | 0755 8765 4321 | 零七五五，八七六五，四三二幺
digits | (021) 6552 9988 | 零二幺，六五五二，九九八八
digits | *97# | 星号九七井号
digits | SF12 | S F 幺二
digits | anonymous | anonymous
digits | 粤B12345 | 粤B12345

date | 2026-09-27 | 昨天
date | 2026-09-28 | 今天
date | 2026-09-29 | 明天
date | 2026-09-30 | 九月三十号
date | 2026-10-01 | 十月一号
date | 2026-02-02 | 二月二号
date | 2026-12-22 | 十二月二十二号
date | 2026/11/10 | 十一月十号
date | 2026.1.9 | 一月九号
date | 2025-12-31 | 二零二五年十二月三十一号
date | 2027-01-01 | 二零二七年一月一号
date | 2000-10-10 | 二零零零年十月十号
date | 2026-09-30T08:15:00 | 九月三十号
date | 2026-09-28T23:00:00-05:00 | 明天
date | 2026-02-30 | 2026-02-30
date | 09:30 | 09:30
date | 周二 | 周二

time | 00:00 | 凌晨零点
time | 00:05 | 凌晨零点零五分
time | 02:00 | 凌晨两点
time | 02:02 | 凌晨两点零二分
time | 05:30 | 早上五点半
time | 7:10 | 早上七点十分
time | 09:00 | 上午九点
time | 09:30 | 上午九点半
time | 10:12 | 上午十点十二分
time | 12:00 | 中午十二点
time | 12:45 | 中午十二点四十五分
time | 13:00 | 下午一点
time | 14:20 | 下午两点二十分
time | 18:00 | 晚上六点
time | 22:22 | 晚上十点二十二分
time | 23:59:59 | 晚上十一点五十九分
time | 2026-09-30T09:30 | 上午九点半
time | 2026-09-30T01:30Z | 凌晨一点半
time | 24:00 | 24:00
time | 2026-09-30 | 2026-09-30

datetime | 2026-09-28 15:02 | 今天下午三点零二分
datetime | 2026-09-27T19:30:00Z | 昨天晚上七点半
datetime | 2026-10-08 09:00 | 十月八号上午九点
datetime | 2025-01-02 03:04 | 二零二五年一月二号凌晨三点零四分
datetime | 2026-09-30 | 九月三十号
datetime | 09:30 | 上午九点半

money | 0 | 零元
money | 2 | 两元
money | 10 | 十元
money | 12 | 十二元
money | 12.50 | 十二元五角
money | 12.5 | 十二元五角
money | 12.05 | 十二元零五分
money | 12.34 | 十二元三角四分
money | 12.00 | 十二元
money | 0.05 | 五分
money | 0.02 | 两分
money | 0.20 | 两角
money | 0.22 | 两角二分
money | 2.22 | 两元二角二分
money | 200 | 两百元
money | 250.50 | 两百五十元五角
money | 1,002.02 | 一千零二元零二分
money | -3.30 | 负三元三角
money | CNY 12.50 | 十二元五角
money | ¥12 | 十二元
money | ￥12 | 十二元
money | 12元 | 十二元
money | HKD 3 | 港币三元
money | HK$3.50 | 港币三元五角
money | USD 5 | 五美元
money | $2.20 | 两美元二十美分
money | 0.02 USD | 两美分
money | EUR 2 | 两欧元
money | £1.01 | 一英镑一便士
money | JPY 300 | 三百日元
money | JPY 3.50 | 三点五零日元
money | 1.234 | 1.234
money | XYZ 5 | XYZ 5
money | 免费 | 免费
"""


@pytest.mark.parametrize(("format", "value", "words"), rows(TABLE))
def test_mandarin_words(format: str, value: str, words: str) -> None:
    assert spoken(value, format, "zh", now=NOW) == words


@pytest.mark.parametrize(
    ("year", "words"),
    [
        ("2026", "二零二六年"),
        ("1999", "一九九九年"),
        ("2010", "二零一零年"),
        ("0987", "零九八七年"),
    ],
)
def test_years_are_said_digit_by_digit(year: str, words: str) -> None:
    assert spoken(f"{year}-05-20", "date", "zh") == f"{words}五月二十号"
