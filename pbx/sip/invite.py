"""What an INVITE received and an INVITE sent have in common once a dialog exists.

Requests of the remote within the dialog, whose turn an offer is (RFC 3261 §14, RFC 3311 §5), the
session timer's refreshes and its end (RFC 4028 §10), ACK and BYE. What comes before the dialog is
`invite_server.py` and `invite_client.py`; answering is `usage.py`; the requests that we send within
the dialog are `indialog.py` and `reinvite.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.errors import UsageError
from pbx.sip.deadlines import NEVER
from pbx.sip.dialog import Dialog, DialogState, OfferState
from pbx.sip.endpoint import Answer, Endpoint, OpenRequest
from pbx.sip.events import (
    Dropped,
    InviteAcked,
    InviteEnded,
    InviteId,
    ReinviteAnswered,
    ReinviteFailed,
    ReinviteReceived,
    RequestFailed,
    RequestId,
    RequestReceived,
)
from pbx.sip.indialog import DIALOG_GONE, Farewell, Refresh, RequestInDialog, send_in_dialog
from pbx.sip.reinvite import Reinvite
from pbx.sip.screening import screen
from pbx.sip.usage import Usage
from pbx.sip.writing import body_lines, header_lines

if TYPE_CHECKING:
    from pbx.sip.flow import Flow
    from pbx.sip.machine import ServerTransaction
    from pbx.sip.message import Request, Response
    from pbx.sip.transaction import Tell

REFRESH_SOON = 0.5
"""Seconds until a refresh is tried in another way."""

REFRESH_AGAIN = 10.0
"""Seconds until a refresh that failed, but not for good, is tried again."""


class InviteUsage(Usage):
    """The confirmed part of an INVITE's life, and the early one as far as it is alike."""

    __slots__ = (
        "_back_off_until",
        "_farewell",
        "_reinvite",
        "_wanted",
    )

    made_call_id = False
    """Whether the Call-ID is ours, which decides the back-off of §14.1."""

    def __init__(
        self, endpoint: Endpoint, invite: InviteId, *, call_id: str, local_tag: str, contact: str
    ) -> None:
        super().__init__(endpoint, invite, call_id=call_id, local_tag=local_tag, contact=contact)
        self._reinvite: Reinvite | None = None  # the one in hand
        self._wanted: Reinvite | None = None  # the one behind it
        self._back_off_until = NEVER
        self._farewell: str | None = None  # header lines of the BYE that waits for the ACK
        endpoint.invites[invite] = self
        endpoint.by_local_tag[local_tag] = self

    # Requests of the remote.

    def receive_request(self, dialog: Dialog, request: Request, flow: Flow, now: float) -> None:
        """Take a request within the dialog, other than ACK and CANCEL, that is no copy."""
        method = request.method
        if not dialog.accepts(request.cseq.number):
            self.endpoint.answer(request, flow, 500, now)
            return
        dialog.heard_from(flow)
        if method == "BYE":
            self._receive_bye(request, flow, now)
            return
        refusal = screen(request, self.endpoint)
        if refusal is not None:
            self.endpoint.answer(request, flow, refusal.status, now, refusal.extra)
        elif self.closed or dialog.state is DialogState.TERMINATED:
            self.endpoint.answer(request, flow, 481, now)
        elif method in ("INVITE", "UPDATE"):
            self._receive_offer(dialog, request, flow, now)
        elif method == "OPTIONS":
            self.endpoint.answer(request, flow, 200, now, self.endpoint.capability_lines())
        elif method == "SUBSCRIBE":
            self.endpoint.answer(request, flow, 403, now)  # it needs a dialog of its own (RFC 6665)
        else:
            asked = self.take(request, flow, now)
            self.tell(RequestReceived(self.id, asked.name, request, flow))

    def receive_ack(self, request: Request, flow: Flow, now: float) -> None:
        """Take the ACK to our 2xx."""
        if self._unacked is None or self._unacked.number != request.cseq.number:
            self.endpoint.emit(Dropped("stray_ack", flow))
            return
        self._unacked = None
        assert self.dialog is not None
        if self.dialog.offer is OfferState.SENT:
            self.dialog.offer = OfferState.NONE
        if self._farewell is not None:
            self.send_bye(self._farewell, now)
        else:
            self.tell(InviteAcked(self.id, request))
            self.proceed(now)

    def _receive_bye(self, request: Request, flow: Flow, now: float) -> None:
        self.reply(self.take(request, flow, now), 200, now=now)
        self.refuse_open(now)
        assert self.dialog is not None
        self.dialog.state = DialogState.TERMINATED
        self.tell(InviteEnded(self.id, "bye", request))
        self.leave_tables()

    def _receive_offer(self, dialog: Dialog, request: Request, flow: Flow, now: float) -> None:
        endpoint = self.endpoint
        if self._asked is not None or dialog.offer is OfferState.RECEIVED:
            endpoint.answer(request, flow, 500, now, endpoint.retry_after())
            return
        if self.is_asking() or dialog.offer is OfferState.SENT:
            endpoint.answer(request, flow, 491, now)
            return
        if self.has_offer(request):
            dialog.offer = OfferState.RECEIVED
        self._asked = asked = self.take(request, flow, now)
        asked.transaction.user = self
        if request.method == "INVITE":
            self.try_later(now)
            self.arm()
        self.tell(ReinviteReceived(self.id, asked.name, request))

    def request_cancelled(
        self, transaction: ServerTransaction, cancel: Request, now: float
    ) -> None:
        """Answer 487 to a re-INVITE that the remote takes back; what was agreed before holds."""
        asked = self._open.get(transaction)
        if asked is not None:
            self.respond(asked, Answer(487), now)

    def response_failed(self, transaction: ServerTransaction, tell: Tell, now: float) -> None:
        """Take back a re-INVITE whose answer cannot be sent."""
        asked = self._open.get(transaction)
        if asked is not None:
            self._finish(asked)

    def respond(self, asked: OpenRequest, answer: Answer, now: float) -> None:
        """Answer a request of the remote, then do what had to wait for that."""
        super().respond(asked, answer, now)
        self.proceed(now)

    # What the layer above asks for.

    def ack(self, body: bytes | None, content_type: str, now: float) -> None:
        """Acknowledge the 2xx to our re-INVITE."""
        reinvite = self._reinvite
        if reinvite is not None and reinvite.ack_due:
            self.note_body(content_type, body)
            self.offer_settled(OfferState.RECEIVED)
            reinvite.ack(extra=body_lines(content_type, body), body=body)
            self._reinvite = None
            self.proceed(now)

    def reinvite(self, body: bytes | None, content_type: str, extra: str, now: float) -> None:
        """Send a re-INVITE when its turn has come."""
        in_hand = self._reinvite is not None and not self._reinvite.is_refresh
        if in_hand or self._wanted is not None:
            raise UsageError(f"re-INVITE {self.id} has no outcome yet")
        if self.dialog is None or self.dialog.state is not DialogState.CONFIRMED:
            raise UsageError(f"INVITE {self.id} has no confirmed dialog")
        self._wanted = Reinvite(
            self, content_type=content_type, body=body, extra=extra, is_refresh=False
        )
        self.proceed(now)

    def withdraw(self) -> None:
        """Take back a re-INVITE that waits for its turn or backs off."""
        if self._wanted is not None and not self._wanted.is_refresh:
            self._wanted = None
        reinvite = self._reinvite
        if reinvite is not None and not reinvite.is_refresh and not self.is_asking():
            self._reinvite = None

    def request(
        self,
        request_id: RequestId,
        method: str,
        extra: str,
        content_type: str | None,
        body: bytes | None,
        now: float,
    ) -> None:
        """Send any other request within the dialog."""
        dialog = self.dialog
        if dialog is None or dialog.state is DialogState.TERMINATED:
            self.tell(RequestFailed(request_id, 481, "dialog_gone"))
            return
        is_update = method == "UPDATE"
        has_offer = is_update and self.endpoint.is_session(content_type, body)
        if has_offer:
            if dialog.offer is not OfferState.NONE:
                self.tell(RequestFailed(request_id, 491, "offer_open"))
                return
            dialog.offer = OfferState.SENT
        owner = RequestInDialog(self, request_id, is_update=is_update, has_offer=has_offer)
        extra += (self.timer_lines() if is_update else "") + body_lines(content_type, body)
        send_in_dialog(self, owner, method, extra=extra, body=body, now=now)

    def end(self, status: int, extra: str, now: float) -> None:
        """Hang up: BYE, but not before the ACK to our 2xx (§15)."""
        self.close()
        if self._unacked is not None:
            self._farewell = extra
        else:
            self.send_bye(extra, now)

    def send_bye(self, extra: str, now: float) -> None:
        """End the dialog from our side (§15.1.1)."""
        dialog = self.dialog
        if dialog is None or dialog.state is DialogState.TERMINATED:
            return
        self.refuse_open(now)
        if self._reinvite is not None:
            self._reinvite.ack()
        dialog.state = DialogState.TERMINATED
        self.timer.stop()
        self._unacked = self._wanted = None
        send_in_dialog(self, Farewell(self), "BYE", extra=extra, now=now)

    def dialog_gone(self, status: int, now: float) -> None:
        """End the dialog because the remote does not know it any more, or is silent (§12.2.1.2)."""
        self._end_by_ourselves("dialog_gone", status, now)

    def _end_by_ourselves(self, slug: str, status: int, now: float) -> None:
        self.tell(InviteEnded(self.id, slug, None, status))
        self.close()
        self.send_bye("", now)

    def leave_tables(self) -> None:
        """Be found no more; copies of what is over are absorbed by the transactions."""
        super().leave_tables()
        self._wanted = None
        self._back_off_until = NEVER
        if self._reinvite is not None:
            self._reinvite.stop()
            self._reinvite = None

    # Whose turn it is.

    def offer_settled(self, state: OfferState) -> None:
        """Note that the offer that was ours, or the remote's, is answered or refused."""
        if self.dialog is not None and self.dialog.offer is state:
            self.dialog.offer = OfferState.NONE

    def is_asking(self) -> bool:
        """Tell whether an INVITE of ours is out, or the ACK that ends it is still to come."""
        return self._reinvite is not None and self._reinvite.is_out

    def proceed(self, now: float) -> None:
        """Send the re-INVITE that waits, if its turn has come (§14.1)."""
        if self._reinvite is None:
            self._reinvite, self._wanted = self._wanted, None
        reinvite, dialog = self._reinvite, self.dialog
        if (
            reinvite is not None
            and dialog is not None
            and dialog.state is DialogState.CONFIRMED
            and dialog.offer is OfferState.NONE
            and self._asked is None
            and self._unacked is None
            and not self.is_asking()
            and reinvite.retry_at <= now
        ):
            if reinvite.has_offer:
                dialog.offer = OfferState.SENT
            reinvite.start(now)
        self.arm()

    def reinvite_answered(self, reinvite: Reinvite, response: Response, now: float) -> None:
        """Take the first 2xx to our re-INVITE."""
        dialog = self.dialog
        assert dialog is not None
        if dialog.state is DialogState.TERMINATED:
            reinvite.ack()
            return
        self.refreshed(response, now)
        if reinvite.has_offer:
            self.offer_settled(OfferState.SENT)
            self.note_body(reinvite.content_type, reinvite.body)
        elif self.has_offer(response):
            dialog.offer = OfferState.RECEIVED
        if reinvite.is_refresh:
            self.ack(None, "", now)
        else:
            self.tell(ReinviteAnswered(self.id, response))

    def reinvite_failed(
        self, reinvite: Reinvite, status: int, response: Response | None, now: float
    ) -> None:
        """Take the failure that stands; what was agreed on before still holds."""
        self._reinvite = None
        if reinvite.has_offer:
            self.offer_settled(OfferState.SENT)
        if status in DIALOG_GONE:
            self.dialog_gone(status, now)
        elif reinvite.is_refresh:
            self.refresh_failed(status, None, now)
        else:
            self.tell(ReinviteFailed(self.id, status, response))
        self.proceed(now)

    def reinvite_waits(self, reinvite: Reinvite, now: float) -> None:
        """Let the remote's offer through meanwhile, and try again then."""
        if reinvite.has_offer:
            self.offer_settled(OfferState.SENT)
        self._back_off_until = reinvite.retry_at
        self.proceed(now)

    # The session timer, and all other times.

    def timer_lines(self) -> str:
        """Return the header lines that keep the session timer running (RFC 4028 §7.4)."""
        return self.endpoint.supported_line + header_lines(self.timer.ask())

    def refreshed(self, response: Response, now: float) -> None:
        """Take what a 2xx to our re-INVITE or UPDATE changes: the target and the timer."""
        assert self.dialog is not None
        self.dialog.refresh_target(response)
        self.timer.granted(response, now)
        self.arm()

    def refresh_failed(self, status: int, min_se: int | None, now: float) -> None:
        """Try the refresh again: soon with a longer interval or by re-INVITE, else later."""
        if status == 422 and min_se is not None:
            self.timer.longer(min_se)
        by_reinvite = status in (405, 501) and self._last_body is not None
        soon = status == 422 or by_reinvite
        self.timer.refresh_again(now + (REFRESH_SOON if soon else REFRESH_AGAIN))
        self.arm()

    def _refresh(self, now: float) -> None:
        self.timer.refresh_again(NEVER)
        if self._reinvite is not None or self._wanted is not None:
            self.timer.refresh_again(now + REFRESH_AGAIN)
        elif self.remote_updates or self._last_body is None:
            send_in_dialog(self, Refresh(self), "UPDATE", extra=self.timer_lines(), now=now)
        else:
            content_type, body = self._last_body
            self._wanted = Reinvite(
                self, content_type=content_type, body=body, extra="", is_refresh=True
            )

    def arm(self) -> None:
        """Ask to be woken in time."""
        self.endpoint.deadlines.arm(self, self.wakes_at())

    def wakes_at(self) -> float:
        """Return the earliest of all that is waited for."""
        unacked = NEVER if self._unacked is None else self._unacked.wakes_at()
        return min(unacked, self._back_off_until, self._trying_at, self.timer.wakes_at())

    def wake(self, now: float) -> None:
        """Do what is due."""
        unacked = self._unacked
        if unacked is not None and now >= unacked.stop_at:
            self._unacked = None
            if self._farewell is None:
                self._end_by_ourselves("no_ack", 0, now)
            else:
                self.send_bye(self._farewell, now)
        elif unacked is not None:
            unacked.repeat(now)
        if now >= self._trying_at:
            self.try_now(now)
        if now >= self._back_off_until:
            self._back_off_until = NEVER
        if now >= self.timer.expire_at:
            self._end_by_ourselves("session_expired", 0, now)
        elif now >= self.timer.refresh_at:
            self._refresh(now)
        self.proceed(now)
