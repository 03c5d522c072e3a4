"""What changes on a leg that is up: hold, resume, another codec, a session refresh.

Answered locally and at once (architecture §6); the other leg hears of it only when the codec in use
is lost. Then the other side is asked first: its new codec is our answer, and where it refuses, the
worker transcodes between the two. A re-INVITE without a body gets our offer, its answer comes with
the ACK.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pbx.call import bridge, hold_reminder
from pbx.call.outcome import INCOMPATIBLE_DESTINATION, cause_of
from pbx.errors import MessageError, NoResource, SdpError
from pbx.events import CodecChanged, HoldEnded, HoldStarted
from pbx.media.negotiation import NegotiatedMedia
from pbx.sip import events as sip
from pbx.sip.message import Request, Response

if TYPE_CHECKING:
    from pbx.call.leg import Leg


def session_body(message: Request | Response) -> bytes:
    """Return the description that a message carries; b"" for none and for a body of other kind."""
    try:
        content_type = message.content_type
    except MessageError:
        return b""
    is_session = content_type is not None and content_type.full == "application/sdp"
    return message.body if is_session else b""


# -- the far end asks ------------------------------------------------------------------------------


def received(leg: Leg, event: sip.ReinviteReceived) -> None:
    """Answer a re-INVITE or UPDATE; what cannot be spoken is refused and changes nothing."""
    before = leg.media.agreed
    body = session_body(event.request)
    if not body and event.request.method == "UPDATE":
        leg.respond_to(event.transaction, 200)
        return
    _set_aside_what_waits(leg)
    try:
        answer = _answer(leg, body) if body else _offer(leg)
    except (SdpError, NoResource) as error:
        leg.media.drop_offer()
        leg.respond_to(event.transaction, error.status if isinstance(error, SdpError) else 500)
        serve_other(leg)
        return
    if answer is None:
        leg.asked = event.transaction
    else:
        leg.respond_to(event.transaction, 200, answer)
        settle(leg, before)


def _set_aside_what_waits(leg: Leg) -> None:
    """Make room for an offer of the far end: SIP lets it in only while none is on its way.

    So one of ours is backing off after a collision; it is made anew, if it is still wanted, once
    theirs is answered. And one of theirs that waits for the other leg was taken back by CANCEL.
    """
    if leg.media.offer_open:
        leg.call.exchange.ua.withdraw(leg.invite)
    leg.media.drop_offer()
    leg.asked = None


def _answer(leg: Leg, body: bytes) -> bytes | None:
    """Return our answer; None when the other leg has to be asked for another codec first."""
    ours = leg.call.settings.capabilities
    offer = leg.media.take_offer(body)
    if leg.media.keeps_codec:
        return leg.media.keep()
    shared = ours.shared_by(offer.audio)
    other = leg.other
    if other is None or not other.up or other.refused.issuperset(shared.codecs):
        return leg.media.answer(shared)
    if other.media.offered is not None:  # both lost the codec at once
        return leg.media.answer(shared.shared_by(other.media.offered.audio))
    if other.media.offer_open:
        raise SdpError(491, "offer_open")
    other.reoffer(shared)
    return None


def _offer(leg: Leg) -> bytes:
    ours, agreed = leg.call.settings.capabilities, leg.media.agreed
    leg.answer_in_ack = True
    return leg.media.offer(ours if agreed is None else ours.preferring(agreed.codec))


def acknowledged(leg: Leg, request: Request) -> None:
    """Take the answer that the ACK to our offer brings.

    Without one a caller cannot be heard and is let go; a call that was up stays as it was.
    """
    if not leg.answer_in_ack:
        return
    leg.answer_in_ack = False
    before = leg.media.agreed
    body = session_body(request)
    if not body and before is not None:
        leg.media.drop_offer()
        return
    try:
        if not body:
            raise SdpError(488, "no_answer_body")
        leg.media.take_answer(body)
    except SdpError as error:
        leg.close(reason=error.slug, status=488, cause=cause_of(488))
        return
    settle(leg, before)


# -- we ask ----------------------------------------------------------------------------------------


def answered(leg: Leg, response: Response) -> None:
    """Take the answer to our own re-INVITE."""
    exchange = leg.call.exchange
    exchange.ua.ack(leg.invite, now=exchange.now())
    exchange.outward.transmit_soon()
    before = leg.media.agreed
    try:
        leg.media.take_answer(session_body(response))
    except SdpError as error:
        leg.call.hang_up(error.slug, cause=INCOMPATIBLE_DESTINATION)
        return
    agreed = leg.media.agreed
    if agreed is not None and agreed.codec not in leg.wished:
        leg.refused |= frozenset(leg.wished)
    settle(leg, before)


def failed(leg: Leg) -> None:
    """Take note that our re-INVITE was refused: what was agreed before stays, and the worker
    transcodes. Another leg that waited for it gets the codec it asked for."""
    leg.media.drop_offer()
    leg.refused |= frozenset(leg.wished)
    other = leg.other
    if other is not None and other.asked is not None:
        _answer_at_last(other, leg)


def serve_other(leg: Leg) -> None:
    """Answer the re-INVITE of the other leg that waits for this one's codec, or ask for that codec
    (again, where an offer of this leg came between)."""
    other = leg.other
    if other is None or other.asked is None or other.media.offered is None:
        return
    offer = other.media.offered.audio
    agreed = leg.media.agreed
    shared = leg.call.settings.capabilities.shared_by(offer)
    spoken = agreed is not None and offer.format_of(agreed.codec) is not None
    if spoken or leg.refused.issuperset(shared.codecs):
        _answer_at_last(other, leg)
    elif not leg.media.offer_open:
        leg.reoffer(shared)


def _answer_at_last(leg: Leg, other: Leg) -> None:
    """Answer the re-INVITE that waited for the other leg's new codec."""
    transaction, leg.asked = leg.asked, None
    assert transaction is not None
    before = leg.media.agreed
    try:
        body = leg.media.answer(other.speaks().followed_by(leg.call.settings.capabilities))
    except (SdpError, NoResource):
        leg.media.drop_offer()
        leg.respond_to(transaction, 488)
        leg.call.hang_up("codec_refused", cause=INCOMPATIBLE_DESTINATION)
        return
    leg.respond_to(transaction, 200, body)
    settle(leg, before)


