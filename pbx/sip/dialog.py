"""Dialogs (RFC 3261 §12): who talks with whom, the route between them, and whose offer is open.

Decided here: the parts of each request within a dialog, route sets with loose and strict routers,
target refresh, CSeq order, and where a request goes when the far end is behind a NAT. Not decided
here: what a request means (`invite.py`), and anything about session descriptions: the offer state
moves when "a body with the session content type is there", nothing more.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pbx.errors import MessageError
from pbx.sip.flow import Flow
from pbx.sip.headers import NameAddr, Uri, read_tag
from pbx.sip.transaction_layer import DEFAULT_PORT
from pbx.sip.writing import RequestHead

if TYPE_CHECKING:
    from pbx.sip.message import Message, Request, Response


class DialogState(Enum):
    """EARLY before the 2xx, CONFIRMED after it, TERMINATED by a BYE or its like (§12)."""

    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class OfferState(Enum):
    """Whose offer waits for its answer (RFC 3264 §4, RFC 3261 §13.2.1)."""

    NONE = "none"
    SENT = "sent"
    RECEIVED = "received"


class DialogId(NamedTuple):
    """What tells dialogs apart (§12). An RFC 2543 remote has no tag."""

    call_id: str
    local_tag: str
    remote_tag: str | None


class Dialog:
    """One dialog, seen from our side.

    `local` and `remote` are the raw From and To values of our requests, tags included. `flow` is
    the way its messages have come; `behind_nat` says that only that way leads back.
    """

    __slots__ = (
        "_flows",
        "_lead",
        "_uri",
        "behind_nat",
        "flow",
        "id",
        "local",
        "local_cseq",
        "offer",
        "remote",
        "remote_cseq",
        "route_set",
        "state",
        "target",
    )

    def __init__(
        self,
        dialog_id: DialogId,
        *,
        local: str,
        remote: str,
        target: Uri,
        route_set: list[NameAddr],
        local_cseq: int,
        remote_cseq: int | None,
        flow: Flow,
        behind_nat: bool,
    ) -> None:
        self.id = dialog_id
        self.local = local
        self.remote = remote
        self.target = target
        self.route_set = route_set
        self.local_cseq = local_cseq
        self.remote_cseq = remote_cseq
        self.flow = flow
        self.behind_nat = behind_nat
        self.state = DialogState.EARLY
        self.offer = OfferState.NONE
        self._uri = ""
        self._lead = ""
        self._flows: tuple[Flow, ...] = ()

    @classmethod
    def of_request(cls, request: Request, local_tag: str, flow: Flow) -> Dialog:
        """Make the dialog of a request that we answer as UAS (§12.1.1)."""
        headers = request.headers
        return cls(
            DialogId(request.call_id, local_tag, request.from_tag),
            local=f"{headers.get('To')};tag={local_tag}",
            remote=headers.get("From") or "",
            target=_contact(request) or request.from_.uri,
            route_set=request.record_routes,
            local_cseq=0,
            remote_cseq=request.cseq.number,
            flow=flow,
            behind_nat=request.via.host != flow.remote[0],
        )

    @classmethod
    def of_response(
        cls, head: RequestHead, local: str, target: Uri, response: Response, flow: Flow
    ) -> Dialog:
        """Make the dialog of a response to our request (§12.1.2).

        `local` is our From value, `target` the URI that the request was sent to, over `flow`.
        """
        return cls(
            DialogId(head.call_id, read_tag(local) or "", response.to_tag),
            local=local,
            remote=response.headers.get("To") or head.to,
            target=_contact(response) or target,
            route_set=_record_routes(response)[::-1],
            local_cseq=head.number,
            remote_cseq=None,
            flow=flow,
            behind_nat=target.host != flow.remote[0],
        )

    def matches(self, call_id: str, remote_tag: str | None) -> bool:
        """Tell whether a message with our tag belongs to this dialog (§12.2.2)."""
        return self.id.call_id == call_id and (self.id.remote_tag or "") == (remote_tag or "")

    def next_request(self, method: str) -> RequestHead:
        """Return the head of our next request, with the next CSeq number (§12.2.1.1)."""
        self.local_cseq += 1
        return self.head(method, self.local_cseq)

    def head(self, method: str, number: int) -> RequestHead:
        """Return the head of a request with this CSeq number: that of the INVITE for its ACK."""
        if not self._uri:
            self._render()
        return RequestHead(
            method,
            self._uri,
            lead=self._lead,
            to=self.remote,
            call_id=self.id.call_id,
            number=number,
        )

    def accepts(self, number: int) -> bool:
        """Note the CSeq number of a request from the remote; False means 500 (§12.2.2)."""
        if self.remote_cseq is not None and number < self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def refresh_target(self, message: Message) -> None:
        """Take the remote's new Contact from a target refresh request or its 2xx (§12.2)."""
        contact = _contact(message)
        if contact is not None and contact != self.target:
            self.target = contact
            self._uri = ""

    def heard_from(self, flow: Flow) -> None:
        """Note that a request of the remote came on another way: a new port of its NAT, a new
        connection."""
        if flow != self.flow:
            self.flow = flow
            self._flows = ()

    def flows(self) -> tuple[Flow, ...]:
        """Return where requests go, best first (§12.2.1.1, §18.1.1)."""
        if not self._uri:
            self._render()
        if not self._flows:
            self._flows = self._find_flows()
        return self._flows

    def _find_flows(self) -> tuple[Flow, ...]:
        # Names are not resolved here: a remote that calls itself by name is answered where it is.
        hop = self.route_set[0].uri if self.route_set else self.target
        if self.behind_nat or not is_numeric(hop.host):
            return (self.flow,)
        transport = "tls" if hop.scheme == "sips" else hop.transport or "udp"
        if transport not in DEFAULT_PORT:
            return (self.flow,)
        if self.flow.transport == "tls" and transport != "tls":
            return (self.flow,)  # what began encrypted never goes on in the open
        direct = Flow(transport, self.flow.local, (hop.host, hop.port or DEFAULT_PORT[transport]))
        if self.flow.reliable:
            return (self.flow,) if direct == self.flow else (self.flow, direct)
        return (direct,)

    def _render(self) -> None:
        self._uri, route = aim(self.target, self.route_set)
        self._lead = f"{route}Max-Forwards: 70\r\nFrom: {self.local}\r\n"
        self._flows = ()

    def snapshot(self) -> dict[str, object]:
        """Return what people want to see of it."""
        return {
            "call_id": self.id.call_id,
            "local_tag": self.id.local_tag,
            "remote_tag": self.id.remote_tag,
            "state": self.state.value,
            "offer": self.offer.value,
            "target": str(self.target),
            "flow": str(self.flow),
        }


def aim(target: Uri, route_set: Sequence[NameAddr]) -> tuple[str, str]:
    """Return the Request-URI and the Route line of a request to `target` (§12.2.1.1).

    Where the first router is a strict one, the Request-URI is the router and `target` comes last
    in Route.
    """
    target = replace(target, headers="") if target.headers else target
    if not route_set:
        return str(target), ""
    routes = [str(route) for route in route_set]
    uri = str(target)
    if not route_set[0].uri.lr:
        uri, routes = str(route_set[0].uri), [*routes[1:], f"<{uri}>"]
    return uri, f"Route: {', '.join(routes)}\r\n"


@lru_cache(maxsize=4096)
def is_numeric(host: str) -> bool:
    """Tell whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _contact(message: Message) -> Uri | None:
    try:
        contacts = message.contacts
    except MessageError:
        return None  # Of a response; what it answers must come to an end all the same.
    return contacts[0].uri if contacts and contacts[0].uri.is_sip else None


def _record_routes(response: Response) -> list[NameAddr]:
    try:
        return response.record_routes
    except MessageError:
        return []
