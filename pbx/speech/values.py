"""Values as words: `spoken("2026-09-30", "date", "zh", now=now)` is 九月三十号.

What a value says is read by reading.py, how it sounds is told by the language's own file. A value
that does not fit its format is said as it is: callers hear what there is, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Final, Protocol

from pbx.speech.cantonese import CANTONESE
from pbx.speech.english import ENGLISH
from pbx.speech.mandarin import MANDARIN
from pbx.speech.reading import (
    Moment,
    Money,
    Number,
    read_groups,
    read_moment,
    read_money,
    read_number,
)


class Language(Protocol):
    """What each language can put into words."""

    def number(self, number: Number) -> str:
        """Return a number's words."""

    def counted(self, number: Number) -> str:
        """Return the words of a number before what it counts."""

    def digits(self, groups: tuple[str, ...]) -> str:
        """Return digits, keys and letters one by one, with a pause after each group."""

    def date(self, day: date, now: datetime | None) -> str:
        """Return the words of a day, as one says it at `now`."""

    def time(self, clock: time) -> str:
        """Return the words of a time of day; seconds are not said."""

    def moment(self, moment: Moment, now: datetime | None) -> str:
        """Return the words of a day and time, or of which of them there is."""

    def money(self, money: Money) -> str:
        """Return the words of an amount."""


LANGUAGES: Final[Mapping[str, Language]] = {"zh": MANDARIN, "yue": CANTONESE, "en": ENGLISH}
"""The languages that are spoken; any other is spoken to as the first."""


def grammar_of(code: str) -> Language:
    """Return what speaks a language; Mandarin for one that is not known."""
    return LANGUAGES.get(code, MANDARIN)


def spoken(value: str, format: str | None, language: str, *, now: datetime | None = None) -> str:
    """Return the words of a value: as `format` says, or as it is where it does not fit.

    `format` is one of FORMATS, None for as it is. `now`, in the office's time zone, decides on
    words such as "today" and on whether the year is said; without it the year always is.
    """
    speak = _FORMATS.get(format or "")
    words = None if speak is None else speak(value, grammar_of(language), now)
    return value if words is None else words


_Speak = Callable[[str, Language, datetime | None], str | None]


def _date(value: str, language: Language, now: datetime | None) -> str | None:
    moment = read_moment(value, now)
    return None if moment is None or moment.day is None else language.date(moment.day, now)


def _time(value: str, language: Language, now: datetime | None) -> str | None:
    moment = read_moment(value, now)
    return None if moment is None or moment.clock is None else language.time(moment.clock)


def _datetime(value: str, language: Language, now: datetime | None) -> str | None:
    moment = read_moment(value, now)
    return None if moment is None else language.moment(moment, now)


def _digits(value: str, language: Language, _now: datetime | None) -> str | None:
    groups = read_groups(value)
    return None if groups is None else language.digits(groups)


def _number(value: str, language: Language, _now: datetime | None) -> str | None:
    number = read_number(value)
    return None if number is None else language.number(number)


def _counted(value: str, language: Language, _now: datetime | None) -> str | None:
    number = read_number(value)
    return None if number is None else language.counted(number)


def _money(value: str, language: Language, _now: datetime | None) -> str | None:
    money = read_money(value)
    return None if money is None else language.money(money)


_FORMATS: Final[Mapping[str, _Speak]] = {
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "digits": _digits,
    "number": _number,
    "count": _counted,
    "money": _money,
}

FORMATS: Final = tuple(_FORMATS)
"""How a value can be spoken. `count` is for phrases: a number before what it counts (两条)."""
