"""An INVITE that we send, up to its answer (RFC 3261 §13.2).

Provisional responses, the first 2xx, further 2xx of a fork (each is ACKed and BYEd), CANCEL, which
waits for a provisional response (§9.1), and 2xx that cross it. From the 2xx on it is an
`InviteUsage` like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pbx.sip.deadlines import NEVER
from pbx.sip.dialog import Dialog, DialogState, OfferState, aim
from pbx.sip.endpoint import Endpoint
from pbx.sip.events import InviteAnswered, InviteFailed, InviteProgressed
from pbx.sip.invite import InviteUsage
from pbx.sip.outgoing import NOBODY, Nobody, Outgoing
from pbx.sip.session_timer import read_min_se
from pbx.sip.transaction import State
from pbx.sip.usage import allows_update
from pbx.sip.writing import RequestHead, body_lines, header_lines, tagged

if TYPE_CHECKING:
    from pbx.sip.account import Account
    from pbx.sip.flow import Flow
    from pbx.sip.headers import NameAddr, Uri
    from pbx.sip.machine import ClientTransaction
    from pbx.sip.message import Request, Response

MAX_FORKS = 20
"""Early dialogs that are remembered for one INVITE."""

MAX_TRIES = 3
"""How often an INVITE is sent because of 422."""


class SentInvite(InviteUsage):
    """An INVITE of ours. `destinations` are tried in order."""

    __slots__ = (
        "_ack",
        "_ack_due",
        "_body",
        "_cancel",
        "_cancel_sent",
        "_content_type",
        "_destinations",
        "_early",
        "_extra",
        "_forks",
        "_head",
        "_local",
        "_outgoing",
        "_proof",
        "_refused_acks",
        "_silent_after",
        "_stop_at",
        "_target",
    )

    made_call_id = True

    def __init__(
        self,
        endpoint: Endpoint,
        target: Uri,
        destinations: Sequence[Flow],
        *,
        to: NameAddr,
        from_: NameAddr,
        route: Sequence[NameAddr],
        max_forwards: int,
        extra: str,
        content_type: str,
        body: bytes | None,
        contact: str | None,
        account: Account | None,
        silent_after: float | None,
        now: float,
    ) -> None:
        super().__init__(
            endpoint,
            endpoint.next_invite(),
            call_id=endpoint.token(),
            local_tag=endpoint.token(),
            contact=(from_.uri.user or "") if contact is None else contact,
        )
        self.account = account
        self._silent_after = silent_after
        self._target = target
        self._destinations = destinations
        self._local = tagged(from_, self.local_tag)
        uri, route_line = aim(target, route)
        self._head = RequestHead(
            "INVITE",
            uri,
            lead=f"{route_line}Max-Forwards: {max_forwards}\r\nFrom: {self._local}\r\n",
            to=str(to),
            call_id=self.call_id,
            number=1,
        )
        self._extra = extra + body_lines(content_type, body)
        self._content_type = content_type
        self._body = body
        self._early: dict[str, Response] = {}
        self._forks: dict[str | None, Dialog] = {}
        self._refused_acks: dict[str, tuple[bytes, Flow]] = {}
        self._ack: tuple[bytes, Flow] | None = None
        self._ack_due = False
        self._cancel: str | None = None  # header lines of the CANCEL that is wanted
        self._cancel_sent = False
        self._proof = ""  # header lines of the INVITE that was answered
        self._stop_at = NEVER
        self._outgoing: Outgoing | None = self._start(now)

    def _start(self, now: float) -> Outgoing:
        endpoint = self.endpoint
        common = endpoint.agent_line + endpoint.allow_line + endpoint.supported_line
        return Outgoing(
            endpoint,
            self._head,
            self._destinations,
            self,
            now,
            contact=self.contact,
            extra=common + header_lines(self.timer.ask_first()) + self._extra,
            body=self._body,
            moves_on=True,
            silent_after=self._silent_after,
            account=self.account,
            renew=self._renew_head,
        )

    def _renew_head(self) -> RequestHead:
        """Return the head of the INVITE that answers a challenge: the next CSeq number."""
        self._early.clear()
        self._forks.clear()
        self._head = self._head.again()
        return self._head

    # Responses.

    def response_received(self, outgoing: Outgoing, response: Response, now: float) -> None:
        """Take a response to the INVITE."""
        if response.status < 200:
            self._progress(outgoing, response, now)
        elif response.status < 300:
            self._answered(outgoing, response, now)
        else:
            self._refused(response, now)

    def unanswered(self, sender: object, status: int, slug: str, now: float) -> None:
        """Say that no destination answered."""
        self.tell(InviteFailed(self.id, status, None, slug))
        self.leave_tables()

    def abandoned(self, sender: object, transaction: ClientTransaction) -> None:
        """Let a destination that was silent for too long ring nobody."""
        transaction.user = _Abandoned(self, transaction)

    def _progress(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if self._cancel is not None:
            if not self._cancel_sent and outgoing.pending is not None:
                self._send_cancel(outgoing.pending, now)
        elif response.status > 100 and self.dialog is None:
            tag = response.to_tag
            if tag is not None and (tag in self._early or len(self._early) < MAX_FORKS):
                self._early[tag] = response
            self.tell(InviteProgressed(self.id, response))

    def _answered(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if self.dialog is None:
            self._begin_dialog(outgoing, response, now)
        elif not self.dialog.matches(self.call_id, response.to_tag):
            self.refuse_answer(response, outgoing.flow, now)
        elif self._ack is not None:
            self.endpoint.transactions.send(*self._ack)

    def _begin_dialog(self, outgoing: Outgoing, response: Response, now: float) -> None:
        dialog = Dialog.of_response(self._head, self._local, self._target, response, outgoing.flow)
        early = self._forks.get(response.to_tag)
        if early is not None:
            dialog.remote_cseq = early.remote_cseq
        dialog.state = DialogState.CONFIRMED
        self.dialog = dialog
        self._early.clear()
        self._forks.clear()
        self._stop_at = NEVER
        self._ack_due = True
        self._proof = outgoing.proof
        self.remote_updates = allows_update(response)
        self.timer.granted(response, now)
        if self.endpoint.is_session(self._content_type, self._body):
            self.note_body(self._content_type, self._body)
        elif self.has_offer(response):
            dialog.offer = OfferState.RECEIVED
        self._body = None
        if self.closed:
            self.send_bye(self._cancel or "", now)
        else:
            self.tell(InviteAnswered(self.id, response))
            self.arm()

    def refuse_answer(self, response: Response, flow: Flow, now: float) -> None:
        """ACK and BYE a 2xx that came too late: from another branch of a fork (§13.2.2.4)."""
        tag = response.to_tag or ""
        sent = self._refused_acks.get(tag)
        if sent is not None:
            self.endpoint.transactions.send(*sent)
            return
        endpoint = self.endpoint
        dialog = Dialog.of_response(self._head, self._local, self._target, response, flow)
        sent = endpoint.send_ack(dialog, self._head.number)
        if len(self._refused_acks) < MAX_FORKS:
            self._refused_acks[tag] = sent
        bye = dialog.next_request("BYE")
        Outgoing(endpoint, bye, endpoint.flows_of(dialog), NOBODY, now, extra=endpoint.agent_line)

    def _refused(self, response: Response, now: float) -> None:
        min_se = read_min_se(response) if response.status == 422 else None
        if min_se is not None and self._head.number < MAX_TRIES and not self.closed:
            self.timer.longer(min_se)
            self._head = self._head.again()
            self._outgoing = self._start(now)
            return
        self.tell(InviteFailed(self.id, response.status, response, "refused"))
        self.leave_tables()

    # What the layer above asks for.

    def ack(self, body: bytes | None, content_type: str, now: float) -> None:
        """Acknowledge the first 2xx, or that to a re-INVITE."""
        dialog = self.dialog
        if not self._ack_due or dialog is None:
            super().ack(body, content_type, now)
            return
        self._ack_due = False
        self.offer_settled(OfferState.RECEIVED)
        self.note_body(content_type, body)
        extra = self._proof + body_lines(content_type, body)
        self._ack = self.endpoint.send_ack(dialog, self._head.number, extra=extra, body=body)
        self.proceed(now)

    def end(self, status: int, extra: str, now: float) -> None:
        """Cancel what is unanswered, hang up what is answered."""
        if self.dialog is not None:
            super().end(status, extra, now)
        else:
            self._give_up(extra, now)

    def send_bye(self, extra: str, now: float) -> None:
        """End the dialog from our side, after the ACK that is still due."""
        if self._ack_due:
            self.ack(None, "", now)
        super().send_bye(extra, now)

    def _give_up(self, extra: str, now: float) -> None:
        # CANCEL must not overtake the INVITE: it waits for a provisional response (§9.1).
        self.close()
        self._cancel = extra
        outgoing = self._outgoing
        if outgoing is None or outgoing.pending is None:
            self.leave_tables()
            return
        outgoing.stop()
        if outgoing.pending.state is State.PROCEEDING:
            self._send_cancel(outgoing.pending, now)

    def _send_cancel(self, transaction: ClientTransaction, now: float) -> None:
        self._cancel_sent = True
        cancel(self.endpoint, transaction, self._cancel or "", now)
        self._stop_at = now + self.endpoint.settings.timers.timeout
        self.arm()

    # Requests of the remote, before its 2xx.

    def find_dialog(self, call_id: str, remote_tag: str | None) -> Dialog | None:
        """Return the dialog that a request belongs to; before the 2xx one of the early ones."""
        if self.dialog is not None or call_id != self.call_id:
            return super().find_dialog(call_id, remote_tag)
        response = self._early.get(remote_tag or "")
        if response is None or self._outgoing is None:
            return None
        dialog = self._forks.get(remote_tag)
        if dialog is None:
            dialog = self._forks[remote_tag] = Dialog.of_response(
                self._head, self._local, self._target, response, self._outgoing.flow
            )
        return dialog

    def receive_request(self, dialog: Dialog, request: Request, flow: Flow, now: float) -> None:
        """Take a request within a dialog; early ones take no offer, for ours is open (§14)."""
        if self.dialog is not None:
            super().receive_request(dialog, request, flow, now)
        elif request.method == "BYE":
            self._receive_early_bye(dialog, request, flow, now)
        elif request.method in ("INVITE", "UPDATE"):
            self.endpoint.answer(request, flow, 491, now)
        else:
            super().receive_request(dialog, request, flow, now)

    def _receive_early_bye(self, dialog: Dialog, request: Request, flow: Flow, now: float) -> None:
        # A callee may not do this (§15), but a BYE may overtake the 2xx before it.
        self.reply(self.take(request, flow, now), 200, now=now)
        self._early.pop(dialog.id.remote_tag or "", None)
        if not self._early and not self.closed:
            self.tell(InviteFailed(self.id, 480, None, "bye"))
            self._give_up("", now)

    # Times and turns.

    def is_asking(self) -> bool:
        """Tell whether an INVITE of ours is out, or the ACK that ends it is still to come."""
        return self._ack_due or super().is_asking()

    def leave_tables(self) -> None:
        """Be found no more; copies of the 2xx still find their ACK, by way of the transaction."""
        super().leave_tables()
        self._stop_at = NEVER
        if self._outgoing is not None:
            self._outgoing.forget()
            self._outgoing = None

    def wakes_at(self) -> float:
        """Return the earliest of all that is waited for."""
        return min(self._stop_at, super().wakes_at())

    def wake(self, now: float) -> None:
        """Do what is due; forget an INVITE that nothing came of in 64·T1 after its CANCEL."""
        if now >= self._stop_at:
            self.leave_tables()
        super().wake(now)


class _Abandoned(Nobody):
    """An attempt that was given up for another destination: it is cancelled, or hung up."""

    def __init__(self, usage: SentInvite, transaction: ClientTransaction) -> None:
        self._usage = usage
        self._transaction = transaction
        self._cancel_sent = False

    def response_received(self, sender: object, response: Response, now: float) -> None:
        """Send CANCEL on a provisional response, ACK and BYE on a 2xx."""
        if 200 <= response.status < 300:
            self._usage.refuse_answer(response, self._transaction.flow, now)
        elif response.status < 200 and not self._cancel_sent:
            self._cancel_sent = True
            cancel(self._usage.endpoint, self._transaction, "", now)


def cancel(endpoint: Endpoint, transaction: ClientTransaction, extra: str, now: float) -> None:
    """Send the CANCEL of an INVITE that has had a provisional response (§9.1).

    It has the branch of the INVITE, goes the same way, and is a transaction of its own.
    """
    head = transaction.head
    endpoint.transactions.start_client(
        head,
        "CANCEL",
        via=transaction.via,
        branch=transaction.branch,
        message=head.write("CANCEL", transaction.via, extra=endpoint.agent_line + extra),
        flow=transaction.flow,
        user=NOBODY,
        now=now,
    )
