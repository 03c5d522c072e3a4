"""Cantonese, row by row."""

from __future__ import annotations

import pytest

from pbx.speech.values import spoken
from tests.speech.golden import NOW, rows

TABLE = """
number | 0 | 零
number | 2 | 二
number | 10 | 十
number | 12 | 十二
number | 20 | 二十
number | 22 | 二十二
number | 100 | 一百
number | 101 | 一百零一
number | 110 | 一百一十
number | 200 | 二百
number | 202 | 二百零二
number | 220 | 二百二十
number | 222 | 二百二十二
number | 1000 | 一千
number | 1001 | 一千零一
number | 1010 | 一千零一十
number | 2000 | 兩千
number | 2002 | 兩千零二
number | 2200 | 兩千二百
number | 10000 | 一萬
number | 10010 | 一萬零一十
number | 12000 | 一萬二千
number | 20000 | 兩萬
number | 22222 | 兩萬二千二百二十二
number | 100000 | 十萬
number | 102000 | 十萬二千
number | 2000000 | 二百萬
number | 20000000 | 兩千萬
number | 100000001 | 一億零一
number | 200000000 | 兩億
number | 20000000000 | 二百億
number | -2 | 負二
number | 2.02 | 二點零二
number | -0.5 | 負零點五
number | 1,000 | 一千
number | 好多 | 好多

count | 1 | 一
count | 2 | 兩
count | 20 | 二十
count | 22 | 二十二

digits | 101 | 一零一
digits | 21234567 | 二一二三，四五六七
digits | 2123 4567 | 二一二三，四五六七
digits | +85221234567 | 加八五二，二一二三，四五六七
digits | 13800138000 | 一三八，零零一三，八零零零
digits | *60 | 星號六零
digits | 9# | 九井號

date | 2026-09-27 | 琴日
date | 2026-09-28 | 今日
date | 2026-09-29 | 聽日
date | 2026-09-30 | 九月三十號
date | 2026-12-22 | 十二月二十二號
date | 2027-02-02 | 二零二七年二月二號
date | 2010-10-10 | 二零一零年十月十號
date | 初一 | 初一

time | 00:00 | 凌晨十二點
time | 00:30 | 凌晨十二點半
time | 02:05 | 凌晨兩點零五分
time | 05:00 | 朝早五點
time | 09:30 | 朝早九點半
time | 11:15 | 朝早十一點十五分
time | 12:00 | 中午十二點
time | 14:02 | 下晝兩點零二分
time | 17:59 | 下晝五點五十九分
time | 18:30 | 夜晚六點半
time | 22:22 | 夜晚十點二十二分

datetime | 2026-09-28 15:30 | 今日下晝三點半
datetime | 2026-09-27 08:00 | 琴日朝早八點
datetime | 2026-10-08 18:30 | 十月八號夜晚六點半

money | 0 | 零元
money | 2 | 兩元
money | 12.50 | 十二元五角
money | 12.05 | 十二元零五分
money | 0.20 | 兩角
money | 200 | 二百元
money | 2000 | 兩千元
money | 250.50 | 二百五十元五角
money | HKD 3 | 三元
money | HK$3.50 | 三元五角
money | CNY 12.50 | 人民幣十二元五角
money | ¥2 | 人民幣兩元
money | MOP 20 | 澳門幣二十元
money | USD 5 | 五美元
money | USD 2.20 | 兩美元二十美仙
money | -8 | 負八元
money | 免費 | 免費
"""


@pytest.mark.parametrize(("format", "value", "words"), rows(TABLE))
def test_cantonese_words(format: str, value: str, words: str) -> None:
    assert spoken(value, format, "yue", now=NOW) == words
