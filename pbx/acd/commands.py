"""What the queue engine wants done: the answer of `engine.step`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pbx.acd.model import AgentState, SentAway, Skills
from pbx.events import Candidate


@dataclass(frozen=True, slots=True)
class Offer:
    """Ring these agents for this caller, all at once, for at most `seconds`.

    They are reserved. Each ends in AgentTook or AgentDeclined, or is withdrawn.
    """

    call: str
    queue: str
    agents: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Stop ringing this agent for this caller: `caller_left`, `taken` by another, `logged_out`,
    `moved`."""

    call: str
    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class SendAway:
    """The caller waits no longer and goes where the queue says for this reason."""

    call: str
    queue: str
    reason: SentAway


@dataclass(frozen=True, slots=True)
class Moved:
    """The caller waits in another queue now."""

    call: str
    queue: str


@dataclass(frozen=True, slots=True)
class Relaxed:
    """Lesser skills suffice for the caller from now on; none: any agent will do."""

    call: str
    queue: str
    waited_s: float
    skills: Skills


@dataclass(frozen=True, slots=True)
class Decided:
    """Why a call is offered to `chosen`: as `events.OfferDecided` stores it."""

    call: str
    queue: str
    chosen: tuple[str, ...]
    strategy: str
    waited_s: float
    waiting: int
    candidates: tuple[Candidate, ...]
    others: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StateChanged:
    """An agent does something else now."""

    agent: str
    before: AgentState
    after: AgentState
    reason: str
    seconds: float
    """How long it did what it did before."""
    call: str = ""
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class WrapUpDone:
    """An agent's work after `call` took so many seconds."""

    agent: str
    call: str
    queue: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Healed:
    """The watchdog found something that cannot be, and mended it; `sentence` is for the log."""

    agent: str
    sentence: str


Command = (
    Offer | Withdraw | SendAway | Moved | Relaxed | Decided | StateChanged | WrapUpDone | Healed
)
