"""The SIP core of callpbx: one object between the transport and the calls, without any I/O.

In: `receive` (a datagram), `receive_message` (a message of a stream), `flow_opened`, `flow_closed`,
`flow_failed`, `advance`, and the verbs. Out: `next_event`, `datagrams_to_send`, `next_timer`. `now`
is in seconds of a clock that never jumps. Verbs never wait and return ids at once; what comes of
them are events (`pbx.sip.events`). No message from outside can raise: what cannot be used is
answered with its status or dropped with a named reason.

RFC 3261 with 3581, 4028, 6026; the transactions are in `transaction.py`, the dialogs in
`dialog.py`, the life of an INVITE in `invite.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pbx.sip.events import InviteId, RequestId, TransactionId, UserAgentEvent
from pbx.sip.flow import Address, Flow
from pbx.sip.settings import AgentSettings, Timers

if TYPE_CHECKING:
    from pbx.errors import MessageError
    from pbx.sip.headers import NameAddr, Uri
    from pbx.sip.message import Request, Response

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

    # What comes from the transport.

    def receive(self, datagram: bytes, flow: Flow, now: float) -> None:
        """Take in one UDP datagram."""

    def receive_message(
        self, message: Request | Response | MessageError, flow: Flow, now: float
    ) -> None:
        """Take in one message of a stream, or the error that the stream's parser made of it."""

    def flow_opened(self, flow: Flow, now: float) -> None:
        """Note that a stream is open, whoever opened it."""

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Note that an open stream has closed; requests that wait for a response on it move on."""

    def flow_failed(self, flow: Flow, now: float) -> None:
        """Note that nothing can be sent there: no connection, or the system refused the
        datagram."""

    def advance(self, now: float) -> None:
        """Run every timer that is due."""

    # What goes to the transport and to the calls.

    def next_event(self) -> UserAgentEvent | None:
        """Return the oldest event not yet taken, or None."""

    def datagrams_to_send(self) -> list[tuple[bytes, Flow]]:
        """Return what is to be sent, in order, and forget it. A stream flow may not be open yet."""

    def next_timer(self) -> float | None:
        """Return when `advance` is due (it may turn out to be too early, never too late), or
        None."""

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
        now: float,
    ) -> InviteId:
        """Send an INVITE to `target`, with a body (the offer) or without (the 2xx then brings the
        offer).

        `destinations` are tried in order: the next one on transport failure, on 408, on 503, or
        when one stays silent for `failover_after`. Via, From tag, Call-ID, CSeq and Contact are
        made here.
        """

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
        now: float,
    ) -> RequestId:
        """Send a request outside any dialog; RequestAnswered or RequestFailed follows."""

    def end(
        self, invite: InviteId, *, status: int = 480, headers: HeaderList = (), now: float
    ) -> None:
        """End an INVITE in whatever state it is; no event about it follows.

        Received and unanswered: it gets `status`. Sent and unanswered: CANCEL, once a provisional
        response has come; a 2xx that crosses it is ACKed and BYEd. Answered: BYE, after the ACK.
        Calling it again does nothing. `headers` go into the final response, the CANCEL or the BYE
        (such as Reason, RFC 3326).
        """

    def snapshot(self) -> dict[str, object]:
        """Return counts and lists of what is in the tables, for `status` and tests."""
