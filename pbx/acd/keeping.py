"""What the call centre needs to be kept across restarts: Protocols, satisfied by `pbx.roster`.

Writes never wait: they are gathered and written within a tenth of a second, so whatever a killed
server knew before that is there again. Times are wall-clock seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pbx.events import AgentStateName

CallbackState = Literal["waiting", "answered", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Whether an agent is logged in, and the reason of its pause; None while it takes calls.

    `until` is when the pause ends by itself; None for one that does not.
    """

    agent: str
    logged_in: bool
    pause: str | None
    since: float
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What an agent did from `since` until `until`."""

    agent: str
    state: AgentStateName
    since: float
    until: float
    reason: str = ""
    call: str = ""
    queue: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A caller's place in a queue; `left_at` is when the line was lost, None while waiting."""

    call: str
    queue: str
    number: str
    priority: int
    joined_at: float
    left_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedCallback:
    """Somebody to be called back, as was booked in `call`; the wait began at `joined_at`."""

    id: str
    call: str
    queue: str
    number: str
    joined_at: float
    language: str = "zh"
    priority: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    agent: str | None = None
    hours: str | None = None
    tries: int = 0
    next_at: float = 0.0
    state: CallbackState = "waiting"


class Keeping(Protocol):
    """Where the call centre's memory survives."""

    def keep_duty(self, duty: Duty) -> None:
        """Remember whether an agent is on duty."""

    def keep_stretch(self, stretch: Stretch) -> None:
        """Remember what an agent did."""

    def keep_place(self, place: Place) -> None:
        """Remember a caller's place, in place of what was known of it."""

    def forget_place(self, call: str) -> None:
        """Forget a place: the caller was served, or went somewhere else."""

    def keep_callback(self, callback: BookedCallback) -> None:
        """Remember a call-back, in place of what was known of it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept, as a server that starts finds it."""

    duties: Sequence[Duty] = ()
    places: Sequence[Place] = ()
    callbacks: Sequence[BookedCallback] = ()
