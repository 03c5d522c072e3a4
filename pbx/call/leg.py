"""One party: its SIP invite usage and its media, anchored at callpbx (architecture §6).

A leg answers for itself what concerns nobody else (renegotiation.py, info.py, worker_reports.py).
What matters to others it tells: the caller's end to the call, a called leg's news to whoever rings
it, a new codec to the leg it is joined with. All of it is synchronous; `ended` is a future that
scripts await. Closing is idempotent and queues BYE, CANCEL or a final response and the media's
release; nothing is awaited.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from pbx.call import hold_reminder, in_dialog, info, inviting, refer, renegotiation, worker_reports
from pbx.call.admission import RETRY_AFTER
from pbx.call.contact import Contact
from pbx.call.endings import ending_of_cancel, ending_of_dialog, ending_of_failure
from pbx.call.in_dialog import OnOutcome
from pbx.call.keys import MASK, Keys
from pbx.call.leg_media import LegMedia
from pbx.call.leg_state import HeaderList, KeySource, LegState, News, Role
from pbx.call.outcome import NORMAL_CLEARING, LegEnding
from pbx.call.security import security_of
from pbx.events import (
    DigitReceived,
    LegAnswered,
    LegEnded,
    LegInvited,
    LegRinging,
    PlaybackFinished,
)
from pbx.media.codec import Codec
from pbx.media.formats import Capabilities
from pbx.media.keys.codes import CodeMatcher
from pbx.media.protocol import AnyWorkerEvent
from pbx.sip import events as sip
from pbx.sip.flow import Flow, host_port
from pbx.sip.message import Request

if TYPE_CHECKING:
    from pbx.call.bridge import Bridge
    from pbx.call.call import Call

log = logging.getLogger(__name__)

RINGBACK = "tone:ring"
"""What a party that is up hears while somebody else is rung for it."""

NO_INVITE = sip.InviteId(0)
"""Names no INVITE: what is asked of the user agent with it does nothing."""

OnNews = Callable[["Leg", News], None]


class Leg:
    """One party of a call. Made by `incoming` and `outgoing`."""

    def __init__(
        self, call: Call, *, role: Role, number: str, flow: Flow, trunk: str | None = None
    ) -> None:
        exchange = call.exchange
        self.call = call
        self.role: Role = role
        self.number = number
        self.flow = flow
        self.trunk = trunk
        """The line that the party is reached by; None for the office's own phones."""
        self.media = LegMedia(
            exchange.media,
            session_id=exchange.new_session_id(),
            host=exchange.media_host(flow),
            also_from=flow.remote[0],
            security=security_of(call, number=number, flow=flow, trunk=trunk),
            random_bytes=exchange.random_bytes,
        )
        self.id = self.media.number
        self.state = LegState.NEW
        self.held = False
        self.muted = False
        self.keys = Keys()
        self.on_talking: Callable[[Leg, bool], None] | None = None
        """Called when the party begins and ends to talk, where that is watched."""
        self.codes: CodeMatcher | None = None
        """The codes that the party may key by INFO; those of its RTP are the worker's affair."""
        self.bridge: Bridge | None = None
        self.other: Leg | None = None
        self.ending: LegEnding | None = None
        self.ended: asyncio.Future[LegEnding] = asyncio.get_running_loop().create_future()
        self.referred = False
        """Whether the phone has sent REFER on this leg."""
        self.reminder: asyncio.TimerHandle | None = None
        """Reminds the party of whom it holds."""
        self.invite = NO_INVITE
        self.asked: sip.TransactionId | None = None
        """A re-INVITE of the far end that waits for the other leg's new codec."""
        self.wished: tuple[Codec, ...] = ()
        """What our last re-INVITE asked for."""
        self.refused: frozenset[Codec] = frozenset()
        """What the party did not change to when it was asked: the worker transcodes for it."""
        self.answer_in_ack = False
        """Whether our 2xx held an offer, so that the ACK brings the answer."""
        self._transaction: sip.TransactionId | None = None
        self._on_news: OnNews | None = None
        self.asking: dict[sip.RequestId, OnOutcome] = {}
        """Requests in the dialog that have no outcome yet; in_dialog.py sends them."""
        call.legs[self.id] = self
        exchange.expect_media(self.id, self)

    @classmethod
    def incoming(cls, call: Call, event: sip.InviteReceived) -> Leg:
        """Make the leg of a caller whose INVITE was let in. Raises SdpError for its description."""
        who = call.who
        leg = cls(call, role="caller", number=who.number, flow=event.flow, trunk=who.trunk)
        call.caller_leg = leg
        leg._received(event)
        leg.take_offer(event.request)
        return leg

    @classmethod
    def joining(cls, call: Call, event: sip.InviteReceived, *, instead_of: Leg) -> Leg:
        """Make the leg of another phone of a party that is in the call; its offer is not taken."""
        leg = cls(call, role="called", number=instead_of.number, flow=event.flow)
        leg._received(event)
        return leg

    def _received(self, event: sip.InviteReceived) -> None:
        self.invite = event.invite
        self._transaction = event.transaction
        self.begin(event.request.call_id)

    def take_offer(self, request: Request) -> None:
        """Take the description of an INVITE, where it brings one. Raises SdpError."""
        body = renegotiation.session_body(request)
        if body:
            self.media.take_offer(body)

    @classmethod
    def outgoing(cls, call: Call, contact: Contact, *, role: Role, on_news: OnNews) -> Leg:
        """Ring a contact. What becomes of it is told to `on_news`, a failure to start it too."""
        flow = contact.flows[0]
        leg = cls(call, role=role, number=contact.number, flow=flow, trunk=contact.trunk)
        leg._on_news = on_news
        inviting.invite(leg, contact)
        return leg

    # -- what a script asks ------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Tell whether the leg was answered and still is."""
        return self.state is LegState.UP

    @property
    def is_extension(self) -> bool:
        """Tell whether the party is at one of the office's own phones."""
        return self.trunk is None

    @property
    def can_listen(self) -> bool:
        """Tell whether the party can hear something: it described where, or is about to be told."""
        return self.media.agreed is not None or self.media.offered is not None

    @property
    def codec(self) -> str | None:
        """Return the name of the codec in use."""
        return self.media.codec

    def ring(self) -> None:
        """Tell the caller that the far end rings (180), once; one who can hear us hears it ring."""
        if self.state is LegState.NEW:
            self.state = LegState.RINGING
            self._respond(180)
            self.call.emit(LegRinging(call=self.call.id, leg=self.id))
        elif self.media.agreed is not None and self.other is None:
            self.media.start_music(RINGBACK)

    def progress(self, capabilities: Capabilities) -> None:
        """Let the caller hear something before the answer: 183 with our description.

        Without effect when the caller made no offer. Raises SdpError and NoResource.
        """
        if self.state in (LegState.UP, LegState.ENDED) or self.media.offered is None:
            return
        self.state = LegState.RINGING
        self._respond(183, self.media.answer(capabilities, beside=self.call.neighbour()))
        self.call.emit(LegRinging(call=self.call.id, leg=self.id, early_media=True))

    def answer(self, capabilities: Capabilities) -> None:
        """Answer the caller: 200 with our answer, or with our offer when the caller made none.

        A description that went out with 183 is repeated. Raises SdpError and NoResource.
        """
        if self.state in (LegState.UP, LegState.ENDED):
            return
        if self.media.offered is not None:
            body = self.media.answer(capabilities, beside=self.call.neighbour())
        elif self.media.described is not None:
            body = self.media.described
        else:
            body = self.media.offer(self._after(capabilities), beside=self.call.neighbour())
            self.answer_in_ack = True
        self.state = LegState.UP
        self._respond(200, body)
        self.went_up()

    def speaks(self) -> Capabilities:
        """Return what another leg must speak so that the two can be relayed: the codec in use, or
        before the answer ours in the caller's order.

        Raises SdpError(488) when we have nothing in common.
        """
        agreed = self.media.agreed
        if agreed is not None:
            return agreed.capabilities
        return self.media.could_speak(self.call.settings.capabilities)

    def could_speak(self) -> Capabilities:
        """Return what a leg beside this one is offered: what is spoken here first, then whatever
        this one could be re-invited to, then what else we can transcode. Raises SdpError(488)."""
        return self._after(self.speaks()).followed_by(self.call.settings.capabilities)

    def _after(self, capabilities: Capabilities) -> Capabilities:
        """Return `capabilities` and, after them, what else we and this party have."""
        return capabilities.followed_by(self.media.could_speak(self.call.settings.capabilities))

    def mute(self, on: bool) -> None:
        """Let nobody hear the party, or again."""
        self.muted = on
        self.take_part()

    def take_part(self) -> None:
        """Be a voice and an ear, or not: nobody hears a phone that holds, whatever it sends."""
        self.media.take_part(speaks=not (self.held or self.muted), hears=not self.held)

    def watch(self, on_news: OnNews | None) -> None:
        """Tell `on_news` what becomes of the leg from now on; None: nobody."""
        self._on_news = on_news

    def move(self, call: Call) -> None:
        """Become a leg of another call, answered and alone; its record has the figures."""
        before, self.call = self.call, call
        before.legs.pop(self.id, None)
        call.legs[self.id] = self
        if before.caller_leg is self:
            before.caller_leg = None
        self.role = "called"
        self.watch(None)

    def echo(self) -> None:
        """Send back to the party what it says."""
        self.media.echo()

    async def play(
        self, *sources: str, loop: bool = False, others: float = 0.0, stop_on_key: bool = False
    ) -> bool:
        """Play sources to the party; return whether they were played to their end.

        What a source is says `pbx.media.protocol.Play`; `others` is how loud the bridge stays.
        """
        if not self.media.open:
            return False
        playing = self.media.start_playing(
            sources, loop=loop, others=others, stop_on_key=stop_on_key
        )
        try:
            done = await asyncio.shield(playing.done)
        finally:
            playing.stop()
        if done.error is not None:
            log.warning("call %s: %s", self.call.id, done.error)
        self.call.emit(PlaybackFinished(call=self.call.id, leg=self.id, file=" ".join(sources)))
        return done.finished

    def pressed(self, digit: str, duration_ms: int, source: KeySource) -> None:
        """Take a key that the party pressed, however it came."""
        shown = MASK if self.keys.secret else digit
        self.call.emit(
            DigitReceived(
                call=self.call.id, leg=self.id, digit=shown, duration_ms=duration_ms, source=source
            )
        )
        self.media.key_pressed()
        self.keys.press(digit)

    def reoffer(self, capabilities: Capabilities, headers: HeaderList = ()) -> None:
        """Re-INVITE the party with these capabilities; what it speaks now is offered last, so that
        whoever lacks them can stay as it is."""
        exchange = self.call.exchange
        body = self.media.offer(capabilities.followed_by(self.speaks()))
        self.wished = capabilities.codecs
        exchange.ua.reinvite(self.invite, body=body, headers=headers, now=exchange.now())
        exchange.outward.transmit_soon()

    def close(
        self,
        *,
        reason: str,
        status: int = 480,
        cause: int = NORMAL_CLEARING,
        headers: HeaderList | None = None,
    ) -> None:
        """End the leg in whatever state it is; without effect on one that is over."""
        if self.state is LegState.ENDED:
            return
        exchange = self.call.exchange
        was_up, refusal = self.up, status if status >= 300 else 480
        if headers is None:
            headers = (("Reason", f"Q.850;cause={cause}"),)
        if refusal == 503 and not was_up:
            headers += RETRY_AFTER
        try:
            exchange.ua.end(self.invite, status=refusal, headers=headers, now=exchange.now())
            exchange.outward.transmit_soon()
        finally:
            self.end(LegEnding("local", reason, 200 if was_up else refusal, cause, was_up))

    # -- what the far end does ---------------------------------------------------------------

    def take(self, event: sip.UserAgentEvent) -> None:
        """Act on an event of the user agent about this leg's INVITE or a request in its dialog."""
        match event:
            case sip.InviteProgressed():
                inviting.progressed(self, event.response)
            case sip.InviteAnswered():
                inviting.answered(self, event.response)
            case sip.InviteAcked():
                renegotiation.acknowledged(self, event.request)
            case sip.InviteFailed():
                self.end(ending_of_failure(event))
            case sip.InviteCancelled():
                self.end(ending_of_cancel(event))
            case sip.InviteEnded():
                self.end(ending_of_dialog(event))
            case sip.ReinviteReceived():
                renegotiation.received(self, event)
            case sip.ReinviteAnswered():
                renegotiation.answered(self, event.response)
            case sip.ReinviteFailed():
                renegotiation.failed(self)
            case sip.RequestReceived() if event.request.method == "REFER":
                refer.received(self, event)
            case sip.RequestReceived():
                info.received(self, event)
            case sip.RequestAnswered() | sip.RequestFailed():
                in_dialog.settled(self, event)

    # -- what the media worker reports -------------------------------------------------------

    def media_event(self, event: AnyWorkerEvent) -> None:
        """Act on an event of the worker about this leg."""
        worker_reports.received(self, event)

    def media_gone(self) -> None:
        """The worker died with this leg's ports, or says nothing any more."""
        self.media.lost()
        worker_reports.figures_complete(self)

    # -- inside ------------------------------------------------------------------------------

    def begin(self, sip_call_id: str) -> None:
        """Report that the leg exists; its INVITE's events find it from now on."""
        self.call.exchange.add_leg(self)
        self.call.emit(
            LegInvited(
                call=self.call.id,
                leg=self.id,
                role=self.role,
                number=self.number,
                sip_call_id=sip_call_id,
                remote=host_port(*self.flow.remote),
                trunk=self.trunk,
            )
        )

    def went_up(self) -> None:
        """Report that the leg is up."""
        renegotiation.expect_packets(self)
        self.call.emit(LegAnswered(call=self.call.id, leg=self.id, codec=self.codec))

    def _respond(self, status: int, body: bytes | None = None) -> None:
        if self._transaction is not None:
            self.respond_to(self._transaction, status, body)

    def respond_to(
        self,
        transaction: sip.TransactionId,
        status: int,
        body: bytes | None = None,
        headers: HeaderList = (),
    ) -> None:
        """Answer a request of the far end."""
        exchange = self.call.exchange
        exchange.ua.respond(transaction, status, headers=headers, body=body, now=exchange.now())
        exchange.outward.transmit_soon()

    def tell(self, news: News) -> None:
        """Tell whoever rings or watches the leg."""
        if self._on_news is not None:
            self._on_news(self, news)

    def end(self, ending: LegEnding) -> None:
        """Note how the leg ended, once, and let go of all that it has."""
        if self.state is LegState.ENDED:
            return
        self.state = LegState.ENDED
        self.ending = ending
        self.call.emit(
            LegEnded(
                call=self.call.id,
                leg=self.id,
                by=ending.by,
                reason=ending.reason,
                sip_status=ending.status,
                cause=ending.cause,
            )
        )
        self.call.exchange.drop_leg(self)
        self.media.free()
        hold_reminder.stop(self)
        if self.bridge is not None:
            self.bridge.forget(self)
        in_dialog.drop(self)
        if not self.ended.done():
            self.ended.set_result(ending)
        if self.other is not None:
            self.other.other = None
            self.other = None
        self.tell(News.ENDED)
        self._on_news = None
        if self is self.call.caller_leg:
            self.call.caller_left(ending)
