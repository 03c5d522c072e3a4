"""The call as the interpreter sees it: a live one (`live.py`) or a rehearsed one (`simulate.py`).

Everything above this Protocol is the same for both, so what `callpbx simulate` prints is what a
caller gets. A world knows nothing of flows and menus; it speaks, takes keys, goes to places outside
the interpreter, and asks the outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypedDict, Unpack

from pbx.call.outcome import Outcome
from pbx.events import AnyEvent
from pbx.plan.destination import Destination
from pbx.plan.hours import Schedule, State
from pbx.plan.model import Lookup
from pbx.plan.text import Text
from pbx.speech.saying import Saying


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what was dialled. `verified` tells that the number cannot be made up: an
    extension's, or one that the carrier vouches for."""

    call: str
    number: str
    name: str = ""
    verified: bool = False
    called: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a lookup found: the answer's fields, as texts. `source` is for the trace: a mock."""

    fields: Mapping[str, str]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Nothing:
    """A lookup that found nothing. `reason` is for the trace."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A lookup that failed: time-out, refused host, server error. `reason` is for the trace."""

    reason: str


Answer = Found | Nothing | Failure


@dataclass(frozen=True, slots=True)
class Letter:
    """What `send` sends: a `mail` (to, subject, body) or a `webhook` (url, body).

    `url` still has its values to be filled in from `fields`, so that none of them can change where
    it goes; a webhook without a body sends the fields, but none that is `secret`.
    """

    kind: Literal["mail", "webhook"]
    to: str = ""
    url: Text | None = None
    subject: str = ""
    body: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ring:
    """Phones to ring: all `together` for `each_s` seconds, or one after the other.

    With `confirm_key` who answers takes the call with that key; `announce` is said to them first.
    `caller_id` is the number shown in place of the caller's.
    """

    members: tuple[Destination, ...]
    together: bool
    each_s: float
    confirm_key: str | None = None
    caller_id: str | None = None
    announce: Saying | None = None


class Overrides(TypedDict, total=False):
    """What a place is told besides its name. Queues: how urgent the call is (0–100), an agent's
    number, how much of which skill is wanted, the flow's variables for the agent's screen, and
    whether the dialplan itself says what follows the queue (`comes_back`). `callback`: whom to
    call, and the schedule that says when."""

    priority: int
    agent: str
    skills: dict[str, int]
    fields: dict[str, str]
    comes_back: bool
    number: str
    window: str | None


class Enquiries(Protocol):
    """What the live world asks of the outside; made by `pbx.outside`, bound by `server.py`."""

    async def look_up(self, lookup: Lookup, values: Mapping[str, str]) -> Answer:
        """Ask; never raises, and takes no longer than the lookup's time."""

    def send(self, letter: Letter) -> None:
        """Send; whatever becomes of it, nobody waits."""


class World(Protocol):
    """One caller, and all that can be done for them."""

    @property
    def caller(self) -> Caller:
        """Return who calls."""

    @property
    def answered(self) -> bool:
        """Tell whether the call was answered."""

    @property
    def next_key(self) -> str | None:
        """Return a key that was pressed and that nobody has asked for; it waits on."""

    @property
    def queue(self) -> Mapping[str, str]:
        """Return the variables of the queue that the caller waits in; none where it does not."""

    def now(self) -> datetime:
        """Return the time (aware, UTC)."""

    def monotonic(self) -> float:
        """Return seconds that never jump."""

    def emit(self, event: AnyEvent) -> None:
        """Tell what happened."""

    def complain(self, sentence: str) -> None:
        """Tell the administrator what is wrong with the dialplan."""

    def set_language(self, language: str) -> None:
        """Let whatever comes later speak this language."""

    def answer(self, *, early: bool = False) -> None:
        """Answer the call, if it was not yet, and listen for its keys.

        `early` lets the caller hear without an answer, where the caller's phone can.
        """

    async def say(self, sayings: Sequence[Saying], *, interrupt: bool = True) -> None:
        """Let the caller hear; a key ends it where it may."""

    async def key(self, seconds: float) -> str | None:
        """Return the next key; None when there is none within `seconds`."""

    def forget_keys(self) -> None:
        """Forget keys that were pressed ahead."""

    def secret(self) -> AbstractContextManager[None]:
        """Let nobody see or hear the keys pressed within the block."""

    async def pause(self, seconds: float) -> None:
        """Let time pass."""

    async def music(self, name: str | None, seconds: float) -> None:
        """Let the caller hear hold music for so long: a folder of the office's music, or all."""

    def send_keys(self, keys: str) -> None:
        """Let the caller's side hear keys."""

    async def record(
        self, action: Literal["start", "stop", "pause", "resume"], *, beep: bool
    ) -> None:
        """Record the call, or no longer; the caller hears a beep where it is wanted."""

    async def comment(self, survey: str) -> None:
        """Take down what the caller says after a beep, as a recording of the call."""

    def is_extension(self, number: str) -> bool:
        """Tell whether there is such an extension."""

    def switched(self, schedule: Schedule) -> State | None:
        """Return what the day/night switch of a schedule says; None: it was not touched."""

    async def look_up(self, lookup: Lookup, values: Mapping[str, str]) -> Answer:
        """Ask the outside; the caller is told to wait where it takes long."""

    def send(self, letter: Letter) -> None:
        """Send a message; nobody waits for it."""

    def rename_caller(self, name: str) -> None:
        """Show another name to whoever is rung."""

    async def ring(self, ring: Ring) -> Outcome:
        """Ring phones, and talk to the first that takes the call."""

    async def go(self, destination: Destination, **overrides: Unpack[Overrides]) -> Outcome:
        """Go to a place outside the interpreter: ext ring number conference queue voicemail
        callback."""
