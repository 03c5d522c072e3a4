"""Why a caller was offered to whom: every agent's first failed test.

The tests, in order: the skills, on duty, a phone that can be rung, no break, no work after a call,
no other call, no other offer, and not having declined this very caller just now. The 20 best
candidates are told one by one: those chosen, those who come next, then those who failed latest in
the order. All others are counted by the test that they failed. A decision stays below 2 kB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from pbx.acd.agent import Agent
from pbx.acd.commands import Decided
from pbx.acd.line import Caller
from pbx.acd.model import AgentState
from pbx.events import Candidate

if TYPE_CHECKING:
    from pbx.acd.requirement import Requirement
    from pbx.acd.room import Room
    from pbx.acd.strategy import Tiers

TOLD: Final = 20
"""So many candidates are told one by one, unless their words are long."""

OCTETS: Final = 1500
"""So long all candidates and chosen numbers are together as JSON, at most."""

LONGEST_TEXT: Final = 24
"""Characters of a reason that are told."""

LAST_AGENT: Final = "last_agent"
"""The strategy, when a caller is for one agent alone."""

CHOSEN: Final = "chosen"
"""No test: those who are asked too, but are too many to be told one by one."""

LATER: Final = "later"
"""The test that those failed who could take the call and would be asked next."""

ELSEWHERE: Final = "other_agent"
"""The test that those failed who could take the call of one who waits for somebody else."""

_DECLINED: Final = {
    "rejected": "declined",
    "no_answer": "did not answer",
    "busy": "was busy",
    "unreachable": "was unreachable",
    "failed": "failed",
}

_STATE: Final = attrgetter("state")

_FAILED: Final = {
    AgentState.RESERVED: ("reserved", "offered another call"),
    AgentState.RINGING: ("busy", "phone rings"),
    AgentState.TALKING: ("busy", "on a call"),
    AgentState.HOLD: ("busy", "on a call, on hold"),
    AgentState.WRAP_UP: ("wrap_up", "wrap-up"),
    AgentState.PAUSED: ("paused", "paused"),
    AgentState.UNREACHABLE: ("unreachable", "unreachable"),
    AgentState.LOGGED_OUT: ("logged_out", "logged out"),
}
"""State → the test that fails in it and what people read; those nearest to taking a call first."""


def decided(room: Room, caller: Caller, tiers: Tiers, now: float) -> Decided:
    """Return why the first of `tiers` is asked; to be called before anybody is."""
    line = caller.line
    told, counted = _told(room, caller, tiers, now)
    return Decided(
        call=caller.call,
        queue=line.queue.name,
        chosen=tuple(agent.number for agent in tiers[0][:TOLD]),
        strategy=LAST_AGENT if caller.agent is not None else line.queue.strategy,
        waited_s=now - caller.waiting.joined_at,
        waiting=len(line.row),
        candidates=told,
        others=counted,
    )


def _told(
    room: Room, caller: Caller, tiers: Tiers, now: float
) -> tuple[tuple[Candidate, ...], dict[str, int]]:
    """Return the best candidates, and how many others failed which test."""
    counts = _counts(room, caller, tiers)
    told: list[Candidate] = []
    left = OCTETS
    for candidate in islice(_candidates(room, caller, tiers, now), TOLD):
        left -= _octets(candidate)
        if left < 0:
            break
        asked = CHOSEN if len(told) < len(tiers[0]) else LATER
        told.append(candidate)
        counts[candidate.failed or asked] -= 1
    return tuple(told), {test: count for test, count in counts.items() if count > 0}


def _counts(room: Room, caller: Caller, tiers: Tiers) -> dict[str, int]:
    """Return how many agents failed which test."""
    requirement = caller.requirement
    agents = requirement.agents
    able, chosen = sum(map(len, tiers)), len(tiers[0])
    counts = {CHOSEN: chosen, LATER: able - chosen, "skill": requirement.lacks}
    for state, count in Counter(map(_STATE, agents)).items():
        if state is not AgentState.AVAILABLE:
            test, _ = _FAILED[state]
            counts[test] = counts.get(test, 0) + count
    free = room.free.keys() & agents
    for agent in free:
        if agent.state is not AgentState.AVAILABLE:  # with room for one more call
            counts[_FAILED[agent.state][0]] -= 1
    if caller.agent is None:
        counts["declined"] = len(free) - able
    else:
        counts[ELSEWHERE] = len(free - {caller.agent})
        counts["skill"] -= caller.agent not in agents
    return counts


def _candidates(room: Room, caller: Caller, tiers: Tiers, now: float) -> Iterator[Candidate]:
    """Give all agents, those who could take the call first, then those nearest to it."""
    for tier in tiers:
        for agent in tier:
            yield Candidate(agent=agent.number, text=f"idle {_clock(now - agent.idle_since)}")
    requirement = caller.requirement
    for agent, declined in caller.declined.items():
        if agent in room.free and agent in requirement.agents and declined.until > now:
            text = f"{_DECLINED[declined.reason]} {now - declined.at:.0f} s ago"
            yield Candidate(agent=agent.number, failed="declined", text=text)
    for state, (test, words) in _FAILED.items():
        for agent in _in_state(room, requirement, state):
            if agent not in room.free:
                yield Candidate(agent=agent.number, failed=test, text=words + _more(agent, now))
    only = "" if caller.agent is None else caller.agent.number
    yield from (candidate for candidate in requirement.lacking if candidate.agent != only)


def _in_state(room: Room, requirement: Requirement, state: AgentState) -> Iterator[Agent]:
    """Give the agents with the skills who are in a state: by the shorter of both lists."""
    there = room.by_state[state]
    if len(there) > len(requirement.by_number):
        return (agent for agent in requirement.by_number if agent.state is state)
    return (agent for agent in there if agent in requirement.agents)


def _more(agent: Agent, now: float) -> str:
    """Return what is to be said beside the state."""
    if agent.state is AgentState.WRAP_UP and agent.work is not None:
        return f", {(agent.work.until or now) - now:.0f} s left"
    reason = agent.reason()
    if len(reason) > LONGEST_TEXT:
        reason = reason[: LONGEST_TEXT - 1] + "…"
    return f": {reason}" if reason else ""


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes}:{seconds:02}"


def _octets(candidate: Candidate) -> int:
    """Return how long a candidate is as JSON, rather more than less."""
    text = len(candidate.text) * (1 if candidate.text.isascii() else 3)
    return 36 + len(candidate.agent) + len(candidate.failed) + text
