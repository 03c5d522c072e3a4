"""The rehearsed world: a call that nobody makes, on a clock that only the rehearsal moves.

Nothing here touches the network, a phone or a file. What is unknown takes the plain way: a lookup
without a mock finds nothing, a phone answers and talks for a while, a queue has no agents yet.
Groups of keys are pressed one group at each question; a caller without keys left is silent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pbx.call.outcome import (
    NORMAL_CLEARING,
    Outcome,
    OutcomeKind,
    failed,
    no_answer,
    not_registered,
    unanswered,
)
from pbx.events import AnyEvent, CallRouted, StepTaken
from pbx.ivr.world import Answer, Caller, Failure, Found, Letter, Nothing, Ring
from pbx.plan.destination import Destination
from pbx.plan.hours import Schedule, State
from pbx.plan.model import Lookup, Plan
from pbx.speech.saying import Saying

PhoneState = Literal["answers", "busy", "no_answer", "unregistered"]
QueueState = Literal["answered", "no_agents", "full", "timeout"]

PHONE_STATES: Final = ("answers", "busy", "no_answer", "unregistered")
QUEUE_STATES: Final = ("answered", "no_agents", "full", "timeout")

SECONDS_A_CHARACTER: Final = 0.15
"""How long words take to be said, about."""

SECONDS_A_FILE: Final = 3.0
TALK_SECONDS: Final = 60.0
KEY_SECONDS: Final = 0.4

SILENCE: Final = "-"
"""In `press`: no key at this question."""

Mock = Mapping[str, str] | Literal["error"] | None
"""What a lookup finds: fields, nothing, or a failure."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything that a rehearsal may be told. `at` is aware; numbers and names map to states."""

    to: str
    at: datetime
    from_: str = ""
    press: tuple[str, ...] = ()
    mocks: Mapping[str, Mock] = field(default_factory=dict)
    phones: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    switched: Mapping[str, State] = field(default_factory=dict)
    extensions: frozenset[str] | None = None
    """The extensions that there are; None: every number is one."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a rehearsal: when it happened, and what."""

    at: datetime
    step: StepTaken


