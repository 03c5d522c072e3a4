"""An agent: what it does, decided by one table.

Theory. What is so about an agent are facts: whether it is on duty, which legs its phones have,
which callers it was chosen for, whether it asked for a break. They may hold all at once. The
foremost of them, in the order of `Happening`, together with the state the agent is in, gives the
state it goes to (`MOVES`). Nothing else writes a state, so an agent is stuck only where a fact is,
and the watchdog (`overdue`) finds those facts that nobody withdraws.

A pair that is not in `MOVES` cannot be; should it be all the same, it is reported and healed.
docs/states.md is printed from the tables here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pbx.acd.model import AgentState, Profile

SLOW_REPORT: Final = 5.0
"""So many seconds after the ring timeout an offer of which nothing was heard is over."""

LEGLESS: Final = 10.0
"""So many seconds an agent may be bound to a call without having a leg of it."""

LONGEST_RING: Final = 200.0
"""No phone rings longer, in seconds: RFC 3261 timer C ends any ringing after three minutes."""

NEVER: Final = math.inf


class Happening(Enum):
    """What is so about an agent, the foremost first."""

    TALKS = "has a call up, or dials"
    HOLDS = "has its call on hold"
    RINGS = "its phone rings"
    OFFERED = "is chosen for a caller"
    OFF_DUTY = "is logged out"
    LOST = "has no phone that can be rung"
    BREAK = "takes a break"
    WORK = "has work after a call"
    READY = "nothing of all that"

    __hash__ = object.__hash__  # one of each; an Enum's own hash is a call of a Python function


_S = AgentState
_H = Happening

AIMS: Final = {
    _H.TALKS: _S.TALKING,
    _H.HOLDS: _S.HOLD,
    _H.RINGS: _S.RINGING,
    _H.OFFERED: _S.RESERVED,
    _H.OFF_DUTY: _S.LOGGED_OUT,
    _H.LOST: _S.UNREACHABLE,
    _H.BREAK: _S.PAUSED,
    _H.WORK: _S.WRAP_UP,
    _H.READY: _S.AVAILABLE,
}
"""Where each leads, from wherever it is legal."""

_ANYWHERE: Final = frozenset({_H.TALKS, _H.RINGS, _H.OFF_DUTY, _H.LOST, _H.READY})

LEGAL: Final = {
    # Only who logs in amid a call finds it held; nobody is chosen or at work who was not there.
    _S.LOGGED_OUT: _ANYWHERE | {_H.HOLDS},
    _S.AVAILABLE: _ANYWHERE | {_H.OFFERED, _H.BREAK},
    # With a capacity above one, work left by one call follows the offer of another.
    _S.RESERVED: _ANYWHERE | {_H.OFFERED, _H.BREAK, _H.WORK},
    _S.RINGING: _ANYWHERE | {_H.OFFERED, _H.BREAK, _H.WORK},
    _S.TALKING: frozenset(_H),
    _S.HOLD: frozenset(_H),
    _S.WRAP_UP: _ANYWHERE | {_H.BREAK, _H.WORK},
    _S.PAUSED: _ANYWHERE | {_H.BREAK},
    _S.UNREACHABLE: _ANYWHERE | {_H.BREAK, _H.WORK},
}
"""What may happen in each state."""

MOVES: Final = {
    (state, happening): AIMS[happening]
    for state in AgentState
    for happening in Happening
    if happening in LEGAL[state]
}
"""The state table: (state, happening) → state."""


@dataclass(slots=True)
class Leg:
    """What one phone of the agent does in one call, since `since`."""

    call: str
    since: float
    up: bool
    outbound: bool = False
    held: bool = False


@dataclass(slots=True)
class Offered:
    """A caller the agent was chosen for. After `deadline` the watchdog ends it."""

    call: str
    queue: str
    deadline: float
    rang: bool = False


@dataclass(slots=True)
class Served:
    """A queue's call that the agent took."""

    call: str
    queue: str
    since: float
    wrap_up_s: float
    deadline: float


@dataclass(slots=True)
class Work:
    """The work after a call, which stands still while the agent does something else.

    `until` is when it ends, None while it stands still with `left` seconds to go.
    """

    call: str
    queue: str
    talk_s: float
    left: float
    spent: float = 0.0
    until: float | None = None

    def start(self, now: float) -> None:
        """Let it run."""
        if self.until is None:
            self.until = now + self.left

    def stop(self, now: float) -> None:
        """Let it stand still."""
        if self.until is not None:
            left = self.until - now
            self.spent += self.left - left
            self.left, self.until = max(0.0, left), None

    def extend(self, seconds: float) -> None:
        """Add to what is left."""
        self.left += seconds
        if self.until is not None:
            self.until += seconds


