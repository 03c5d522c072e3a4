"""Agents, callers and offers: the values that the queue engine works with.

Times are seconds of the monotonic clock unless they say otherwise. An agent is named by the number
of the extension it sits at, a caller by the id of its call (or of its call-back).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Protocol

Skills = Mapping[str, int]
"""Skill → level, 1 to 10."""

DeclineReason = Literal["rejected", "no_answer", "busy", "unreachable", "failed"]
"""Why an agent who was offered a call did not take it."""

SentAway = Literal["no_agents", "full", "timeout"]
"""Why a queue sends a caller away."""


class RandomSource(Protocol):
    """Chance, as `random.Random` brings it."""

    def random(self) -> float:
        """Return a number from 0 to less than 1."""


class AgentState(Enum):
    """What an agent is doing. The values are the names that people and programs see."""

    LOGGED_OUT = "logged_out"
    AVAILABLE = "available"
    RESERVED = "reserved"
    """Chosen for a caller; the phone does not ring yet."""
    RINGING = "ringing"
    TALKING = "talking"
    """On any call, of a queue or not."""
    HOLD = "hold"
    """On a call whose other party is on hold."""
    WRAP_UP = "wrap_up"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    """Logged in, but no phone is registered, or none answers."""

    __hash__ = object.__hash__  # one of each; an Enum's own hash is a call of a Python function


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the directory says of an agent. `capacity` is how many calls it takes at once; `weight`
    counts with the strategy `weighted`."""

    number: str
    name: str | None = None
    skills: Skills = field(default_factory=dict)
    capacity: int = 1
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A caller who waits, or somebody who waits to be called back.

    `joined_at` is when the wait began that counts: earlier than now for an old place. `skills` are
    wanted beside the queue's own, `agent` is tried first for `agent_s` seconds. `number` and
    `language` are the caller's.
    """

    call: str
    queue: str
    joined_at: float
    priority: int = 0
    skills: Skills = field(default_factory=dict)
    agent: str | None = None
    agent_s: float = 20.0
    number: str = ""
    language: str = "zh"
    callback: bool = False
    at_head: bool = False
    """Before everybody else of its queue: after a failed transfer or a forced release."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long a caller has to wait, in seconds, as a range."""

    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """An agent as it is now. `since` is monotonic; `reason` says why it is paused or unreachable,
    or what the call is that it talks in; `queues` are those whose skills it has at once,
    `queues_later` those it serves only once what they ask for is relaxed.

    `logged_in` and `pause` (the reason) are what it goes on with after a call that is up. `until`
    is when its break, or its work after a call, ends by itself; None while that is open.
    """

    number: str
    name: str | None
    state: AgentState
    since: float
    logged_in: bool = False
    pause: str | None = None
    until: float | None = None
    reason: str = ""
    call: str = ""
    queue: str | None = None
    skills: Skills = field(default_factory=dict)
    queues: tuple[str, ...] = ()
    queues_later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """A queue as it is now. `waiting` are call ids in the order in which they would be served."""

    name: str
    waiting: tuple[str, ...]
    longest_wait_s: float
    agents: Mapping[str, int]
    """State → number of agents who could serve this queue, now or after all relaxation."""
    open: bool = True
