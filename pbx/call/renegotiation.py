"""What a far end changes on a call that is up: hold, resume, another codec, a session refresh.

Answered locally and at once (architecture §6); the other leg hears of it only when the codec in use
is lost. A re-INVITE without a body gets our offer, its answer comes with the ACK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.errors import NoResource, SdpError
from pbx.events import CodecChanged, HoldEnded, HoldStarted
from pbx.sip import events as sip
from pbx.sip.message import Request, Response

if TYPE_CHECKING:
    from pbx.call.leg import Leg


def received(leg: Leg, event: sip.ReinviteReceived) -> None:
    """Answer a re-INVITE or UPDATE; what cannot be spoken is refused and changes nothing."""
    before = leg.codec
    try:
        body = _described(leg, event.request)
    except SdpError as error:
        leg.media.drop_offer()
        leg.respond_to(event.transaction, error.status)
    except NoResource:
        leg.media.drop_offer()
        leg.respond_to(event.transaction, 500)
    else:
        leg.respond_to(event.transaction, 200, body)
        _hold_may_have_changed(leg)
        codec_may_have_changed(leg, before)


def answered(leg: Leg, response: Response) -> None:
    """Take the answer to our own re-INVITE."""
    exchange = leg.call.exchange
    exchange.ua.ack(leg.invite, now=exchange.now())
    exchange.outward.transmit_soon()
    before = leg.codec
    try:
        leg.media.take_answer(response.body)
    except SdpError as error:
        leg.call.hang_up(error.slug)
        return
    codec_may_have_changed(leg, before)


def codec_may_have_changed(leg: Leg, before: str | None) -> None:
    """Re-INVITE the other leg when this one no longer speaks its codec."""
    agreed = leg.media.agreed
    if agreed is None or agreed.codec.name == before:
        return
    codec = agreed.codec.name
    if before is not None:
        leg.call.emit(CodecChanged(call=leg.call.id, leg=leg.id, codec=codec))
    other = leg.other
    if other is not None and other.up and other.codec != codec:
        other.reoffer(agreed.capabilities)


def _hold_may_have_changed(leg: Leg) -> None:
    agreed = leg.media.agreed
    held = agreed is not None and agreed.held
    if held == leg.held:
        return
    leg.held = held
    settings = leg.call.settings
    leg.media.expect_packets_within(settings.hold_timeout_s if held else settings.media_timeout_s)
    _join_or_part(leg)
    event = HoldStarted if held else HoldEnded
    leg.call.emit(event(call=leg.call.id, leg=leg.id))


def _join_or_part(leg: Leg) -> None:
    """Let nobody hear a phone that holds, whatever it sends; both hear each other again after."""
    other = leg.other
    if other is None:
        return
    if leg.held or other.held:
        leg.media.part()
    else:
        leg.media.join(other.media)


def _described(leg: Leg, request: Request) -> bytes | None:
    ours = leg.call.settings.capabilities
    if not request.body:
        if request.method == "UPDATE":
            return None
        agreed = leg.media.agreed
        return leg.media.offer(ours if agreed is None else ours.preferring(agreed.codec))
    offer = leg.media.take_offer(request.body)
    if leg.media.keeps_codec:
        return leg.media.keep()
    if leg.other is not None:
        ours = leg.other.could_speak(ours)
    return leg.media.answer(ours.shared_by(offer.audio))
