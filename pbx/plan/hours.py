"""Opening hours: open, closed or holiday at any minute, and why.

    hours:
      office:
        weekly: {mon-fri: "09:00-12:00, 13:30-18:00", sat: "10:00-16:00"}
        holidays: [2026-10-01..2026-10-07, 01-01]
        also_open: {2026-09-20: 09:00-18:00}       # a make-up working day (调休)
        override_key: "*28"

What is said of one day wins over what is said of a week: `also_open` before `holidays` before
`weekly`. Everything is local time of the schedule's zone; spans are minutes of the day, and one
that ends before it begins goes on after midnight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from pbx.plan.step import NOWHERE, Mark

State = Literal["open", "closed", "holiday"]


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` to `end`, in minutes since midnight; `end` is not in it. 1440 is midnight."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Holiday:
    """The days from `first` to `last`; every year where `yearly` (their year means nothing)."""

    first: date
    last: date
    yearly: bool = False
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Schedule:
    """One entry of `hours`. `weekly` has the spans of each weekday, Monday is 0."""

    name: str
    timezone: str
    weekly: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    holidays: tuple[Holiday, ...] = ()
    also_open: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    override_key: str | None = None
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a schedule says of a moment. `reason` is what made it so, in a few words."""

    state: State
    reason: str
    reopens: datetime | None = None
    """When it is open next (aware); None for one that is open, or never opens again."""
