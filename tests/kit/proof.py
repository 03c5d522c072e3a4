"""Simulated queues held against Erlang's formulas."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from pbx.acd.model import Profile
from pbx.acd.simulation import HOUR, Demand, Seen, Simulation
from pbx.plan.model import Queue
from tests.kit.erlang import Expected, Mean, batch_mean, erlang_a, erlang_c

TALK_S: Final = 180.0
PATIENCE_S: Final = 120.0
WITHIN_S: Final = 20.0

OCCUPANCIES: Final = (0.5, 0.6, 0.7, 0.8, 0.85)
"""Offered load by agents; with callers who leave it is more than what agents are busy for."""

FIRST: Final = 20_000
"""Calls before the confidence is looked at for the first time."""


@dataclass(frozen=True, slots=True)
class Held:
    """One figure of one system: what the simulation says, and the formula."""

    figure: str
    seen: Mean
    expected: float


def prove(
    agents: int, load: float, *, patience_s: float | None, seed: int, half_width: float, most: int
) -> tuple[int, list[Held]]:
    """Simulate until each figure is known to ± `half_width` of it, or after `most` calls; return
    how many it took, and the figures beside their formulas."""
    rate = load * agents / TALK_S
    queue = Queue("q", wrap_up_s=0.0)
    demand = Demand(queue=queue, calls_per_hour=[rate * HOUR], talk_s=TALK_S, patience_s=patience_s)
    crew = [Profile(number=str(1000 + count)) for count in range(agents)]
    simulation = Simulation([demand], crew, random.Random(seed))
    if patience_s is None:
        expected = erlang_c(agents, rate, TALK_S, WITHIN_S)
    else:
        expected = erlang_a(agents, rate, TALK_S, patience_s, WITHIN_S)
    calls = min(FIRST, most)
    while True:
        simulation.run(math.inf, calls=calls)
        held = list(_figures(simulation.seen["q"], agents, expected))
        if calls >= most or all(one.seen.relative <= half_width for one in held):
            return calls, held
        calls = min(most, calls * 3 // 2)


def _figures(seen: Seen, agents: int, expected: Expected) -> Iterator[Held]:
    waits = np.frombuffer(seen.waits)
    answered = np.frombuffer(seen.answered, dtype=np.int8)
    talks = np.frombuffer(seen.talks)
    between = np.diff(np.frombuffer(seen.at), prepend=0.0) * agents
    in_time = (waits <= WITHIN_S) & (answered > 0)
    yield Held("ASA", batch_mean(waits * answered, answered), expected.asa_s)
    yield Held("service level", batch_mean(in_time), expected.service_level)
    yield Held("occupancy", batch_mean(talks, between), expected.occupancy)
    if expected.abandoned:
        yield Held("abandoned", batch_mean(1.0 - answered), expected.abandoned)
