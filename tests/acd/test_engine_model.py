"""Anything may happen in a call centre, and certain things hold all the same."""

from __future__ import annotations

import pytest

from tests.kit.chaos import Chaos


@pytest.mark.parametrize("seed", range(10))
def test_whatever_happens_nobody_is_lost_stuck_or_overtaken(seed: int) -> None:
    chaos = Chaos(seed)
    chaos.run(2_000)
    chaos.drain()
    assert chaos.counts["answered"] > 100


@pytest.mark.load
@pytest.mark.timeout(300)
def test_a_million_things_may_happen() -> None:
    chaos = Chaos(5)
    while chaos.counts["told"] < 1_000_000:
        chaos.run(100_000)
        chaos.drain()
    assert chaos.counts["offers"] > 50_000
