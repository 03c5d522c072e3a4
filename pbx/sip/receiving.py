"""Sorts what comes in: to a transaction, to a dialog, to the layer above, or to nobody.

The order of RFC 3261 §8.2 and §12.2.2: copies are absorbed by their transaction first, because that
is cheap; then the request must be well-formed; then it belongs to a dialog or begins something. No
message can raise out of here: `MessageError`, which any header may cause when it is first read, is
answered with its status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.errors import MessageError
from pbx.sip.events import Dropped, SubscriptionId
from pbx.sip.invite_server import ReceivedInvite
from pbx.sip.message import Request, Response, validate_request
from pbx.sip.outside import ReceivedRequest
from pbx.sip.screening import screen, screen_hops
from pbx.sip.transaction import Input, Tell

if TYPE_CHECKING:
    from pbx.sip.endpoint import Endpoint
    from pbx.sip.flow import Flow
    from pbx.sip.invite import InviteUsage
    from pbx.sip.subscription import Subscription


class Receiver:
    """The way in of a user agent."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def receive(self, message: Request | Response | MessageError, flow: Flow, now: float) -> None:
        """Take one message, or the error that was made of it."""
        if isinstance(message, MessageError):
            self._refuse(message, flow)
            return
        try:
            if isinstance(message, Response):
                self._receive_response(message, flow, now)
            elif message.method == "ACK":
                self._receive_ack(message, flow, now)
            else:
                self._receive_request(message, flow, now)
        except MessageError as error:
            if isinstance(message, Request):
                error.partial = message
            self._refuse(error, flow)

    def _refuse(self, error: MessageError, flow: Flow) -> None:
        request = error.partial
        if isinstance(request, Request) and request.method != "ACK" and "Via" in request.headers:
            self._stamp(request, flow)
            self._endpoint.answer_statelessly(request, flow, error.status)
        else:
            self._drop(error.slug, flow)

    def _drop(self, slug: str, flow: Flow) -> None:
        self._endpoint.emit(Dropped(slug, flow))

    @staticmethod
    def _stamp(request: Request, flow: Flow) -> None:
        try:
            request.stamp_source(*flow.remote)
        except MessageError:
            return  # Its Via cannot be read; it is sent back as it came.

    def _receive_response(self, response: Response, flow: Flow, now: float) -> None:
        # A response with a second Via was meant for somebody behind us, and we are no proxy
        # (§8.1.3.3).
        vias = response.headers.get_all("Via")
        if len(vias) != 1 or "," in vias[0]:
            self._drop("response_for_another", flow)
        elif not self._endpoint.transactions.receive_response(response, now):
            self._drop("unmatched_response", flow)

    def _receive_ack(self, request: Request, flow: Flow, now: float) -> None:
        transaction = self._endpoint.transactions.find_server(request, "INVITE")
        if transaction is not None and transaction.step(Input.ACK, now) is not Tell.MESSAGE:
            return
        if request.body:
            validate_request(request)  # The layer above will read it.
        usage = self._endpoint.by_local_tag.get(request.to_tag or "")
        if usage is not None and usage.find_dialog(request.call_id, request.from_tag) is not None:
            usage.receive_ack(request, flow, now)
        else:
            self._drop("stray_ack", flow)

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        endpoint = self._endpoint
        request.stamp_source(*flow.remote)
        transaction = endpoint.transactions.find_server(request, request.method)
        if transaction is not None:
            transaction.step(Input.REQUEST, now)
            return
        validate_request(request)
        if request.method == "CANCEL":
            self._receive_cancel(request, flow, now)
            return
        to_tag = request.to_tag
        if to_tag is None or request.method == "REGISTER":
            self._receive_first(request, flow, now)
            return
        usage: InviteUsage | Subscription | None = endpoint.by_local_tag.get(to_tag)
        if usage is None:
            usage = endpoint.subscriptions.get(SubscriptionId(to_tag))
        dialog = usage.find_dialog(request.call_id, request.from_tag) if usage else None
        if usage is None:
            self._refuse_unknown_dialog(request, flow)
        elif dialog is None:
            endpoint.answer(request, flow, 481, now)  # It may have overtaken a response.
        else:
            usage.receive_request(dialog, request, flow, now)

    def _refuse_unknown_dialog(self, request: Request, flow: Flow) -> None:
        # Requests within a dialog of ours name our Contact, so one that names another host was
        # never meant for us (§12.2.2): nobody of that name is here.
        is_ours = request.uri.host == self._endpoint.advertise(flow)[0]
        self._endpoint.answer_statelessly(request, flow, 481 if is_ours else 404)

    def _receive_cancel(self, request: Request, flow: Flow, now: float) -> None:
        # CANCEL is answered 200 whether or not it comes in time (§9.2), 481 when there is nothing.
        endpoint = self._endpoint
        transaction = endpoint.transactions.find_server(request, "INVITE")
        if transaction is None:
            endpoint.answer_statelessly(request, flow, 481)
            return
        user = transaction.user
        endpoint.answer(request, flow, 200, now, tag=user.local_tag if user else "")
        if user is not None and not transaction.answered:
            user.request_cancelled(transaction, request, now)

    def _receive_first(self, request: Request, flow: Flow, now: float) -> None:
        endpoint = self._endpoint
        refusal = screen(request, endpoint) or screen_hops(request)
        if refusal is not None:
            endpoint.answer_statelessly(request, flow, *refusal)
            return
        if request.method == "OPTIONS":
            endpoint.answer_statelessly(request, flow, 200, endpoint.capability_lines())
            return
        from_tag = request.from_tag
        number = request.cseq.number
        merge_key = (request.call_id, from_tag, number, request.method) if from_tag else None
        if len(endpoint.transactions) >= endpoint.settings.max_transactions:
            endpoint.answer_statelessly(request, flow, 503, endpoint.busy_line)
        elif (merge_key and endpoint.transactions.find_original(merge_key)) or self._loops(request):
            endpoint.answer(request, flow, 482, now)
        elif request.method == "INVITE" and self._has_too_many_calls():
            endpoint.answer(request, flow, 503, now, endpoint.busy_line)
        elif request.method == "INVITE":
            ReceivedInvite(endpoint, request, flow, now, merge_key=merge_key)
        elif request.method in ("BYE", "UPDATE", "PRACK"):
            endpoint.answer_statelessly(request, flow, 481)
        else:
            ReceivedRequest(endpoint, request, flow, now, merge_key=merge_key)

    def _loops(self, request: Request) -> bool:
        # A request of ours that comes back to us as it was has gone in a circle; one that comes
        # back with another Request-URI was meant to (a spiral, §16.3), and Max-Forwards bounds it.
        if len(request.headers.get_all("Via")) < 2 and "," not in (
            request.headers.get("Via") or ""
        ):
            return False
        for via in request.vias[1:]:
            ours = self._endpoint.transactions.sent(via.branch, request.method)
            if ours is not None and ours.head.uri == request.uri_text:
                return True
        return False

    def _has_too_many_calls(self) -> bool:
        return len(self._endpoint.by_local_tag) >= self._endpoint.settings.max_invites
