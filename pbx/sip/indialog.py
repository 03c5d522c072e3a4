"""The requests that we send within a dialog, and what their outcome means for it.

One small owner per kind: BYE, the session timer's UPDATE, and whatever the layer above sends. The
re-INVITE, which waits, backs off and needs an ACK, is `reinvite.py`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pbx.sip.dialog import OfferState
from pbx.sip.events import RequestAnswered, RequestFailed, RequestId
from pbx.sip.outgoing import Nobody, Outgoing
from pbx.sip.session_timer import read_min_se

if TYPE_CHECKING:
    from pbx.sip.invite import InviteUsage
    from pbx.sip.message import Response

DIALOG_GONE = frozenset({408, 481})
"""Responses to a request within a dialog that end it (RFC 3261 §12.2.1.2)."""

CARRIES_CONTACT = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"})
"""Methods whose requests refresh the remote's target (RFC 3261 §12.2.1.1 and the methods' RFCs)."""


class Farewell(Nobody):
    """A BYE: whatever the answer, the dialog is over (RFC 3261 §15.1.1)."""

    def __init__(self, usage: InviteUsage) -> None:
        self._usage = usage

    def response_received(self, sender: object, response: Response, now: float) -> None:
        """Forget the dialog with the final response."""
        if response.status >= 200:
            self._usage.leave_tables()

    def unanswered(self, sender: object, status: int, slug: str, now: float) -> None:
        """Forget the dialog."""
        self._usage.leave_tables()


class RequestInDialog(Nobody):
    """A request of the layer above."""

    def __init__(
        self, usage: InviteUsage, request_id: RequestId, *, is_update: bool, has_offer: bool
    ) -> None:
        self._usage = usage
        self._request_id = request_id
        self._is_update = is_update
        self._has_offer = has_offer

    def response_received(self, sender: object, response: Response, now: float) -> None:
        """Pass the final response on."""
        status = response.status
        if status < 200:
            return
        usage = self._usage
        self._settle()
        if self._is_update and status < 300:
            usage.refreshed(response, now)
        usage.tell(RequestAnswered(self._request_id, response))
        if status in DIALOG_GONE:
            usage.dialog_gone(status, now)
        usage.proceed(now)

    def unanswered(self, sender: object, status: int, slug: str, now: float) -> None:
        """Say that no response came; silence ends the dialog."""
        usage = self._usage
        self._settle()
        usage.tell(RequestFailed(self._request_id, status, slug))
        if status in DIALOG_GONE:
            usage.dialog_gone(status, now)
        usage.proceed(now)

    def _settle(self) -> None:
        if self._has_offer:
            self._usage.offer_settled(OfferState.SENT)


class Refresh(Nobody):
    """The UPDATE that refreshes the session (RFC 4028 §7.4)."""

    def __init__(self, usage: InviteUsage) -> None:
        self._usage = usage

    def response_received(self, sender: object, response: Response, now: float) -> None:
        """Start the next interval; on failure end the dialog, or try again."""
        status = response.status
        if status < 200:
            return
        usage = self._usage
        if status < 300:
            usage.refreshed(response, now)
        elif status in DIALOG_GONE:
            usage.dialog_gone(status, now)
        else:
            if status in (405, 501):
                usage.remote_updates = False
            usage.refresh_failed(status, read_min_se(response), now)

    def unanswered(self, sender: object, status: int, slug: str, now: float) -> None:
        """End the dialog on silence; without a way to send, wait for a better time."""
        if status in DIALOG_GONE:
            self._usage.dialog_gone(status, now)
        else:
            self._usage.refresh_failed(status, None, now)


def send_in_dialog(
    usage: InviteUsage,
    owner: Nobody,
    method: str,
    *,
    extra: str = "",
    body: bytes | None = None,
    now: float,
) -> Outgoing:
    """Send a request within the usage's dialog."""
    dialog, endpoint = usage.dialog, usage.endpoint
    assert dialog is not None
    return Outgoing(
        endpoint,
        dialog.next_request(method),
        endpoint.flows_of(dialog),
        owner,
        now,
        contact=usage.contact if method in CARRIES_CONTACT else None,
        extra=endpoint.agent_line + extra,
        body=body,
        account=usage.account,
        renew=partial(dialog.next_request, method),
    )
