"""User agents joined by hand: an in-memory network that loses, reorders, doubles; a fake clock.

No event loop and no socket: `Wire.run` moves time from one delivery or timer to the next, so that a
test of 32 seconds takes a millisecond and the same seed gives the same run. A datagram may be lost,
late (and so overtaken) or doubled; a stream keeps its order, is framed by the product's own
`StreamBuffer`, and opens, closes or is refused as the test says. Everything sent is kept: `sent`
answers when what was sent, `ladder` draws it for people.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import TypeVar

from pbx.errors import MessageError
from pbx.sip.events import (
    Dropped,
    InviteId,
    ReinviteReceived,
    RequestId,
    RequestReceived,
    TransactionId,
    UserAgentEvent,
)
from pbx.sip.flow import Address, Flow, host_port
from pbx.sip.headers import NameAddr, Uri
from pbx.sip.message import Request, Response, parse_message
from pbx.sip.settings import AgentSettings
from pbx.sip.stream import KeepAlive, StreamBuffer
from pbx.sip.user_agent import UserAgent

OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
"""A body with the session content type. What it says is nobody's business here."""

ANSWER = OFFER.replace(b"o=- 1", b"o=- 2")

STUCK = 100_000
"""Steps after which a run is taken for endless."""

Event = TypeVar("Event")


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that was put on the wire. `kind` is `INVITE`, or `200 INVITE` for a response."""

    at: float
    source: str
    target: Address
    transport: str
    kind: str
    octets: bytes
    lost: bool

    def __str__(self) -> str:
        arrow = "--x" if self.lost else "-->"
        where = host_port(*self.target)
        return f"{self.at:9.3f} {self.source:>8} {arrow} {where:<17} {self.transport} {self.kind}"

    @property
    def message(self) -> Request | Response:
        """Return it as parsed."""
        return parse_message(self.octets)


@dataclass
class Impairment:
    """What the wire does to datagrams; probabilities are 0 … 1, times are seconds one way."""

    delay: float = 0.001
    jitter: float = 0.0
    loss: float = 0.0
    doubles: float = 0.0
    drop: Callable[[Sent], bool] | None = None


@dataclass
class _Stream:
    """One side of a connection: `flow` is how this side calls it, `other` the far side's name."""

    party: Party
    flow: Flow
    other: Flow
    buffer: StreamBuffer = field(default_factory=StreamBuffer)


