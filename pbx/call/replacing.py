"""Another phone of a party takes its place: an INVITE with Replaces (RFC 3891).

Only phones of the extension that has the leg may, and only where two talk; whatever else names a
dialog is told so (§3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.call.bringing import now_with, talks
from pbx.call.joining import part, rejoin
from pbx.call.leg import Leg
from pbx.errors import MessageError, NoResource, SdpError
from pbx.sip.refer import Replaces

if TYPE_CHECKING:
    from pbx.call.admission import Identity
    from pbx.call.exchange import Exchange
    from pbx.sip import events as sip


def takes_place(exchange: Exchange, event: sip.InviteReceived, who: Identity) -> bool:
    """Let an INVITE take the place of a leg, or refuse it; False where it wants no such thing."""
    try:
        wanted = Replaces.of(event.request)
    except MessageError as error:
        return _refuse(exchange, event, error.status)
    if wanted is None:
        return False
    leg = exchange.leg_of_dialog(wanted)
    if leg is None or leg.ending is not None:
        return _refuse(exchange, event, 481)
    status = _refusal(leg, wanted, who)
    if status is not None:
        return _refuse(exchange, event, status)
    _replace(leg, event)
    return True


def _refuse(exchange: Exchange, event: sip.InviteReceived, status: int) -> bool:
    exchange.ua.respond(event.transaction, status, now=exchange.now())
    exchange.outward.transmit_soon()
    return True


def _refusal(leg: Leg, wanted: Replaces, who: Identity) -> int | None:
    """Return the status that refuses to replace a leg, None where it can be."""
    if who.trunk is not None or not leg.is_extension or leg.number != who.number:
        return 403
    if leg.up and wanted.early_only:
        return 486
    return None if talks(leg) else 481


def _replace(leg: Leg, event: sip.InviteReceived) -> None:
    """Put the new phone in the place of `leg`, once it can be answered."""
    call, other = leg.call, leg.other
    assert other is not None
    newcomer = Leg.joining(call, event, instead_of=leg)
    try:
        newcomer.take_offer(event.request)
        newcomer.answer(other.speaks().followed_by(call.settings.capabilities))
    except (SdpError, NoResource) as error:
        status = error.status if isinstance(error, SdpError) else 503
        newcomer.close(reason="not_answerable", status=status)
        return
    part(leg)
    call.handing.wish(now_with(newcomer))
    rejoin(other, newcomer)
    leg.close(reason="replaced")
