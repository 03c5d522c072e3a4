"""When somebody may be called back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pbx.acd.callback_times import LOOK_AGAIN, closed_s, rest_before
from pbx.plan.hours import Schedule, Span
from pbx.plan.model import Callback

OFFICE = Schedule("office", "Asia/Shanghai", {day: (Span(540, 1080),) for day in range(5)})


@pytest.mark.parametrize(
    ("rests", "expected"),
    [
        ((0.0, 300.0, 1800.0), [0.0, 300.0, 1800.0, 1800.0]),
        ((60.0,), [60.0, 60.0, 60.0, 60.0]),
        ((), [0.0, 0.0, 0.0, 0.0]),
    ],
)
def test_the_last_rest_holds_for_all_tries_after_it(
    rests: tuple[float, ...], expected: list[float]
) -> None:
    rules = Callback(again_s=rests)
    assert [rest_before(rules, attempt) for attempt in (1, 2, 3, 4)] == expected


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20T08:00:00", 0.0),
        ("2026-11-20T00:59:30", 30.0),
        ("2026-11-20T00:30:00", LOOK_AGAIN),
        ("2026-11-21T08:00:00", LOOK_AGAIN),
    ],
)
def test_closed_hours_are_looked_at_when_they_open_and_every_minute(
    moment: str, expected: float
) -> None:
    assert closed_s(OFFICE, at(moment), None) == expected


def test_without_hours_it_is_always_time_and_a_switch_wins_over_them() -> None:
    assert closed_s(None, at("2026-11-21T08:00:00"), None) == 0.0
    assert closed_s(OFFICE, at("2026-11-21T08:00:00"), "open") == 0.0
    assert closed_s(OFFICE, at("2026-11-20T08:00:00"), "closed") == LOOK_AGAIN


def test_hours_that_never_open_are_looked_at_again() -> None:
    assert closed_s(Schedule("never", "UTC"), at("2026-11-20T08:00:00"), None) == LOOK_AGAIN
