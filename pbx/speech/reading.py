"""Reading values: the texts that variables hold, as numbers, amounts, moments and groups of digits.

A value comes from a caller's keys, a lookup or a clock, and is always text. Each function here
returns None for a text that is no such value; none of them raises, whatever the text is. Full-width
digits and signs are read as their plain ones. How a value sounds is said by the languages.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final, Literal

LONGEST: Final = 64
"""Characters; a longer text is no value of any format."""

WHOLE_DIGITS: Final = 16
"""The most digits before the decimal point that are still said as one number."""

_NUMBER = re.compile(r"([-−]?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?")

_CURRENCY_SIGNS: Final = {
    sign: code
    for code, signs in {
        "CNY": ("CNY", "RMB", "CN¥", "¥", "元"),
        "HKD": ("HKD", "HK$"),
        "MOP": ("MOP", "MOP$"),
        "TWD": ("TWD", "NT$"),
        "USD": ("USD", "US$", "$"),
        "EUR": ("EUR", "€"),
        "GBP": ("GBP", "£"),
        "JPY": ("JPY", "JP¥"),
    }.items()
    for sign in signs
}
"""How a currency is written → its code (ISO 4217)."""

_SIGN = "|".join(re.escape(sign) for sign in sorted(_CURRENCY_SIGNS, key=len, reverse=True))
_MONEY = re.compile(rf"(-?)({_SIGN})?\s*(-?[0-9,]+(?:\.[0-9]{{1,2}})?)\s*({_SIGN})?", re.IGNORECASE)

_CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::[0-9]{2}(?:[.,][0-9]+)?)?"
_ZONE = r"(?P<zone>Z|(?P<sign>[+-])(?P<zone_h>[0-9]{2}):?(?P<zone_m>[0-9]{2})?)?"
_MOMENT = re.compile(
    r"(?P<year>[0-9]{4})(?P<dash>[-/.])(?P<month>[0-9]{1,2})(?P=dash)(?P<day>[0-9]{1,2})"
    rf"(?:[T ]{_CLOCK}\s?{_ZONE})?",
    re.IGNORECASE,
)
_TIME = re.compile(_CLOCK)

_TELEPHONE = re.compile(r"\+?[0-9A-Za-z*#]+(?:[-. ()/]+[0-9A-Za-z*#]+)*")
_COUNTRY = re.compile(r"\+(86|852|853|886|1|44|61|65|81|82|33|49)([0-9]{6,})")
_ONE_BREATH = 5  # digits


@dataclass(frozen=True, slots=True)
class Number:
    """A number: the absolute value of its `whole` part, and its `decimals` as they are written."""

    whole: int
    decimals: str = ""
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: `whole` units and `cents` hundredths; `currency` by ISO 4217, None: not said."""

    number: Number
    currency: str | None = None

    @property
    def cents(self) -> int:
        """Return the hundredths, 0–99."""
        return int(self.number.decimals.ljust(2, "0"))


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, a time of day, or both; at least one is there."""

    day: date | None
    clock: time | None


def plain(text: str) -> str:
    """Return a value without blanks around it and with plain digits and signs."""
    return unicodedata.normalize("NFKC", text).strip() if len(text) <= LONGEST else ""


def read_number(text: str) -> Number | None:
    """Read `-1,234.50`; None beyond sixteen digits before the point."""
    found = _NUMBER.fullmatch(plain(text))
    if found is None:
        return None
    digits, decimals = found[2].replace(",", ""), found[3] or ""
    if len(digits) > WHOLE_DIGITS:
        return None
    nothing = not (digits + decimals).strip("0")
    return Number(int(digits), decimals, bool(found[1]) and not nothing)


def read_money(text: str) -> Money | None:
    """Read `12.50`, `CNY 12.50`, `¥12` or `3 HKD`; at most two decimals."""
    found = _MONEY.fullmatch(plain(text))
    if found is None or (found[2] and found[4]) or (found[1] and found[3].startswith("-")):
        return None
    number = read_number(found[1] + found[3])
    if number is None:
        return None
    sign = found[2] or found[4]
    return Money(number, _CURRENCY_SIGNS[sign.upper()] if sign else None)


def read_moment(text: str, now: datetime | None) -> Moment | None:
    """Read `2026-09-30`, `09:30`, or both as ISO 8601 writes them.

    A moment with an offset from UTC is told in the time zone of `now`, if that has one.
    """
    text = plain(text)
    try:
        if found := _MOMENT.fullmatch(text):
            return _moment(found, now)
        if found := _TIME.fullmatch(text):
            return Moment(None, time(int(found["hour"]), int(found["minute"])))
    except (ValueError, OverflowError):  # no such day or time; beyond the calendar's ends
        return None
    return None


def read_groups(text: str) -> tuple[str, ...] | None:
    """Read a telephone number, or another one that is said digit by digit, as groups of one breath.

    The groups are those of the text where it has some (`010-6552 9988`); else a country's code is
    one, and the rest falls into groups of three and four: 138 0013 8000, 400 800 1234, 2123 4567.
    """
    text = plain(text).removeprefix("(").upper()
    if not _TELEPHONE.fullmatch(text) or not any(character.isdigit() for character in text):
        return None
    if re.search(r"[A-Z]{4}", text):
        return None  # a word
    written = tuple(re.findall(r"\+?[0-9A-Z*#]+", text))
    if len(written) > 1:
        return written
    if found := _COUNTRY.fullmatch(text):
        return ("+" + found[1], *_breaths(found[2]))
    return _breaths(text)


Near = Literal["yesterday", "today", "tomorrow"]


def near(day: date, now: datetime | None) -> Near | None:
    """Return what a day is called now; None where it has no name but its date."""
    if now is None:
        return None
    names: dict[timedelta, Near] = {
        timedelta(-1): "yesterday",
        timedelta(0): "today",
        timedelta(1): "tomorrow",
    }
    return names.get(day - now.date())


def _moment(found: re.Match[str], now: datetime | None) -> Moment:
    day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    if found["hour"] is None:
        return Moment(day, None)
    at = datetime.combine(day, time(int(found["hour"]), int(found["minute"])))
    if found["zone"] and now is not None and now.tzinfo is not None:
        at = at.replace(tzinfo=_offset(found)).astimezone(now.tzinfo)
    return Moment(at.date(), at.time())


def _offset(found: re.Match[str]) -> timezone:
    if found["sign"] is None:
        return UTC
    ahead = timedelta(hours=int(found["zone_h"]), minutes=int(found["zone_m"] or 0))
    return timezone(ahead if found["sign"] == "+" else -ahead)


def _breaths(digits: str) -> tuple[str, ...]:
    """Cut digits into groups of three and four, the shorter ones first."""
    if len(digits) <= _ONE_BREATH:
        return (digits,)
    parts = -(-len(digits) // 4)
    shorter, longer = divmod(len(digits), parts)
    sizes = [shorter] * (parts - longer) + [shorter + 1] * longer
    groups, start = [], 0
    for size in sizes:
        groups.append(digits[start : start + size])
        start += size
    return tuple(groups)
