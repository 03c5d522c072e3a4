"""An INVITE that we received, up to its answer (RFC 3261 §13.3).

Provisional responses make an early dialog and are repeated each minute, so that proxies on the way
do not give up; a 2xx is repeated until its ACK; CANCEL and an early BYE end it with 487. A
challenge is sent once and leaves no state, for a stranger's address may be forged: if it is lost,
the INVITE comes again. From the 2xx on it is an `InviteUsage` like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.errors import MessageError
from pbx.sip.deadlines import NEVER
from pbx.sip.dialog import Dialog, DialogState, OfferState
from pbx.sip.endpoint import CHALLENGES, Answer, Endpoint, OpenRequest
from pbx.sip.events import InviteCancelled, InviteEnded, InviteReceived
from pbx.sip.invite import InviteUsage
from pbx.sip.transaction_layer import Key

if TYPE_CHECKING:
    from pbx.sip.flow import Flow
    from pbx.sip.headers import Reason
    from pbx.sip.machine import ServerTransaction
    from pbx.sip.message import Request
    from pbx.sip.transaction import Tell

REPEAT_PROVISIONAL = 60.0
"""Seconds between copies of a provisional response (RFC 3261 §13.3.1.1)."""


class ReceivedInvite(InviteUsage):
    """An INVITE of a remote."""

    __slots__ = (
        "_pending",
        "_provisional",
        "_repeat_at",
    )

    def __init__(
        self, endpoint: Endpoint, request: Request, flow: Flow, now: float, *, merge_key: Key | None
    ) -> None:
        super().__init__(
            endpoint,
            endpoint.next_invite(),
            call_id=request.call_id,
            local_tag=endpoint.token(),
            contact=request.uri.user or "",
        )
        asked = endpoint.open_request(request, flow, self, now, merge_key=merge_key)
        asked.transaction.user = self
        self._open[asked.transaction] = asked
        self._asked = asked
        self._pending: OpenRequest | None = asked
        self._repeat_at = NEVER
        self._provisional = b""
        self.try_later(now)
        self.arm()
        self.tell(InviteReceived(self.id, asked.name, request, flow))

    def respond(self, asked: OpenRequest, answer: Answer, now: float) -> None:
        """Answer the INVITE itself, or a request within its dialog."""
        if asked is not self._pending:
            super().respond(asked, answer, now)
        elif answer.status < 200:
            self._progress(asked, answer, now)
        else:
            self._conclude(asked, answer, now)

    def end(self, status: int, extra: str, now: float) -> None:
        """Turn the INVITE down with `status`; hang up where it was answered."""
        if self._pending is not None:
            self._conclude(self._pending, Answer(status, extra=extra), now)
        else:
            super().end(status, extra, now)

    def request_cancelled(
        self, transaction: ServerTransaction, cancel: Request, now: float
    ) -> None:
        """End the INVITE with 487, or only the re-INVITE that is meant."""
        asked = self._pending
        if asked is None or asked.transaction is not transaction:
            super().request_cancelled(transaction, cancel, now)
            return
        self.tell(InviteCancelled(self.id, _reasons(cancel)))
        self._conclude(asked, Answer(487), now)

    def response_failed(self, transaction: ServerTransaction, tell: Tell, now: float) -> None:
        """End an INVITE whose caller cannot be reached any more."""
        asked = self._pending
        super().response_failed(transaction, tell, now)
        if asked is not None and asked.transaction is transaction:
            self._settle()
            self.tell(InviteEnded(self.id, "transport"))
            self.leave_tables()

    def refuse_open(self, now: float) -> None:
        """Answer 487 to all that waits, the INVITE included: its caller said BYE (§15.1.2)."""
        super().refuse_open(now)
        self._settle()

    def _progress(self, asked: OpenRequest, answer: Answer, now: float) -> None:
        if answer.status == 100:
            return
        self._early_dialog(asked)
        answer = answer._replace(extra=asked.head.record_route + answer.extra)
        self._provisional = self.reply_provisionally(asked, answer, now)
        self._repeat_at = now + REPEAT_PROVISIONAL
        self.arm()

    def _conclude(self, asked: OpenRequest, answer: Answer, now: float) -> None:
        self._settle()
        if answer.status < 300:
            self._early_dialog(asked).state = DialogState.CONFIRMED
            answer = answer._replace(extra=asked.head.record_route + answer.extra)
            super().respond(asked, answer, now)
        else:
            super().respond(asked, answer, now)
            if answer.status in CHALLENGES:
                asked.transaction.terminate()
            self.refuse_open(now)
            self.leave_tables()

    def _settle(self) -> None:
        self._pending = None
        self._repeat_at = NEVER
        self._provisional = b""

    def _early_dialog(self, asked: OpenRequest) -> Dialog:
        if self.dialog is None:
            self.dialog = Dialog.of_request(asked.request, self.local_tag, asked.flow)
            if self.has_offer(asked.request):
                self.dialog.offer = OfferState.RECEIVED
        return self.dialog

    def wakes_at(self) -> float:
        """Return the earliest of all that is waited for."""
        return min(self._repeat_at, super().wakes_at())

    def wake(self, now: float) -> None:
        """Do what is due."""
        if now >= self._repeat_at and self._pending is not None:
            self.endpoint.transactions.send(self._provisional, self._pending.transaction.flow)
            self._repeat_at = now + REPEAT_PROVISIONAL
        super().wake(now)


def _reasons(cancel: Request) -> tuple[Reason, ...]:
    try:
        return tuple(cancel.reasons)
    except MessageError:
        return ()
