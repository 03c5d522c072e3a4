"""Requests outside any dialog that are no INVITE, in both directions (RFC 3261 §8).

OPTIONS to see whether a phone is there, REGISTER, a NOTIFY that nobody subscribed to and the like:
one transaction each, no state behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pbx.sip.dialog import aim
from pbx.sip.endpoint import CHALLENGES, Answer, Endpoint, OpenRequest
from pbx.sip.events import RequestAnswered, RequestFailed, RequestId, RequestReceived
from pbx.sip.indialog import CARRIES_CONTACT
from pbx.sip.outgoing import Nobody, Outgoing
from pbx.sip.writing import RequestHead, body_lines, tagged

if TYPE_CHECKING:
    from pbx.sip.account import Account
    from pbx.sip.flow import Flow
    from pbx.sip.headers import NameAddr, Uri
    from pbx.sip.message import Request, Response
    from pbx.sip.transaction_layer import Key


class ReceivedRequest:
    """A request of a remote that the layer above answers."""

    def __init__(
        self, endpoint: Endpoint, request: Request, flow: Flow, now: float, *, merge_key: Key | None
    ) -> None:
        self._endpoint = endpoint
        self._tag = endpoint.token()
        asked = endpoint.open_request(request, flow, self, now, merge_key=merge_key)
        endpoint.emit(RequestReceived(None, asked.name, request, flow))

    def respond(self, asked: OpenRequest, answer: Answer, now: float) -> None:
        """Send a response."""
        endpoint = self._endpoint
        extra = endpoint.server_line + answer.extra + body_lines(answer.content_type, answer.body)
        message = asked.head.write(
            answer.status, tag=self._tag, reason=answer.reason, extra=extra, body=answer.body
        )
        asked.transaction.respond(answer.status, message, now)
        if answer.status >= 200:
            endpoint.waiting.pop(asked.name, None)
        if answer.status in CHALLENGES:
            asked.transaction.terminate()


class _SentRequest(Nobody):
    """A request of the layer above; the final response is passed on."""

    def __init__(self, endpoint: Endpoint, request_id: RequestId) -> None:
        self._endpoint = endpoint
        self._request_id = request_id

    def response_received(self, sender: object, response: Response, now: float) -> None:
        """Pass the final response on."""
        if response.status >= 200:
            self._endpoint.emit(RequestAnswered(self._request_id, response))

    def unanswered(self, sender: object, status: int, slug: str, now: float) -> None:
        """Say that no destination answered."""
        self._endpoint.emit(RequestFailed(self._request_id, status, slug))


def send_outside(
    endpoint: Endpoint,
    method: str,
    target: Uri,
    destinations: Sequence[Flow],
    *,
    to: NameAddr,
    from_: NameAddr,
    route: Sequence[NameAddr],
    extra: str,
    content_type: str | None,
    body: bytes | None,
    contact: str | None,
    account: Account | None,
    same: tuple[str, int] | None,
    now: float,
) -> RequestId:
    """Send a request; RequestAnswered or RequestFailed follows.

    `same` are the Call-ID and the CSeq number where they go on from an earlier request (§10.2.4).
    """
    request_id = endpoint.next_request()
    owner = _SentRequest(endpoint, request_id)
    uri, route_line = aim(target, route)
    sender = tagged(from_, endpoint.token())
    call_id, number = same or (endpoint.token(), 1)
    if contact is None and method in CARRIES_CONTACT:
        contact = from_.uri.user or ""
    head = RequestHead(
        method,
        uri,
        lead=f"{route_line}Max-Forwards: 70\r\nFrom: {sender}\r\n",
        to=str(to),
        call_id=call_id,
        number=number,
    )
    Outgoing(
        endpoint,
        head,
        destinations,
        owner,
        now,
        contact=contact,
        extra=endpoint.agent_line + extra + body_lines(content_type, body),
        body=body,
        moves_on=True,
        account=account,
    )
    return request_id
