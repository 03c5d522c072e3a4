"""What all parts of one user agent share: its tables, its outbox, its events, its names.

`UserAgent` is the door; behind it `InviteUsage` and its like need to send, to wait, to be found and
to tell. This is the desk they share. It decides nothing but how Via and Contact look.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pbx.errors import MessageError
from pbx.sip.deadlines import Deadlines
from pbx.sip.events import InviteId, RequestId, SubscriptionId, TransactionId, UserAgentEvent
from pbx.sip.flow import Address, Flow, host_port
from pbx.sip.headers import MAGIC_COOKIE
from pbx.sip.transaction_layer import Key, TransactionLayer, response_flow
from pbx.sip.writing import RequestHead, ResponseHead

if TYPE_CHECKING:
    from pbx.sip.dialog import Dialog
    from pbx.sip.invite import InviteUsage
    from pbx.sip.machine import ServerTransaction
    from pbx.sip.message import Request
    from pbx.sip.settings import AgentSettings
    from pbx.sip.subscription import Subscription

CHALLENGES = frozenset({401, 407})
"""Responses that leave no state behind: strangers get many of them (§26.3.2.4)."""

REMEMBER_NO_STREAM = 600.0
"""Seconds for which a remote that took no connection gets large requests by UDP."""

MAX_NO_STREAM = 10_000


class OpenRequest:
    """A request of a remote that waits for its final response; forgotten when it has it."""

    __slots__ = ("flow", "head", "name", "request", "transaction")

    def __init__(
        self, name: TransactionId, request: Request, transaction: ServerTransaction, flow: Flow
    ) -> None:
        self.name = name
        self.request = request
        self.transaction = transaction
        self.flow = flow
        self.head = ResponseHead(request)


class Responder(Protocol):
    """Who words the responses to a request: the INVITE that it belongs to."""

    def respond(self, asked: OpenRequest, answer: Answer, now: float) -> None:
        """Send the response, with what the state of the INVITE adds to it."""


class Answer(NamedTuple):
    """What the layer above wants to answer; `extra` holds whole header lines."""

    status: int
    reason: str | None = None
    extra: str = ""
    content_type: str = ""
    body: bytes | None = None


class Waiting(NamedTuple):
    """A request that the layer above will answer, and who words the response."""

    asked: OpenRequest
    responder: Responder


class Endpoint:
    """The shared state of a user agent."""

    def __init__(
        self,
        settings: AgentSettings,
        token: Callable[[], str],
        advertise: Callable[[Flow], Address],
    ) -> None:
        self.settings = settings
        self.token = token
        self.advertise = advertise
        self.outbox: list[tuple[bytes, Flow]] = []
        self.events: deque[UserAgentEvent] = deque()
        self.emit = self.events.append
        # Session timers run for half an hour; a call that is over is not to be kept for so long.
        self.deadlines = Deadlines(horizon=settings.timers.timeout + 1)
        self.transactions = TransactionLayer(settings.timers, self.deadlines, self.outbox)
        self.open_flows: set[Flow] = set()
        self.invites: dict[InviteId, InviteUsage] = {}
        self.by_local_tag: dict[str, InviteUsage] = {}
        self.subscriptions: dict[SubscriptionId, Subscription] = {}
        self.waiting: dict[TransactionId, Waiting] = {}
        self.server_line = f"Server: {settings.name}\r\n"
        self.agent_line = f"User-Agent: {settings.name}\r\n"
        self.allow_line = f"Allow: {', '.join(settings.allow)}\r\n"
        self.supported_line = f"Supported: {', '.join(settings.supported)}\r\n"
        self.accept_line = f"Accept: {', '.join(settings.accept)}\r\n"
        self.events_line = f"Allow-Events: {', '.join(settings.events)}\r\n"
        self.busy_line = f"Retry-After: {settings.retry_after}\r\n"
        self._no_stream: OrderedDict[Address, float] = OrderedDict()
        self._last_id = 0

    def next_invite(self) -> InviteId:
        """Return a fresh id."""
        self._last_id += 1
        return InviteId(self._last_id)

    def next_request(self) -> RequestId:
        """Return a fresh id."""
        self._last_id += 1
        return RequestId(self._last_id)

    def open_request(
        self,
        request: Request,
        flow: Flow,
        responder: Responder,
        now: float,
        *,
        merge_key: Key | None = None,
    ) -> OpenRequest:
        """Begin the server transaction of a request that the layer above will answer."""
        self._last_id += 1
        name = TransactionId(self._last_id)
        transaction = self.transactions.start_server(request, flow, now, merge_key=merge_key)
        asked = OpenRequest(name, request, transaction, flow)
        self.waiting[name] = Waiting(asked, responder)
        return asked

    def via(self, flow: Flow) -> tuple[str, str]:
        """Return a fresh branch and the Via value with it (§8.1.1.7, RFC 3581 §3)."""
        branch = MAGIC_COOKIE + self.token()
        host = host_port(*self.advertise(flow))
        return branch, f"SIP/2.0/{flow.transport.upper()} {host};rport;branch={branch}"

    def contact_line(self, flow: Flow, user: str, *, sips: bool = False) -> str:
        """Return our Contact as the remote of `flow` can reach it; `user` is escaped.

        `sips` says that the request is for a sips URI: by TLS, the Contact is one too (§8.1.1.8).
        """
        host = host_port(*self.advertise(flow))
        at = f"{user}@" if user else ""
        if sips and flow.transport == "tls":
            return f"Contact: <sips:{at}{host}>\r\n"
        transport = f";transport={flow.transport}" if flow.transport != "udp" else ""
        return f"Contact: <sip:{at}{host}{transport}>\r\n"

    def capability_lines(self) -> str:
        """Return what a 200 to OPTIONS says (§11.2)."""
        return self.allow_line + self.accept_line + self.supported_line + self.events_line

    def is_session(self, content_type: str | None, body: bytes | None) -> bool:
        """Tell whether a body is an offer or an answer: it has the session content type."""
        return bool(body) and content_type in self.settings.accept

    def flows_of(self, dialog: Dialog) -> tuple[Flow, ...]:
        """Return where requests of a dialog go: a stream that has closed only as the last way."""
        flows = dialog.flows()
        if len(flows) > 1 and flows[0] not in self.open_flows:
            return flows[1:] + flows[:1]
        return flows

    def send_ack(
        self, dialog: Dialog, number: int, *, extra: str = "", body: bytes | None = None
    ) -> tuple[bytes, Flow]:
        """Send the ACK to a 2xx: a request of its own, end to end (§13.2.2.4). Return it, so that
        copies of the 2xx can get the same."""
        flow = self.flows_of(dialog)[0]
        head: RequestHead = dialog.head("ACK", number)
        message = head.write("ACK", self.via(flow)[1], extra=extra, body=body)
        self.outbox.append((message, flow))
        return message, flow

    def answer_statelessly(
        self, request: Request, flow: Flow, status: int, extra: str = ""
    ) -> None:
        """Answer a request without a transaction (§8.2.7); an ACK is never answered.

        For refusals that copies of the request will get again, because they depend on the request
        alone.
        """
        if request.method == "ACK" or "Via" not in request.headers:
            return
        message = self._write_answer(request, status, extra, "")
        try:
            back = response_flow(request.via, flow)
        except MessageError:
            back = flow
        self.outbox.append((message, back))

    def answer(
        self,
        request: Request,
        flow: Flow,
        status: int,
        now: float,
        extra: str = "",
        *,
        tag: str = "",
    ) -> None:
        """Answer a request with a transaction, so that copies of it get the same later."""
        message = self._write_answer(request, status, extra, tag)
        self.transactions.start_server(request, flow, now).respond(status, message, now)

    def _write_answer(self, request: Request, status: int, extra: str, tag: str) -> bytes:
        # Without a tag, copies get the same one, made of what they share.
        head = ResponseHead(request)
        tag = tag or f"{hash((head.before, head.after)) & 0xFFFFFFFFFFFF:012x}"
        return head.write(status, tag=tag, extra=self.server_line + extra)

    def retry_after(self) -> str:
        """Return the header line for a 500 that two offers at once have caused (§14.2)."""
        return f"Retry-After: {int(self.token()[:8], 16) % 11}\r\n"

    def takes_stream(self, remote: Address, now: float) -> bool:
        """Tell whether a connection to `remote` is worth a try."""
        until = self._no_stream.get(remote)
        return until is None or until < now

    def note_no_stream(self, remote: Address, now: float) -> None:
        """Remember that `remote` takes no connections."""
        self._no_stream[remote] = now + REMEMBER_NO_STREAM
        self._no_stream.move_to_end(remote)
        if len(self._no_stream) > MAX_NO_STREAM:
            self._no_stream.popitem(last=False)

    def snapshot(self) -> dict[str, object]:
        """Return counts of what is in the tables, and the dialogs."""
        return {
            "transactions": self.transactions.snapshot(),
            "invites": len(self.invites),
            "usages": len(self.by_local_tag),
            "subscriptions": len(self.subscriptions),
            "waiting": len(self.waiting),
            "timers": len(self.deadlines),
            "dialogs": [
                usage.dialog.snapshot()
                for usage in self.by_local_tag.values()
                if usage.dialog is not None
            ],
        }
