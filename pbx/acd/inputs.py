"""What the queue engine is told: `engine.step(input, now, rng) → commands`.

Three kinds: what happens to agents (people and their phones), what happens to callers, and what the
house decides. Whoever does not know an agent or a call that an input names ignores it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pbx.acd.model import DeclineReason, Profile, Skills, Waiting
from pbx.plan.model import Queue

# -- agents ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgentsChanged:
    """These are all agents there are, with their skills; waiting callers feel it at once."""

    profiles: tuple[Profile, ...]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The agent takes calls from now on."""

    agent: str


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The agent takes no calls any more; one that is up goes on."""

    agent: str


@dataclass(frozen=True, slots=True)
class PauseAsked:
    """The agent takes a break for `reason`: at once, or after the call that is up.

    With `for_s` the break ends by itself (a recovery break after a hard call).
    """

    agent: str
    reason: str
    for_s: float | None = None


@dataclass(frozen=True, slots=True)
class ResumeAsked:
    """The agent is back from a break, or done with wrap-up."""

    agent: str


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    """The agent needs `seconds` more for the work after a call."""

    agent: str
    seconds: float


@dataclass(frozen=True, slots=True)
class PhoneReachable:
    """A phone of the agent is registered and answers."""

    agent: str


@dataclass(frozen=True, slots=True)
class PhoneUnreachable:
    """No phone of the agent can be rung; `cause` is told to supervisors."""

    agent: str
    cause: str


@dataclass(frozen=True, slots=True)
class PhoneRings:
    """A phone of the agent rings, or dials, in `call`: a queue's call or any other.

    `outbound` tells that the agent dials.
    """

    agent: str
    call: str
    leg: int
    outbound: bool = False


@dataclass(frozen=True, slots=True)
class PhoneTalks:
    """That leg was answered."""

    agent: str
    call: str
    leg: int


@dataclass(frozen=True, slots=True)
class PhoneHolds:
    """The agent put the other party on hold, or came back."""

    agent: str
    call: str
    leg: int
    on: bool


@dataclass(frozen=True, slots=True)
class PhoneFree:
    """That leg is over, answered or not."""

    agent: str
    call: str
    leg: int


# -- callers ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallerJoined:
    """Somebody waits. The engine may send the caller away at once."""

    waiting: Waiting


@dataclass(frozen=True, slots=True)
class CallerGone:
    """The caller waits no longer; whoever rings for it stops."""

    call: str


@dataclass(frozen=True, slots=True)
class CallerMoved:
    """A supervisor moves a caller: to another queue (the wait counts), or to the head of its own
    (`queue` None)."""

    call: str
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class CallbackReady:
    """A call-back may be tried (again), or must wait until it is told so."""

    call: str
    ready: bool


@dataclass(frozen=True, slots=True)
class AgentDeclined:
    """An agent who was offered the call did not take it."""

    call: str
    agent: str
    reason: DeclineReason


@dataclass(frozen=True, slots=True)
class AgentTook:
    """An agent has the call: the caller waits no longer, everybody else stops ringing."""

    call: str
    agent: str


# -- the house -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueuesChanged:
    """These are the queues of the dialplan in force."""

    queues: Mapping[str, Queue]
    between: Literal["oldest", "strict", "weighted"] = "oldest"


@dataclass(frozen=True, slots=True)
class QueueOpened:
    """A supervisor closed a queue to new callers (they are sent away as if it had no agents), or
    opened it again."""

    queue: str
    open: bool


@dataclass(frozen=True, slots=True)
class SkillsWanted:
    """A caller wants other skills than before, beside the queue's own."""

    call: str
    skills: Skills


@dataclass(frozen=True, slots=True)
class DayBegan:
    """A new day: calls and talk time of agents are counted from zero."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """A timer is due (see `next_timer`)."""


AgentInput = (
    LoggedIn
    | LoggedOut
    | PauseAsked
    | ResumeAsked
    | WrapUpExtended
    | PhoneReachable
    | PhoneUnreachable
    | PhoneRings
    | PhoneTalks
    | PhoneHolds
    | PhoneFree
)
"""What happens to one agent."""

AnyInput = (
    AgentInput
    | AgentsChanged
    | CallerJoined
    | CallerGone
    | CallerMoved
    | CallbackReady
    | AgentDeclined
    | AgentTook
    | QueuesChanged
    | QueueOpened
    | SkillsWanted
    | DayBegan
    | TimePassed
)
