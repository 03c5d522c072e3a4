"""Estimates of the wait: a range in sensible steps, or silence."""

from __future__ import annotations

import pytest

from pbx.acd.estimate import ENOUGH, HandleTime, estimate
from pbx.acd.model import Estimate


def handled(*seconds: float) -> HandleTime:
    handle = HandleTime()
    for each in seconds:
        handle.handled(each)
    return handle


@pytest.mark.parametrize(
    ("position", "agents", "low", "high"),
    [(1, 10, 30.0, 30.0), (1, 2, 90.0, 120.0), (4, 2, 300.0, 480.0), (9, 1, 1260.0, 2040.0)],
)
def test_a_range_around_position_by_handle_time_by_agents(
    position: int, agents: int, low: float, high: float
) -> None:
    assert estimate(position, handled(*[180.0] * 5), agents) == Estimate(low, high)


def test_nothing_is_said_without_agents_or_enough_calls() -> None:
    assert estimate(1, handled(*[180.0] * 5), 0) is None
    assert estimate(1, handled(*[180.0] * (ENOUGH - 1)), 3) is None


def test_the_first_calls_count_alike_and_later_the_newest_most() -> None:
    assert handled(100.0, 200.0, 300.0).mean_s == pytest.approx(200.0)
    many = handled(*[100.0] * 50, 200.0)
    assert many.mean_s == pytest.approx(110.0)
