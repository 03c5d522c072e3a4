"""The SIP core of callpbx: one object between the transport and the calls, without any I/O.

In: `receive` (a datagram), `receive_message` (a message of a stream), `flow_opened`, `flow_closed`,
`flow_failed`, `advance`, and the verbs. Out: `next_event`, `datagrams_to_send`, `next_timer`. `now`
is in seconds of a clock that never jumps. Verbs never wait and return ids at once; what comes of
them are events (`pbx.sip.events`). No message from outside can raise: what cannot be used is
answered with its status or dropped with a named reason.

RFC 3261 with 3581, 4028, 6026, 6665; the transactions are in `transaction.py`, the dialogs in
`dialog.py`, the life of an INVITE in `invite.py`, a subscription in `subscription.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pbx.errors import MessageError, UsageError
from pbx.sip.account import Account
from pbx.sip.endpoint import Answer, Endpoint
from pbx.sip.events import (
    InviteId,
    RequestFailed,
    RequestId,
    SubscriptionId,
    TransactionId,
    UserAgentEvent,
)
from pbx.sip.flow import Address, Flow
from pbx.sip.headers import NameAddr, Uri
from pbx.sip.invite_client import SentInvite
from pbx.sip.message import Request, Response, parse_message
from pbx.sip.outside import send_outside
from pbx.sip.receiving import Receiver
from pbx.sip.refer import Replaces
from pbx.sip.settings import AgentSettings, Timers
from pbx.sip.subscription import Package, subscribe
from pbx.sip.writing import header_lines

__all__ = ["AgentSettings", "Timers", "UserAgent"]

HeaderList = Sequence[tuple[str, str]]
"""Header fields that the caller adds: names and raw values."""


class UserAgent:
    """User agent client and server for all legs of the exchange."""

    def __init__(
        self,
        settings: AgentSettings,
        *,
        token: Callable[[], str],
        advertise: Callable[[Flow], Address],
    ) -> None:
        """Make a user agent with empty tables.

        `token` returns a fresh random text of at least 16 hexadecimal digits (tags, branches,
        Call-IDs, back-off). `advertise` says which host and port Via and Contact show to the remote
        of a flow.
        """
        self._endpoint = Endpoint(settings, token, advertise)
        self._receiver = Receiver(self._endpoint)

    # What comes from the transport.

    def receive(self, datagram: bytes, flow: Flow, now: float) -> None:
        """Take in one UDP datagram."""
        try:
            message: Request | Response | MessageError = parse_message(datagram)
        except MessageError as error:
            if not datagram.strip(b"\r\n\0 "):
                return  # A keep-alive of a phone behind a NAT.
            message = error
        self.receive_message(message, flow, now)

    def receive_message(
        self, message: Request | Response | MessageError, flow: Flow, now: float
    ) -> None:
        """Take in one message of a stream, or the error that the stream's parser made of it."""
        self._receiver.receive(message, flow, now)

    def flow_opened(self, flow: Flow, now: float) -> None:
        """Note that a stream is open, whoever opened it."""
        self._endpoint.open_flows.add(flow)

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Note that an open stream has closed; requests that wait for a response on it move on."""
        self._endpoint.open_flows.discard(flow)
        self._endpoint.transactions.flow_closed(flow, now)

    def flow_failed(self, flow: Flow, now: float) -> None:
        """Note that nothing can be sent there: no connection, or the system refused the
        datagram."""
        self._endpoint.open_flows.discard(flow)
        self._endpoint.transactions.flow_failed(flow, now)

    def advance(self, now: float) -> None:
        """Run every timer that is due."""
        self._endpoint.deadlines.advance(now)

    # What goes to the transport and to the calls.

    def next_event(self) -> UserAgentEvent | None:
        """Return the oldest event not yet taken, or None."""
        events = self._endpoint.events
        return events.popleft() if events else None

    def datagrams_to_send(self) -> list[tuple[bytes, Flow]]:
        """Return what is to be sent, in order, and forget it. A stream flow may not be open yet."""
        outbox = self._endpoint.outbox
        sent = outbox.copy()
        outbox.clear()
        return sent

    def next_timer(self) -> float | None:
        """Return when `advance` is due (it may turn out to be too early, never too late), or
        None."""
        return self._endpoint.deadlines.next_at()

    # The verbs.

    def invite(
        self,
        target: Uri,
        *,
        destinations: Sequence[Flow],
        to: NameAddr,
        from_: NameAddr,
        body: bytes | None,
        content_type: str = "application/sdp",
        headers: HeaderList = (),
        route: Sequence[NameAddr] = (),
        max_forwards: int = 70,
        contact: str | None = None,
        account: Account | None = None,
        silent_after: float | None = None,
        now: float,
    ) -> InviteId:
        """Send an INVITE to `target`, with a body (the offer) or without (the 2xx then brings the
        offer).

        `destinations` are tried in order: the next one on transport failure, on 408, on 503, or
        when one stays silent for `failover_after`; after `silent_after` seconds of silence so is
        the last, and InviteFailed says "silent". Via, From tag, Call-ID, CSeq and Contact are made
        here, its user part of From's unless `contact` says another. `account` answers challenges
        of this INVITE and of all requests within its dialog.
        """
        if not destinations:
            raise UsageError("an INVITE needs a destination")
        usage = SentInvite(
            self._endpoint,
            target,
            destinations,
            to=to,
            from_=from_,
            route=route,
            max_forwards=max_forwards,
            extra=header_lines(headers),
            content_type=content_type,
            body=body,
            contact=contact,
            account=account,
            silent_after=silent_after,
            now=now,
        )
        return usage.id

    def respond(
        self,
        transaction: TransactionId,
        status: int,
        *,
        reason: str | None = None,
        headers: HeaderList = (),
        body: bytes | None = None,
        content_type: str = "application/sdp",
        now: float,
    ) -> None:
        """Answer a request that came as an event.

        Provisional responses may be repeated, the first final one counts. A 2xx to an INVITE is
        retransmitted until its ACK comes; then InviteAcked follows.
        """
        waiting = self._endpoint.waiting.get(transaction)
        if waiting is not None:
            extra = header_lines(headers)
            if reason is not None:
                header_lines((("the reason phrase", reason),))
            answer = Answer(status, reason, extra, content_type, body)
            waiting.responder.respond(waiting.asked, answer, now)

    def ack(
        self,
        invite: InviteId,
        *,
        body: bytes | None = None,
        content_type: str = "application/sdp",
        now: float,
    ) -> None:
        """Acknowledge the 2xx of InviteAnswered or ReinviteAnswered, with the answer where it held
        the offer.

        Later copies of that 2xx get the same ACK by themselves.
        """
        usage = self._endpoint.invites.get(invite)
        if usage is not None:
            usage.ack(body, content_type, now)

    def reinvite(
        self,
        invite: InviteId,
        *,
        body: bytes | None,
        content_type: str = "application/sdp",
        headers: HeaderList = (),
        now: float,
    ) -> None:
        """Send a re-INVITE; ReinviteAnswered, ReinviteFailed or InviteEnded follows.

        It waits while another INVITE or offer of this dialog is open, and is repeated up to three
        times after 491 (RFC 3261 §14.1). Raises UsageError while an earlier `reinvite` has no
        outcome yet or the dialog is not confirmed.
        """
        usage = self._endpoint.invites.get(invite)
        if usage is not None:
            usage.reinvite(body, content_type, header_lines(headers), now)

    def withdraw(self, invite: InviteId) -> None:
        """Take back a re-INVITE that is not on its way: it waits for its turn, or backs off after
        491.

        That is so whenever ReinviteReceived comes before its outcome. No event follows about it.
        """
        usage = self._endpoint.invites.get(invite)
        if usage is not None:
            usage.withdraw()

    def request(
        self,
        invite: InviteId,
        method: str,
        *,
        headers: HeaderList = (),
        body: bytes | None = None,
        content_type: str | None = None,
        now: float,
    ) -> RequestId:
        """Send a request within the dialog; RequestAnswered or RequestFailed follows."""
        endpoint = self._endpoint
        request_id = endpoint.next_request()
        usage = endpoint.invites.get(invite)
        if usage is None:
            endpoint.emit(RequestFailed(request_id, 481, "dialog_gone"))
        else:
            extra = header_lines(headers)
            usage.request(request_id, method, extra, content_type, body, now)
        return request_id

    def send(
        self,
        method: str,
        target: Uri,
        *,
        destinations: Sequence[Flow],
        to: NameAddr,
        from_: NameAddr,
        headers: HeaderList = (),
        route: Sequence[NameAddr] = (),
        body: bytes | None = None,
        content_type: str | None = None,
        contact: str | None = None,
        account: Account | None = None,
        same: tuple[str, int] | None = None,
        now: float,
    ) -> RequestId:
        """Send a request outside any dialog; RequestAnswered or RequestFailed follows.

        `contact` is the user part of the Contact of a REGISTER, `same` its Call-ID and CSeq number;
        `account` answers challenges, each of which takes one more CSeq number.
        """
        if not destinations:
            raise UsageError(f"{method} needs a destination")
        return send_outside(
            self._endpoint,
            method,
            target,
            destinations,
            to=to,
            from_=from_,
            route=route,
            extra=header_lines(headers),
            content_type=content_type,
            body=body,
            contact=contact,
            account=account,
            same=same,
            now=now,
        )

    def accept_subscription(
        self, transaction: TransactionId, package: Package, *, body: bytes, now: float
    ) -> SubscriptionId | None:
        """Take the subscription that a SUBSCRIBE asks for: 200, and a NOTIFY with `body`.

        Refreshes are granted by themselves; SubscriptionEnded follows when it is over. None where
        it was refused: 400, 406, 423 or 489, as `package` and RFC 6665 §4.2.1 have it.
        """
        waiting = self._endpoint.waiting.pop(transaction, None)
        if waiting is None:
            return None
        return subscribe(self._endpoint, waiting.asked, package, body, now)

    def notify(self, subscription: SubscriptionId, body: bytes, *, now: float) -> None:
        """Tell a subscriber the state as it is now, at once or after the NOTIFY that is under
        way."""
        usage = self._endpoint.subscriptions.get(subscription)
        if usage is not None:
            usage.notify(body, now)

    def end_subscription(
        self, subscription: SubscriptionId, *, reason: str = "noresource", now: float
    ) -> None:
        """End a subscription for a reason of RFC 6665 §4.1.3; no event about it follows."""
        usage = self._endpoint.subscriptions.get(subscription)
        if usage is not None:
            usage.end(reason, now)

    def end(
        self, invite: InviteId, *, status: int = 480, headers: HeaderList = (), now: float
    ) -> None:
        """End an INVITE in whatever state it is; no event about it follows.

        Received and unanswered: it gets `status`. Sent and unanswered: CANCEL, once a provisional
        response has come; a 2xx that crosses it is ACKed and BYEd. Answered: BYE, after the ACK.
        Calling it again does nothing. `headers` go into the final response, the CANCEL or the BYE
        (such as Reason, RFC 3326).
        """
        usage = self._endpoint.invites.get(invite)
        if usage is not None:
            usage.end(status, header_lines(headers), now)

    def invite_of(self, dialog: Replaces) -> InviteId | None:
        """Return the INVITE of ours whose dialog that is, early or confirmed (RFC 3891 §3)."""
        usage = self._endpoint.by_local_tag.get(dialog.to_tag)
        if usage is None or usage.closed:
            return None
        return usage.id if usage.find_dialog(dialog.call_id, dialog.from_tag) else None

    def takes_updates(self, invite: InviteId) -> bool:
        """Tell whether the far end has said that it takes UPDATE (RFC 3311 §4)."""
        usage = self._endpoint.invites.get(invite)
        return usage is not None and usage.remote_updates

    def prove_as(self, invite: InviteId, account: Account) -> None:
        """Let `account` answer challenges of our requests within the dialog of an INVITE."""
        usage = self._endpoint.invites.get(invite)
        if usage is not None:
            usage.account = account

    def call_id(self, invite: InviteId) -> str:
        """Return the Call-ID of an INVITE, for traces and records; "" when it is over."""
        usage = self._endpoint.invites.get(invite)
        return "" if usage is None else usage.call_id

    def snapshot(self) -> dict[str, object]:
        """Return counts and lists of what is in the tables, for `status` and tests."""
        return self._endpoint.snapshot()
