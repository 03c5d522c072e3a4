"""Simulated days: what Erlang's formulas say, and calls spread evenly."""

from __future__ import annotations

import math
import random

import pytest

from pbx.acd.model import Profile
from pbx.acd.simulation import HOUR, Demand, Simulation
from pbx.plan.model import Queue
from tests.kit.proof import OCCUPANCIES, PATIENCE_S, prove

EVEN = ("longest_idle", "round_robin", "fewest_calls", "least_talk_time")
"""Strategies that promise to spread calls evenly."""


def crew(count: int) -> list[Profile]:
    return [Profile(number=str(100 + number)) for number in range(count)]


def day(queue: Queue, *, agents: int, seed: int = 1, pick_up_s: float = 0.0) -> Simulation:
    demand = Demand(queue=queue, calls_per_hour=[100, 200], talk_s=180.0, patience_s=120.0)
    simulation = Simulation([demand], crew(agents), random.Random(seed), pick_up_s=pick_up_s)
    simulation.run(8 * HOUR)
    return simulation


@pytest.mark.parametrize("patience_s", [None, PATIENCE_S], ids=["Erlang C", "Erlang A"])
@pytest.mark.parametrize("load", [0.6, 0.8])
def test_a_small_queue_does_what_the_formula_says(load: float, patience_s: float | None) -> None:
    _, held = prove(3, load, patience_s=patience_s, seed=1, half_width=0.0, most=6_000)
    for one in held:
        assert one.seen.holds(one.expected), one


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("patience_s", [None, PATIENCE_S], ids=["Erlang C", "Erlang A"])
@pytest.mark.parametrize("load", OCCUPANCIES)
def test_a_queue_does_what_the_formula_says(load: float, patience_s: float | None) -> None:
    """Each figure to ± 5 % or with 100,000 calls; ± 2 % takes minutes (benchmarks/queue.py)."""
    _, held = prove(8, load, patience_s=patience_s, seed=1, half_width=0.05, most=100_000)
    for one in held:
        assert one.seen.holds(one.expected), one


@pytest.mark.parametrize("strategy", EVEN)
def test_equal_calls_are_spread_evenly(strategy: str) -> None:
    """1,000 calls of one length at an occupancy of a half, ten equal agents: max/min ≤ 1.05."""
    queue = Queue("q", strategy=strategy, wrap_up_s=0.0)
    demand = Demand(queue=queue, calls_per_hour=[100], talk_s=180.0, varies=False)
    simulation = Simulation([demand], crew(10), random.Random(1))
    simulation.run(math.inf, calls=1001)
    calls = [work.calls for work in simulation.work.values()]
    assert sum(calls) == 1000
    assert max(calls) / min(calls) <= 1.05


def test_whoever_came_was_answered_left_was_sent_away_or_waits() -> None:
    queue = Queue("q", max_wait_s=60.0, max_callers=5)
    simulation = day(queue, agents=6, pick_up_s=4.0)
    seen = simulation.seen["q"]
    assert set(seen.away) == {"timeout", "full"}
    assert seen.joined == len(seen.waits) + sum(seen.away.values()) + seen.waiting[-1]
    assert 0 < sum(seen.answered) == sum(work.calls for work in simulation.work.values())
    assert len(seen.answered_waits()) == sum(seen.answered)
    assert min(seen.answered_waits()) == 4.0
    assert max(seen.answered_waits()) <= 60.0 + 4.0


def test_the_rate_follows_the_hours() -> None:
    simulation = day(Queue("q"), agents=30)
    at = simulation.seen["q"].at
    assert 75 < sum(moment < HOUR for moment in at) < 125
    assert 1250 < sum(moment >= HOUR for moment in at) < 1550


def test_no_calls_come_where_the_rate_is_nothing() -> None:
    demand = Demand(queue=Queue("q"), calls_per_hour=[0, 60, 0], talk_s=180.0)
    simulation = Simulation([demand], crew(5), random.Random(1))
    simulation.run(24 * HOUR)
    at = simulation.seen["q"].at
    assert 40 < len(at) < 80
    assert all(HOUR <= moment < 2.2 * HOUR for moment in at)


def test_all_are_rung_and_one_picks_up() -> None:
    simulation = day(Queue("q", strategy="ring_all", wrap_up_s=10.0), agents=15, pick_up_s=3.0)
    assert sum(simulation.seen["q"].answered) > 1000
    calls = [work.calls for work in simulation.work.values()]
    assert min(calls) > 0


def test_the_same_seed_is_the_same_day() -> None:
    assert day(Queue("q"), agents=8).seen == day(Queue("q"), agents=8).seen
    assert day(Queue("q"), agents=8).seen != day(Queue("q"), agents=8, seed=2).seen