class RehearsedWorld:
    """A call that goes through the plan in no time."""

    def __init__(self, plan: Plan, circumstances: Circumstances, *, called: str = "") -> None:
        self._plan = plan
        self._told = circumstances
        self._passed = 0.0
        self._groups = deque(circumstances.press)
        self._keys: deque[str] = deque()
        self.answered = False
        self.lines: list[Line] = []
        self.events: list[AnyEvent] = []
        self.caller = Caller(
            call="rehearsal",
            number=circumstances.from_,
            verified=False,
            called=called or circumstances.to,
        )

    # -- what is so --------------------------------------------------------------------------

    @property
    def next_key(self) -> str | None:
        """Return the key that waits."""
        return self._keys[0] if self._keys else None

    def now(self) -> datetime:
        """Return the rehearsal's clock."""
        return self._told.at + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Return the seconds that passed."""
        return self._passed

    def is_extension(self, number: str) -> bool:
        """Ask what was told."""
        return self._told.extensions is None or number in self._told.extensions

    def switched(self, schedule: Schedule) -> State | None:
        """Return what was told of the day/night switch."""
        return self._told.switched.get(schedule.name)

    def emit(self, event: AnyEvent) -> None:
        """Keep it; a step is a line."""
        self.events.append(event)
        if isinstance(event, StepTaken):
            self.lines.append(Line(self.now(), event))

    def set_language(self, language: str) -> None:
        """Nothing outlives a rehearsal."""

    def rename_caller(self, name: str) -> None:
        """Nobody sees it."""

    # -- sound and keys ----------------------------------------------------------------------

    def answer(self, *, early: bool = False) -> None:
        """Answer."""
        self.answered = self.answered or not early

    async def say(self, sayings: Sequence[Saying], *, interrupt: bool = True) -> None:
        """Let the time pass that it takes."""
        if interrupt and self._waits():
            return
        self._passed += sum(map(_length, sayings))

    async def key(self, seconds: float) -> str | None:
        """Press the next key; with none left, let the time pass."""
        if not self._keys and self._groups:
            group = self._groups.popleft()
            self._keys.extend("" if group == SILENCE else group)
        if not self._keys:
            self._passed += seconds
            return None
        self._passed += min(KEY_SECONDS, seconds)
        return self._keys.popleft()

    def forget_keys(self) -> None:
        """Forget the rest of the group."""
        self._keys.clear()

    @contextmanager
    def secret(self) -> Iterator[None]:
        """Nobody listens."""
        yield

    async def pause(self, seconds: float) -> None:
        """Let it pass."""
        self._passed += seconds

    async def music(self, name: str | None, seconds: float) -> None:
        """Let it pass."""
        self._passed += seconds

    def send_keys(self, keys: str) -> None:
        """Nobody hears them."""

    def record(self, action: Literal["start", "stop", "pause", "resume"], *, beep: bool) -> None:
        """Nothing is said that could be."""

    # -- elsewhere ---------------------------------------------------------------------------

    async def look_up(self, lookup: Lookup, values: Mapping[str, str]) -> Answer:
        """Return the mock; without one, nothing is found."""
        if lookup.name not in self._told.mocks:
            return Nothing("no mock: nothing is asked in a rehearsal")
        mock = self._told.mocks[lookup.name]
        if mock == "error":
            return Failure("mock")
        return Nothing("mock") if mock is None else Found(_as_answered(lookup, mock), "(mock)")

    def send(self, letter: Letter) -> None:
        """Send nothing."""

    async def ring(self, ring: Ring) -> Outcome:
        """Ring the phones as they were told to be."""
        return self._ring(ring.members, ring.each_s, together=ring.together)

    async def go(self, destination: Destination, **overrides: Any) -> Outcome:
        """Go there, as it was told to be."""
        self.emit(CallRouted(call=self.caller.call, destination=str(destination)))
        match destination.kind:
            case "ext" | "number":
                return self._ring((destination,), 20.0, together=True)
            case "ring":
                group = self._plan.ring_groups[destination.name]
                return self._ring(group.members, group.ring_s, together=group.how == "all")
            case "queue":
                return self._queue(destination.name)
            case "voicemail":
                self.answered = True
                return Outcome(
                    OutcomeKind.LEFT, "voicemail", "message_left", 200, NORMAL_CLEARING, "caller"
                )
            case "callback":
                return failed(480, "callback_not_available")
            case _:
                self.answered = True
                return _talked()

    def _ring(self, members: Sequence[Destination], seconds: float, *, together: bool) -> Outcome:
        states = [self._phone(member) for member in members]
        if "answers" in states:
            before = 0 if together else states[: states.index("answers")].count("no_answer")
            self._passed += before * seconds + TALK_SECONDS
            self.answered = True
            return _talked()
        if "no_answer" in states:
            self._passed += seconds if together else seconds * states.count("no_answer")
            return no_answer()
        if "busy" in states:
            return unanswered(486)
        return not_registered() if "unregistered" in states else failed(480, "not_in_this_version")

    def _phone(self, member: Destination) -> str:
        if member.kind == "number":
            return self._told.phones.get(member.name, "no_line")
        if not self.is_extension(member.name):
            return "unregistered"
        return self._told.phones.get(member.name, "answers")

    def _queue(self, name: str) -> Outcome:
        self.answered = True
        state = self._told.queues.get(name, "no_agents")
        if state == "answered":
            self._passed += TALK_SECONDS
            return _talked()
        return Outcome(OutcomeKind(state), "abandoned", state, 480, NORMAL_CLEARING, "system")

    def _waits(self) -> bool:
        return bool(self._keys)


def _talked() -> Outcome:
    return Outcome(OutcomeKind.ANSWERED, "answered", "bye", 200, NORMAL_CLEARING, "called")


def _length(saying: Saying) -> float:
    return SECONDS_A_FILE if saying.path else len(saying.words) * SECONDS_A_CHARACTER


def _as_answered(lookup: Lookup, mock: Mapping[str, str]) -> dict[str, str]:
    """Return the mock as the outside would say it: a mock names variables, an answer fields."""
    fields = dict(mock)
    for variable, name in lookup.save.items():
        if variable in mock:
            fields[name] = mock[variable]
    return fields
