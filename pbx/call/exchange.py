"""The exchange: pulls what SIP and media report and gives each event to whom it concerns.

It lets callers in, makes a `Call` for each and starts its actor; it knows all live calls and legs.
Nothing here waits: the transport calls `pump` after each datagram, the media engine `media_event`,
and every verb is followed by `transmit_soon`. Beyond what descriptors, ports or loop lag allow, and
while draining, callers get 503 with Retry-After. Each event is fenced: a defect of ours ends the
call that it is about, and the next event is taken as if nothing had been.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from pbx.call.admission import (
    RETRY_AFTER,
    Admission,
    DirectoryLookup,
    ExtensionEntry,
    Identity,
    Refusal,
)
from pbx.call.arrival import Arrival, arrival_of, dialled_by
from pbx.call.call import Call, Script
from pbx.call.conference import Conferences
from pbx.call.contact import Contact
from pbx.call.extension import click_to_dial
from pbx.call.features import Features
from pbx.call.in_call import IN_CALL
from pbx.call.leg import Leg
from pbx.call.lines import Lines
from pbx.call.lookup import find_call
from pbx.call.out_of_call import OutOfCall
from pbx.call.outcome import TEMPORARY_FAILURE, Ending, cause_of
from pbx.call.recording import Recordings
from pbx.call.replacing import takes_place
from pbx.call.routing import Destinations
from pbx.call.settings import CallSettings
from pbx.errors import MessageError, NotFound, Refused, SdpError
from pbx.events import CallStarted
from pbx.events.bus import Bus, Clock
from pbx.media.engine import MediaEngine
from pbx.media.offer_answer import no_keys
from pbx.media.protocol import AnyWorkerEvent, RecordingDone, WorkerLoad
from pbx.media.sdes import RandomBytes
from pbx.plan.model import Plan
from pbx.sip import events as sip
from pbx.sip.flow import Address, Flow
from pbx.sip.headers import Uri
from pbx.sip.refer import Replaces
from pbx.sip.registrar import Registrar
from pbx.sip.user_agent import UserAgent

log = logging.getLogger(__name__)

DRAIN_GRACE = 2.0
"""Seconds that calls may take to end once they were told to."""


class Outward(Protocol):
    """What the exchange needs of the transport."""

    def transmit_soon(self) -> None:
        """Send what the user agent has queued, once the current work is done."""

    def flows_for(self, uri: Uri) -> list[Flow] | None:
        """Return the flows to a URI with a numeric host; None when its name must be resolved."""

    async def resolve(self, uri: Uri) -> list[Flow]:
        """Return the flows to a URI, in the order to try them."""

    def advertise(self, flow: Flow) -> Address:
        """Return the address that the remote of `flow` should see as ours."""


class Exchange:
    """All live calls, and the way of every event to its leg."""

    def __init__(
        self,
        *,
        ua: UserAgent,
        media: MediaEngine,
        bus: Bus,
        clock: Clock,
        admission: Admission,
        out_of_call: OutOfCall,
        registrar: Registrar,
        directory: DirectoryLookup,
        destinations: Destinations,
        features: Features,
        outward: Outward,
        plan: Plan,
        recordings: Recordings,
        lines: Lines,
        settings: CallSettings,
        new_call_id: Callable[[], str],
        new_session_id: Callable[[], int],
        random_bytes: RandomBytes = no_keys,
    ) -> None:
        self.ua = ua
        self.media = media
        self.bus = bus
        self.clock = clock
        self.directory = directory
        self.destinations = destinations
        self.outward = outward
        self.plan = plan
        self.recordings = recordings
        self.lines = lines
        """The lines to carriers: `lines.dial` is how a number of the outside is reached."""
        self.message_waiting = out_of_call.message_waiting
        self.settings = settings
        self.features = features
        self.in_call = IN_CALL
        """The codes that a party of the office's may key during a call."""
        self.calls: dict[str, Call] = {}
        self.conferences = Conferences()
        self.turns: dict[str, int] = {}
        """Which member of each rotating ring group is rung first, next time."""
        self.dropped: dict[str, int] = {}
        self.defects = 0
        """How often an error of ours ended a call, or would have."""
        self.congested: Callable[[], bool] = lambda: False
        self.draining = False
        self._admission = admission
        self._out_of_call = out_of_call
        self._registrar = registrar
        self.new_call_id = new_call_id
        self.new_session_id = new_session_id
        self.random_bytes = random_bytes
        self._by_invite: dict[sip.InviteId, Leg] = {}
        self._by_media: dict[int, Leg] = {}
        self._by_request: dict[sip.RequestId, Leg] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def now(self) -> float:
        """Return the monotonic time."""
        return self.clock.monotonic()

    def media_host(self, flow: Flow) -> str:
        """Return the address of ours that a description for the remote of `flow` names."""
        return self.settings.media_address or self.outward.advertise(flow)[0]

    # -- events in ---------------------------------------------------------------------------

    def pump(self) -> None:
        """Give every event that the user agent has to whom it concerns."""
        next_event = self.ua.next_event
        while (event := next_event()) is not None:
            leg = self._leg_of(event)
            try:
                if leg is not None:
                    leg.take(event)
                else:
                    self._take(event)
            except Exception as error:
                self._contain(event, leg, error)

    def media_event(self, worker: int, event: AnyWorkerEvent) -> None:
        """Give an event of a media worker to its leg; fenced as `pump` is."""
        if isinstance(event, WorkerLoad):
            return
        leg = self._by_media.get(getattr(event, "leg", -1))
        try:
            if leg is not None:
                leg.media_event(event)
            elif isinstance(event, RecordingDone):
                self.recordings.done(worker, event)
        except Exception as error:
            self._contain(event, leg, error)

    def worker_lost(self, worker: int, legs: Iterable[int]) -> None:
        """End the calls whose media died with their worker."""
        self.recordings.worker_lost(worker)
        for number in legs:
            leg = self._by_media.get(number)
            if leg is not None:
                leg.media_gone()
                leg.call.hang_up("media_worker_lost", status=503, cause=TEMPORARY_FAILURE)

    def _contain(
        self, event: sip.UserAgentEvent | AnyWorkerEvent, leg: Leg | None, error: Exception
    ) -> None:
        """The fence: let a defect of ours cost the call that `event` is about, and no other."""
        if leg is not None:
            leg.call.fail(error)
            return
        self.defects += 1
        log.error("%s could not be taken", type(event).__name__, exc_info=error)
        if isinstance(event, sip.InviteReceived | sip.RequestReceived):
            self._out_of_call.refuse(event.transaction, Refusal(500))

    def _leg_of(self, event: sip.UserAgentEvent) -> Leg | None:
        match event:
            case sip.RequestAnswered() | sip.RequestFailed():
                return self._by_request.get(event.request_id)
            case sip.Dropped() | sip.SubscriptionEnded():
                return None
            case _:
                return None if event.invite is None else self._by_invite.get(event.invite)

    def _take(self, event: sip.UserAgentEvent) -> None:
        """Act on an event that is about no leg of ours."""
        match event:
            case sip.InviteReceived():
                self._admit(event)
            case sip.RequestAnswered() | sip.RequestFailed() if self.lines.take(event):
                pass
            case sip.Dropped(slug=slug):
                self.dropped[slug] = self.dropped.get(slug, 0) + 1
            case _:
                self._out_of_call.take(event)

    # -- calls in ----------------------------------------------------------------------------

    def _admit(self, event: sip.InviteReceived) -> None:
        who = self._admission.identify(event.request, event.flow, self.now())
        if isinstance(who, Refusal):
            self._out_of_call.refuse(event.transaction, who)
            return
        if takes_place(self, event, who):
            return
        arrival = arrival_of(event.request, who, self)
        if self._turns_away(arrival):
            self._out_of_call.refuse(event.transaction, Refusal(503, RETRY_AFTER))
            return
        hops = event.request.max_forwards
        max_forwards = (70 if hops is None else hops) - 1
        call = Call(
            self, self.new_call_id(), arrival.who, arrival.number, max_forwards=max_forwards
        )
        self._announce(call)
        try:
            Leg.incoming(call, event)
        except SdpError as error:
            cause = cause_of(error.status)
            call.end(Ending("failed", error.slug, error.status, cause, "system"))
        except Exception as error:  # a defect: the call ends, with a record
            call.fail(error)
        call.run(arrival.script)

    def _turns_away(self, arrival: Arrival) -> bool:
        """Tell whether there is no room for the call; for one for help there always is."""
        trunk = arrival.who.trunk
        if arrival.urgent:
            return False
        if self.draining or self.congested():
            return True
        return trunk is not None and self.lines.refuses(trunk)

    def _announce(self, call: Call) -> None:
        self.calls[call.id] = call
        self._idle.clear()
        call.emit(
            CallStarted(
                call=call.id,
                direction=call.who.direction,
                caller=call.who.number,
                caller_name=call.who.name,
                called=call.called,
                trunk=call.who.trunk,
                dialplan_version=self.plan.version_id,
            )
        )

    # -- what calls and legs use -------------------------------------------------------------

    def add_leg(self, leg: Leg) -> None:
        """Let the leg's events find it."""
        self._by_invite[leg.invite] = leg
        if leg.trunk is not None:
            self.lines.took(leg)

    def drop_leg(self, leg: Leg) -> None:
        """The leg is over: no more SIP events for it."""
        self._by_invite.pop(leg.invite, None)
        if leg.trunk is not None:
            self.lines.let_go(leg)

    def leg_of_dialog(self, dialog: Replaces) -> Leg | None:
        """Return the leg of one of our dialogs, as its far end names it (RFC 3891 §3)."""
        invite = self.ua.invite_of(dialog)
        return None if invite is None else self._by_invite.get(invite)

    def expect_media(self, number: int, leg: Leg) -> None:
        """Let the worker's events of that leg number find the leg."""
        self._by_media[number] = leg

    def forget_media(self, number: int) -> None:
        """The worker has freed the leg."""
        self._by_media.pop(number, None)

    def code_heard(self, leg: Leg, code: str) -> None:
        """Do what a code means that was keyed during a call; fenced as every event is."""
        act = self.in_call.get(code)
        if act is not None and leg.up:
            act(leg)

    def expect_answer(self, request: sip.RequestId, leg: Leg) -> None:
        """Let the answer to an in-dialog request find the leg."""
        self._by_request[request] = leg

    def forget_request(self, request: sip.RequestId) -> None:
        """Nobody waits for that answer any more."""
        self._by_request.pop(request, None)

    def forget(self, call: Call) -> None:
        """The call's record is closed."""
        self.calls.pop(call.id, None)
        for leg in call.legs.values():
            self.drop_leg(leg)
            self.forget_media(leg.media.number)
        if not self.calls:
            self._idle.set()

    async def contacts(self, extension: ExtensionEntry) -> list[Contact]:
        """Return every phone of an extension that can be rung now."""
        number = extension.number
        found = self._bound(number)
        if extension.contact is not None:
            found += await self._fixed(number, extension.contact)
        return found

    async def _fixed(self, number: str, contact: str) -> list[Contact]:
        """Return the device that never registers, if its address can be had."""
        try:
            uri = Uri.parse(contact)
        except MessageError as error:
            log.warning("the contact %s of extension %s is no SIP URI: %s", contact, number, error)
            return []
        flows = self.outward.flows_for(uri)
        if flows is None:
            flows = await self.outward.resolve(uri)
        return [Contact(number, uri, tuple(flows))] if flows else []

    def _bound(self, number: str) -> list[Contact]:
        """Return the registered phones; those that answer no OPTIONS only where no other is."""
        bindings = self._registrar.bindings(number, self.now())
        reachable = [binding for binding in bindings if binding.reachable]
        return [
            Contact(number, binding.contact, (binding.flow,), binding.path)
            for binding in reachable or bindings
        ]

    # -- what an administrator does ----------------------------------------------------------

    async def originate(self, from_: str, to: str, *, script: Script | None = None) -> str:
        """Ring the phones of `from_`; once one answers, call `to` as if it had dialled, or run
        `script`.

        Raises NotFound where there is no such extension or number, Refused where it cannot be now.
        """
        extension = self.directory.extension(from_)
        if extension is None:
            raise NotFound(f"there is no extension {from_}")
        arrival = dialled_by(Identity(from_, extension.name, "internal"), to, self)
        if script is None and arrival.destination is None:
            raise NotFound(f"there is no number {to}")
        contacts = await self.contacts(extension)
        if not contacts:
            raise Refused(f"extension {from_} has no registered phone")
        if self.draining or self.congested():
            raise Refused("callpbx takes no further calls now; try again in a few seconds")
        script = script or arrival.script
        script = partial(click_to_dial, extension=extension, contacts=contacts, script=script)
        return self.begin(self.new_call_id(), arrival.who, to, script).id

    def begin(self, call_id: str, who: Identity, called: str, script: Script) -> Call:
        """Begin a call of our own making, which nobody dialled; `script` is what it lives through.

        Its id comes from `new_call_id`.
        """
        call = Call(self, call_id, who, called, max_forwards=70)
        self._announce(call)
        call.run(script)
        return call

    def hangup(self, call_id: str) -> None:
        """End a call."""
        call = find_call(self.calls, call_id)
        call.hang_up("hung_up_by_administrator", by="supervisor")

    async def drain(self, grace: float) -> None:
        """Let no new call in, give those that are up `grace` seconds, then end them."""
        self.draining = True
        if await self._is_idle_within(grace):
            return
        for call in tuple(self.calls.values()):
            call.hang_up("shutdown", status=503, cause=TEMPORARY_FAILURE)
        if not await self._is_idle_within(DRAIN_GRACE):
            log.warning("%d calls did not end in time", len(self.calls))

    async def _is_idle_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def abandon_calls(self) -> None:
        """End every call that is left and close its record at once."""
        self.draining = True
        for call in tuple(self.calls.values()):
            call.abandon()

    def snapshot(self) -> dict[str, Any]:
        """Return what is live, for `status` and for a developer's eyes."""
        return {
            "calls": len(self.calls),
            "legs": len(self._by_invite),
            "media_legs": len(self._by_media),
            "requests": len(self._by_request),
            "conferences": len(self.conferences),
            "recordings": len(self.recordings),
            "defects": self.defects,
            "dropped": dict(self.dropped),
        }
