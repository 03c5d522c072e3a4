"""Judges opening hours: what a schedule says of a moment, and when it is open next.

`judge` is asked on the call path and answers in microseconds; `slots` lays a whole day out for
people. Spans are read off the clock on the wall of the schedule's zone. So in the hour that summer
time skips nothing opens before the clock has jumped, and the hour that comes twice is open twice.

A span that goes on after midnight belongs to the day it begins on: who opens on Friday at 22:00
stays open until Saturday 02:00, even where Saturday is a holiday, and who has a holiday on Friday
is not open on Saturday at 01:00.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from pbx.plan.hours import Holiday, Schedule, Span, State, Verdict

SEARCH_DAYS: Final = 400
"""How many days ahead the next opening is looked for; what opens later "never" does."""

MIDNIGHT: Final = 1440
"""Minutes since midnight at which a day ends."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of one day, in minutes since midnight, and what holds in it."""

    begin: int
    end: int
    state: State
    reason: str


def judge(schedule: Schedule, at: datetime, switched: State | None = None) -> Verdict:
    """Return what `schedule` says of the moment `at` (aware).

    `switched` is what its day/night key says, which wins until midnight. `reopens` is in the
    schedule's zone; None where it is open, or does not open within `SEARCH_DAYS`.
    """
    zone = zone_of(schedule)
    wall = at.astimezone(zone)
    if switched is not None:
        reason = f"switched by {schedule.override_key or 'hand'} until 00:00"
        state, begin = switched, midnight_after(schedule, at)
        if state != "open" and _span_at(schedule, begin.astimezone(zone)) is not None:
            return Verdict(state, reason, begin.astimezone(zone))
    else:
        state, reason = _state_at(schedule, wall)
        begin = at.astimezone(UTC)
    if state == "open":
        return Verdict(state, reason)
    return Verdict(state, reason, _reopens(schedule, zone, begin))


