"""The actor of one call: it runs the caller's script, owns the legs, and ends exactly once.

The script is what the caller lives through (`await call.go(destination)`), the one task of the
call. The caller's own end sets `ending` and cancels the script; any other leg's end is a value that
the script awaits. When the script is over, however that came about, the actor closes what is still
open, waits a moment for the media figures and emits `CallEnded`, the last event of every call. This
is the one fence for a script's defect: it costs its own call only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from pbx.call import bridge
from pbx.call.admission import ExtensionEntry, Identity
from pbx.call.contact import Contact
from pbx.call.leg import Leg, OnNews, Role
from pbx.call.leg_media import LegMedia
from pbx.call.outcome import (
    Ending,
    LegEnding,
    Outcome,
    cause_of,
    failed,
    not_registered,
)
from pbx.call.ringing import Ringing
from pbx.errors import NoResource, RemoteError, UsageError
from pbx.events import AnyEvent, Bridged, CallEnded, CallRouted, EndedBy, Result
from pbx.media.formats import Capabilities
from pbx.plan.model import Destination

if TYPE_CHECKING:
    from pbx.call.exchange import CallSettings, Exchange

log = logging.getLogger(__name__)

Script = Callable[["Call"], Coroutine[Any, Any, Outcome]]
"""What a caller lives through."""

FIGURES_TIMEOUT = 1.0
"""Seconds that a call waits for the media worker's last figures before its record closes without.
"""


class Call:
    """One call, from the INVITE that was let in to its record."""

    def __init__(
        self, exchange: Exchange, call_id: str, who: Identity, called: str, *, max_forwards: int
    ) -> None:
        self.id = call_id
        self.who = who
        self.called = called
        self.max_forwards = max_forwards
        self.exchange = exchange
        self.started_at = exchange.clock.wall()
        self.state = "ringing"
        self.ending: Ending | None = None
        self.legs: dict[int, Leg] = {}
        self.caller_leg: Leg | None = None
        self._connected = False
        self._script: asyncio.Task[Outcome] | None = None
        self._patience: asyncio.TimerHandle | None = None  # while figures are waited for

    @property
    def settings(self) -> CallSettings:
        """Return the settings that all calls share."""
        return self.exchange.settings

    def emit(self, event: AnyEvent) -> None:
        """Tell everybody what happened."""
        self.exchange.bus.emit(event)

    # -- what scripts say --------------------------------------------------------------------

    async def go(self, destination: Destination, **overrides: Any) -> Outcome:
        """Take the call to `destination` and return what became of it."""
        self.routed(str(destination))
        return await self.exchange.destinations.go(self, destination, **overrides)

    @property
    def caller(self) -> Leg:
        """Return the leg of the party whose call this is."""
        if self.caller_leg is None:
            raise UsageError("the call has no caller's leg yet")
        return self.caller_leg

    def ring(self) -> Ringing:
        """Return the scope that rings contacts: `async with call.ring() as ringing`."""
        return Ringing(self)

    def connect(self, called: Leg) -> None:
        """Answer the caller and let both hear each other."""
        bridge.connect(self, called)

    def early_media(self, called: Leg) -> None:
        """Let the caller hear the called side before its answer (183 with a description)."""
        if self.caller_leg is not None and not self.caller_leg.up:
            self.caller_leg.progress(called.speaks())
            self.caller_leg.join(called)

    # -- what legs and bridges report --------------------------------------------------------

    def invite(self, contact: Contact, *, on_news: OnNews) -> Leg:
        """Ring one contact; the leg belongs to whoever called this."""
        role: Role = "called" if self.caller_leg is not None else "caller"
        return Leg.outgoing(self, contact, role=role, on_news=on_news)

    def to_offer(self) -> Capabilities:
        """Return what a leg that is about to be rung is offered. Raises SdpError(488)."""
        return self.settings.capabilities if self.caller_leg is None else self.caller_leg.speaks()

    def neighbour(self) -> LegMedia | None:
        """Return the media of a leg that has a port: all legs of a call share one worker."""
        return next((leg.media for leg in self.legs.values() if leg.media.open), None)

    def shown_to(self, leg: Leg) -> tuple[str | None, str]:
        """Return the name and the number that a rung party sees."""
        if leg.role == "caller":
            return None, self.called
        return self.who.name, self.who.number

    def routed(self, destination: str) -> None:
        """Add a step to the record's path."""
        self.emit(CallRouted(call=self.id, destination=destination))

    def connected(self) -> None:
        """Remember that the caller reached somebody or something that answers."""
        self._connected = True
        self.state = "talking"

    def bridged(self, first: Leg, second: Leg) -> None:
        """Report that two answered legs hear each other."""
        self.emit(Bridged(call=self.id, leg=first.id, other=second.id))

    def caller_left(self, ending: LegEnding) -> None:
        """End the call because its own party is gone."""
        if self._connected:
            result = Ending("answered", ending.reason, 200, ending.cause, "caller")
            if ending.reason != "bye":
                result = Ending("answered", ending.reason, 200, ending.cause, "system")
        elif ending.by == "remote":
            result = Ending("cancelled", "cancelled", 487, ending.cause, "caller")
        else:
            result = Ending("failed", ending.reason, ending.status, ending.cause, "system")
        self.end(result)

    def end(self, ending: Ending) -> None:
        """Set how the call ends, once, and stop its script."""
        if self.ending is None:
            self.ending = ending
            if self._script is not None:
                self._script.cancel()

    def hang_up(self, reason: str, *, by_supervisor: bool = False) -> None:
        """End the call from inside: an administrator, a shutdown, a lost worker."""
        by: EndedBy = "supervisor" if by_supervisor else "system"
        result: Result = "answered" if self._connected else "failed"
        self.end(Ending(result, reason, 200 if self._connected else 480, cause_of(200), by))

    def leg_freed(self, leg: Leg) -> None:
        """Note that a leg's figures are in; the record waits for the last of them."""
        if self._patience is not None and not self._waiting():
            self._close()

    # -- the actor ---------------------------------------------------------------------------

    def run(self, script: Script) -> None:
        """Start `script`; the call closes behind it, whatever happens."""
        if self.ending is not None:
            self._wind_up()
            return
        self._script = asyncio.get_running_loop().create_task(script(self), name=f"call {self.id}")
        self._script.add_done_callback(self._script_over)

    def _script_over(self, script: asyncio.Task[Outcome]) -> None:
        ending = self._ending_of(script)
        if self.ending is None:
            self.ending = ending
        self._wind_up()

    def _wind_up(self) -> None:
        try:
            self._close_legs()
        finally:
            if self._waiting():
                loop = asyncio.get_running_loop()
                self._patience = loop.call_later(FIGURES_TIMEOUT, self._go_without_figures)
            else:
                self._close()

    def _go_without_figures(self) -> None:
        log.warning("call %s: no media figures within %s s", self.id, FIGURES_TIMEOUT)
        self._close()

    def _ending_of(self, script: asyncio.Task[Outcome]) -> Ending:
        if script.cancelled():
            return Ending("failed", "cancelled", 500, cause_of(500), "system")
        error = script.exception()
        if isinstance(error, RemoteError):
            return Ending("failed", error.slug, error.status, cause_of(error.status), "system")
        if isinstance(error, NoResource):
            return Ending("failed", "no_resource", 503, cause_of(503), "system")
        if error is not None:
            log.error("call %s: its script failed", self.id, exc_info=error)
            return Ending("failed", "internal_error", 500, cause_of(500), "system")
        outcome = script.result()
        return Ending(
            outcome.result, outcome.reason, outcome.status, outcome.cause, outcome.ended_by
        )

    def _close_legs(self) -> None:
        ending = self.ending
        if ending is None:
            return
        for leg in tuple(self.legs.values()):
            leg.close(reason=ending.reason, status=ending.status, cause=ending.cause)

    def _waiting(self) -> bool:
        return any(leg.media.awaits_figures for leg in self.legs.values())

    def _close(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        ending = self.ending
        assert ending is not None
        self.emit(
            CallEnded(
                call=self.id,
                result=ending.result,
                reason=ending.reason,
                cause=ending.cause,
                sip_status=ending.status,
                ended_by=ending.ended_by,
            )
        )
        log.info(
            "call %s: %s → %s ended: %s (%s)",
            self.id,
            self.who.number,
            self.called,
            ending.result,
            ending.reason,
        )
        self.exchange.forget(self)
        # Call, legs and script hold each other: without this, 100 objects a call would wait for
        # the garbage collector, which takes three times as long to free them.
        self.legs = {}
        self.caller_leg = self._script = None


async def extension(call: Call, number: str) -> Outcome:
    """Ring every phone of an extension; the destination kind `ext`."""
    entry = call.exchange.directory.extension(number)
    if entry is None:
        return failed(404, "unknown_number")
    contacts = await call.exchange.contacts(entry)
    if not contacts:
        return not_registered()
    return await ring_and_talk(call, contacts, entry.no_answer_s)


async def ring_and_talk(call: Call, contacts: list[Contact], seconds: float) -> Outcome:
    """Ring all contacts at once; talk to the first that answers until one side leaves."""
    async with call.ring() as ringing:
        for contact in contacts:
            ringing.add(contact)
        first = await ringing.first(seconds)
    if isinstance(first, Outcome):
        return first
    call.connect(first)
    return await bridge.talk(first)


async def click_to_dial(
    call: Call,
    extension: ExtensionEntry,
    contacts: list[Contact],
    script: Script,
) -> Outcome:
    """Ring the phones of whoever wants to call; once one answers, it is the caller of `script`."""
    async with call.ring() as ringing:
        for contact in contacts:
            ringing.add(contact)
        first = await ringing.first(extension.no_answer_s)
    if isinstance(first, Outcome):
        return first
    call.caller_leg = first
    return await script(call)
