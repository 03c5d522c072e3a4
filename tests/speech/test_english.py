"""English, row by row."""

from __future__ import annotations

import pytest

from pbx.speech.values import spoken
from tests.speech.golden import NOW, rows

TABLE = """
number | 0 | zero
number | 1 | one
number | 2 | two
number | 10 | ten
number | 11 | eleven
number | 12 | twelve
number | 13 | thirteen
number | 15 | fifteen
number | 19 | nineteen
number | 20 | twenty
number | 22 | twenty-two
number | 40 | forty
number | 99 | ninety-nine
number | 100 | one hundred
number | 101 | one hundred one
number | 110 | one hundred ten
number | 200 | two hundred
number | 202 | two hundred two
number | 999 | nine hundred ninety-nine
number | 1000 | one thousand
number | 1001 | one thousand one
number | 1010 | one thousand ten
number | 2000 | two thousand
number | 2002 | two thousand two
number | 2200 | two thousand two hundred
number | 10000 | ten thousand
number | 10010 | ten thousand ten
number | 22222 | twenty-two thousand two hundred twenty-two
number | 100000 | one hundred thousand
number | 102000 | one hundred two thousand
number | 1000000 | one million
number | 1000001 | one million one
number | 200000000 | two hundred million
number | 2000000000 | two billion
number | 3000000000000 | three trillion
number | 4000000000000000 | four quadrillion
number | 1,234 | one thousand two hundred thirty-four
number | -5 | minus five
number | −5 | minus five
number | -0 | zero
number | 0.5 | zero point five
number | 3.14 | three point one four
number | 10.05 | ten point zero five
number | -2.50 | minus two point five zero
number | many | many

count | 0 | no
count | 1 | one
count | 2 | two
count | 22 | twenty-two

digits | 101 | one zero one
digits | 10086 | one zero zero eight six
digits | 13800138000 | one three eight, zero zero one three, eight zero zero zero
digits | +12025550143 | plus one, two zero two, five five five, zero one four three
digits | 202-555-0143 | two zero two, five five five, zero one four three
digits | *97# | star nine seven pound
digits | ab12 | A B one two
digits | withheld | withheld

date | 2026-09-27 | yesterday
date | 2026-09-28 | today
date | 2026-09-29 | tomorrow
date | 2026-09-30 | September thirtieth
date | 2026-10-01 | October first
date | 2026-10-02 | October second
date | 2026-10-03 | October third
date | 2026-10-04 | October fourth
date | 2026-10-05 | October fifth
date | 2026-10-08 | October eighth
date | 2026-10-09 | October ninth
date | 2026-10-12 | October twelfth
date | 2026-10-20 | October twentieth
date | 2026-10-21 | October twenty-first
date | 2026-12-31 | December thirty-first
date | 2027-01-01 | January first, twenty twenty-seven
date | 2010-01-01 | January first, twenty ten
date | 2009-01-01 | January first, two thousand nine
date | 2000-01-01 | January first, two thousand
date | 1900-01-01 | January first, nineteen hundred
date | 1905-01-01 | January first, nineteen oh five
date | 0800-01-01 | January first, eight hundred
date | 2026-13-01 | 2026-13-01
date | soon | soon

time | 00:00 | midnight
time | 00:05 | twelve oh five a.m.
time | 01:00 | one a.m.
time | 09:30 | nine thirty a.m.
time | 9:05 | nine oh five a.m.
time | 12:00 | noon
time | 12:01 | twelve oh one p.m.
time | 13:00 | one p.m.
time | 18:15 | six fifteen p.m.
time | 23:59 | eleven fifty-nine p.m.
time | 25:00 | 25:00

datetime | 2026-09-28 15:02 | today at three oh two p.m.
datetime | 2026-10-08 12:00 | October eighth at noon
datetime | 2026-10-08 | October eighth
datetime | 18:30 | six thirty p.m.

money | 12.50 | twelve point five zero
money | 250 | two hundred fifty
money | USD 1 | one dollar
money | USD 5 | five dollars
money | $5.01 | five dollars and one cent
money | $0.50 | fifty cents
money | $0 | zero dollars
money | -$3 | minus three dollars
money | CNY 250.50 | two hundred fifty yuan and fifty fen
money | HKD 3 | three Hong Kong dollars
money | HKD 1.20 | one Hong Kong dollar and twenty cents
money | GBP 2.01 | two pounds and one penny
money | EUR 1 | one euro
money | 300 JPY | three hundred yen
money | JPY 1.50 | one point five zero yen
money | free | free
"""


@pytest.mark.parametrize(("format", "value", "words"), rows(TABLE))
def test_english_words(format: str, value: str, words: str) -> None:
    assert spoken(value, format, "en", now=NOW) == words