def slots(schedule: Schedule, day: date) -> tuple[Slot, ...]:
    """Return the slots of a day from 0 to 1440, as its calendar shows them, without the switch."""
    walls = {0, MIDNIGHT}
    for span in spans_of(schedule, day):
        walls |= {span.begin, MIDNIGHT if _passes_midnight(span) else span.end}
    walls |= {span.end for span in _tails(schedule, day)}
    edges = sorted(walls)
    found: list[Slot] = []
    for begin, end in pairwise(edges):
        state, reason = _state_at(schedule, datetime.combine(day, time(begin // 60, begin % 60)))
        if found and (found[-1].state, found[-1].reason) == (state, reason):
            begin = found.pop().begin
        found.append(Slot(begin, end, state, reason))
    return tuple(found)


def spans_of(schedule: Schedule, day: date) -> tuple[Span, ...]:
    """Return the spans that begin on a day."""
    if (made_up := schedule.also_open.get(day)) is not None:
        return made_up
    if holiday_on(schedule, day) is not None:
        return ()
    return schedule.weekly.get(day.weekday(), ())


def holiday_on(schedule: Schedule, day: date) -> Holiday | None:
    """Return the holiday that a day is part of, whether or not it is open all the same."""
    return next((holiday for holiday in schedule.holidays if _covers(holiday, day)), None)


def midnight_after(schedule: Schedule, at: datetime) -> datetime:
    """Return the first moment (UTC) of the schedule's next day: when its day/night key ends."""
    zone = zone_of(schedule)
    tomorrow = datetime.combine(at.astimezone(zone).date() + _DAY, time())
    moment = next(_moments(zone, tomorrow), None)
    if moment is not None:
        return moment
    return _jump(zone, tomorrow.replace(tzinfo=zone).astimezone(UTC) - _DAY, 2 * _DAY)


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo:
    """Return a time zone; raises ZoneInfoNotFoundError for a name that is none."""
    return ZoneInfo(name)


def zone_of(schedule: Schedule) -> ZoneInfo:
    """Return the zone that the schedule's times are of."""
    return zone_named(schedule.timezone)


# -- what holds at a reading of the clock on the wall ----------------------------------------


def _state_at(schedule: Schedule, wall: datetime) -> tuple[State, str]:
    found = _span_at(schedule, wall)
    if found is not None:
        day, span = found
        return "open", f"{_day_label(schedule, day)} {span_text(span)}"
    day = wall.date()
    if (spans := schedule.also_open.get(day)) is not None:
        return "closed", f"outside {_day_label(schedule, day)} {spans_text(spans)}"
    if (holiday := holiday_on(schedule, day)) is not None:
        return "holiday", f"holiday {holiday_text(holiday)}"
    label = _day_label(schedule, day)
    spans = schedule.weekly.get(day.weekday(), ())
    return "closed", f"outside {label} {spans_text(spans)}" if spans else f"never open on {label}"


def _span_at(schedule: Schedule, wall: datetime) -> tuple[date, Span] | None:
    """Return the span that it is open by, and the day that the span began on."""
    day, minute = wall.date(), wall.hour * 60 + wall.minute
    for span in spans_of(schedule, day):
        if span.begin <= minute and (minute < span.end or _passes_midnight(span)):
            return day, span
    for span in _tails(schedule, day):
        if minute < span.end:
            return day - _DAY, span
    return None


def _tails(schedule: Schedule, day: date) -> Iterator[Span]:
    """Yield the spans of the day before that go on after midnight."""
    return (span for span in spans_of(schedule, day - _DAY) if _passes_midnight(span))


def _passes_midnight(span: Span) -> bool:
    return span.end < span.begin


def _covers(holiday: Holiday, day: date) -> bool:
    if not holiday.yearly:
        return holiday.first <= day <= holiday.last
    first, last = _month_day(holiday.first), _month_day(holiday.last)
    this = _month_day(day)
    return first <= this <= last if first <= last else this >= first or this <= last


def _month_day(day: date) -> tuple[int, int]:
    return day.month, day.day


# -- when it is open next --------------------------------------------------------------------


def _reopens(schedule: Schedule, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Return the first moment after `after` (UTC, not open) at which it is open.

    That is where a span begins, or where the clock jumps into one.
    """
    today = after.astimezone(zone).date()
    if not any(schedule.weekly.values()) and max(schedule.also_open, default=date.min) < today:
        return None
    night = spans_of(schedule, today - _DAY)
    for ahead in range(SEARCH_DAYS + 1):
        day = today + timedelta(days=ahead)
        spans = spans_of(schedule, day)
        if spans or night:
            moment = _opens_on(schedule, zone, day, after)
            if moment is not None:
                return moment.astimezone(zone)
        night = spans
    return None


def _opens_on(schedule: Schedule, zone: ZoneInfo, day: date, after: datetime) -> datetime | None:
    """Return the first moment (UTC) of a day, after `after`, at which it opens."""
    begin, jump = _course(zone, day)
    first: datetime | None = None
    for span in spans_of(schedule, day):
        moments = (
            _moments(zone, datetime.combine(day, time()) + timedelta(minutes=span.begin))
            if jump is not None
            else (begin + timedelta(minutes=span.begin),)
        )
        for moment in moments:
            if after < moment and (first is None or moment < first) and span.begin != span.end:
                first = moment
    if jump is not None and after < jump and (first is None or jump < first):
        inside = _span_at(schedule, jump.astimezone(zone)) is not None
        first = jump if inside else first
    return first


@lru_cache(maxsize=1024)
def _course(zone: ZoneInfo, day: date) -> tuple[datetime, datetime | None]:
    """Return when a day begins (UTC), and the moment at which its clock jumps, if it does."""
    midnight = datetime.combine(day, time(), zone)
    begin, end = midnight.astimezone(UTC), (midnight + _DAY).astimezone(UTC)
    before = begin - _SECOND
    if _offset(zone, before) == _offset(zone, end):
        return begin, None
    return begin, _jump(zone, before, end - before)


def _moments(zone: ZoneInfo, wall: datetime) -> Iterator[datetime]:
    """Yield the moments (UTC) at which the clock on the wall shows `wall`: one, two or none."""
    previous = None
    for fold in (0, 1):
        moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if moment != previous and moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
            yield moment
        previous = moment


def _jump(zone: ZoneInfo, begin: datetime, length: timedelta) -> datetime:
    """Return the moment (UTC) within `length` after `begin` at which the zone's offset changes."""
    before = _offset(zone, begin)
    low, high = 0, int(length.total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, begin + middle * _SECOND) == before:
            low = middle
        else:
            high = middle
    return begin + high * _SECOND


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


# -- in words --------------------------------------------------------------------------------


def spans_text(spans: tuple[Span, ...]) -> str:
    """Return spans as the file writes them: `09:00-12:00, 13:30-18:00`."""
    return ", ".join(map(span_text, spans))


def span_text(span: Span) -> str:
    """Return one span as the file writes it."""
    return f"{clock_text(span.begin)}-{clock_text(span.end)}"


def clock_text(minute: int) -> str:
    """Return minutes since midnight as `HH:MM`; the end of a day is 24:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def holiday_text(holiday: Holiday) -> str:
    """Return a holiday as the file writes it: `2026-10-01..10-07`, `01-01`."""
    first, last = holiday.first, holiday.last
    same_year = holiday.yearly or first.year == last.year
    begin = f"{first:%m-%d}" if holiday.yearly else f"{first:%Y-%m-%d}"
    if first == last:
        return begin
    return f"{begin}..{last:%m-%d}" if same_year else f"{begin}..{last:%Y-%m-%d}"


def _day_label(schedule: Schedule, day: date) -> str:
    """Return which rule a day follows: `make-up day 2026-09-20`, or its weekday and the ones
    beside it that are open at the same times: `mon-fri`."""
    if day in schedule.also_open:
        return f"make-up day {day:%Y-%m-%d}"
    first, last = _alike(schedule.weekly, day.weekday())
    if first == last:
        return WEEKDAYS[first]
    return f"{WEEKDAYS[first]}-{WEEKDAYS[last]}"


def _alike(weekly: Mapping[int, tuple[Span, ...]], weekday: int) -> tuple[int, int]:
    spans = weekly.get(weekday, ())
    first = last = weekday
    while first > 0 and weekly.get(first - 1, ()) == spans:
        first -= 1
    while last < 6 and weekly.get(last + 1, ()) == spans:
        last += 1
    return first, last
