"""A scripted phone for flow tests: a user agent of its own on the in-memory network.

It stands on the project's own SIP core, so it proves the calls above that core, not the core: that
is what pjsua2, baresip and SIPp are for (tests/interop). Descriptions are plain text written here,
without the project's offer/answer code.

    alice = office.phone("101")
    await alice.register()
    call = alice.call("102")
    ringing = await bob.rung()
    ringing.answer()
    await call.answered()
    call.hang_up()
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar
from urllib.parse import quote

from pbx.sip import events as sip
from pbx.sip.digest import Challenge, answer
from pbx.sip.flow import Address, Flow
from pbx.sip.headers import NameAddr, Uri
from pbx.sip.message import Request, Response
from pbx.sip.refer import read_sipfrag
from pbx.sip.settings import AgentSettings
from pbx.sip.user_agent import UserAgent
from tests.kit.network import Network, Node

Event = TypeVar("Event", bound=sip.UserAgentEvent)

SETTINGS = AgentSettings(name="softphone", allow=(*AgentSettings().allow, "NOTIFY"))

RTPMAP = {
    "PCMU": (0, "PCMU/8000"),
    "PCMA": (8, "PCMA/8000"),
    "G722": (9, "G722/8000"),
    "opus": (96, "opus/48000/2"),
}


def description(
    address: str,
    port: int,
    codecs: Sequence[str] = ("PCMU", "PCMA"),
    *,
    direction: str = "sendrecv",
    version: int = 1,
    event: int | None = 101,
) -> bytes:
    """Return a session description as a plain desk phone writes it."""
    numbers = [str(RTPMAP[codec][0]) for codec in codecs]
    lines = [
        "v=0",
        f"o=- 4711 {version} IN IP4 {address}",
        "s=-",
        f"c=IN IP4 {address}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(numbers + ([str(event)] if event else []))}",
        *(f"a=rtpmap:{RTPMAP[codec][0]} {RTPMAP[codec][1]}" for codec in codecs),
    ]
    if event:
        lines += [f"a=rtpmap:{event} telephone-event/8000", f"a=fmtp:{event} 0-15"]
    lines.append(f"a={direction}")
    return ("\r\n".join(lines) + "\r\n").encode()


class Softphone:
    """One phone with one line."""

    def __init__(
        self,
        network: Network,
        number: str,
        password: str,
        *,
        address: Address,
        exchange: Address,
        tokens: Tokens,
        codecs: Sequence[str] = ("PCMU", "PCMA"),
        transport: str = "udp",
    ) -> None:
        self.number = number
        self.password = password
        self.codecs = tuple(codecs)
        self.address = address
        self.exchange = exchange
        self.transport = transport
        self.ua = UserAgent(SETTINGS, token=tokens, advertise=_local)
        self.node = Node(network, address, self.ua, self._pump)
        self.calls: dict[sip.InviteId, PhoneCall] = {}
        self.asking: dict[sip.RequestId, PhoneCall] = {}
        self.seen: list[sip.UserAgentEvent] = []
        self._incoming: asyncio.Queue[PhoneCall] = asyncio.Queue()
        self._answers: dict[sip.RequestId, asyncio.Future[sip.UserAgentEvent]] = {}
        self._next_port = 40_000

    @property
    def uri(self) -> Uri:
        """Return the address of record."""
        return Uri("sip", self.number, host=self.exchange[0])

    async def register(
        self,
        *,
        expires: int = 3600,
        password: str | None = None,
        for_number: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Response:
        """Register, answering the challenge; return the final response."""
        aor = Uri("sip", for_number or self.number, host=self.exchange[0])
        fields = [("Expires", str(expires)), ("Contact", f"<{self._contact()}>"), *headers]
        response = await self._send("REGISTER", aor, fields)
        if response.status == 401:
            uri = Uri("sip", host=self.exchange[0])
            proof = self.proof(response, "REGISTER", uri, password)
            response = await self._send("REGISTER", aor, [*fields, proof])
        return response

    def call(
        self,
        to: str,
        *,
        body: bytes | None = None,
        offer: bool = True,
        max_forwards: int = 70,
        headers: Sequence[tuple[str, str]] = (),
        from_: NameAddr | None = None,
    ) -> PhoneCall:
        """Dial, as `from_` where it is not this phone; a challenge is answered by itself."""
        call = PhoneCall(self, to, max_forwards)
        call.from_ = from_ or NameAddr(None, self.uri)
        if offer:
            call.body = body or self.describe()
        call.headers = tuple(headers)
        call.dial(())
        return call

    async def rung(self, within: float = 60.0) -> PhoneCall:
        """Return the next call that comes in."""
        async with asyncio.timeout(within):
            return await self._incoming.get()

    @property
    def was_rung(self) -> bool:
        """Tell whether a call came in that nobody took with `rung`."""
        return not self._incoming.empty()

    def describe(
        self, *, direction: str = "sendrecv", version: int = 1, offer: bytes = b""
    ) -> bytes:
        """Return this phone's description at a new port; its answer is in the order of `offer`."""
        self._next_port += 2
        places = {codec: offer.find(f"{codec}/".encode()) for codec in self.codecs}
        ordered = sorted(self.codecs, key=lambda codec: places[codec])
        return description(
            self.address[0], self._next_port, ordered, direction=direction, version=version
        )

    def now(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()

    def _contact(self) -> Uri:
        return Uri("sip", self.number, host=self.address[0], port=self.address[1])

    async def _send(self, method: str, aor: Uri, headers: Sequence[tuple[str, str]]) -> Response:
        request = self.ua.send(
            method,
            Uri("sip", host=self.exchange[0]),
            destinations=(self.node.flow_to(self.exchange, self.transport),),
            to=NameAddr(None, aor),
            from_=NameAddr(None, aor),
            headers=headers,
            now=self.now(),
        )
        future: asyncio.Future[sip.UserAgentEvent] = asyncio.get_running_loop().create_future()
        self._answers[request] = future
        self.node.transmit_soon()
        event = await future
        if not isinstance(event, sip.RequestAnswered):
            raise AssertionError(f"{method} of {self.number}: {event}")
        return event.response

    def proof(
        self, response: Response, method: str, uri: Uri, password: str | None = None
    ) -> tuple[str, str]:
        """Return the Authorization header that answers a challenge."""
        challenge = Challenge.parse(response.headers.get_all("WWW-Authenticate")[0])
        credentials = answer(
            challenge,
            username=self.number,
            password=password or self.password,
            method=method,
            uri=str(uri),
            cnonce="0a4f113b",
        )
        return "Authorization", str(credentials)

    def _pump(self) -> None:
        while (event := self.ua.next_event()) is not None:
            self.seen.append(event)
            self._take(event)

    def _take(self, event: sip.UserAgentEvent) -> None:
        match event:
            case sip.InviteReceived():
                call = PhoneCall(self, self.number, 70)
                call.invite, call.request = event.invite, event.request
                call.transaction = event.transaction
                self.calls[event.invite] = call
                self._incoming.put_nowait(call)
            case sip.RequestAnswered() | sip.RequestFailed() if event.request_id in self.asking:
                self.asking.pop(event.request_id).take(event)
            case sip.RequestAnswered() | sip.RequestFailed():
                future = self._answers.pop(event.request_id, None)
                if future is not None and not future.done():
                    future.set_result(event)
            case sip.Dropped() | sip.SubscriptionEnded():
                pass
            case _:
                if event.invite is not None and event.invite in self.calls:
                    self.calls[event.invite].take(event)


class PhoneCall:
    """One call of one phone."""

    def __init__(self, phone: Softphone, to: str, max_forwards: int) -> None:
        self.phone = phone
        self.to = to
        self.invite: sip.InviteId
        self.request: Request | None = None
        self.transaction: sip.TransactionId | None = None
        self.body: bytes | None = None
        self.headers: tuple[tuple[str, str], ...] = ()
        self.from_ = NameAddr(None, phone.uri)
        self.events: list[sip.UserAgentEvent] = []
        self.refuses = 0
        """The status that a re-INVITE gets; 0 means that it is taken."""
        self.answers_with: bytes | None = None
        """The answer to a re-INVITE, in place of an ordinary one."""
        self.acks_with: bytes | None = None
        """The answer in the ACK to an offer; b"" for none, None for an ordinary one."""
        self._offered = True
        self._max_forwards = max_forwards
        self._changed = asyncio.Event()
        self._proved = False

    @property
    def target(self) -> Uri:
        """Return what was dialled."""
        return Uri("sip", self.to, host=self.phone.exchange[0])

    # -- what the person does ----------------------------------------------------------------

    def dial(self, proof: Sequence[tuple[str, str]]) -> None:
        """Send the INVITE."""
        phone = self.phone
        self.invite = phone.ua.invite(
            self.target,
            destinations=(phone.node.flow_to(phone.exchange, phone.transport),),
            to=NameAddr(None, self.target),
            from_=self.from_,
            body=self.body,
            headers=(*self.headers, *proof),
            max_forwards=self._max_forwards,
            now=phone.now(),
        )
        phone.calls[self.invite] = self
        phone.node.transmit_soon()

    def ring(self) -> None:
        """Answer 180."""
        self.respond(180)

    def early_media(self) -> None:
        """Answer 183 with a description."""
        self.respond(183, self.phone.describe())

    def answer(self, body: bytes | None = None) -> None:
        """Pick up; an empty body means a 200 without one."""
        self.respond(200, self.phone.describe() if body is None else body or None)

    def respond(
        self, status: int, body: bytes | None = None, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Answer with any status."""
        assert self.transaction is not None
        self.phone.ua.respond(
            self.transaction, status, body=body, headers=headers, now=self.phone.now()
        )
        self.phone.node.transmit_soon()

    def hang_up(self) -> None:
        """End the call in whatever state it is."""
        self.phone.ua.end(self.invite, now=self.phone.now())
        self.phone.node.transmit_soon()

    def reinvite(self, body: bytes | None) -> None:
        """Send a re-INVITE, with an offer or without."""
        self._offered = body is not None
        self.phone.ua.reinvite(self.invite, body=body, now=self.phone.now())
        self.phone.node.transmit_soon()

    def info(self, body: bytes | None, content_type: str | None) -> None:
        """Send an INFO."""
        self._request("INFO", body, content_type)

    def update(self, body: bytes | None) -> None:
        """Send an UPDATE, with an offer or without."""
        self._request("UPDATE", body, "application/sdp" if body else None)

    def refer(self, to: str, *headers: tuple[str, str]) -> None:
        """Send a REFER to a number, or to whatever `to` says where it is a whole Refer-To."""
        target = to if to.startswith("<") else f"<sip:{to}@{self.phone.exchange[0]}>"
        self._request("REFER", None, None, (("Refer-To", target), *headers))

    def refer_to(self, other: PhoneCall) -> None:
        """Send a REFER to the far end of another call of this phone."""
        self.refer(f"<sip:{other.to}@{self.phone.exchange[0]}?Replaces={quote(other.dialog)}>")

    @property
    def dialog(self) -> str:
        """Return how the exchange knows this dialog: the value of a Replaces header."""
        for event in self.events:
            if isinstance(event, sip.InviteProgressed | sip.InviteAnswered):
                heard = event.response
                return f"{heard.call_id};to-tag={heard.to_tag};from-tag={heard.from_tag}"
        dialogs = self.phone.ua.snapshot()["dialogs"]
        assert isinstance(dialogs, list)
        call_id = self.phone.ua.call_id(self.invite)
        (found,) = (each for each in dialogs if each["call_id"] == call_id)
        return f"{call_id};to-tag={found['remote_tag']};from-tag={found['local_tag']}"

    def _request(
        self,
        method: str,
        body: bytes | None,
        content_type: str | None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        phone = self.phone
        request = phone.ua.request(
            self.invite,
            method,
            headers=headers,
            body=body,
            content_type=content_type,
            now=phone.now(),
        )
        phone.asking[request] = self
        phone.node.transmit_soon()

    # -- what the person waits for -----------------------------------------------------------

    async def answered(self, within: float = 60.0) -> Response:
        """Return the 200 that answers the call."""
        return (await self.saw(sip.InviteAnswered, within)).response

    async def failed(self, within: float = 60.0) -> int:
        """Return the status that refused the call."""
        return (await self.saw(sip.InviteFailed, within)).status

    async def ended(self, within: float = 60.0) -> sip.InviteEnded:
        """Return how the far end ended the call."""
        return await self.saw(sip.InviteEnded, within)

    async def saw(self, kind: type[Event], within: float = 60.0) -> Event:
        """Wait until an event of `kind` has come and return the newest of them."""
        async with asyncio.timeout(within):
            while True:
                for event in reversed(self.events):
                    if isinstance(event, kind):
                        return event
                self._changed.clear()
                await self._changed.wait()

    def noticed(self) -> list[int]:
        """Return the statuses that NOTIFYs told."""
        bodies = [event.request.body for event in self.told("NOTIFY")]
        return [status for status in map(read_sipfrag, bodies) if status is not None]

    def told(self, method: str) -> list[sip.RequestReceived]:
        """Return the requests of that method that came within the dialog."""
        return [
            event
            for event in self.events
            if isinstance(event, sip.RequestReceived) and event.request.method == method
        ]

    def shown(self) -> list[str]:
        """Return whom the phone was told that it talks to, by UPDATE or re-INVITE."""
        requests = [
            event.request for event in self.events if isinstance(event, sip.ReinviteReceived)
        ]
        return [shown for each in requests if (shown := each.headers.get("P-Asserted-Identity"))]

    def progress(self) -> list[int]:
        """Return the provisional statuses that came."""
        return [
            event.response.status
            for event in self.events
            if isinstance(event, sip.InviteProgressed)
        ]

    def take(self, event: sip.UserAgentEvent) -> None:
        """React as a phone does by itself, and note the event."""
        phone = self.phone
        if isinstance(event, sip.InviteFailed) and event.status == 401 and not self._proved:
            assert event.response is not None
            self._proved = True
            self.dial([phone.proof(event.response, "INVITE", self.target)])
            return
        if isinstance(event, sip.InviteAnswered | sip.ReinviteAnswered):
            first = isinstance(event, sip.InviteAnswered)
            late = self.body is None if first else not self._offered
            body = phone.describe() if self.acks_with is None else self.acks_with
            phone.ua.ack(self.invite, body=(body or None) if late else None, now=phone.now())
        elif isinstance(event, sip.ReinviteReceived) and self.refuses:
            phone.ua.respond(event.transaction, self.refuses, now=phone.now())
        elif isinstance(event, sip.ReinviteReceived):
            offer = event.request.body
            answer = self.answers_with or (phone.describe(offer=offer) if offer else None)
            phone.ua.respond(event.transaction, 200, body=answer, now=phone.now())
        elif isinstance(event, sip.RequestReceived):
            phone.ua.respond(event.transaction, self.refuses or 200, now=phone.now())
        self.events.append(event)
        self._changed.set()
        phone.node.transmit_soon()


class Tokens:
    """Hexadecimal texts that look random, differ by `name`, and are the same in every run."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def __call__(self) -> str:
        self._count += 1
        return sha256(f"{self._name} {self._count}".encode()).hexdigest()[:24]


def _local(flow: Flow) -> Address:
    return flow.local
