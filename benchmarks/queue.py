"""What a decision of the queue engine costs, how fast days are simulated, and whether they are
true.

Decisions are timed with their reasons, as a server makes them; the load is one office of 1,000
agents of whom 50 are free, and one of 50 queues with 100 agents and 500 waiting callers each. The
proofs hold simulated queues against Erlang's formulas: they run until the 99 % confidence interval
of each figure, by 30 batch means, reaches 2 % of it to either side.

    python -m benchmarks.run queue [--quick]
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.figures import Figure
from benchmarks.signalling import yardstick
from pbx.acd import inputs
from pbx.acd.commands import Command, Offer
from pbx.acd.engine import Engine
from pbx.acd.model import Profile, Waiting
from pbx.acd.simulation import Demand, Simulation
from pbx.machine import calm_collector
from pbx.plan.model import Queue, Relaxation
from tests.kit.chaos import Chaos
from tests.kit.proof import OCCUPANCIES, PATIENCE_S, prove

GOAL_DECISION: Final = "≤ 200"
GOAL_CALLS: Final = "≥ 10,000"
HALF_WIDTH: Final = 0.02
AGENTS: Final = 5
"""Few agents are the hardest system to know precisely: waits are long and depend on one another."""

MOST: Final = 12_000_000
"""Calls after which a proof gives up; none has."""


def measure(quick: bool) -> list[Figure]:
    """Return all figures of the queue engine."""
    found = [yardstick(), *_one_office(quick), *_many_queues(quick), *_days(quick)]
    found.append(_chaos(20_000 if quick else 1_000_000))
    for patience_s, name in ((None, "Erlang C"), (PATIENCE_S, "Erlang A")):
        found += [_proof(name, load, patience_s, quick) for load in OCCUPANCIES]
    return found


def _percentiles(work: str, seconds: Sequence[float]) -> list[Figure]:
    ordered = sorted(seconds)
    at = {"p50": len(ordered) // 2, "p99": len(ordered) * 99 // 100}
    return [
        Figure(f"{work}, {name}", "µs", (ordered[index] * 1e6,), GOAL_DECISION)
        for name, index in at.items()
    ]


def _timed(
    engine: Engine, event: inputs.AnyInput, now: float, rng: random.Random
) -> tuple[float, list[Command]]:
    started = time.thread_time()
    told = engine.step(event, now, rng)
    return time.thread_time() - started, told


def _one_office(quick: bool) -> list[Figure]:
    """A caller comes to 1,000 agents of whom 50 are free."""
    rng, engine, now = random.Random(1), Engine(), 0.0
    ladder = (Relaxation(30.0, {"service": 1}), Relaxation(90.0, {}))
    queue = Queue("service", skills={"service": 3}, relax=ladder)
    crew = [
        Profile(number=str(1000 + count), skills={"service": rng.randint(1, 10)})
        for count in range(1000)
    ]
    engine.step(inputs.QueuesChanged({"service": queue}), now, rng)
    engine.step(inputs.AgentsChanged(tuple(crew)), now, rng)
    for agent in crew:
        engine.step(inputs.LoggedIn(agent.number), now, rng)
    for count, agent in enumerate(rng.sample(crew, 950)):
        now += 0.1
        engine.step(_busy(count, agent.number), now, rng)
    calm_collector()
    taken = []
    for count in range(200 if quick else 5000):
        now += 1.0
        joined = inputs.CallerJoined(Waiting(call=f"c{count}", queue="service", joined_at=now))
        seconds, _ = _timed(engine, joined, now, rng)
        taken.append(seconds)
        engine.step(inputs.CallerGone(f"c{count}"), now, rng)
    return _percentiles("a caller comes, 50 of 1,000 agents are free: decision", taken)


def _busy(count: int, agent: str) -> inputs.AnyInput:
    """Return what keeps one of many agents from taking calls."""
    if count % 4 == 0:
        return inputs.PauseAsked(agent, "lunch")
    if count % 4 == 1:
        return inputs.LoggedOut(agent)
    return inputs.PhoneTalks(agent, f"private{count}", count)


def _many_queues(quick: bool) -> list[Figure]:
    """An agent gets free, of 50 queues × 100 agents, 500 callers waiting in each."""
    rng, engine, now = random.Random(1), Engine(), 0.0
    names = [f"queue{count}" for count in range(50)]
    queues = {
        name: Queue(name, skills={name: 3}, wrap_up_s=0.0, relax=(Relaxation(300.0, {name: 1}),))
        for name in names
    }
    crew = [
        Profile(
            number=str(10_000 + count),
            skills={names[(count // 100 + more) % 50]: rng.randint(1, 10) for more in range(3)},
        )
        for count in range(5000)
    ]
    engine.step(inputs.QueuesChanged(queues), now, rng)
    engine.step(inputs.AgentsChanged(tuple(crew)), now, rng)
    for count, agent in enumerate(crew):
        engine.step(inputs.LoggedIn(agent.number), now, rng)
        engine.step(inputs.PhoneTalks(agent.number, f"private{count}", count), now, rng)
    for count in range(50 * 500):
        now += 0.001
        waiting = Waiting(call=f"c{count}", queue=names[count % 50], joined_at=now)
        engine.step(inputs.CallerJoined(waiting), now, rng)
    calm_collector()
    taken = []
    legs = {agent.number: (f"private{count}", count) for count, agent in enumerate(crew)}
    for agent in rng.choices(crew, k=200 if quick else 5000):
        now += 0.01
        free = inputs.PhoneFree(agent.number, *legs[agent.number])
        seconds, told = _timed(engine, free, now, rng)
        taken.append(seconds)
        for offer in told:
            if isinstance(offer, Offer):
                legs[agent.number] = offer.call, legs[agent.number][1]
                engine.step(inputs.PhoneTalks(agent.number, *legs[agent.number]), now, rng)
                engine.step(inputs.AgentTook(offer.call, agent.number), now, rng)
    return _percentiles("an agent gets free, 50 queues × 100 agents × 500 waiting", taken)


def _days(quick: bool) -> Iterator[Figure]:
    """Simulated calls in a second of CPU."""
    calls = 5_000 if quick else 100_000
    for agents in (10, 100):
        rates = []
        for seed in range(3):
            demand = Demand(
                queue=Queue("q", wrap_up_s=0.0), calls_per_hour=[0.8 * agents * 20], talk_s=180.0
            )
            crew = [Profile(number=str(1000 + count)) for count in range(agents)]
            simulation = Simulation([demand], crew, random.Random(seed))
            started = time.process_time()
            simulation.run(math.inf, calls=calls)
            rates.append(calls / (time.process_time() - started))
        work = f"simulated calls, {agents} agents at an occupancy of 0.8"
        yield Figure(work, "calls a CPU second", tuple(rates), GOAL_CALLS)


def _chaos(events: int) -> Figure:
    """Random inputs, each compared with plain books."""
    started, chaos = time.process_time(), Chaos(7)
    while chaos.counts["told"] < events:
        chaos.run(20_000)
        chaos.drain()
    seconds = time.process_time() - started
    told = chaos.counts["told"]
    work = f"{told:,} random inputs compared with plain books"
    remark = f"{seconds / told * 1e6:.0f} µs each; {chaos.counts['offers']:,} offers"
    return Figure(work, "broken rules", (0.0,), "0", remark)


def _proof(name: str, load: float, patience_s: float | None, quick: bool) -> Figure:
    """How far the formulas are from the simulation, the farthest of all, in half-widths."""
    half_width, most = (1.0, 5_000) if quick else (HALF_WIDTH, MOST)
    # A seed for each: with one, all loads would share their chance. Of a hundred intervals one may
    # still miss.
    seed = round(load * 100)
    calls, held = prove(
        AGENTS, load, patience_s=patience_s, seed=seed, half_width=half_width, most=most
    )
    farthest = max(abs(one.expected - one.seen.value) / one.seen.half_width for one in held)
    figures = "; ".join(
        f"{one.figure} {one.seen.value:.4g} ± {one.seen.relative * 100:.1f} % ({one.expected:.4g})"
        for one in held
    )
    work = f"{name}, {AGENTS} agents, load {load}: formulas off the simulation"
    return Figure(work, "half-widths", (farthest,), "≤ 1", f"{figures}; {calls:,} calls")
