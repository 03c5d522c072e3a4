"""The live world: what the interpreter asks for, done for a call; and the destination it brings.

A call travels by the plan that was in force when it began, whatever is loaded meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal, Protocol, Unpack

from pbx.call.call import Call
from pbx.call.hearing import hearing
from pbx.call.outcome import Outcome, OutcomeKind, failed
from pbx.call.ring_group import ring_members
from pbx.call.routing import Destinations
from pbx.call.speaking import say
from pbx.errors import Refused
from pbx.events import AnyEvent, CallNoted, MenuLeft, SurveyCommented
from pbx.ivr import interpreter
from pbx.ivr.run import Run
from pbx.ivr.verbs import VERBS
from pbx.ivr.world import Answer, Caller, Enquiries, Letter, Overrides, Ring
from pbx.plan.destination import Destination
from pbx.plan.hours import Schedule, State
from pbx.plan.model import Lookup, Plan
from pbx.speech.phrases import phrase
from pbx.speech.saying import Saying

log = logging.getLogger(__name__)

PATIENCE: Final = 1.0
"""Seconds that a lookup may take before the caller is asked to wait."""


LONGEST_COMMENT: Final = 60.0
"""Seconds of a comment to a survey, at most."""

COMMENT_SILENCE: Final = 5.0
"""Seconds without a word after which nothing more is expected."""


class Switches(Protocol):
    """The day/night switches."""

    def state(self, schedule: Schedule, at: datetime) -> State | None:
        """Return what a schedule was switched to; None where it was not."""


class LiveWorld:
    """A call, as `pbx.ivr.world.World` describes it."""

    def __init__(self, call: Call, enquiries: Enquiries, switches: Switches) -> None:
        self._call = call
        self._enquiries = enquiries
        self._switches = switches
        who = call.who
        self.caller = Caller(
            call=call.id,
            number=who.number,
            name=who.name or "",
            verified=who.trunk is None,
            called=call.called,
        )

    # -- what is so --------------------------------------------------------------------------

    @property
    def answered(self) -> bool:
        """Tell whether the call was answered."""
        return self._call.caller.up

    @property
    def next_key(self) -> str | None:
        """Return the key that waits."""
        return self._call.caller.keys.first

    @property
    def queue(self) -> Mapping[str, str]:
        """Ask the queue, if the caller waits in one."""
        queued = self._call.queued
        return queued.values() if queued is not None and queued.waits else {}

    def now(self) -> datetime:
        """Return the wall clock."""
        return datetime.fromtimestamp(self._call.exchange.clock.wall(), UTC)

    def monotonic(self) -> float:
        """Return the monotonic clock."""
        return self._call.exchange.now()

    def is_extension(self, number: str) -> bool:
        """Ask the directory."""
        return self._call.exchange.directory.extension(number) is not None

    def switched(self, schedule: Schedule) -> State | None:
        """Ask the switches."""
        return self._switches.state(schedule, self.now())

    def emit(self, event: AnyEvent) -> None:
        """Tell everybody, and keep what whoever answers should see."""
        facts = self._call.facts
        if isinstance(event, CallNoted):
            facts.notes.append(event.text)
        elif isinstance(event, MenuLeft):
            facts.path.append(f"menu:{event.menu}:{event.choice}")
        self._call.emit(event)

    def complain(self, sentence: str) -> None:
        """Log it, with the call."""
        log.warning("call %s %s", self._call.id, sentence)

    def set_language(self, language: str) -> None:
        """Let the call's later places speak it."""
        self._call.language = language

    def rename_caller(self, name: str) -> None:
        """Show another name to whoever is rung."""
        self._call.who = replace(self._call.who, name=name)

    # -- sound and keys ----------------------------------------------------------------------

    def answer(self, *, early: bool = False) -> None:
        """Answer with 200, or with 183 and our description."""
        caller = self._call.caller
        if early and caller.media.offered is not None:
            caller.progress(caller.speaks())
        elif not early or caller.media.agreed is None:  # without an offer nobody can hear before
            if not caller.up:
                caller.answer(caller.speaks())
            if not self.queue:  # who hangs up in a menu of a queue has given up all the same
                self._call.connected()
        caller.media.watch(keys=True)

    async def say(self, sayings: Sequence[Saying], *, interrupt: bool = True) -> None:
        """Play them."""
        await say(self._call.caller, *sayings, interrupt=interrupt)

    async def key(self, seconds: float) -> str | None:
        """Wait for a key; a caller who holds us is not silent but away, and has more time."""
        caller, now = self._call.caller, self.monotonic
        if self._call.queued is not None:
            self._call.queued.rest()
        key = await caller.keys.next(seconds)
        away_until = now() + self._call.settings.hold_timeout_s
        while key is None and caller.held and now() < away_until:
            key = await caller.keys.next(1.0)
        return key

    def forget_keys(self) -> None:
        """Clear what was pressed ahead."""
        self._call.caller.keys.clear()

    @contextmanager
    def secret(self) -> Iterator[None]:
        """Mask the keys in events, and keep them out of recordings."""
        leg = self._call.caller
        with leg.keys.masked(), self._call.exchange.recordings.hushed(leg.bridge):
            yield

    async def pause(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)

    async def music(self, name: str | None, seconds: float) -> None:
        """Play music for so long."""
        media = self._call.caller.media
        media.start_music(self._call.settings.hold_music(name))
        try:
            await asyncio.sleep(seconds)
        finally:
            media.stop_music()

    def send_keys(self, keys: str) -> None:
        """Send them as telephone-events or tones."""
        self._call.caller.media.send_digits(keys)

    async def record(
        self, action: Literal["start", "stop", "pause", "resume"], *, beep: bool
    ) -> None:
        """Record the call, from its answer on where it has none yet."""
        call, recordings = self._call, self._call.exchange.recordings
        if action == "start":
            recordings.want(call)
        recorded = recordings.of(call.bridge)
        if action == "stop":
            recordings.unwant(call)
        for recording in recorded:
            if action == "pause":
                recording.pause()
            elif action == "resume":
                recording.resume()
        if beep and recorded:
            await call.caller.play("tone:beep", others=1.0)

    async def comment(self, survey: str) -> None:
        """Record the caller alone; where the call is recorded anyhow, the comment is in that."""
        call, recordings = self._call, self._call.exchange.recordings
        caller, going_on = call.caller, bool(recordings.of(call.bridge))
        if caller.bridge is None:
            call.bridge.add(caller)
        try:
            recording = recordings.begin(call)
        except Refused as refusal:
            log.warning("call %s: the comment is not recorded: %s", call.id, refusal)
            return
        call.emit(SurveyCommented(call=call.id, survey=survey, recording=recording.id))
        with hearing(caller) as ear:
            await caller.play("tone:beep")
            try:
                await ear.out(LONGEST_COMMENT, silence=COMMENT_SILENCE)
            finally:
                if not going_on:
                    recording.stop()

    # -- elsewhere ---------------------------------------------------------------------------

    async def look_up(self, lookup: Lookup, values: Mapping[str, str]) -> Answer:
        """Ask; after a second the caller hears that it takes a moment."""
        asking = asyncio.get_running_loop().create_task(
            self._enquiries.look_up(lookup, values), name=f"lookup {lookup.name}"
        )
        try:
            await asyncio.wait((asking,), timeout=PATIENCE)
            if not asking.done() and self._call.caller.media.open:
                await self.say((phrase("please-wait", self._call.language),))
            return await asking
        finally:
            asking.cancel()

    def send(self, letter: Letter) -> None:
        """Hand it to whoever sends."""
        self._enquiries.send(letter)

    async def ring(self, ring: Ring) -> Outcome:
        """Ring phones; who waited in a queue does no longer."""
        self._leave_queue()
        return await ring_members(
            self._call,
            ring.members,
            together=ring.together,
            each_s=ring.each_s,
            confirm=None if ring.confirm_key is None else (ring.confirm_key,),
            caller_id=ring.caller_id,
            announce=ring.announce,
        )

    async def go(self, destination: Destination, **overrides: Unpack[Overrides]) -> Outcome:
        """Go there. Who waited in a queue does no longer, or, for whom a call-back cannot be noted,
        waits on."""
        if destination.kind != "callback":
            self._leave_queue()
        outcome = await self._call.go(destination, **overrides)
        if destination.kind == "callback" and outcome.kind is not OutcomeKind.FAILED:
            self._leave_queue("callback")
        return outcome

    def _leave_queue(self, result: str = "left") -> None:
        if self._call.queued is not None:
            self._call.queued.leave(result)


