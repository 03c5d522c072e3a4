"""A target that fails is left alone for a while, then tried by one."""

from __future__ import annotations

from pbx.outside.breaker import FAILURES, OPEN_S, Breaker


def opened(now: float) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        assert breaker.enter(now)
        breaker.failed(now)
    return breaker


def test_five_failures_in_a_row_open_it() -> None:
    breaker = opened(10.0)
    assert breaker.open
    assert not breaker.enter(10.0)
    assert not breaker.enter(10.0 + OPEN_S - 0.001)


def test_an_answer_in_between_begins_the_count_anew() -> None:
    breaker = Breaker()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.failed(0.0)
        breaker.succeeded()
    assert breaker.enter(0.0)


def test_after_half_a_minute_one_is_let_through() -> None:
    breaker = opened(10.0)
    assert breaker.enter(10.0 + OPEN_S)
    assert not breaker.enter(10.0 + OPEN_S)


def test_a_trial_that_succeeds_closes_it() -> None:
    breaker = opened(10.0)
    assert breaker.enter(10.0 + OPEN_S)
    breaker.succeeded()
    assert breaker.enter(10.0 + OPEN_S)
    assert not breaker.open


def test_a_trial_that_fails_opens_it_for_as_long_again() -> None:
    breaker = opened(10.0)
    assert breaker.enter(40.0)
    breaker.failed(41.0)
    assert not breaker.enter(41.0 + OPEN_S - 0.001)
    assert breaker.enter(41.0 + OPEN_S)


def test_a_trial_that_nobody_waits_for_lets_the_next_one_try() -> None:
    breaker = opened(10.0)
    assert breaker.enter(40.0)
    breaker.abandoned()
    assert breaker.open
    assert breaker.enter(40.0)