class Wire:
    """The network and its clock. `impairment` may be changed at any moment."""

    def __init__(self, seed: int = 0, impairment: Impairment | None = None) -> None:
        self.now = 0.0
        self.impairment = impairment or Impairment()
        self.log: list[Sent] = []
        self.parties: list[Party] = []
        self._random = random.Random(seed)
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._streams: dict[tuple[str, Flow], _Stream] = {}
        self._swallowing: set[Address] = set()
        self._ports = count(40_000)

    def party(
        self,
        name: str,
        host: str,
        *,
        port: int = 5060,
        settings: AgentSettings | None = None,
        behind: Address | None = None,
    ) -> Party:
        """Join a user agent. `behind` is the public address of a NAT that it is behind."""
        party = Party(self, name, (host, port), settings or AgentSettings(name=name), behind)
        self.parties.append(party)
        return party

    # Time.

    def run(self, seconds: float = 0.5) -> None:
        """Let time pass; everything that falls due happens in its order."""
        end = self.now + seconds
        for _ in self._steps(end):
            pass
        self.now = end
        for party in self.parties:
            party.flush()

    def run_until(self, condition: Callable[[], bool], limit: float = 64.0) -> None:
        """Let time pass until `condition` holds; fail with the ladder when it never does."""
        for _ in self._steps(self.now + limit):
            if condition():
                return
        raise AssertionError(f"it did not happen within {limit} s\n{self.ladder()}")

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after `seconds`."""
        heappush(self._agenda, (self.now + seconds, next(self._order), act))

    def _steps(self, end: float) -> Iterator[None]:
        for _ in range(STUCK):
            for party in self.parties:
                party.flush()
            yield
            due = [self._agenda[0][0]] if self._agenda else []
            timers = (party.ua.next_timer() for party in self.parties)
            at = min([*due, *(timer for timer in timers if timer is not None)], default=end + 1)
            if at > end:
                return
            self.now = max(self.now, at)
            while self._agenda and self._agenda[0][0] <= self.now:
                heappop(self._agenda)[2]()
            for party in self.parties:
                party.ua.advance(self.now)
        raise AssertionError(f"no end after {STUCK} steps\n{self.ladder()}")

    # Carrying.

    def carry(self, party: Party, octets: bytes, flow: Flow) -> None:
        """Take what a party sends."""
        fault = self.impairment
        source = party.behind or party.address
        sent = Sent(
            self.now, party.name, flow.remote, flow.transport, kind_of(octets), octets, False
        )
        if flow.reliable:
            self.log.append(sent)
            if flow.remote in self._swallowing:
                return
            self._carry_on_stream(party, octets, flow)
            return
        lost = self._random.random() < fault.loss or bool(fault.drop and fault.drop(sent))
        self.log.append(replace(sent, lost=lost))
        target = self._party_at(flow.remote)
        if lost or target is None:
            return
        arrive = partial(self._arrive, target, octets, Flow("udp", target.address, source))
        for _ in range(2 if self._random.random() < fault.doubles else 1):
            self.at(self._transit(), arrive)

    def _arrive(self, target: Party, octets: bytes, flow: Flow) -> None:
        target.ua.receive(octets, flow, self.now)

    def _transit(self) -> float:
        return self.impairment.delay + self._random.random() * self.impairment.jitter

    def _party_at(self, address: Address) -> Party | None:
        for party in self.parties:
            if (party.behind or party.address) == address:
                return party
        return None

    # Streams.

    def _carry_on_stream(self, party: Party, octets: bytes, flow: Flow) -> None:
        stream = self._streams.get((party.name, flow)) or self._connect(party, flow)
        if stream is None:
            self.at(self.impairment.delay, lambda: party.ua.flow_failed(flow, self.now))
            return
        far = self._far(stream)
        self.at(self.impairment.delay, lambda: self._deliver(far, octets))

    def _connect(self, party: Party, flow: Flow) -> _Stream | None:
        target = self._party_at(flow.remote)
        if target is None or not target.takes_streams:
            return None
        back = Flow(flow.transport, target.address, (party.address[0], next(self._ports)))
        near, far = _Stream(party, flow, back), _Stream(target, back, flow)
        self._streams[party.name, flow] = near
        self._streams[target.name, back] = far
        self.at(0.0, lambda: party.ua.flow_opened(flow, self.now))
        self.at(0.0, lambda: target.ua.flow_opened(back, self.now))
        return near

    def _far(self, stream: _Stream) -> _Stream:
        return next(
            far
            for far in self._streams.values()
            if far.flow == stream.other and far.other == stream.flow
        )

    def _deliver(self, stream: _Stream, octets: bytes) -> None:
        if self._streams.get((stream.party.name, stream.flow)) is not stream:
            return
        for item in stream.buffer.feed(octets):
            if not isinstance(item, KeepAlive):
                stream.party.ua.receive_message(item, stream.flow, self.now)

    def swallow_streams(self, party: Party) -> None:
        """Let connections to a party neither open nor fail, as a firewall does."""
        self._swallowing.add(party.address)

    def close_streams(self) -> None:
        """Close every connection at once, as a rebooted router does; both sides are told."""
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.party.ua.flow_closed(stream.flow, self.now)

    # What happened.

    def sent(self, party: Party, kind: str) -> list[Sent]:
        """Return what a party sent of one kind, in order, whether or not it arrived."""
        return [sent for sent in self.log if sent.source == party.name and sent.kind == kind]

    def times(self, party: Party, kind: str) -> list[float]:
        """Return when a party sent one kind of message: seconds, to the millisecond."""
        return [round(sent.at, 3) for sent in self.sent(party, kind)]

    def ladder(self) -> str:
        """Return everything that was sent, a line each."""
        return "\n".join(map(str, self.log))


class Party:
    """A user agent on the wire, with the few words that tests need.

    `events` collects everything that its user agent told, drops apart (`dropped`); `on` makes it
    react to a kind of event at once, as the layer above would.
    """

    def __init__(
        self,
        wire: Wire,
        name: str,
        address: Address,
        settings: AgentSettings,
        behind: Address | None,
    ) -> None:
        self.wire = wire
        self.name = name
        self.address = address
        self.behind = behind
        self.settings = settings
        self.takes_streams = True
        self.events: list[UserAgentEvent] = []
        self.dropped: list[str] = []
        self._reactions: list[Callable[[UserAgentEvent], None]] = []
        self._numbers = count(1)
        self.ua = self._new_agent()

    def _new_agent(self) -> UserAgent:
        prefix = f"{sum(self.name.encode()):08x}"
        return UserAgent(
            self.settings,
            token=lambda: f"{prefix}{next(self._numbers):08x}",
            advertise=lambda flow: flow.local,
        )

    def forget_all(self) -> None:
        """Begin anew, as a phone does that was switched off and on."""
        self.ua = self._new_agent()

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of all that the party sent, in order."""
        return [sent.kind for sent in self.wire.log if sent.source == self.name]

    def on(self, kind: type[Event], react: Callable[[Event], None]) -> None:
        """Call `react` with every event of `kind`, as soon as it is told."""

        def reaction(event: UserAgentEvent) -> None:
            if isinstance(event, kind):
                react(event)

        self._reactions.append(reaction)

    def flush(self) -> None:
        """Hear every event and put everything on the wire."""
        while (event := self.ua.next_event()) is not None:
            if isinstance(event, Dropped):
                self.dropped.append(event.slug)
                continue
            self.events.append(event)
            for react in self._reactions:
                react(event)
        for octets, flow in self.ua.datagrams_to_send():
            self.wire.carry(self, octets, flow)

    def told(self, kind: type[Event]) -> list[Event]:
        """Return all events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def last(self, kind: type[Event]) -> Event:
        """Return the newest event of one kind; fail with the ladder where there is none."""
        for event in reversed(self.events):
            if isinstance(event, kind):
                return event
        raise AssertionError(f"{self.name} was not told {kind.__name__}\n{self.wire.ladder()}")

    def flow_to(self, other: Party, transport: str = "udp") -> Flow:
        """Return the way to another party."""
        return Flow(transport, self.address, other.behind or other.address)

    def uri(self) -> Uri:
        """Return the URI that this party can be called at."""
        return Uri.parse(f"sip:{self.name}@{host_port(*self.address)}")

    def name_addr(self) -> NameAddr:
        """Return the party as From and To name it."""
        return NameAddr(self.name.capitalize(), Uri.parse(f"sip:{self.name}@example.com"))

    # The verbs, at the wire's time.

    def invite(
        self,
        other: Party,
        *,
        body: bytes | None = OFFER,
        destinations: list[Flow] | None = None,
        route: tuple[NameAddr, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
        max_forwards: int = 70,
    ) -> InviteId:
        """Send an INVITE to another party."""
        return self.ua.invite(
            other.uri(),
            destinations=[self.flow_to(other)] if destinations is None else destinations,
            to=other.name_addr(),
            from_=self.name_addr(),
            body=body,
            route=route,
            headers=headers,
            max_forwards=max_forwards,
            now=self.wire.now,
        )

    def send(
        self,
        method: str,
        other: Party,
        *,
        destinations: list[Flow] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes | None = None,
    ) -> RequestId:
        """Send a request outside any dialog."""
        return self.ua.send(
            method,
            other.uri(),
            destinations=[self.flow_to(other)] if destinations is None else destinations,
            to=other.name_addr(),
            from_=self.name_addr(),
            headers=headers,
            body=body,
            content_type="text/plain" if body else None,
            now=self.wire.now,
        )

    def respond(
        self,
        transaction: TransactionId,
        status: int,
        *,
        body: bytes | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Answer a request."""
        self.ua.respond(transaction, status, body=body, headers=headers, now=self.wire.now)

    def ack(self, invite: InviteId, *, body: bytes | None = None) -> None:
        """Acknowledge an answer."""
        self.ua.ack(invite, body=body, now=self.wire.now)

    def reinvite(self, invite: InviteId, *, body: bytes | None = OFFER) -> None:
        """Send a re-INVITE."""
        self.ua.reinvite(invite, body=body, now=self.wire.now)

    def end(
        self,
        invite: InviteId,
        status: int = 480,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """End an INVITE."""
        self.ua.end(invite, status=status, headers=headers, now=self.wire.now)

    def answer_offers(self) -> None:
        """Answer every re-INVITE and UPDATE with 200, every other request too."""
        self.on(ReinviteReceived, self._answer_offer)
        self.on(RequestReceived, lambda event: self.respond(event.transaction, 200))

    def _answer_offer(self, event: ReinviteReceived) -> None:
        wants_body = event.request.body or event.request.method == "INVITE"
        self.respond(event.transaction, 200, body=ANSWER if wants_body else None)

    @property
    def is_idle(self) -> bool:
        """Tell whether every table of the user agent is empty."""
        snapshot = self.ua.snapshot()
        return not any(snapshot[name] for name in ("transactions", "invites", "usages", "waiting"))


def kind_of(octets: bytes) -> str:
    """Return `INVITE`, or `200 INVITE` for a response."""
    try:
        message = parse_message(octets)
    except MessageError as error:
        words = octets.split(maxsplit=2)
        return words[1].decode() if words[0] == b"SIP/2.0" else error.slug
    if isinstance(message, Request):
        return message.method
    return f"{message.status} {message.cseq.method}"
