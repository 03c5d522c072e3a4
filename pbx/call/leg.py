"""One party: its SIP invite usage and its media, anchored at callpbx (architecture §6).

A leg answers for itself what concerns nobody else: holds, resumes, refreshes. What matters to
others it tells: the caller's end to the call, a called leg's news to whoever rings it, a new codec
to the leg it is joined with. All of it is synchronous; `ended` is a future that scripts await.
Closing is idempotent and queues BYE, CANCEL or a final response and the media's release; nothing
is awaited.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Literal

from pbx.call import info, renegotiation
from pbx.call.contact import Contact
from pbx.call.endings import ending_of_dialog, ending_of_failure
from pbx.call.leg_media import LegMedia
from pbx.call.outcome import NORMAL_CLEARING, LegEnding, cause_of
from pbx.call.quality import quality
from pbx.errors import NoResource, SdpError
from pbx.events import (
    DigitReceived,
    LegAnswered,
    LegEnded,
    LegInvited,
    LegQuality,
    LegRinging,
    MediaLost,
    PlaybackFinished,
)
from pbx.media import protocol as media
from pbx.media.formats import Capabilities
from pbx.sip import events as sip
from pbx.sip.flow import Flow, host_port
from pbx.sip.headers import NameAddr, Uri, escape_user
from pbx.sip.message import Request, Response

if TYPE_CHECKING:
    from pbx.call.call import Call

log = logging.getLogger(__name__)

ELSEWHERE = (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),)
"""What the losers of a race are told (RFC 3326)."""

Role = Literal["caller", "called"]
HeaderList = tuple[tuple[str, str], ...]


class News(Enum):
    """What a called leg tells whoever rings it."""

    RINGING = auto()
    EARLY_MEDIA = auto()
    ANSWERED = auto()
    ENDED = auto()


OnNews = Callable[["Leg", News], None]


class LegState(Enum):
    """How far a leg is."""

    NEW = "routing"
    RINGING = "ringing"
    UP = "answered"
    ENDED = "ended"


class Leg:
    """One party of a call. Made by `incoming` and `outgoing`."""

    def __init__(self, call: Call, *, role: Role, number: str, flow: Flow) -> None:
        exchange = call.exchange
        self.call = call
        self.role: Role = role
        self.number = number
        self.flow = flow
        self.media = LegMedia(
            exchange.media,
            session_id=exchange.new_session_id(),
            host=exchange.media_host(flow),
            also_from=flow.remote[0],
        )
        self.id = self.media.number
        self.state = LegState.NEW
        self.held = False
        self.other: Leg | None = None
        self.ending: LegEnding | None = None
        self.ended: asyncio.Future[LegEnding] = asyncio.get_running_loop().create_future()
        self.invite: sip.InviteId
        self._transaction: sip.TransactionId | None = None
        self._on_news: OnNews | None = None
        self.forwarded: dict[sip.RequestId, tuple[Leg, sip.TransactionId]] = {}
        call.legs[self.id] = self
        exchange.expect_media(self.id, self)

    @classmethod
    def incoming(cls, call: Call, event: sip.InviteReceived) -> Leg:
        """Make the leg of a caller whose INVITE was let in. Raises SdpError for its description."""
        leg = cls(call, role="caller", number=call.who.number, flow=event.flow)
        leg.invite = event.invite
        leg._transaction = event.transaction
        call.caller_leg = leg
        leg._begin(event.request.call_id)
        if event.request.body:
            leg.media.take_offer(event.request.body)
        return leg

    @classmethod
    def outgoing(cls, call: Call, contact: Contact, *, role: Role, on_news: OnNews) -> Leg:
        """Ring a contact. What becomes of it is told to `on_news`, a failure to start it too."""
        leg = cls(call, role=role, number=contact.number, flow=contact.flows[0])
        leg._on_news = on_news
        leg._invite(contact)
        return leg

    # -- what a script asks ------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Tell whether the leg was answered and still is."""
        return self.state is LegState.UP

    @property
    def codec(self) -> str | None:
        """Return the name of the codec in use."""
        return self.media.codec

    def ring(self) -> None:
        """Tell the caller that the far end rings (180), once."""
        if self.state is LegState.NEW:
            self.state = LegState.RINGING
            self._respond(180)
            self.call.emit(LegRinging(call=self.call.id, leg=self.id))

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
        else:
            body = self.media.described or self._late_offer(capabilities)
        self.state = LegState.UP
        self._respond(200, body)
        self._went_up()

    def _late_offer(self, capabilities: Capabilities) -> bytes:
        """Offer all that we have, what the other side speaks first."""
        ours = self.call.settings.capabilities
        for codec in reversed(capabilities.codecs):
            ours = ours.preferring(codec)
        return self.media.offer(ours, beside=self.call.neighbour())

    def speaks(self) -> Capabilities:
        """Return what another leg must be offered so that the two can be relayed.

        Before the caller's answer our codecs in the caller's order, afterwards the codec in use
        first. Raises SdpError(488) when we have nothing in common.
        """
        ours = self.call.settings.capabilities
        agreed, offered = self.media.agreed, self.media.offered
        if agreed is not None:
            return agreed.capabilities
        return ours if offered is None else ours.shared_by(offered.audio)

    def join(self, other: Leg) -> None:
        """Let both hear each other; each is told of the other's new codec from now on."""
        self.other, other.other = other, self
        self.media.join(other.media)

    def echo(self) -> None:
        """Send back to the party what it says."""
        self.media.echo()

    async def play(self, path: str) -> None:
        """Play a WAV file to the party and return when it is over, or could not be played."""
        if not self.media.open:
            return
        done = await self.media.play(path)
        if done.error is not None:
            log.warning("call %s: %s", self.call.id, done.error)
        self.call.emit(PlaybackFinished(call=self.call.id, leg=self.id, file=path))

    def reoffer(self, capabilities: Capabilities) -> None:
        """Re-INVITE the party with these capabilities."""
        exchange = self.call.exchange
        body = self.media.offer(capabilities)
        exchange.ua.reinvite(self.invite, body=body, now=exchange.now())
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
        if headers is None:
            headers = (("Reason", f"Q.850;cause={cause}"),)
        was_up = self.up
        exchange.ua.end(self.invite, status=max(status, 300), headers=headers, now=exchange.now())
        exchange.outward.transmit_soon()
        self._end(LegEnding("local", reason, 200 if was_up else status, cause, was_up))

    # -- what the far end does ---------------------------------------------------------------

    def take(self, event: sip.UserAgentEvent) -> None:
        """Act on an event of the user agent about this leg's INVITE."""
        match event:
            case sip.InviteProgressed():
                self._progressed(event.response)
            case sip.InviteAnswered():
                self._answered(event.response)
            case sip.InviteAcked():
                self._acked(event.request)
            case sip.InviteFailed():
                self._end(ending_of_failure(event))
            case sip.InviteCancelled():
                self._end(LegEnding("remote", "cancelled", 487, NORMAL_CLEARING))
            case sip.InviteEnded():
                self._end(ending_of_dialog(event))
            case sip.ReinviteReceived():
                renegotiation.received(self, event)
            case sip.ReinviteAnswered():
                renegotiation.answered(self, event.response)
            case sip.ReinviteFailed():
                self.media.drop_offer()
                self.call.hang_up("codec_refused")
            case sip.RequestReceived():
                info.received(self, event)

    def _progressed(self, response: Response) -> None:
        early = False
        if response.body and self.media.agreed is None:
            try:
                self.media.take_answer(response.body)
                early = True
            except SdpError:
                early = False
        if self.state is LegState.NEW:
            if not early and response.status != 180:
                return
            self.state = LegState.RINGING
            self.call.emit(LegRinging(call=self.call.id, leg=self.id, early_media=early))
        self._tell(News.EARLY_MEDIA if early else News.RINGING)

    def _answered(self, response: Response) -> None:
        exchange = self.call.exchange
        exchange.ua.ack(self.invite, now=exchange.now())
        exchange.outward.transmit_soon()
        self.state = LegState.UP
        try:
            if response.body:
                self.media.take_answer(response.body)
            elif self.media.agreed is None:
                raise SdpError(488, "no_answer_body")
        except SdpError as error:
            self.close(reason=error.slug, status=488, cause=cause_of(488))
            return
        self._went_up()
        self._tell(News.ANSWERED)

    def _acked(self, request: Request) -> None:
        if not self.media.offer_open:
            return
        before = self.codec
        try:
            if not request.body:
                raise SdpError(488, "no_answer_body")
            self.media.take_answer(request.body)
        except SdpError as error:
            self.close(reason=error.slug, status=488, cause=cause_of(488))
            return
        renegotiation.codec_may_have_changed(self, before)

    def could_speak(self, capabilities: Capabilities) -> Capabilities:
        """Return those of `capabilities` that this party named itself. Raises SdpError(488)."""
        heard = self.media.heard()
        return capabilities if heard is None else capabilities.shared_by(heard)

    def request_over(self, event: sip.RequestAnswered | sip.RequestFailed) -> None:
        """Take the outcome of a request that we sent in the dialog."""
        status = event.response.status if isinstance(event, sip.RequestAnswered) else event.status
        forwarded = self.forwarded.pop(event.request_id, None)
        if forwarded is not None:
            origin, transaction = forwarded
            origin.respond_to(transaction, status)

    # -- what the media worker reports -------------------------------------------------------

    def media_event(self, event: media.AnyWorkerEvent) -> None:
        """Act on an event of the worker about this leg."""
        match event:
            case media.DigitHeard():
                self.call.emit(
                    DigitReceived(
                        call=self.call.id,
                        leg=self.id,
                        digit=event.digit,
                        duration_ms=event.duration_ms,
                    )
                )
            case media.PlaybackDone():
                self.media.played(event)
            case media.MediaSilent():
                self._silent(event.seconds)
            case media.LegReport():
                self.media.received, self.media.sent = event.received, event.sent
            case media.LegFreed():
                self._freed(event)

    def media_gone(self) -> None:
        """The worker died with this leg's ports."""
        self.media.lost()
        self.call.leg_freed(self)

    def _silent(self, seconds: float) -> None:
        """Ask the far end whether it is still there; the user agent ends the dialog if not."""
        if not self.up:
            return
        exchange = self.call.exchange
        self.call.emit(MediaLost(call=self.call.id, leg=self.id, silent_s=seconds))
        exchange.expect_answer(
            exchange.ua.request(self.invite, "OPTIONS", now=exchange.now()), self
        )
        exchange.outward.transmit_soon()

    def _freed(self, event: media.LegFreed) -> None:
        self.media.awaits_figures = False
        self.media.received, self.media.sent = event.received, event.sent
        received, sent = quality(self.role, self.media.last_codec, event)
        self.call.emit(LegQuality(call=self.call.id, leg=self.id, received=received, sent=sent))
        self.call.exchange.forget_media(self.id)
        self.call.leg_freed(self)

    # -- inside ------------------------------------------------------------------------------

    def _begin(self, sip_call_id: str) -> None:
        self.call.exchange.add_leg(self)
        self.call.emit(
            LegInvited(
                call=self.call.id,
                leg=self.id,
                role=self.role,
                number=self.number,
                sip_call_id=sip_call_id,
                remote=host_port(*self.flow.remote),
            )
        )

    def _invite(self, contact: Contact) -> None:
        """Send the INVITE; a lack of ports or codecs ends the leg at once."""
        call = self.call
        exchange = call.exchange
        host = exchange.outward.advertise(self.flow)[0]
        try:
            body = self.media.offer(call.to_offer(), beside=call.neighbour())
        except (SdpError, NoResource) as error:
            status = error.status if isinstance(error, SdpError) else 503
            slug = error.slug if isinstance(error, SdpError) else "no_ports"
            self.invite = sip.InviteId(-self.id)
            self._begin("")
            self._end(LegEnding("local", slug, status, cause_of(status)))
            return
        name, number = call.shown_to(self)
        self.invite = exchange.ua.invite(
            contact.uri,
            destinations=contact.flows,
            to=NameAddr(None, Uri("sip", escape_user(contact.number), host=host)),
            from_=NameAddr(name, Uri("sip", escape_user(number), host=host)),
            body=body,
            route=contact.route,
            max_forwards=call.max_forwards,
            now=exchange.now(),
        )
        self._begin(exchange.ua.call_id(self.invite))
        exchange.outward.transmit_soon()

    def _went_up(self) -> None:
        self.media.expect_packets_within(self.call.settings.media_timeout_s)
        self.call.emit(LegAnswered(call=self.call.id, leg=self.id, codec=self.codec))

    def _respond(self, status: int, body: bytes | None = None) -> None:
        if self._transaction is not None:
            self.respond_to(self._transaction, status, body)

    def respond_to(
        self, transaction: sip.TransactionId, status: int, body: bytes | None = None
    ) -> None:
        exchange = self.call.exchange
        exchange.ua.respond(transaction, status, body=body, now=exchange.now())
        exchange.outward.transmit_soon()

    def _tell(self, news: News) -> None:
        if self._on_news is not None:
            self._on_news(self, news)

    def _end(self, ending: LegEnding) -> None:
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
        if not self.ended.done():
            self.ended.set_result(ending)
        if self.other is not None:
            self.other.other = None
            self.other = None
        self._tell(News.ENDED)
        self._on_news = None
        if self is self.call.caller_leg:
            self.call.caller_left(ending)