class Agent:
    """The facts about one agent, its state, and what it did today."""

    __slots__ = (
        "calls",
        "cause",
        "idle_since",
        "legs",
        "logged_in",
        "missed",
        "offers",
        "order",
        "pause",
        "pause_for",
        "pause_until",
        "profile",
        "reachable",
        "serving",
        "since",
        "state",
        "talk_s",
        "timer",
        "work",
    )

    def __init__(self, profile: Profile, now: float) -> None:
        self.profile = profile
        self.order = (len(profile.number), profile.number)
        self.state = AgentState.LOGGED_OUT
        self.since = now
        self.logged_in = False
        self.reachable = True
        self.cause = ""
        self.pause: str | None = None
        self.pause_for: float | None = None
        self.pause_until = NEVER
        self.legs: dict[int, Leg] = {}
        self.offers: dict[str, Offered] = {}
        self.serving: dict[str, Served] = {}
        self.work: Work | None = None
        self.idle_since = now
        self.calls = 0
        self.talk_s = 0.0
        self.missed = 0
        self.timer: float | None = None

    @property
    def number(self) -> str:
        """The extension it sits at."""
        return self.profile.number

    # -- the table at work -------------------------------------------------------------------

    def happening(self) -> Happening:
        """Return the foremost fact.

        Whoever is logged out stays so whatever its phones do; who logs out amid a call is so
        afterwards.
        """
        on_duty = self.logged_in
        if not on_duty and self.state is AgentState.LOGGED_OUT:
            return Happening.OFF_DUTY
        if self.legs or self.serving:
            busy = self._on_calls()
            if busy is not Happening.RINGS or on_duty:
                return busy
        if not on_duty:
            return Happening.OFF_DUTY
        if self.offers:
            return Happening.OFFERED
        if not self.reachable:
            return Happening.LOST
        if self.pause is not None:
            return Happening.BREAK
        return Happening.READY if self.work is None else Happening.WORK

    def _on_calls(self) -> Happening:
        """Return what its calls are, of which there is one at least."""
        up = [leg for leg in self.legs.values() if leg.up or leg.outbound]
        if up:
            held = all(leg.held for leg in up)
            return Happening.HOLDS if held else Happening.TALKS
        return Happening.TALKS if self.serving else Happening.RINGS

    def move(self, after: AgentState, now: float) -> None:
        """Go to a state, which the table gave."""
        if self.work is not None:
            if after is AgentState.WRAP_UP:
                self.work.start(now)
            else:
                self.work.stop(now)
        if after is AgentState.PAUSED and self.pause_for is not None:
            self.pause_until, self.pause_for = now + self.pause_for, None
        self.state, self.since = after, now

    # -- what others ask ---------------------------------------------------------------------

    def present(self) -> bool:
        """Tell whether it is there, if only on a break."""
        return self.logged_in and self.reachable

    def free(self) -> bool:
        """Tell whether it may be offered a caller."""
        if not (self.logged_in and self.reachable and self.pause is None and self.work is None):
            return False
        if not (self.legs or self.offers or self.serving):
            return True
        capacity = self.profile.capacity
        return capacity > 1 and len(self.bound()) < capacity

    def bound(self) -> set[str]:
        """Return the calls that it has, or was chosen for."""
        return {leg.call for leg in self.legs.values()} | self.offers.keys() | self.serving.keys()

    def has_leg_of(self, call: str) -> bool:
        """Tell whether one of its phones is in a call."""
        return any(leg.call == call for leg in self.legs.values())

    def reason(self) -> str:
        """Say why it is paused or unreachable; empty for other states."""
        if self.state is AgentState.PAUSED:
            return self.pause or ""
        return self.cause if self.state is AgentState.UNREACHABLE else ""

    def about(self) -> tuple[str, str | None]:
        """Return the call that its state is about, and its queue; empty and None for none."""
        match self.state:
            case AgentState.TALKING | AgentState.HOLD | AgentState.RINGING:
                return self._call()
            case AgentState.RESERVED:
                offer = next(iter(self.offers.values()))
                return offer.call, offer.queue
            case AgentState.WRAP_UP if self.work is not None:
                return self.work.call, self.work.queue
        return "", None

    def _call(self) -> tuple[str, str | None]:
        """Return the call it is on, a queue's rather than another, and the queue."""
        for served in self.serving.values():
            return served.call, served.queue
        for offer in self.offers.values():
            return offer.call, offer.queue
        return next(((leg.call, None) for leg in self.legs.values()), ("", None))

    # -- time --------------------------------------------------------------------------------

    def ends_at(self) -> float | None:
        """Return when its break, or its work after a call, ends by itself; None for not at all."""
        if self.state is AgentState.WRAP_UP and self.work is not None:
            return self.work.until
        on_break = self.state is AgentState.PAUSED and self.pause_until < NEVER
        return self.pause_until if on_break else None

    def due(self) -> float:
        """Return when time alone changes something; NEVER for not at all."""
        due = NEVER
        if self.work is not None and self.work.until is not None:
            due = self.work.until
        if self.pause is not None:
            due = min(due, self.pause_until)
        for offer in self.offers.values():
            due = min(due, offer.deadline)
        for served in self.serving.values():
            due = min(due, served.deadline)
        for leg in self.legs.values():
            if not leg.up:
                due = min(due, leg.since + LONGEST_RING)
        return due