# -- what a new description changes ----------------------------------------------------------------


def settle(leg: Leg, before: NegotiatedMedia | None) -> None:
    """Act on what the newest description changed: the hold, the codec, how long it may be silent.

    Who begins with `sendonly` only wants to talk: a hold is a change on a call that is up.
    """
    now = leg.media.agreed
    if now is None or now is before:
        return
    if before is not None:
        if now.held != before.held:
            _held(leg, now.held)
        if now.codec is not before.codec:
            leg.call.emit(CodecChanged(call=leg.call.id, leg=leg.id, codec=now.codec.name))
    expect_packets(leg)
    serve_other(leg)
    match_codecs(leg)


def expect_packets(leg: Leg) -> None:
    """Say how long a leg may be silent: longer on hold, for ever where it only listens."""
    agreed, settings = leg.media.agreed, leg.call.settings
    if leg.held:
        limit = settings.hold_timeout_s
    elif agreed is not None and not agreed.direction.receives:
        limit = 0.0
    else:
        limit = settings.media_timeout_s
    leg.media.expect_packets_within(limit)


def match_codecs(leg: Leg) -> None:
    """Re-INVITE the other leg when it does not speak this one's codec."""
    agreed, other = leg.media.agreed, leg.other
    if agreed is None or other is None or not (leg.up and other.up):
        return
    if other.media.agreed is None or other.codec == leg.codec:
        return
    if leg.media.offer_open or other.media.offer_open:  # their answers bring us here again
        return
    with suppress(SdpError):  # who never had that codec is transcoded for
        possible = other.media.could_speak(leg.call.settings.capabilities).codecs
        if agreed.codec in possible and agreed.codec not in other.refused:
            other.reoffer(agreed.capabilities)


def _held(leg: Leg, held: bool) -> None:
    if held == leg.held:
        return
    leg.held = held
    leg.take_part()
    bridge.hold_music(leg)
    (hold_reminder.start if held else hold_reminder.stop)(leg)
    event = HoldStarted if held else HoldEnded
    leg.call.emit(event(call=leg.call.id, leg=leg.id))
