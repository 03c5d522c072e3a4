"""REFER of an office's phone in a call (RFC 3515): the phone's own transfer keys.

A number is a blind transfer. A dialog of the same extension (Replaces) is an attended one: both
parties of the phone talk to each other; if nobody has answered there yet, the party goes to the
number that was called there. Only the phones of the office may refer, and only to what they could
dial. NOTIFYs tell the phone what the target really answered; then its leg is let go, or has its
party back. A phone that wants no NOTIFY (RFC 4488) gets none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.call import bringing, in_dialog
from pbx.call.transfer import Transfer, start, target_of
from pbx.errors import MessageError
from pbx.sip import events as sip
from pbx.sip.refer import SIPFRAG, ReferTo, sipfrag, wants_no_notice

if TYPE_CHECKING:
    from pbx.call.leg import Leg

EXPIRES = 60
"""Seconds that we promise to tell the outcome within; the target rings less long."""

QUIET = (("Refer-Sub", "false"),)


class Notices:
    """The NOTIFYs about one REFER, one on its way at a time; the implicit subscription ends with
    the final status."""

    def __init__(self, leg: Leg, event: sip.RequestReceived) -> None:
        self._leg = leg
        self._quiet = wants_no_notice(event.request)
        self._id = event.request.cseq.number if leg.referred else None
        self._on_its_way: int | None = None
        self._due: int | None = None
        leg.referred = True

    def accept(self, transaction: sip.TransactionId) -> None:
        """Answer the REFER, and tell that it is being tried."""
        self._leg.respond_to(transaction, 202, headers=QUIET if self._quiet else ())
        self._notify(100)

    def tell(self, status: int) -> None:
        """Tell what the target answered; after 200 the phone is not needed any more."""
        if self._quiet:
            self._over(status)
        else:
            self._notify(status)

    def _notify(self, status: int) -> None:
        """Send one, or once the one before has its answer."""
        if self._quiet or not self._leg.up:
            return
        if self._on_its_way is not None:
            self._due = status
            return
        self._on_its_way = status
        state = f"active;expires={EXPIRES}" if status < 200 else "terminated;reason=noresource"
        event = "refer" if self._id is None else f"refer;id={self._id}"  # RFC 3515 §2.4.6
        in_dialog.send(
            self._leg,
            "NOTIFY",
            headers=(("Event", event), ("Subscription-State", state)),
            body=sipfrag(status),
            content_type=SIPFRAG,
            then=self._told,
        )

    def _told(self, _outcome: object) -> None:
        """Go on: the phone knows, or will never."""
        told, self._on_its_way = self._on_its_way, None
        due, self._due = self._due, None
        if due is not None:
            self._notify(due)
        elif told is not None:
            self._over(told)

    def _over(self, status: int) -> None:
        """End the leg of a phone that knows of the success, if it has not done so itself."""
        if 200 <= status < 300:
            self._leg.close(reason="transferred")


def received(leg: Leg, event: sip.RequestReceived) -> None:
    """Act on a REFER, or refuse it."""
    call, exchange = leg.call, leg.call.exchange
    try:
        wanted = ReferTo.of(event.request)
    except MessageError as error:
        leg.respond_to(event.transaction, error.status)
        return
    if not leg.is_extension or not leg.up or wanted.method != "INVITE":
        leg.respond_to(event.transaction, 403)
    elif leg.other is None or not call.handing.ready:
        leg.respond_to(event.transaction, 403 if leg.other is None else 491)
    elif call.handing.loops(exchange.now()):
        leg.respond_to(event.transaction, 603)
    elif wanted.replaces is not None:
        second = exchange.leg_of_dialog(wanted.replaces)
        status = bringing.refusal(leg, second)
        if second is None or status is not None:
            leg.respond_to(event.transaction, status or 481)
            return
        notices = Notices(leg, event)
        notices.accept(event.transaction)
        bringing.bring(leg, second, notices)
    else:
        destination = target_of(call, wanted.number)
        if destination is None or leg.other is None:
            leg.respond_to(event.transaction, 404)
            return
        notices = Notices(leg, event)
        notices.accept(event.transaction)
        start(Transfer(leg.other, leg, wanted.number, destination, report=notices))
