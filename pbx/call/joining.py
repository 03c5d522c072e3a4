"""Taking parties out of a talk and putting others in; and the name that each phone shows then.

All of it is synchronous: between two events nobody sees a talk that is half one thing and half
another. The party that stays is the call's own from then on, so whatever becomes of the others, the
call lives as long as it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.call import in_dialog, renegotiation
from pbx.call.bridge import Bridge, hear_codes, join
from pbx.call.parties import identity
from pbx.errors import NoResource, SdpError
from pbx.sip.headers import NameAddr, Uri, escape_user

if TYPE_CHECKING:
    from pbx.call.leg import Leg


def part(leg: Leg, *, to: Bridge | None = None) -> Leg:
    """Take a party out of its talk and return the other, whose call it is from now on.

    The party hears nobody then, or those in the bridge `to`.
    """
    call, other = leg.call, leg.other
    assert other is not None
    leg.other = other.other = None
    for each in (leg, other):
        each.media.stop_music()
    if to is None:
        call.bridge.remove(leg)
    else:
        to.add(leg)
    if call.caller_leg is not other:
        call.belongs_to(other)
    return other


def pair(leg: Leg, other: Leg, bridge: Bridge) -> None:
    """Let two parties hear each other in a bridge of their own."""
    leg.other, other.other = other, leg
    for each in (leg, other):
        each.media.stop_music()
        bridge.add(each)
        hear_codes(each)
    renegotiation.match_codecs(other)


def rejoin(leg: Leg, other: Leg, *, shown: bool = False) -> None:
    """Let two parties that are up talk in their call, and let their phones show each other, unless
    they are `shown` already."""
    call = leg.call
    for each in (leg, other):
        each.media.stop_music()
    join(leg, other)
    renegotiation.match_codecs(other)
    for each in (leg, other):
        hear_codes(each)
    for supervision in call.supervisors.values():
        supervision.attend()
    call.connected()
    call.bridged(leg, other)
    if not shown:
        show(leg, other)
        show(other, leg)


def show(leg: Leg, other: Leg) -> None:
    """Let the phone of `leg` show whom it talks to now (RFC 3325 §9.1 by UPDATE, RFC 3311).

    A phone that takes no UPDATE gets a re-INVITE. Only the office's phones are told: nobody beyond
    a line is to see more than the caller number that it was called with.
    """
    if not (leg.is_extension and leg.up):
        return
    exchange = leg.call.exchange
    name, number = identity(other)
    host = exchange.outward.advertise(leg.flow)[0]
    asserted = NameAddr(name, Uri("sip", escape_user(number), host=host))
    headers = (("P-Asserted-Identity", str(asserted)),)
    if exchange.ua.takes_updates(leg.invite):
        in_dialog.send(leg, "UPDATE", headers=headers, then=_shown)
    elif not leg.media.offer_open and leg.media.offered is None:
        try:
            leg.reoffer(leg.speaks(), headers)
        except (SdpError, NoResource):
            leg.media.drop_offer()


def _shown(_outcome: object) -> None:
    """A phone that cannot show it goes on without."""
