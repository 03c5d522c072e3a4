"""The INVITE by which a leg rings a contact: who it seems to come from, and what it offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.call.contact import Contact
from pbx.call.outcome import LegEnding, cause_of
from pbx.errors import NoResource, SdpError
from pbx.sip.headers import NameAddr, Uri, escape_user

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
    name, number = call.shown_to(leg)
    leg.invite = exchange.ua.invite(
        contact.uri,
        destinations=contact.flows,
        to=NameAddr(None, Uri("sip", escape_user(contact.number), host=host)),
        from_=NameAddr(name, Uri("sip", escape_user(contact.caller_id or number), host=host)),
        body=body,
        headers=contact.headers,
        route=contact.route,
        max_forwards=call.max_forwards,
        now=exchange.now(),
    )
    leg.begin(exchange.ua.call_id(leg.invite))
    exchange.outward.transmit_soon()
