"""Timers: one moment for each, and no search for an old one."""

from __future__ import annotations

from pbx.acd.agent import NEVER
from pbx.acd.timers import Timers


class Sleeper:
    timer: float | None = None


def test_who_waits_is_woken_in_the_order_of_time() -> None:
    timers: Timers[Sleeper] = Timers()
    late, early = Sleeper(), Sleeper()
    timers.set(late, 20.0)
    timers.set(early, 10.0)
    assert timers.next() == 10.0
    assert timers.pop(9.9) is None
    assert timers.pop(30.0) is early
    assert timers.pop(30.0) is late
    assert timers.next() is None


def test_another_moment_takes_the_place_of_the_one_before() -> None:
    timers: Timers[Sleeper] = Timers()
    one = Sleeper()
    for due in (10.0, 30.0, 20.0, 20.0):
        timers.set(one, due)
    assert timers.next() == 20.0
    assert timers.pop(40.0) is one
    assert timers.pop(40.0) is None


def test_never_is_no_moment() -> None:
    timers: Timers[Sleeper] = Timers()
    one = Sleeper()
    timers.set(one, 10.0)
    timers.set(one, NEVER)
    assert timers.next() is None
