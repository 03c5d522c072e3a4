"""The rehearsed world: a call that nobody makes, on a clock that only the rehearsal moves.

Nothing here touches the network, a phone or a file. What is unknown takes the plain way: a lookup
without a mock finds nothing, a phone answers and talks for a while, a queue has no agents yet.
Groups of keys are pressed one group at each question; a caller without keys left is silent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, Unpack

from pbx.call.outcome import (
    ABSENT,
    NO_RULE,
    NORMAL_CLEARING,
    Outcome,
    OutcomeKind,
    failed,
    no_answer,
    not_registered,
    reached_nobody,
    unanswered,
)
from pbx.call.queued import STAYS
from pbx.events import AnyEvent, CallRouted, StepTaken
from pbx.ivr import interpreter
from pbx.ivr.run import Run
from pbx.ivr.verbs import VERBS
from pbx.ivr.world import Answer, Caller, Failure, Found, Letter, Nothing, Overrides, Ring
from pbx.plan.destination import Destination
from pbx.plan.dialling import is_help, rule_for
from pbx.plan.hours import Schedule, State
from pbx.plan.model import Lookup, Plan, Queue
from pbx.speech.saying import Saying

PhoneState = Literal["answers", "busy", "no_answer", "unregistered"]
QueueState = Literal["answered", "no_agents", "full", "timeout"]

PHONE_STATES: Final = ("answers", "busy", "no_answer", "unregistered")
QUEUE_STATES: Final = ("answered", "no_agents", "full", "timeout")
SWITCHES: Final = ("open", "closed")

SECONDS_A_CHARACTER: Final = 0.15
"""How long words take to be said, about."""

SECONDS_A_FILE: Final = 3.0
TALK_SECONDS: Final = 60.0
RING_SECONDS: Final = 20.0
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
    agents: int | None = None
    """How many agents are on duty for queues that `queues` says nothing of; None: as with 0."""
    ahead: int = 0
    """How many callers wait in a queue before this one."""
    wait_s: float = 0.0
    """After how many seconds of waiting an agent takes the call."""
    extensions: frozenset[str] | None = None
    """The extensions that there are; None: every number is one."""
    mailboxes: bool = True
    """Whether an extension's mailbox takes the calls that nobody does."""


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
        self._asked = True
        self._language: str | None = None
        self._queue_values: dict[str, str] = {}
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

    @property
    def queue(self) -> Mapping[str, str]:
        """Return what was told of the queue whose menu is rehearsed."""
        return self._queue_values

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

    def complain(self, sentence: str) -> None:
        """The lines say it."""

    def set_language(self, language: str) -> None:
        """Let the menus of queues speak it."""
        self._language = language

    def rename_caller(self, name: str) -> None:
        """Nobody sees it."""

    # -- sound and keys ----------------------------------------------------------------------

    def answer(self, *, early: bool = False) -> None:
        """Answer."""
        self.answered = self.answered or not early

    async def say(self, sayings: Sequence[Saying], *, interrupt: bool = True) -> None:
        """Let the time pass that it takes."""
        self._asked = True
        if interrupt and self._keys:
            return
        self._passed += sum(map(_length, sayings))

    async def key(self, seconds: float) -> str | None:
        """Press the next key of the group; at its end, let the time pass until something is
        said again."""
        if not self._keys and self._groups and self._asked:
            self._asked = False
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

    async def record(
        self, action: Literal["start", "stop", "pause", "resume"], *, beep: bool
    ) -> None:
        """Nothing is said that could be."""

    async def comment(self, survey: str) -> None:
        """Let the time of a short comment pass."""
        self._passed += SECONDS_A_FILE

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
        self._queue_values = {}
        return self._ring(ring.members, ring.each_s, together=ring.together)

    async def go(self, destination: Destination, **overrides: Unpack[Overrides]) -> Outcome:
        """Go there, as it was told to be."""
        self.emit(CallRouted(call=self.caller.call, destination=str(destination)))
        if destination.kind != "callback":
            self._queue_values = {}
        match destination.kind:
            case "ext":
                return self._extension(destination)
            case "number":
                return self._ring((destination,), 20.0, together=True)
            case "ring":
                group = self._plan.ring_groups[destination.name]
                return self._ring(group.members, group.ring_s, together=group.how == "all")
            case "queue":
                return await self._queue(self._plan.queues[destination.name], overrides)
            case "voicemail":
                return self._voicemail()
            case "callback":
                return self._callback()
            case _:
                self.answered = True
                return _talked()

    def _extension(self, destination: Destination) -> Outcome:
        """Ring an extension; its mailbox takes what nobody does."""
        outcome = self._phone(destination)
        if outcome is None:
            self._talk()
            return _talked()
        if outcome.kind is OutcomeKind.NO_ANSWER:
            self._passed += RING_SECONDS
        if not self.is_extension(destination.name) or self._told.mailboxes is False:
            return outcome
        mailbox = Destination("voicemail", destination.name)
        self.emit(CallRouted(call=self.caller.call, destination=str(mailbox)))
        return self._voicemail()

    def _voicemail(self) -> Outcome:
        self.answered = True
        return Outcome(OutcomeKind.LEFT, "voicemail", "message", 200, NORMAL_CLEARING, "system")

    def _ring(self, members: Sequence[Destination], seconds: float, *, together: bool) -> Outcome:
        refusals: list[Outcome] = []
        for member in members:
            outcome = self._member(member)
            if outcome is None:
                self._passed += 0.0 if together else seconds * _unanswered(refusals)
                self._talk()
                return _talked()
            refusals.append(outcome)
        rung = _unanswered(refusals)
        self._passed += seconds * (min(1, rung) if together else rung)
        return reached_nobody(refusals)

    def _member(self, member: Destination) -> Outcome | None:
        """Return why a member of a group does not answer; None for one who does."""
        if member.kind == "number":
            plan = self._plan
            if rule_for(plan, member.name) is None and not is_help(plan, member.name):
                return NO_RULE
            return _REFUSALS[self._told.phones.get(member.name, "answers")]
        if not self.is_extension(member.name):
            return ABSENT
        state = self._told.phones.get(member.name, "answers")
        return ABSENT if state == "unregistered" else _REFUSALS[state]

    def _phone(self, phone: Destination) -> Outcome | None:
        if not self.is_extension(phone.name):
            return failed(404, "unknown_number")
        return _REFUSALS[self._told.phones.get(phone.name, "answers")]

    def _talk(self) -> None:
        self.answered = True
        self._passed += TALK_SECONDS

    def _callback(self) -> Outcome:
        """Book a call-back for a caller who waits; elsewhere nobody calls back in a rehearsal."""
        if not self._queue_values:
            return failed(480, "callback_not_available")
        reason = "callback_booked"
        return Outcome(OutcomeKind.LEFT, "answered", reason, 200, NORMAL_CLEARING, "system")

    async def _queue(self, queue: Queue, overrides: Overrides) -> Outcome:
        self.answered = True
        state = self._told.queues.get(queue.name)
        if state is None:
            outcome = await self._wait_in(queue, overrides)
            if outcome is not None:
                return outcome
            state = self._found(queue)
        if state == "answered":
            self._passed += TALK_SECONDS
            return _talked()
        return Outcome(OutcomeKind(state), "abandoned", state, 480, NORMAL_CLEARING, "system")

    def _found(self, queue: Queue) -> QueueState:
        """Return what becomes of a caller who does not leave by itself."""
        told = self._told
        if not told.agents:
            return "no_agents"
        if queue.max_callers is not None and told.ahead >= queue.max_callers:
            return "full"
        longest = queue.max_wait_s
        return "timeout" if longest is not None and told.wait_s > longest else "answered"

    async def _wait_in(self, queue: Queue, overrides: Overrides) -> Outcome | None:
        """Let the wait pass, and the offers in it; return what becomes of a caller who leaves."""
        if self._found(queue) not in ("timeout", "answered"):
            return None
        until = self._passed + min(self._told.wait_s, queue.max_wait_s or self._told.wait_s)
        after = queue.offer_after_s
        began = self._passed
        while queue.offer_menu is not None and after and self._passed + after < until:
            self._passed += after
            self._queue_values = self._values(queue, self._passed - began)
            run = Run(
                self._plan,
                self,
                verbs=VERBS,
                language=self._language,
                fields=overrides.get("fields"),
            )
            outcome = await interpreter.travel(run, Destination("menu", queue.offer_menu))
            self._queue_values = {}
            if outcome != STAYS:
                return replace(outcome, kind=OutcomeKind.LEFT)
        self._passed = max(self._passed, until)
        return None

    def _values(self, queue: Queue, waited_s: float) -> dict[str, str]:
        return {
            "queue.name": queue.name,
            "queue.ahead": str(self._told.ahead),
            "queue.wait": str(round(waited_s // 60)),
            "queue.estimate": "",
        }


_REFUSALS: Final[Mapping[str, Outcome | None]] = {
    "answers": None,
    "busy": unanswered(486),
    "no_answer": no_answer(),
    "unregistered": not_registered(),
}
"""What a phone in that state is to whoever rings it."""


def _unanswered(refusals: Sequence[Outcome]) -> int:
    """Return how many of them rang to the end of their time."""
    return sum(refusal == no_answer() for refusal in refusals)


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
