"""English, en: American numbers ("two hundred two"), the short scale, twelve hours with a.m., p.m.

Days are ordinal words behind the month ("September thirtieth"); years are pairs ("twenty
twenty-six"). An amount without a currency is only a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from pbx.speech.reading import Moment, Money, Number, near

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALE = (
    (10**15, "quadrillion"),
    (10**12, "trillion"),
    (10**9, "billion"),
    (10**6, "million"),
    (1000, "thousand"),
    (100, "hundred"),
)
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
"""Last words that do more than take a "th"."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_KEYS = {"+": "plus", "*": "star", "#": "pound"}


@dataclass(frozen=True, slots=True)
class _Currency:
    """One unit, several, one hundredth, several; no hundredths where there are none."""

    unit: str
    units: str
    cent: str = ""
    cents: str = ""


_CURRENCIES = {
    "CNY": _Currency("yuan", "yuan", "fen", "fen"),
    "HKD": _Currency("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "MOP": _Currency("pataca", "patacas", "avo", "avos"),
    "TWD": _Currency("Taiwan dollar", "Taiwan dollars", "cent", "cents"),
    "USD": _Currency("dollar", "dollars", "cent", "cents"),
    "EUR": _Currency("euro", "euros", "cent", "cents"),
    "GBP": _Currency("pound", "pounds", "penny", "pence"),
    "JPY": _Currency("yen", "yen"),
}


class English:
    """Values as English words."""

    def number(self, number: Number) -> str:
        """Return "minus two thousand two point five" for -2002.5."""
        words = _whole(number.whole)
        if number.decimals:
            words += " point " + " ".join(_SMALL[int(digit)] for digit in number.decimals)
        return _signed(number, words)

    def counted(self, number: Number) -> str:
        """Return the number as it stands before what is counted: none is "no"."""
        return "no" if number == Number(0) else self.number(number)

    def digits(self, groups: tuple[str, ...]) -> str:
        """Return "one three eight, zero zero one three" for two groups."""
        return ", ".join(" ".join(map(_key, group)) for group in groups)

    def date(self, day: date, now: datetime | None) -> str:
        """Return "today", "September thirtieth", or with the year where it is not that of `now`."""
        if name := near(day, now):
            return name
        words = f"{_MONTHS[day.month - 1]} {_ordinal(day.day)}"
        return words if now is not None and day.year == now.year else f"{words}, {_year(day.year)}"

    def time(self, clock: time) -> str:
        """Return "nine thirty a.m."; the two twelves are noon and midnight."""
        if clock.minute == 0 and clock.hour % 12 == 0:
            return "noon" if clock.hour else "midnight"
        words = _SMALL[clock.hour % 12 or 12]
        if clock.minute:
            words += (" oh " if clock.minute < 10 else " ") + _whole(clock.minute)
        return words + (" a.m." if clock.hour < 12 else " p.m.")

    def moment(self, moment: Moment, now: datetime | None) -> str:
        """Return day and time, or which of them there is."""
        day = [] if moment.day is None else [self.date(moment.day, now)]
        clock = [] if moment.clock is None else [self.time(moment.clock)]
        return " at ".join(day + clock)

    def money(self, money: Money) -> str:
        """Return "twelve dollars and fifty cents"; without a currency only the number."""
        if money.currency is None:
            return self.number(money.number)
        currency = _CURRENCIES[money.currency]
        whole, cents = money.number.whole, money.cents
        if cents and not currency.cent:
            return f"{self.number(money.number)} {currency.units}"
        parts = []
        if whole or not cents:
            parts.append(f"{_whole(whole)} {currency.unit if whole == 1 else currency.units}")
        if cents:
            parts.append(f"{_whole(cents)} {currency.cent if cents == 1 else currency.cents}")
        return _signed(money.number, " and ".join(parts))


ENGLISH = English()
"""What puts values into English words."""


def _signed(number: Number, words: str) -> str:
    return f"minus {words}" if number.negative else words


def _whole(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_SMALL[ones]}" if ones else "")
    size, unit = next((size, unit) for size, unit in _SCALE if number >= size)
    count, rest = divmod(number, size)
    return f"{_whole(count)} {unit}" + (f" {_whole(rest)}" if rest else "")


def _key(key: str) -> str:
    return _SMALL[int(key)] if key.isdigit() else _KEYS.get(key, key)


def _ordinal(number: int) -> str:
    tens, dash, last = _whole(number).rpartition("-")
    if last in _ORDINALS:
        return tens + dash + _ORDINALS[last]
    return tens + dash + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    if (century % 10 == 0 and rest < 10) or century < 10:
        return _whole(year)
    if rest == 0:
        return f"{_whole(century)} hundred"
    return _whole(century) + (" oh " if rest < 10 else " ") + _whole(rest)
