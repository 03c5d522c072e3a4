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
from typing import Final, Literal, Protocol, Unpack

from pbx.call.call import Call
from pbx.call.outcome import Outcome, failed
from pbx.call.ring_group import ring_members
from pbx.call.routing import Destinations
from pbx.call.speaking import say
from pbx.events import AnyEvent
from pbx.ivr import interpreter
from pbx.ivr.run import Run
from pbx.ivr.verbs import VERBS
from pbx.ivr.world import Answer, Caller, Enquiries, Letter, Overrides, Ring
from pbx.plan.destination import Destination
from pbx.plan.hours import Schedule, State
from pbx.plan.model import Lookup
from pbx.speech.phrases import phrase
from pbx.speech.saying import Saying

log = logging.getLogger(__name__)

PATIENCE: Final = 1.0
"""Seconds that a lookup may take before the caller is asked to wait."""


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
        """Tell everybody."""
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
            self._call.connected()
        caller.media.watch(keys=True)

    async def say(self, sayings: Sequence[Saying], *, interrupt: bool = True) -> None:
        """Play them."""
        await say(self._call.caller, *sayings, interrupt=interrupt)

    async def key(self, seconds: float) -> str | None:
        """Wait for a key; a caller who holds us is not silent but away, and has more time."""
        caller, now = self._call.caller, self.monotonic
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
        """Ring phones."""
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
        """Go there."""
        return await self._call.go(destination, **overrides)


class Ivr:
    """The destination that the interpreter brings: `numbers`. It goes between menus, flows and
    surveys by itself."""

    def __init__(self, enquiries: Enquiries, switches: Switches) -> None:
        self._enquiries = enquiries
        self._switches = switches

    def register(self, destinations: Destinations) -> None:
        """Put it into the registry."""
        destinations.register("numbers", self.numbers)

    async def numbers(self, call: Call, name: str) -> Outcome:
        """Start where `numbers` says; the destination kind `numbers`."""
        route = call.plan.routed(name)
        if route is None:
            return failed(404, "unknown_number")
        world = LiveWorld(call, self._enquiries, self._switches)
        run = Run(call.plan, world, verbs=VERBS, language=call.language)
        return await interpreter.route(run, route)
