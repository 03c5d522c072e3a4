"""Whom to ask first: a registry of strategies, one function each.

`rank(agents, caller, now, rng)` puts agents who could all take the caller into tiers: those of one
tier are rung together, the next tier follows when nobody of it took the call. Ties go to who is
idle longest, then to the lower number. Whoever was asked before for this caller comes after those
who were not, whatever the strategy.

To add one: write its function, name it in STRATEGIES and in the manual.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pbx.acd.agent import Agent
from pbx.acd.line import Caller
from pbx.acd.model import RandomSource, Skills

Tiers = list[list[Agent]]
Rank = Callable[[Sequence[Agent], Caller, float, RandomSource], Tiers]


def ring_all(agents: Sequence[Agent], caller: Caller, _now: float, _rng: RandomSource) -> Tiers:
    """Ring everybody at once."""
    return [sorted(agents, key=_idle)] if agents else []


def longest_idle(agents: Sequence[Agent], caller: Caller, _now: float, _rng: RandomSource) -> Tiers:
    """Ask whoever did nothing for longest, counted over all queues."""
    return _one_by_one(sorted(agents, key=_idle))


def round_robin(agents: Sequence[Agent], caller: Caller, _now: float, _rng: RandomSource) -> Tiers:
    """Ask by number, going on after whoever this queue asked last."""
    last = caller.line.last
    after = (0, "") if last is None else last.order
    return _one_by_one(sorted(agents, key=lambda agent: (agent.order <= after, agent.order)))


def fewest_calls(agents: Sequence[Agent], caller: Caller, _now: float, _rng: RandomSource) -> Tiers:
    """Ask whoever took the fewest calls of queues today."""
    return _one_by_one(sorted(agents, key=lambda agent: (agent.calls, *_idle(agent))))


def least_talk_time(
    agents: Sequence[Agent], caller: Caller, _now: float, _rng: RandomSource
) -> Tiers:
    """Ask whoever talked least in calls of queues today."""
    return _one_by_one(sorted(agents, key=lambda agent: (agent.talk_s, *_idle(agent))))


def in_order(agents: Sequence[Agent], caller: Caller, _now: float, _rng: RandomSource) -> Tiers:
    """Ask by number, always from the lowest."""
    return _one_by_one(sorted(agents, key=lambda agent: agent.order))


def at_random(agents: Sequence[Agent], caller: Caller, _now: float, rng: RandomSource) -> Tiers:
    """Ask in any order."""
    drawn = {agent: rng.random() for agent in agents}
    return _one_by_one(sorted(agents, key=drawn.__getitem__))


def weighted(agents: Sequence[Agent], caller: Caller, _now: float, rng: RandomSource) -> Tiers:
    """Ask by chance, those of double weight first twice as often."""
    # The least of exponential times with rates w falls to each with probability w / sum of w.
    drawn = {agent: -math.log1p(-rng.random()) / agent.profile.weight for agent in agents}
    return _one_by_one(sorted(agents, key=drawn.__getitem__))


def skills(agents: Sequence[Agent], caller: Caller, _now: float, _rng: RandomSource) -> Tiers:
    """Ask whoever is best at what is wanted: the highest sum of levels."""
    wanted = {**caller.line.queue.skills, **caller.waiting.skills}
    return _one_by_one(
        sorted(agents, key=lambda agent: (-_sum(agent.profile.skills, wanted), *_idle(agent)))
    )


STRATEGIES: Final[Mapping[str, Rank]] = {
    "ring_all": ring_all,
    "longest_idle": longest_idle,
    "round_robin": round_robin,
    "fewest_calls": fewest_calls,
    "least_talk_time": least_talk_time,
    "in_order": in_order,
    "random": at_random,
    "weighted": weighted,
    "skills": skills,
}


def rank(agents: Sequence[Agent], caller: Caller, now: float, rng: RandomSource) -> Tiers:
    """Return tiers by the strategy of the caller's queue, those asked before after the others."""
    strategy = STRATEGIES[caller.line.queue.strategy]
    if strategy is ring_all or not caller.tried:
        return strategy(agents, caller, now, rng)
    tiers: Tiers = []
    for times in sorted({caller.tried.get(agent, 0) for agent in agents}):
        alike = [agent for agent in agents if caller.tried.get(agent, 0) == times]
        tiers += strategy(alike, caller, now, rng)
    return tiers


def _idle(agent: Agent) -> tuple[float, tuple[int, str]]:
    return agent.idle_since, agent.order


def _sum(levels: Skills, wanted: Skills) -> int:
    return sum(levels.get(name, 0) for name in wanted)


def _one_by_one(agents: Sequence[Agent]) -> Tiers:
    return [[agent] for agent in agents]
