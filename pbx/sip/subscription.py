"""One subscription as its notifier sees it (RFC 6665 §4.2): a dialog, and what it was last told.

`subscribe` judges a SUBSCRIBE and makes a `Subscription`; from then on the subscription lives by
itself: it grants refreshes, counts its time, and ends with a NOTIFY that says so. Each NOTIFY holds
the whole state, so only the newest counts: one is on its way at a time, and what changes meanwhile
goes out as one more. Requests go where the SUBSCRIBE came from, never to what Contact names: that
works through NAT, and nobody can point our notifications at somebody else.

Not decided here: who may subscribe to what, how many, and what the state is (`pbx.call`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pbx.errors import MessageError
from pbx.sip.deadlines import NEVER
from pbx.sip.dialog import Dialog, DialogState
from pbx.sip.endpoint import Endpoint, OpenRequest
from pbx.sip.events import SubscriptionEnded, SubscriptionId
from pbx.sip.grammar import is_token
from pbx.sip.outgoing import Nobody, Outgoing
from pbx.sip.parameters import Parameters
from pbx.sip.screening import Refusal, screen
from pbx.sip.uri import escape_user
from pbx.sip.writing import body_lines, header_lines

if TYPE_CHECKING:
    from pbx.sip.flow import Flow
    from pbx.sip.message import Request, Response

GONE = frozenset({404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604})
"""Responses to a NOTIFY that end its subscription (RFC 6665 §4.2.2), and 408."""


@dataclass(frozen=True, slots=True)
class Package:
    """An event package that we notify of (RFC 6665 §5). Times are in seconds: what is shorter than
    `min_expires` gets 423, what is longer than `max_expires` is granted that much."""

    name: str
    content_type: str
    min_expires: int = 60
    default_expires: int = 3600
    max_expires: int = 7200


def subscribe(
    endpoint: Endpoint, asked: OpenRequest, package: Package, body: bytes, now: float
) -> SubscriptionId | None:
    """Answer the first SUBSCRIBE of a subscription and send its NOTIFY; None where it is refused.

    Refused are: 489 another event, 406 another body, 423 too short a time, 400 no Contact.
    """
    granted = _judge_first(asked.request, package)
    if isinstance(granted, Refusal):
        extra = endpoint.server_line + granted.extra
        refusal = asked.head.write(granted.status, tag=endpoint.token(), extra=extra)
        asked.transaction.respond(granted.status, refusal, now)
        return None
    made = Subscription(endpoint, asked.request, asked.flow, package, body)
    lines = made.granted_lines(asked.request, asked.flow, granted)
    extra = asked.head.record_route + endpoint.server_line + lines
    asked.transaction.respond(200, asked.head.write(200, tag=made.local_tag, extra=extra), now)
    made.grant(granted, now)
    return made.id


class Subscription(Nobody):
    """The notifier's side of one subscription; it owns its NOTIFYs and wakes when its time is over.

    It leaves the table, and says so, once nothing more is to be sent.
    """

    def __init__(
        self, endpoint: Endpoint, request: Request, flow: Flow, package: Package, body: bytes
    ) -> None:
        self.local_tag = endpoint.token()
        self.id = SubscriptionId(self.local_tag)
        self.dialog = Dialog.of_request(request, self.local_tag, flow)
        self.dialog.state = DialogState.CONFIRMED
        self.dialog.behind_nat = True  # only the way that the SUBSCRIBE came is known to be its own
        self.armed_at = NEVER
        self._endpoint = endpoint
        self._package = package
        self._event = _event_value(request, package)
        self._contact = escape_user(request.uri.number)
        self._body = body
        self._expires_at = NEVER
        self._ending: tuple[str, str] | None = None  # the slug, and the reason for the far end
        self._on_its_way = False
        self._last_word = False  # that NOTIFY says that it is over
        self._news = False
        endpoint.subscriptions[self.id] = self

    def find_dialog(self, call_id: str, remote_tag: str | None) -> Dialog | None:
        """Return the dialog that a request of the remote belongs to."""
        return self.dialog if self.dialog.matches(call_id, remote_tag) else None

    # What the subscriber does.

    def receive_request(self, dialog: Dialog, request: Request, flow: Flow, now: float) -> None:
        """Take a request within the dialog: a refresh, an end, or what has no place here (481)."""
        endpoint = self._endpoint
        if not dialog.accepts(request.cseq.number):
            endpoint.answer(request, flow, 500, now)
            return
        refusal = screen(request, endpoint)
        if refusal is not None:
            endpoint.answer(request, flow, refusal.status, now, refusal.extra)
        elif request.method == "OPTIONS":
            endpoint.answer(request, flow, 200, now, endpoint.capability_lines())
        elif request.method != "SUBSCRIBE" or self._ending is not None:
            endpoint.answer(request, flow, 481, now)
        else:
            self._refresh(request, flow, now)

    def _refresh(self, request: Request, flow: Flow, now: float) -> None:
        granted = _judge(request, self._package)
        if isinstance(granted, Refusal):
            self._endpoint.answer(request, flow, granted.status, now, granted.extra)
            return
        self.dialog.heard_from(flow)
        self.dialog.refresh_target(request)
        self._endpoint.answer(request, flow, 200, now, self.granted_lines(request, flow, granted))
        self.grant(granted, now)

    def granted_lines(self, request: Request, flow: Flow, expires: int) -> str:
        """Return what a 200 says besides: our Contact, and the seconds granted (§4.2.1.1)."""
        sips = request.uri.scheme == "sips"
        contact = self._endpoint.contact_line(flow, self._contact, sips=sips)
        return f"{contact}Expires: {expires}\r\n"

    def grant(self, expires: int, now: float) -> None:
        """Let it live for `expires` seconds from now, 0 to end it, and send the NOTIFY due."""
        if expires == 0:
            self._ending = ("unsubscribed", "timeout")
        else:
            self._expires_at = now + expires
            self._endpoint.deadlines.arm(self, self._expires_at)
        self._tell(now)

    # What we do.

    def notify(self, body: bytes, now: float) -> None:
        """Send the state as it is now."""
        self._body = body
        if self._ending is None:
            self._tell(now)

    def end(self, reason: str, now: float) -> None:
        """End it from our side for a reason of RFC 6665 §4.1.3; no event follows."""
        if self._ending is None:
            self._ending = ("", reason)
            self._tell(now)

    def wakes_at(self) -> float:
        """Return when its time is over."""
        return self._expires_at if self._ending is None else NEVER

    def wake(self, now: float) -> None:
        """End it, as it was not refreshed in time."""
        self._ending = ("expired", "timeout")
        self._tell(now)

    def _tell(self, now: float) -> None:
        if self._on_its_way:
            self._news = True
        else:
            self._send(now)

    def _send(self, now: float) -> None:
        if self._ending is None:
            state = f"active;expires={max(1, round(self._expires_at - now))}"
        else:
            state = f"terminated;reason={self._ending[1]}"
        self._on_its_way, self._news = True, False
        self._last_word = self._ending is not None
        headers = (("Event", self._event), ("Subscription-State", state))
        extra = header_lines(headers) + body_lines(self._package.content_type, self._body)
        Outgoing(
            self._endpoint,
            self.dialog.next_request("NOTIFY"),
            self._endpoint.flows_of(self.dialog),
            self,
            now,
            contact=self._contact,
            extra=self._endpoint.agent_line + extra,
            body=self._body,
        )

    # What becomes of a NOTIFY.

    def response_received(self, sender: object, response: Response, now: float) -> None:
        """Send what has changed meanwhile; end where the subscriber knows nothing of us."""
        if response.status < 200:
            return
        self._on_its_way = False
        if self._last_word:
            assert self._ending is not None
            self._leave(self._ending[0])
        elif response.status in GONE:
            self._leave("dialog_gone", response.status)
        elif self._news:
            self._send(now)

    def unanswered(self, sender: object, status: int, slug: str, now: float) -> None:
        """End: nobody is there."""
        self._leave("dialog_gone" if slug == "timeout" else slug, status)

    def _leave(self, slug: str, status: int = 0) -> None:
        # Once we have ended it ourselves, nobody waits for an event.
        told = self._ending is None or self._ending[0] != ""
        self._ending = self._ending or (slug, "")
        self._endpoint.subscriptions.pop(self.id, None)
        if told:
            self._endpoint.emit(SubscriptionEnded(self.id, slug, status))


def _judge_first(request: Request, package: Package) -> int | Refusal:
    try:
        granted = _judge(request, package)
    except MessageError as error:  # a header that nobody has read so far
        return Refusal(error.status)
    return granted if any(contact.uri.is_sip for contact in request.contacts) else Refusal(400)


def _judge(request: Request, package: Package) -> int | Refusal:
    """Return the seconds to grant, 0 for none, or why the SUBSCRIBE is refused."""
    if _event_name(request) != package.name:
        return Refusal(489, f"Allow-Events: {package.name}\r\n")
    wanted = request.accept
    if wanted is not None and not any(media.covers(package.content_type) for media in wanted):
        return Refusal(406, f"Accept: {package.content_type}\r\n")
    expires = request.expires
    if expires is None:
        return package.default_expires
    if 0 < expires < package.min_expires:
        return Refusal(423, f"Min-Expires: {package.min_expires}\r\n")
    return min(expires, package.max_expires)


def _event_name(request: Request) -> str:
    return (request.headers.get("Event") or "").partition(";")[0].strip().lower()


def _event_value(request: Request, package: Package) -> str:
    """Return the Event of our NOTIFYs: the package, and the subscriber's id for it (§8.2.1)."""
    _, semicolon, rest = (request.headers.get("Event") or "").partition(";")
    try:
        name = Parameters.parse(semicolon + rest).get("id")
    except MessageError:
        name = None
    return f"{package.name};id={name}" if name is not None and is_token(name) else package.name
