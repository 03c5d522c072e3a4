"""What the API answers about queues, their callers and their agents: frozen values, JSON as they
are.

As in views.py: names of fields are the names in the JSON, times are UTC text, lengths are seconds
as floats, `None` means "not known".
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pbx.api.views import View
from pbx.events import AgentStateName

AlarmKind = Literal["waiting", "longest_wait", "service_level", "no_agents"]


class QueueAlarmView(View, frozen=True, kw_only=True):
    """An alarm that is on now. `sentence` is for people."""

    kind: AlarmKind
    sentence: str
    since: str


class QueueRow(View, frozen=True, kw_only=True):
    """A queue as it is now.

    `agents` counts those who could serve it by state. `service_level` is percent today, by the
    formula `service_level_formula`; None before the first call. `target` is (percent, seconds).
    """

    name: str
    open: bool = True
    waiting: int
    longest_wait_s: float
    agents: dict[AgentStateName, int]
    service_level: float | None = None
    service_level_formula: str = ""
    target: tuple[int, float]
    answered: int = 0
    abandoned: int = 0
    alarms: tuple[QueueAlarmView, ...] = ()


class WaitingCaller(View, frozen=True, kw_only=True):
    """Somebody who waits. `position` counts from 1; `skills` are those wanted now, after all
    relaxation; `offered_to` are the agents whose phones ring for the call."""

    call: str
    queue: str
    position: int
    number: str
    waited_s: float
    priority: int
    skills: dict[str, int] = {}
    agent: str | None = None
    callback: bool = False
    offered_to: tuple[str, ...] = ()


class QueueAgent(View, frozen=True, kw_only=True):
    """An agent as a queue's board shows it; `since` is when it began to do what it does."""

    number: str
    name: str | None
    state: AgentStateName
    since: str
    seconds: float
    reason: str = ""
    call: str | None = None
    queue: str | None = None
    skills: dict[str, int] = {}


class Agent(View, frozen=True, kw_only=True):
    """An agent: its entry in the directory, and what it does.

    `since` is when it began to do what it does, `seconds` for how long it has, and `ends_in_s` says
    when its break, or its work after a call, ends by itself. `logged_in` and `pause` (the reason)
    hold after a call that is up. `queues` are those whose skills it has, `queues_later` those
    that it serves once their callers ask for less. What only a server knows is None without one.
    """

    number: str
    name: str | None
    state: AgentStateName | None = None
    reason: str | None = None
    since: str | None = None
    seconds: float | None = None
    ends_in_s: float | None = None
    logged_in: bool | None = None
    pause: str | None = None
    queues: tuple[str, ...] | None = None
    queues_later: tuple[str, ...] | None = None
    skills: dict[str, int] = {}
    capacity: int = 1
    weight: int = 1
    call: str | None = None
    queue: str | None = None


class AgentAnswer(Agent, frozen=True, kw_only=True):
    """The answer to what an agent asked for, in a `sentence` for people, and the agent then."""

    sentence: str


class WaitingCallback(View, frozen=True, kw_only=True):
    """Somebody who waits to be called back at `number`, as was booked in `call`.

    `since` is when the wait began. `doing` is `resting` (until `next_at`, or until the hours are
    open), `waiting` (in the queue's line) or `calling`. `tries` of `most_tries` are over.
    """

    id: str
    queue: str
    number: str
    call: str
    since: str
    waited_s: float
    doing: Literal["resting", "waiting", "calling"]
    tries: int
    most_tries: int
    next_at: str
    priority: int = 0
    language: str = "zh"
    hours: str | None = None


class QueueDetail(QueueRow, frozen=True, kw_only=True):
    """A queue, who waits in it, in order, and who could serve it."""

    callers: tuple[WaitingCaller, ...] = ()
    staff: tuple[QueueAgent, ...] = ()


class Board(View, frozen=True, kw_only=True):
    """All queues and all agents at one moment, for a picture on a wall."""

    at: str
    queues: tuple[QueueRow, ...] = ()
    staff: tuple[QueueAgent, ...] = ()


VIEWS: tuple[type[msgspec.Struct], ...] = (
    *(Board, QueueRow, QueueDetail, WaitingCaller, WaitingCallback, QueueAgent),
    *(Agent, AgentAnswer),
)
"""The types that routes about the call centre reply with."""
