"""When the event loop counts as too late for new calls."""

from __future__ import annotations

import asyncio
import re

from pbx.machine import LOOK, MAX_LAG, PATIENCE, TOKENS_AT_ONCE, LoopWatch, Tokens
from tests.kit.loop import run


def looks(watch: LoopWatch, lags: list[float], now: float = 1000.0) -> float:
    """Look once for each lag, each `LOOK` seconds after the one before was done."""
    for lag in lags:
        now += LOOK + lag
        watch.look(lag, now)
    return now


def test_one_pause_of_the_machine_refuses_nobody_however_long_it_is() -> None:
    watch = LoopWatch()
    looks(watch, [0.0, 3.0, 0.0, 0.06, 0.0, 0.06])
    assert not watch.late


def test_half_a_second_of_lateness_without_a_break_refuses_new_calls() -> None:
    watch = LoopWatch()
    now = looks(watch, [MAX_LAG + 0.01] * 3)
    assert not watch.late
    looks(watch, [MAX_LAG + 0.01] * 2, now)
    assert watch.late


def test_a_look_on_time_breaks_the_lateness() -> None:
    watch = LoopWatch()
    looks(watch, [0.1, 0.1, 0.0] * 10)
    assert not watch.late


def test_half_a_second_on_time_lets_them_in_again() -> None:
    watch = LoopWatch()
    now = looks(watch, [0.2] * 10)
    assert watch.late
    now = looks(watch, [0.0] * 3, now)
    assert watch.late
    looks(watch, [0.0] * 4, now)
    assert not watch.late


def test_sleeping_takes_as_long_as_it_says() -> None:
    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await LoopWatch().sleep(1.0)
        return loop.time() - before

    assert 1.0 <= run(scenario()) < 1.0 + PATIENCE


def test_tokens_are_random_and_no_two_are_alike() -> None:
    token = Tokens()
    tokens = [token() for _ in range(3 * TOKENS_AT_ONCE)]
    assert len(set(tokens)) == len(tokens)
    assert all(re.fullmatch("[0-9a-f]{24}", each) for each in tokens)
