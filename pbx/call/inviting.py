"""The INVITE by which a leg rings a contact: who it seems to come from, what it offers, and what
the responses mean for the leg."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pbx.call import renegotiation
from pbx.call.contact import Contact
from pbx.call.leg_state import LegState, News
from pbx.call.outcome import LegEnding, cause_of
from pbx.call.parties import shown_to
from pbx.errors import NoResource, SdpError
from pbx.events import LegRinging
from pbx.sip.headers import NameAddr, Uri, escape_user
from pbx.sip.message import Response

if TYPE_CHECKING:
    from pbx.call.leg import Leg


def invite(leg: Leg, contact: Contact) -> None:
    """Send the INVITE; a lack of ports or codecs ends the leg at once."""
    call = leg.call
    exchange = call.exchange
    host = exchange.outward.advertise(leg.flow)[0]
    try:
        body = leg.media.offer(call.to_offer(), beside=call.neighbour())
    except (SdpError, NoResource) as error:
        status = error.status if isinstance(error, SdpError) else 503
        slug = error.slug if isinstance(error, SdpError) else "no_resource"
        leg.begin("")
        leg.end(LegEnding("local", slug, status, cause_of(status)))
        return
    carried = contact.carried
    if carried is None:
        to = NameAddr(None, Uri("sip", escape_user(contact.number), host=host))
        name, number = shown_to(call, leg)
        shown = Uri("sip", escape_user(contact.caller_id or number), host=host)
        from_ = NameAddr(contact.caller_name or name, shown)
    else:
        to, from_ = NameAddr(None, contact.uri), carried.from_
    leg.invite = exchange.ua.invite(
        contact.uri,
        destinations=contact.flows,
        to=to,
        from_=from_,
        body=body,
        headers=contact.headers,
        route=contact.route,
        max_forwards=call.max_forwards,
        contact=None if carried is None else carried.token,
        account=None if carried is None else carried.account,
        silent_after=None if carried is None else carried.silent_after,
        now=exchange.now(),
    )
    leg.begin(exchange.ua.call_id(leg.invite))
    if carried is not None:
        exchange.lines.went_out(leg, carried)
    exchange.outward.transmit_soon()


def progressed(leg: Leg, response: Response) -> None:
    """Take a provisional response: the phone rings, or is heard already."""
    early = False
    body = renegotiation.session_body(response)
    if body and leg.media.agreed is None:
        with suppress(SdpError):  # the 200 may bring a better one
            leg.media.take_answer(body)
            early = True
    if leg.state is LegState.NEW:
        if not early and response.status != 180:
            return
        leg.state = LegState.RINGING
        leg.call.emit(LegRinging(call=leg.call.id, leg=leg.id, early_media=early))
    leg.tell(News.EARLY_MEDIA if early else News.RINGING)


def answered(leg: Leg, response: Response) -> None:
    """Take the 2xx, and its description."""
    exchange = leg.call.exchange
    exchange.ua.ack(leg.invite, now=exchange.now())
    exchange.outward.transmit_soon()
    body = renegotiation.session_body(response)
    try:
        if body:
            leg.media.take_answer(body)
        elif leg.media.agreed is None:
            raise SdpError(488, "no_answer_body")
    except SdpError as error:
        leg.close(reason=error.slug, status=488, cause=cause_of(488))
        return
    leg.state = LegState.UP
    leg.went_up()
    leg.tell(News.ANSWERED)
