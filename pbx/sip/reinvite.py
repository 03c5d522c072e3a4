"""A re-INVITE of ours, from the wish to its outcome (RFC 3261 §14.1).

It waits while another INVITE or offer of the dialog is open, is sent, and after a 491 is sent again
when the back-off has passed: 2.1–4 s where we made the Call-ID, 0–2 s where the remote did, so that
two that keep colliding come apart. A 422 is answered with a longer interval (RFC 4028 §7.4). Whose
turn it is, and what a 2xx changes, is `invite.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.sip.indialog import send_in_dialog
from pbx.sip.outgoing import Nobody, Outgoing
from pbx.sip.session_timer import read_min_se
from pbx.sip.writing import body_lines

if TYPE_CHECKING:
    from pbx.sip.flow import Flow
    from pbx.sip.invite import InviteUsage
    from pbx.sip.message import Response

MAX_TRIES = 3


class Reinvite(Nobody):
    """One re-INVITE. `is_refresh` marks one that nobody asked for and whose outcome nobody hears.

    `is_out` holds from its sending to the ACK or the failure; before that, and while it backs off,
    it may be sent from `retry_at` on.
    """

    __slots__ = (
        "_extra",
        "_outgoing",
        "_sent_ack",
        "_tries",
        "_usage",
        "ack_due",
        "body",
        "content_type",
        "has_offer",
        "is_out",
        "is_refresh",
        "retry_at",
    )

    def __init__(
        self,
        usage: InviteUsage,
        *,
        content_type: str,
        body: bytes | None,
        extra: str,
        is_refresh: bool,
    ) -> None:
        self._usage = usage
        self.content_type = content_type
        self._extra = extra
        self._outgoing: Outgoing | None = None
        self._sent_ack: tuple[bytes, Flow] | None = None
        self._tries = 0
        self.body = body
        self.has_offer = usage.endpoint.is_session(content_type, body)
        self.is_refresh = is_refresh
        self.is_out = False
        self.ack_due = False
        self.retry_at = 0.0

    def start(self, now: float) -> None:
        """Send it."""
        usage = self._usage
        endpoint = usage.endpoint
        common = endpoint.allow_line + usage.timer_lines()
        self._tries += 1
        self.is_out = True
        self._outgoing = send_in_dialog(
            usage,
            self,
            "INVITE",
            extra=common + self._extra + body_lines(self.content_type, self.body),
            body=self.body,
            now=now,
        )

    def ack(self, *, extra: str = "", body: bytes | None = None) -> None:
        """Acknowledge the 2xx, if that is due."""
        dialog = self._usage.dialog
        if self.ack_due and self._outgoing is not None and dialog is not None:
            self.ack_due = self.is_out = False
            number = self._outgoing.head.number
            self._outgoing = None
            self._sent_ack = self._usage.endpoint.send_ack(dialog, number, extra=extra, body=body)

    def stop(self) -> None:
        """Wait for no response any more: the dialog is over."""
        if self._outgoing is not None:
            self._outgoing.forget()
            self._outgoing = None

    def response_received(self, sender: object, response: Response, now: float) -> None:
        """Take a response to the latest try."""
        status = response.status
        if status < 200:
            return
        if status < 300:
            self._answered(response, now)
            return
        self.is_out = False
        self._outgoing = None
        if status == 422 and self._tries < MAX_TRIES:
            self._usage.timer.longer(read_min_se(response) or 0)
            self._wait(0.0, now)
        elif status == 491 and self._tries < MAX_TRIES:
            self._wait(self._back_off(), now)
        else:
            self._usage.reinvite_failed(self, status, response, now)

    def unanswered(self, sender: object, status: int, slug: str, now: float) -> None:
        """Fail without a response."""
        self.is_out = False
        self._outgoing = None
        self._usage.reinvite_failed(self, status, None, now)

    def _answered(self, response: Response, now: float) -> None:
        if self._sent_ack is not None:
            self._usage.endpoint.transactions.send(*self._sent_ack)
        elif not self.ack_due:
            self.ack_due = True
            self._usage.reinvite_answered(self, response, now)

    def _wait(self, seconds: float, now: float) -> None:
        self.retry_at = now + seconds
        self._usage.reinvite_waits(self, now)

    def _back_off(self) -> float:
        steps = int(self._usage.endpoint.token()[:8], 16)
        if self._usage.made_call_id:
            return 2.1 + steps % 191 / 100
        return steps % 201 / 100
