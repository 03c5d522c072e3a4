"""Rows of a report: by hour and day of the office's clock, with names and formulas."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pbx.cdr.counts import Rules
from pbx.cdr.figures import Figures, Opinion, Part, Visit
from pbx.cdr.report import By, Kind, Ledger, Report, report_of, within

HOUR = 3_600_000
DAY = 24 * HOUR
LATER = 10**15
"""Milliseconds, long after all of it."""


def at(text: str) -> int:
    """Return a UTC time in milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def call(moment: int, queue: str = "service", **more: Any) -> Figures:
    part = Part("102", queue, moment, 3_000, "answered", 60_000, 0, 0)
    given: dict[str, Any] = {"caller": "1", "began": moment, "parts": (part,), **more}
    return Figures(visits=(Visit(queue, moment, 10_000, "answered"),), **given)


def reported(kind: Kind, zone: str, by: By | None, *calls: Figures, days: int = 3) -> Report:
    first = min((each.began for each in calls), default=0) // DAY * DAY
    ledger = Ledger(Rules(timezone=zone), first - DAY, first + days * DAY, by)
    for each in calls:
        ledger.add(each)
    return report_of(kind, ledger, LATER)


@pytest.mark.parametrize(
    ("zone", "by", "row"),
    [
        ("Asia/Shanghai", "day", ("2026-11-22T00:00+08:00", "2026-11-23T00:00+08:00")),
        ("Asia/Shanghai", "hour", ("2026-11-22T00:00+08:00", "2026-11-22T01:00+08:00")),
        ("Asia/Kolkata", "hour", ("2026-11-21T22:00+05:30", "2026-11-21T23:00+05:30")),
        ("America/New_York", "day", ("2026-11-21T00:00-05:00", "2026-11-22T00:00-05:00")),
    ],
)
def test_hours_and_days_are_the_offices(zone: str, by: str, row: tuple[str, str]) -> None:
    (found,) = reported("queues", zone, by, call(at("2026-11-21T16:40:00"))).rows
    assert (found.from_, found.until) == row


def test_a_day_with_a_change_of_the_clock_is_as_long_as_it_was() -> None:
    calls = [call(at(f"2026-10-25T{hour:02}:30:00"), caller="") for hour in (0, 1, 2)]
    (day,) = reported("queues", "Europe/Berlin", "day", *calls).rows
    assert (day.from_, day.until) == ("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00")
    hours = reported("queues", "Europe/Berlin", "hour", *calls).rows
    assert [row.from_[11:] for row in hours] == ["02:00+02:00", "02:00+01:00", "03:00+01:00"]


def test_the_ends_of_the_time_that_is_asked_for_cut_hours_and_calls() -> None:
    begin = at("2026-11-21T16:20:00")
    ledger = Ledger(Rules(), begin, begin + HOUR, "hour")
    for minutes in (-1, 0, 30, 59, 60):
        ledger.add(call(begin + minutes * 60_000, caller=""))
    rows = report_of("queues", ledger, LATER).rows
    assert [row.values["offered"] for row in rows] == [2, 1]
    assert [row.from_[11:16] for row in rows] == ["16:20", "17:00"]


def test_several_queues_have_a_row_for_all_and_one_has_none() -> None:
    moment = at("2026-11-21T16:40:00")
    rows = reported("queues", "UTC", None, call(moment), call(moment, "tech")).rows
    assert [(row.name, row.values["offered"]) for row in rows] == [
        ("service", 1),
        ("tech", 1),
        (None, 2),
    ]
    assert len(reported("queues", "UTC", None, call(moment)).rows) == 1


def test_who_comes_back_in_the_same_call_has_not_called_again() -> None:
    moment = at("2026-11-21T16:40:00")
    twice = Figures(
        "1",
        moment,
        tuple(Visit("service", moment + n * 60_000, 1_000, "answered") for n in (0, 1)),
        (),
    )
    (row,) = reported("queues", "UTC", None, twice).rows
    assert row.values["fcr"] == 100.0
    (row,) = reported("queues", "UTC", None, twice, call(moment + HOUR)).rows
    assert row.values["fcr"] == 66.667


def test_a_survey_is_counted_by_what_its_answers_mean() -> None:
    moment = at("2026-11-21T16:40:00")
    meanings = ("满意", "满意", "一般", None)
    calls = [call(moment, opinion=Opinion("csat", meaning)) for meaning in meanings]
    alone = Figures("1", moment, (), (), Opinion("csat", "满意"))
    (row,) = reported("survey", "UTC", None, *calls, alone).rows
    assert (row.name, row.answers) == ("csat", {"满意": 3, "一般": 1})
    assert (row.values["asked"], row.values["csat"]) == (5, 75.0)


def test_what_an_agent_did_is_parted_at_the_hours() -> None:
    begin = at("2026-11-21T16:00:00")
    ledger = Ledger(Rules(), begin, begin + 2 * HOUR, "hour")
    ledger.add_stretch("102", "available", begin - HOUR, begin + HOUR + 600_000)
    ledger.add_stretch("102", "talking", begin + HOUR + 600_000, begin + 9 * HOUR)
    rows = report_of("agents", ledger, LATER).rows
    assert [row.states for row in rows] == [
        {"available": 3_600.0},
        {"available": 600.0, "talking": 3_000.0},
    ]


def test_the_service_levels_time_is_told_with_the_queues_that_differ() -> None:
    assert within(Rules()) == "20 s"
    levels = {"a": 20.0, "b": 20.0, "vip": 10.0}
    assert within(Rules(service_level_s=levels)) == "20 s; vip 10 s"