class Ivr:
    """The destinations that the interpreter brings: `numbers`, and the places that it goes between
    by itself, for those who come from elsewhere: transfers, queues."""

    PLACES: Final = ("flow", "menu", "survey", "operator", "hangup")

    def __init__(self, enquiries: Enquiries, switches: Switches) -> None:
        self._enquiries = enquiries
        self._switches = switches

    def register(self, destinations: Destinations) -> None:
        """Put them into the registry."""
        destinations.register("numbers", self.numbers)
        destinations.register("queue_keys", self.queue_keys)
        for kind in self.PLACES:
            destinations.register(kind, partial(self.place, kind))

    async def numbers(self, call: Call, name: str) -> Outcome:
        """Start where `numbers` says; the destination kind `numbers`."""
        route = call.plan.routed(name)
        if route is None:
            return failed(404, "unknown_number")
        return await interpreter.route(self._run(call), route)

    async def place(self, kind: str, call: Call, name: str) -> Outcome:
        """Go to a menu, a flow, a survey, and on from there; the destination kinds of `PLACES`."""
        if not is_there(call.plan, Destination(kind, name)):
            return failed(404, "unknown_number")
        return await interpreter.travel(self._run(call), Destination(kind, name))

    async def queue_keys(self, call: Call, name: str) -> Outcome:
        """Do what a caller keys who waits in the queue of that name; the kind `queue_keys`."""
        return await interpreter.keyed_in_queue(self._run(call), call.plan.queues[name])

    def _run(self, call: Call) -> Run:
        world = LiveWorld(call, self._enquiries, self._switches)
        fields = call.facts.fields
        return Run(call.plan, world, verbs=VERBS, language=call.language, fields=fields)


def is_there(plan: Plan, place: Destination) -> bool:
    """Tell whether the plan has that menu, flow or survey; the words have no names."""
    sections: Mapping[str, Mapping[str, object]] = {
        "flow": plan.flows,
        "menu": plan.menus,
        "survey": plan.surveys,
    }
    return place.kind not in sections or place.name in sections[place.kind]
