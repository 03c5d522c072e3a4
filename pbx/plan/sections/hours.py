"""Section `hours`: when the office is open. `pbx/plan/hours.py` says what the values mean.

hours:
  office:
    weekly: {mon-fri: "09:00-12:00, 13:30-18:00", sat: 10:00-16:00}
    holidays: [2026-10-01..2026-10-07, 01-01]
    also_open: {2026-09-20: 09:00-18:00}
    override_key: "*28"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

from pbx.marks import Node, TextNode, did_you_mean
from pbx.marks.problem import DUPLICATE_KEY, WRONG_TYPE
from pbx.plan.arguments import Pattern
from pbx.plan.entries import Entry
from pbx.plan.fields import Converted, Key, Keys, Many, Schema
from pbx.plan.hours import Holiday, Schedule, Span
from pbx.plan.names import mark_of
from pbx.plan.reading import PlanReader
from pbx.plan.sections.defaults import TIMEZONE
from pbx.plan.sections.section import things

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT: Final = 24 * 60
LEAP_YEAR: Final = 2000
"""The year of days that come every year: it has a 29 February."""

_TIMES = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")
_HOURS = "09:00-12:00, 13:30-18:00"
_DAY = re.compile(r"(?:([0-9]{4})-)?([0-9]{1,2})-([0-9]{1,2})")
_FULL_WIDTH = str.maketrans("，：－–—～~、０１２３４５６７８９", ",:-----,0123456789")


def parse_spans(text: str) -> tuple[Span, ...]:
    """Read `09:00-12:00, 13:30-18:00`; `closed` is none. Raises ValueError with a sentence."""
    if text == "closed":
        return ()
    return tuple(_span(part.strip(), text) for part in text.split(","))


def _span(part: str, text: str) -> Span:
    found = _TIMES.fullmatch(part)
    if found is None:
        plain = re.sub(r"\s*,\s*", ", ", text.translate(_FULL_WIDTH))
        if plain != text and all(_TIMES.fullmatch(each) for each in plain.split(", ")):
            raise ValueError(
                f'has characters of full width, or dashes that are none — write "{plain}"'
            )
        raise ValueError(f'is no time of opening — write "{_HOURS}"')
    begin, end = (_minute(found[1], found[2]), _minute(found[3], found[4]))
    if begin == MIDNIGHT:
        raise ValueError('begins at 24:00 — write "00:00" of the next day')
    if begin == end:
        raise ValueError('ends when it begins — write "00:00-24:00" for the whole day')
    return Span(begin, end)


def _minute(hour: str, minute: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > MIDNIGHT:
        raise ValueError(f"has {hour}:{minute}, which no clock shows — write 00:00 to 24:00")
    return minutes


def parse_day(text: str) -> tuple[date, bool]:
    """Read `2026-10-01` or `10-01`: the day, and whether it comes every year (the year is then
    2000). Raises ValueError with a sentence."""
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError("is no date — write 2026-10-01, or 10-01 for every year")
    try:
        day = date(int(found[1] or LEAP_YEAR), int(found[2]), int(found[3]))
    except ValueError:
        raise ValueError("is no day of the calendar") from None
    return day, found[1] is None


def parse_date(text: str) -> date:
    """Read `2026-10-01`. Raises ValueError with a sentence."""
    day, yearly = parse_day(text)
    if yearly:
        raise ValueError(f"has no year — write 2026-{text}")
    return day


def _weekdays(text: str) -> Iterable[int]:
    """Return the weekdays of `mon-fri`, `sat` or `mon, wed`, Monday is 0."""
    days: list[int] = []
    for part in text.lower().split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        for word in (first, last) if dash else (first,):
            if word not in DAYS:
                near = did_you_mean(word[:3], DAYS) or "write mon, mon-fri or mon, wed"
                raise ValueError(f"is no day of the week — {near}")
        begin = DAYS.index(first)
        count = (DAYS.index(last) - begin) % 7 + 1 if dash else 1
        days += [(begin + offset) % 7 for offset in range(count)]
    return days


_TEXT: Schema = {"type": "string"}


def _read_spans(reading: PlanReader, node: Node, what: str) -> tuple[Span, ...] | None:
    """Read the spans of a day, in one text or in a list."""
    spans: list[Span] = []
    for item in reading.items(node, what):
        found = Converted(parse_spans, _HOURS, _TEXT).read(reading, item, what)
        if found is None:
            return None
        spans += found
    return tuple(sorted(spans, key=lambda span: span.begin))


@dataclass(frozen=True, slots=True)
class Weekly:
    """Spans by days of the week."""

    written: ClassVar[str] = f'{{mon-fri: "{_HOURS}"}}'

    def read(self, reading: PlanReader, node: Node, what: str) -> dict[int, tuple[Span, ...]]:
        """Return weekday → spans."""
        week: dict[int, tuple[Span, ...]] = {}
        named: dict[int, TextNode] = {}
        for words, (key, value) in reading.mapping(node, what).items():
            if _TIMES.fullmatch(words) and isinstance(value, TextNode) and value.is_null:
                sentence = f'{what}: "{words}" became a line of its own at the comma before it'
                reading.problem(key, WRONG_TYPE, sentence, f'quote the times: "{_HOURS}"')
                continue
            days = Converted(_weekdays, "mon-fri", _TEXT).read(reading, key, what)
            spans = _read_spans(reading, value, f"{what} {words}")
            for day in days or ():
                if first := named.get(day):
                    sentence = f"{what}: {DAYS[day]} stands twice, first on line {first.line}"
                    reading.problem(key, DUPLICATE_KEY, sentence, "name each day once")
                    break
                named[day] = key
                week[day] = spans or ()
        return week

    def schema(self) -> Schema:
        """Return a map of texts."""
        return {"type": "object", "additionalProperties": _SPANS_SCHEMA}


_SPANS_SCHEMA: Schema = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}


@dataclass(frozen=True, slots=True)
class AlsoOpen:
    """Spans by date."""

    written: ClassVar[str] = "{2026-09-20: 09:00-18:00}"

    def read(self, reading: PlanReader, node: Node, what: str) -> dict[date, tuple[Span, ...]]:
        """Return date → spans."""
        days: dict[date, tuple[Span, ...]] = {}
        for words, (key, value) in reading.mapping(node, what).items():
            day = Converted(parse_date, "2026-09-20", _TEXT).read(reading, key, what)
            spans = _read_spans(reading, value, f"{what} {words}")
            if day is not None and spans is not None:
                days[day] = spans
        return days

    def schema(self) -> Schema:
        """Return a map of texts."""
        return {"type": "object", "additionalProperties": _SPANS_SCHEMA}


@dataclass(frozen=True, slots=True)
class OneHoliday:
    """A date, a range of them, or days of every year."""

    written: ClassVar[str] = "2026-10-01, 2026-10-01..2026-10-07, 01-01"

    def read(self, reading: PlanReader, node: Node, what: str) -> Holiday | None:
        """Return a holiday."""
        found = Converted(self._days, self.written, _TEXT).read(reading, node, what)
        if found is None:
            return None
        first, last, yearly = found
        return Holiday(first, last, yearly, mark_of(node))

    def schema(self) -> Schema:
        """Return any text."""
        return _TEXT

    def _days(self, text: str) -> tuple[date, date, bool]:
        begin, dots, end = text.partition("..")
        first, yearly = parse_day(begin.strip())
        last, also_yearly = parse_day(end.strip()) if dots else (first, yearly)
        if yearly != also_yearly:
            raise ValueError("has a year at one end only — write it at both")
        if last < first and not yearly:
            raise ValueError("ends before it begins — write the earlier day first")
        return first, last, yearly


CODE = Pattern(
    r"[*#][0-9*#]{1,7}", 'a code, such as "*28"', 'is no code; write * and digits: "*28"'
)

KEYS: Keys = {
    "timezone": Key("timezone", TIMEZONE),
    "weekly": Key("weekly", Weekly()),
    "holidays": Key("holidays", Many(OneHoliday())),
    "also_open": Key("also_open", AlsoOpen()),
    "override_key": Key("override_key", CODE),
}


def _build(reader: PlanReader, entry: Entry, fields: Mapping[str, Any]) -> Schedule:
    return Schedule(**{"timezone": reader.timezone, **fields})


SECTION = things("hours", "hours", KEYS, _build)
