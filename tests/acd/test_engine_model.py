"""Anything may happen in a call centre, and certain things hold all the same."""

from __future__ import annotations

import random

import pytest

from pbx.acd.commands import Offer
from tests.kit.chaos import Chaos
from tests.kit.desk import Desk


@pytest.mark.parametrize("seed", range(10))
def test_whatever_happens_nobody_is_lost_stuck_or_overtaken(seed: int) -> None:
    chaos = Chaos(seed)
    chaos.run(2_000)
    chaos.drain()
    assert chaos.counts["answered"] > 100


def test_of_a_thousand_callers_nobody_is_overtaken_called_back_or_not() -> None:
    chance, desk = random.Random(1), Desk(agents=("101", "102", "103"))
    on: list[tuple[str, str, int]] = []
    served: list[str] = []
    joined = 0
    while len(served) < 1000:
        if joined < 1000 and chance.random() < 0.5:
            joined += 1
            desk.joins(f"{joined}", callback=chance.random() < 0.4)
        elif on:
            agent, call, leg = on.pop(chance.randrange(len(on)))
            desk.hangs_up(agent, call, leg)
        for offer in desk.heard(Offer):
            served.append(offer.call)
            on.append((*offer.agents, offer.call, desk.takes(*offer.agents, offer.call)))
        desk.later(chance.random())
    assert served == [str(count) for count in range(1, 1001)]


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_a_million_things_may_happen() -> None:
    chaos = Chaos(5)
    while chaos.counts["told"] < 1_000_000:
        chaos.run(100_000)
        chaos.drain()
    assert chaos.counts["offers"] > 50_000
