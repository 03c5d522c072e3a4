"""One caller's way through the plan: what the verbs and places share.

A `Run` knows the plan, the world, the variables and where it is. It executes steps and counts
them: after `MAX_STEPS` steps, or `MAX_SECONDS` in menus and flows, `Exhausted` ends the way
(interpreter.py says with what). Every line of the call's story goes through `tell`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Final, Unpack
from zoneinfo import ZoneInfo

from pbx.call.outcome import Outcome
from pbx.call.prompts import prompt_saying
from pbx.events import CallNoted, CallTagged, StepTaken
from pbx.ivr.endings import unreached
from pbx.ivr.registry import Following, Verb
from pbx.ivr.world import Overrides, Ring, World
from pbx.plan.destination import Destination
from pbx.plan.model import Plan
from pbx.plan.step import Mark, Step, Steps
from pbx.plan.text import Insert, Text
from pbx.speech.phrases import phrase
from pbx.speech.saying import Saying
from pbx.speech.values import spoken

MAX_STEPS: Final = 100
MAX_SECONDS: Final = 30 * 60.0
MAX_DEPTH: Final = 10
"""Flows that may run one another by `do`."""
MAX_VALUE: Final = 1_000
"""Characters of a variable."""

MASKED: Final = "••••"

Next = Destination | Outcome | None
"""Where a flow leads; None at its end."""


class Exhausted(Exception):
    """The caller's way took too many steps, or too long. `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Run:
    """The state of one caller's way."""

    def __init__(
        self,
        plan: Plan,
        world: World,
        *,
        verbs: Mapping[str, Verb],
        language: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        self.plan = plan
        self._verbs = verbs
        self.world = world
        self.language = language or plan.defaults.language
        self.step = Step("", {})
        """The step that is being executed."""
        self.wishes: Overrides = {}
        """What queues should know: priority, agent, skills."""
        self.menus: list[str] = []
        """The menus that were entered, for `back`."""
        self._kept: dict[str, str] = {"digits": "", **(fields or {})}
        self._secret: set[str] = set()
        self._steps = 0
        self._depth = 0
        self._began = world.monotonic()
        self._away = 0.0
        """Seconds in places outside menus and flows."""
        self._early = False
        """Whether the dialplan wants the caller to hear before the answer."""

    # -- variables ---------------------------------------------------------------------------

    def values(self, *, masked: bool = False) -> Mapping[str, str]:
        """Return all variables; `masked` as they may be told."""
        caller = self.world.caller
        masks = dict.fromkeys(self._secret, MASKED) if masked else {}
        return {
            "caller.number": caller.number,
            "caller.name": caller.name,
            "caller.verified": "yes" if caller.verified else "no",
            "called.number": caller.called,
            "call.id": caller.call,
            "now": self.local_time().isoformat(timespec="minutes"),
            "language": self.language,
            **self.world.queue,
            **self._kept,
            **masks,
        }

    def keep(self, name: str, value: str, *, secret: bool = False) -> None:
        """Set a variable; a secret one is masked wherever it is told."""
        self._kept[name] = value[:MAX_VALUE]
        if secret:
            self._secret.add(name)
        else:
            self._secret.discard(name)

    def keyed(self, digits: str) -> None:
        """Note what the caller keyed last; "" for a secret, which has a variable of its own."""
        self.keep("digits", digits)

    def assign(self, name: str, text: Text) -> None:
        """Set a variable to a text with its values; it is secret where one of them is."""
        self.keep(name, self.fill(text), secret=not self._secret.isdisjoint(text.names))

    @property
    def fields(self) -> dict[str, str]:
        """Return the variables that the plan set, as whoever answers may see them."""
        hidden = {"digits", *self._secret}
        return {name: value for name, value in self._kept.items() if name not in hidden}

    @property
    def secret(self) -> frozenset[str]:
        """Return the names of the secret variables."""
        return frozenset(self._secret)

    def fill(self, text: Text) -> str:
        """Return a text with its values."""
        return text.fill(self.values())

    def told(self, text: Text) -> str:
        """Return a text with its values as traces and records may show it."""
        return text.fill(self.values(masked=True))

    def shown(self, name: str) -> str:
        """Return a variable as the trace may show it."""
        return self.values(masked=True).get(name, "")

    def because(self, names: Collection[str]) -> str:
        """Return ` (name=value, …)` of the variables that decided; nothing for none."""
        known = [f'{name}="{self.shown(name)}"' for name in sorted(names)]
        return f" ({', '.join(known)})" if known else ""

    def local_time(self) -> datetime:
        """Return the time in the plan's zone."""
        return self.world.now().astimezone(ZoneInfo(self.plan.defaults.timezone))

    def set_language(self, language: str) -> None:
        """Speak another language from now on."""
        self.language = language
        self.world.set_language(language)

    # -- speaking ----------------------------------------------------------------------------

    def answer(self, *, early: bool = False) -> None:
        """Answer the call, or only let the caller hear."""
        self._early = early
        self.world.answer(early=early)

    def be_heard(self) -> None:
        """Answer a call that must hear something. Said again it does nothing; where another place
        answered, the caller's keys are listened for from now on."""
        if not self._early:
            self.world.answer()

    def saying(self, name: str, language: str | None = None, *, masked: bool = False) -> Saying:
        """Return what prompt `name` says in that language, or the nearest there is; `masked` as it
        may be told."""
        words = partial(self._words, self.values(masked=masked))
        said = prompt_saying(self.plan.prompts[name], language or self.language, words)
        return said or Saying(self.language, name=name)

    def words_of(self, name: str, language: str | None = None) -> str:
        """Return what the trace shows of a prompt: its words, or its file."""
        said = self.saying(name, language, masked=True)
        return f"{said.language}: {said.path or said.words}"

    async def say(self, *sayings: Saying, interrupt: bool = True) -> None:
        """Let the caller hear; a call that was not answered is."""
        self.be_heard()
        if not (interrupt and self.world.next_key is not None):
            await self.world.say(sayings, interrupt=interrupt)

    def phrase(self, name: str, **values: str) -> Saying:
        """Return one of callpbx's own phrases in the caller's language."""
        return phrase(name, self.language, now=self.local_time(), **values)

    def _words(self, values: Mapping[str, str], text: Text, language: str) -> str:
        now = self.local_time()

        def said(part: str | Insert) -> str:
            if isinstance(part, str):
                return part
            return spoken(part.value(values), part.format, language, now=now)

        return "".join(map(said, text.parts))

    # -- telling -----------------------------------------------------------------------------

    def tell(self, name: str, text: str, *, kind: str | None = None) -> None:
        """Add a line to the call's story: the current step's, where nothing else is said."""
        mark = self.step.mark
        self.world.emit(
            StepTaken(
                call=self.world.caller.call,
                kind=kind or self.step.verb,
                name=name,
                text=text,
                file=mark.file,
                line=mark.line,
            )
        )

    def stand(self, *, kind: str, mark: Mark) -> None:
        """Say what the next lines are about, when it is no step of a flow."""
        self.step = Step(kind, {}, mark=mark)

    def tag(self, tag: str) -> None:
        """Tag the record."""
        self.world.emit(CallTagged(call=self.world.caller.call, tag=tag))

    def note(self, text: str) -> None:
        """Leave a note for whoever answers."""
        self.world.emit(CallNoted(call=self.world.caller.call, text=text))

    # -- going on ----------------------------------------------------------------------------

    async def steps(self, steps: Steps) -> Next:
        """Execute steps until one leads elsewhere; None at their end."""
        for step in steps:
            self.count()
            self.step = step
            following: Following = await self._verbs[step.verb](self, step.arguments)
            if isinstance(following, str):
                branch = step.outcomes.get(following)
                if branch is None:
                    continue
                following = branch if isinstance(branch, Destination) else await self.steps(branch)
                assert not isinstance(following, str)
            if following is not None:
                return following
        return None

    async def do(self, flow: str) -> Next:
        """Run a flow and come back; None at its end."""
        if self._depth == MAX_DEPTH:
            raise Exhausted(f"flows that run one another more than {MAX_DEPTH} deep")
        self._depth += 1
        try:
            return await self.steps(self.plan.flows[flow].steps)
        finally:
            self._depth -= 1

    async def go(self, destination: Destination, **overrides: Unpack[Overrides]) -> Outcome:
        """Go to a place outside menus and flows; a queue is told the caller's wishes."""
        if destination.kind == "queue":
            overrides = {**self.wishes, "fields": self.fields, "comes_back": True}
        outcome = await self._elsewhere(self.world.go(destination, **overrides))
        self.tell(
            destination.name,
            f"{outcome.kind.value} ({outcome.reason})",
            kind=destination.kind,
        )
        return outcome

    async def ring(self, ring: Ring) -> Outcome:
        """Ring phones by a step of its own."""
        self.tell("", f"{', '.join(map(str, ring.members))}, {ring.each_s:g} s")
        outcome = await self._elsewhere(self.world.ring(ring))
        self.tell("", f"{outcome.kind.value} ({outcome.reason})")
        return outcome

    async def _elsewhere(self, place: Awaitable[Outcome]) -> Outcome:
        """Wait until the caller comes back from a place: its time does not count here, and keys
        that were pressed there mean nothing here."""
        left = self.world.monotonic()
        outcome = await place
        self._away += self.world.monotonic() - left
        self.world.forget_keys()
        return outcome

    def after(self, destination: Destination, outcome: Outcome) -> Destination | Outcome:
        """Return where the call goes once a place was left with `outcome`: what the plan says of a
        queue or a ring group, else nowhere."""
        following = _following(self.plan, destination, outcome)
        return following or unreached(outcome, answered=self.world.answered)

    def count(self) -> None:
        """Count one step; raise Exhausted when it is one too many or too late."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Exhausted(f"{MAX_STEPS} steps")
        if self.seconds_left <= 0:
            raise Exhausted(f"{MAX_SECONDS / 60:.0f} minutes in menus")

    @property
    def seconds_left(self) -> float:
        """Return how long the caller may still be in menus and flows."""
        return MAX_SECONDS - (self.world.monotonic() - self._began - self._away)

    async def wait(self, seconds: float) -> None:
        """Let time pass, as far as there is some left."""
        await self.world.pause(max(0.0, min(seconds, self.seconds_left)))

    async def music(self, name: str | None, seconds: float) -> None:
        """Let the caller hear music, as far as there is time left."""
        self.be_heard()
        await self.world.music(name, max(0.0, min(seconds, self.seconds_left)))

    def rename_caller(self, name: str) -> None:
        """Show another name to whoever is rung."""
        self.world.rename_caller(name)


def _following(plan: Plan, destination: Destination, outcome: Outcome) -> Destination | None:
    kind = outcome.kind.value
    if destination.kind == "queue" and (queue := plan.queues.get(destination.name)) is not None:
        return {
            "full": queue.if_full,
            "no_agents": queue.if_no_agents,
            "timeout": queue.if_timeout,
        }.get(kind)
    if destination.kind == "ring" and (group := plan.ring_groups.get(destination.name)) is not None:
        return group.no_answer if kind in ("no_answer", "busy", "failed") else None
    return None
