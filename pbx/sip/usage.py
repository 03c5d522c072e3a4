"""What every usage of the user agent has: its place in the tables, its events, its responses.

A usage is *closed* when the layer above has heard or said the last word about it: no event follows.
It leaves the tables when the far end, too, has nothing more to say. How it answers the requests of
the remote is here; which of them it takes, and what it asks itself, is `invite.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.errors import MessageError
from pbx.sip.deadlines import NEVER
from pbx.sip.dialog import Dialog, OfferState
from pbx.sip.endpoint import Answer, Endpoint, OpenRequest
from pbx.sip.events import InviteId, UserAgentEvent
from pbx.sip.session_timer import SessionTimer
from pbx.sip.unacked import Unacked
from pbx.sip.writing import body_lines, header_lines

if TYPE_CHECKING:
    from pbx.sip.account import Account
    from pbx.sip.flow import Flow
    from pbx.sip.machine import ServerTransaction
    from pbx.sip.message import Message, Request


TRYING_AFTER = 0.1
"""Seconds until an INVITE gets its 100; the RFC allows 0.2 (§17.2.1)."""


class Usage:
    """An INVITE and its dialog, as far as answering goes.

    `contact` is the user part of our Contact, escaped; `account` proves us to a carrier.
    """

    __slots__ = (
        "_asked",
        "_last_body",
        "_open",
        "_trying_at",
        "_unacked",
        "account",
        "armed_at",
        "call_id",
        "closed",
        "contact",
        "dialog",
        "endpoint",
        "id",
        "local_tag",
        "remote_updates",
        "timer",
    )

    def __init__(
        self, endpoint: Endpoint, invite: InviteId, *, call_id: str, local_tag: str, contact: str
    ) -> None:
        settings = endpoint.settings
        self.endpoint = endpoint
        self.id = invite
        self.local_tag = local_tag
        self.call_id = call_id
        self.contact = contact
        self.account: Account | None = None
        self.dialog: Dialog | None = None
        self.timer = SessionTimer(settings.session_expires, settings.min_se)
        self.remote_updates = False
        self.closed = False
        self.armed_at = NEVER
        self._open: dict[ServerTransaction, OpenRequest] = {}
        self._asked: OpenRequest | None = None  # the INVITE or UPDATE among them
        self._trying_at = NEVER
        self._unacked: Unacked | None = None
        self._last_body: tuple[str, bytes] | None = None

    # The tables and the events.

    def tell(self, event: UserAgentEvent) -> None:
        """Emit an event, unless the last word was spoken."""
        if not self.closed:
            self.endpoint.emit(event)

    def close(self) -> None:
        """Speak the last word: no event follows, and the id names nothing more."""
        self.closed = True
        self.endpoint.invites.pop(self.id, None)

    def leave_tables(self) -> None:
        """Be found no more; copies of what is over are absorbed by the transactions."""
        self.close()
        self.endpoint.by_local_tag.pop(self.local_tag, None)
        self.timer.stop()
        self._unacked = None

    def find_dialog(self, call_id: str, remote_tag: str | None) -> Dialog | None:
        """Return the dialog that a request of the remote belongs to."""
        dialog = self.dialog
        return dialog if dialog is not None and dialog.matches(call_id, remote_tag) else None

    # Responses of ours.

    def take(self, request: Request, flow: Flow, now: float) -> OpenRequest:
        """Begin the transaction of a request of the remote."""
        asked = self.endpoint.open_request(request, flow, self, now)
        self._open[asked.transaction] = asked
        return asked

    def try_later(self, now: float) -> None:
        """Send 100 to the INVITE in hand, unless a better response comes soon (§17.2.1)."""
        self._trying_at = now + TRYING_AFTER

    def try_now(self, now: float) -> None:
        """Send the 100."""
        self._trying_at = NEVER
        if self._asked is not None:
            trying = self._asked.head.write(100)
            self._asked.transaction.respond(100, trying, now)

    def reply(
        self,
        asked: OpenRequest,
        status: int,
        *,
        reason: str | None = None,
        extra: str = "",
        body: bytes | None = None,
        now: float,
    ) -> bytes:
        """Send a response with our tag; return it. A final one settles the request."""
        message = asked.head.write(
            status,
            tag=self.local_tag,
            reason=reason,
            extra=self.endpoint.server_line + extra,
            body=body,
        )
        asked.transaction.respond(status, message, now)
        if status >= 200:
            self._finish(asked)
        return message

    def respond(self, asked: OpenRequest, answer: Answer, now: float) -> None:
        """Answer a request of the remote as the layer above wants it."""
        is_offer = asked is self._asked
        if is_offer and answer.status < 200:
            self.reply_provisionally(asked, answer, now)
        elif is_offer and answer.status < 300:
            self._accept(asked, answer, now)
        else:
            extra = answer.extra + body_lines(answer.content_type, answer.body)
            if asked.request.method == "REFER" and answer.status < 300:  # RFC 3515 §2.2
                extra = self._contact_line(asked) + extra
            self._send(asked, answer, extra, now)

    def reply_provisionally(self, asked: OpenRequest, answer: Answer, now: float) -> bytes:
        """Send a provisional response to an INVITE or re-INVITE; return it."""
        self._trying_at = NEVER
        extra = (
            self._contact_line(asked) + answer.extra + body_lines(answer.content_type, answer.body)
        )
        return self._send(asked, answer, extra, now)

    def _send(self, asked: OpenRequest, answer: Answer, extra: str, now: float) -> bytes:
        return self.reply(
            asked, answer.status, reason=answer.reason, extra=extra, body=answer.body, now=now
        )

    def _accept(self, asked: OpenRequest, answer: Answer, now: float) -> None:
        # A 2xx to INVITE or UPDATE: it answers the offer, or makes one that the ACK will answer.
        endpoint, dialog, request = self.endpoint, self.dialog, asked.request
        assert dialog is not None
        body = answer.body
        extra = (
            self._contact_line(asked)
            + endpoint.allow_line
            + endpoint.supported_line
            + header_lines(self.timer.grant(request, now))
            + answer.extra
            + body_lines(answer.content_type, body)
        )
        had_offer = self.has_offer(request)
        message = self._send(asked, answer, extra, now)
        dialog.refresh_target(request)
        self.remote_updates = allows_update(request) or self.remote_updates
        self.note_body(answer.content_type, body)
        if asked.transaction.is_invite:
            if not had_offer and endpoint.is_session(answer.content_type, body):
                dialog.offer = OfferState.SENT
            number = request.cseq.number
            self._unacked = Unacked(endpoint, asked.transaction, message, number, now)

    def _contact_line(self, asked: OpenRequest) -> str:
        sips = asked.request.uri_text[:5].lower() == "sips:"
        return self.endpoint.contact_line(asked.flow, self.contact, sips=sips)

    def _finish(self, asked: OpenRequest) -> None:
        # The request has its final response, or will have none.
        self._open.pop(asked.transaction, None)
        self.endpoint.waiting.pop(asked.name, None)
        asked.transaction.user = None
        if asked is self._asked:
            self._asked = None
            self._trying_at = NEVER
            if self.dialog is not None and self.dialog.offer is OfferState.RECEIVED:
                self.dialog.offer = OfferState.NONE

    def refuse_open(self, now: float) -> None:
        """Answer 487 to all that still waits: the dialog ends (§15.1.2)."""
        for asked in tuple(self._open.values()):
            self.reply(asked, 487, now=now)

    def note_body(self, content_type: str, body: bytes | None) -> None:
        """Remember the session description that we sent last: a refresh repeats it."""
        if body and self.endpoint.is_session(content_type, body):
            self._last_body = (content_type, body)

    def has_offer(self, message: Message) -> bool:
        """Tell whether a message carries an offer or an answer."""
        try:
            content_type = message.content_type if message.body else None
        except MessageError:
            return False
        return content_type is not None and content_type.full in self.endpoint.settings.accept


def allows_update(message: Message) -> bool:
    """Tell whether the sender takes UPDATE (RFC 3311 §4)."""
    return any("UPDATE" in allowed for allowed in message.headers.get_all("Allow"))
