"""What happens in the call centre: queues, agents, offers, call-backs.

Those about an agent alone name no call: their `call` is empty.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pbx.events.event import AgentStateName, Event


class QueueEntered(Event, frozen=True, kw_only=True, tag=True):
    """The caller waits in a queue.

    `waited_s` is what counts already: of an old place, of another queue; `priority` is 0-100.
    """

    queue: str
    waited_s: float = 0.0
    priority: int = 0


class QueueLeft(Event, frozen=True, kw_only=True, tag=True):
    """The caller waits no longer: `answered`, `abandoned`, `no_agents`, `full`, `timeout`, `left`
    (with a key), `callback`, `moved` (to another queue)."""

    queue: str
    result: str


class QueueSwitched(Event, frozen=True, kw_only=True, tag=True):
    """A supervisor closed a queue to new callers, or opened it again. `by` says who."""

    call: str = ""
    queue: str
    open: bool
    by: str = ""


class QueueAlarmed(Event, frozen=True, kw_only=True, tag=True):
    """A queue crossed a threshold of its `alarm` (`waiting`, `longest_wait`, `service_level`,
    `no_agents`), or is well again (`on` False). `text` says what it was, for people."""

    call: str = ""
    queue: str
    kind: str
    on: bool
    text: str


class CallerMoved(Event, frozen=True, kw_only=True, tag=True):
    """A supervisor put the caller before all others of `queue`, or, with `to`, let it go on waiting
    there. `by` says who."""

    queue: str
    to: str | None = None
    by: str = ""


class RequirementRelaxed(Event, frozen=True, kw_only=True, tag=True):
    """The caller waited long enough that lesser skills suffice: `skills`; none: any agent."""

    queue: str
    waited_s: float
    skills: dict[str, int]


class Candidate(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An agent who was weighed for a caller. `failed` names the first test that spoke against;
    empty: none did. `text` is for people: `en 3 < 5`, `wrap-up, 12 s left`, `idle 4:02`."""

    agent: str
    failed: str = ""
    text: str = ""


class OfferDecided(Event, frozen=True, kw_only=True, tag=True):
    """Why the call is offered to `chosen`: the best 20 candidates, chosen ones first, and how many
    of all others failed which test. `waiting` callers were in that queue."""

    queue: str
    chosen: tuple[str, ...]
    strategy: str
    waited_s: float
    waiting: int
    candidates: tuple[Candidate, ...] = ()
    others: dict[str, int] = {}


class PastCall(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An earlier call of the same number, for the screen of whoever answers."""

    call: str
    started_at: str
    result: str
    queue: str | None = None
    agent: str | None = None
    note: str | None = None


class AgentOffered(Event, frozen=True, kw_only=True, tag=True):
    """An agent's phone is about to ring for a caller: what a screen shows (screen pop)."""

    agent: str
    queue: str
    caller: str
    caller_name: str | None = None
    called: str = ""
    waited_s: float = 0.0
    priority: int = 0
    path: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    history: tuple[PastCall, ...] = ()


class AgentDeclined(Event, frozen=True, kw_only=True, tag=True):
    """An agent did not take an offered call: `rejected`, `no_answer`, `busy`, `unreachable`,
    `withdrawn` (the caller left, or somebody else took it)."""

    agent: str
    queue: str
    reason: str


class AgentConnected(Event, frozen=True, kw_only=True, tag=True):
    """An agent and the caller hear each other. `leg` is the agent's."""

    agent: str
    queue: str
    leg: int


class AgentStateChanged(Event, frozen=True, kw_only=True, tag=True):
    """An agent does something else now, since this event; `seconds` is how long it did
    `previous`. `call` is the one that it is about, if any."""

    call: str = ""
    agent: str
    state: AgentStateName
    previous: AgentStateName
    seconds: float
    reason: str = ""
    queue: str | None = None


class WrapUpEnded(Event, frozen=True, kw_only=True, tag=True):
    """An agent's work after a call is done; the call's record is amended, also when it is over."""

    agent: str
    seconds: float
    queue: str | None = None
    disposition: str | None = None
    note: str | None = None


class RecordAmended(Event, frozen=True, kw_only=True, tag=True):
    """Somebody wrote down what came of the call, during it or afterwards: an empty text takes back
    what was there, None leaves it. `by` says who."""

    disposition: str | None = None
    note: str | None = None
    by: str = ""


class CallbackBooked(Event, frozen=True, kw_only=True, tag=True):
    """The caller will be called back at `number` and keeps the place in the queue."""

    callback: str
    queue: str
    number: str


class CallbackTried(Event, frozen=True, kw_only=True, tag=True):
    """A call-back was tried: `answered`, `no_answer`, `busy`, `failed`, `no_agent`.

    `call` is the new call, `origin` the one in which it was booked.
    """

    callback: str
    origin: str
    result: str
    tries: int


class CallbackEnded(Event, frozen=True, kw_only=True, tag=True):
    """A call-back is over: `answered`, `failed` (all tries), `cancelled`. `call` is the one in
    which it was booked, whose record is amended."""

    callback: str
    queue: str
    result: Literal["answered", "failed", "cancelled"]
    waited_s: float
    agent: str | None = None
