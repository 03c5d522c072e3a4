"""A phone's media side, and a worker's switchboard whose time the test moves.

`RtpPhone` speaks and hears RTP and RTCP on loopback sockets; nothing of it waits. `Board` runs a
switchboard and its loop in this process: real sockets, but the clock is the test's, so that two
seconds of silence take no time.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self, TypeVar

from pbx.media.engine import Family
from pbx.media.keys.telephone_event import TelephoneEvent
from pbx.media.mixing.outbox import Outbox
from pbx.media.mixing.switchboard import Switchboard
from pbx.media.mixing.tick import TickLoop
from pbx.media.packets.ports import PortStock
from pbx.media.packets.rtcp import RtcpPacket, parse_rtcp
from pbx.media.packets.rtp import RtpPacket
from pbx.media.packets.srtp import Srtp
from pbx.media.protocol import (
    AddLeg,
    AnyCommand,
    AnyWorkerEvent,
    Enter,
    GiveLeg,
    LegGiven,
    MediaDirection,
    PayloadMap,
    PortsReady,
    TakeLeg,
    UpdateLeg,
    decode_events,
)

PCMU = PayloadMap("PCMU", send=0, receive=0, clock=8000, event_send=101, event_receive=101)

Found = TypeVar("Found", bound=AnyWorkerEvent)


class RtpPhone:
    """Two UDP sockets, RTP on an even port and RTCP above it, that talk to one worker's port."""

    def __init__(self, host: str = "127.0.0.1", *, ssrc: int = 0xA11CE) -> None:
        self.host = host
        self.ssrc = ssrc
        self.sequence = 1000
        self.timestamp = 160_000
        self.to = 0
        """The worker's RTP port."""
        self.srtp: Srtp | None = None
        """Seals what it says and reports, opens what it hears, where it is set."""
        self.rtp, self.rtcp = _bind_two(host)
        self.port: int = self.rtp.getsockname()[1]

    @property
    def address(self) -> tuple[str, int]:
        """Return where this phone takes RTP."""
        return self.host, self.port

    def send(self, datagram: bytes) -> None:
        """Send any octets to the worker's RTP port."""
        self.rtp.sendto(datagram, (self.host_of_worker, self.to))

    @property
    def host_of_worker(self) -> str:
        """Return the address of the worker that this phone can reach."""
        return "::1" if ":" in self.host else "127.0.0.1"

    def packet(self, **changes: Any) -> RtpPacket:
        """Return the next frame of this phone's stream."""
        payload = bytes((self.sequence & 0xFF,)) * 160
        fields: dict[str, Any] = {
            "payload_type": 0,
            "sequence": self.sequence & 0xFFFF,
            "timestamp": self.timestamp & 0xFFFF_FFFF,
            "ssrc": self.ssrc,
            "payload": payload,
        }
        self.sequence += 1
        self.timestamp += 160
        return RtpPacket(**(fields | changes))

    def say(self, frames: int = 1, **changes: Any) -> list[bytes]:
        """Send frames; return their payloads."""
        packets = [self.packet(**changes) for _ in range(frames)]
        for packet in packets:
            plain = bytes(packet)
            self.send(plain if self.srtp is None else self.srtp.sealer.seal(plain))
        return [packet.payload for packet in packets]

    def press(self, digit: int, *, payload_type: int = 101, ends: int = 3) -> None:
        """Press a key for 60 ms and let it go."""
        timestamp = self.timestamp
        events = [TelephoneEvent(digit, False, 160 * n) for n in (1, 2, 3)]
        for n, event in enumerate([*events, *[TelephoneEvent(digit, True, 480)] * ends]):
            self.say(
                payload_type=payload_type,
                timestamp=timestamp,
                payload=bytes(event),
                marker=n == 0,
            )

    def report(self, datagram: bytes) -> None:
        """Send any octets to the worker's RTCP port."""
        if self.srtp is not None:
            datagram = self.srtp.sealer.seal_report(datagram)
        self.rtcp.sendto(datagram, (self.host_of_worker, self.to + 1))

    def hear(self) -> list[RtpPacket]:
        """Return the RTP that has come."""
        received = _received(self.rtp)
        if self.srtp is not None:
            received = [self.srtp.opener.open(datagram) or b"" for datagram in received]
        packets = [RtpPacket.parse(datagram) for datagram in received]
        assert None not in packets, "not everything that came is RTP"
        return [packet for packet in packets if packet is not None]

    def hear_reports(self) -> list[RtcpPacket]:
        """Return the RTCP that has come."""
        received = _received(self.rtcp)
        if self.srtp is not None:
            received = [self.srtp.opener.open_report(datagram) or b"" for datagram in received]
        return [packet for datagram in received for packet in parse_rtcp(datagram)]

    def wait_for_rtp(self, seconds: float = 5.0) -> RtpPacket:
        """Wait for one RTP packet."""
        self.rtp.settimeout(seconds)
        try:
            packet = RtpPacket.parse(self.rtp.recv(2048))
        finally:
            self.rtp.setblocking(False)
        assert packet is not None
        return packet

    def close(self) -> None:
        """Close both sockets."""
        self.rtp.close()
        self.rtcp.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Board:
    """A switchboard with its loop, whose clock stands still until the test moves it."""

    def __init__(
        self,
        *,
        families: tuple[Family, ...] = (4,),
        pairs: int = 5000,
        first_leg: int = 1,
        now: float = 1000.0,
    ) -> None:
        self.now = now
        self.posted: list[AnyWorkerEvent] = []
        self.loop = TickLoop(lambda: self.now)
        hosts: dict[Family, str] = {4: "0.0.0.0", 6: "::"}
        self.stock = PortStock(
            low=20_000,
            high=20_000 + 2 * pairs - 1,
            target=8,
            hosts={family: hosts[family] for family in families},
        )
        self.luggage: list[list[int]] = []
        """Copies of the descriptors that went along with events."""
        outbox = Outbox(self._take_post, lambda wanted: None)
        self.switchboard = Switchboard(
            self.stock,
            outbox,
            loop=self.loop,
            random_bits=random.Random(7).getrandbits,
            epoch=3.9e9,
        )
        self.switchboard.start(self.now)
        self._legs = first_leg - 1

    def _take_post(self, datagram: bytes, descriptors: Sequence[int] = ()) -> None:
        self.posted.extend(decode_events(datagram))
        if descriptors:
            self.luggage.append([os.dup(descriptor) for descriptor in descriptors])

    def give(self, leg: int, taker: Board) -> None:
        """Move a leg to another board."""
        self.do(GiveLeg(leg))
        self.pass_on(taker)

    def pass_on(self, taker: Board) -> None:
        """Bring a leg that was given to another board, as the signalling process does."""
        (given,) = self.events(LegGiven)
        assert given.state is not None
        taker.switchboard.take(TakeLeg(given.leg, given.state), self.luggage.pop(), taker.now)

    def do(self, *commands: AnyCommand) -> None:
        """Carry out commands at the present time."""
        for command in commands:
            self.switchboard.carry_out(command, self.now)

    def settle(self) -> None:
        """Serve packets until none is left; no time passes."""
        while self.loop.turn(wait=False):
            pass

    def advance(self, seconds: float) -> None:
        """Let time pass in steps of 10 ms, serving packets and timers."""
        for _ in range(round(seconds * 100)):
            self.now += 0.01
            self.settle()

    def take_port(self, family: Family = 4) -> int:
        """Return an announced port that no leg had yet."""
        for n, event in enumerate(self.posted):
            if isinstance(event, PortsReady) and event.family == family:
                port, rest = event.ports[0], event.ports[1:]
                self.posted[n : n + 1] = [PortsReady(family, rest)] if rest else []
                return port
        raise AssertionError("no port is announced")

    def add(
        self,
        phone: RtpPhone,
        *,
        payload: PayloadMap | None = PCMU,
        direction: MediaDirection = "sendrecv",
        also_from: str | None = None,
    ) -> int:
        """Make a leg for a phone that described itself; return its number."""
        self._legs += 1
        phone.to = self.take_port(6 if ":" in phone.host else 4)
        self.do(AddLeg(self._legs, phone.to))
        self.update(self._legs, phone, payload=payload, direction=direction, also_from=also_from)
        return self._legs

    def update(self, leg: int, phone: RtpPhone, **changes: Any) -> None:
        """Describe a phone anew."""
        fields: dict[str, Any] = {
            "remote": phone.address,
            "remote_rtcp": (phone.host, phone.port + 1),
            "also_from": None,
            "payload": PCMU,
        }
        self.do(UpdateLeg(leg, **(fields | changes)))

    def lock(self, *phones: RtpPhone) -> None:
        """Let phones say what locks their sources; nobody keeps what was heard of it."""
        self.talk(3, *phones)
        for phone in phones:
            phone.hear()

    def talk(self, frames: int, *phones: RtpPhone) -> None:
        """Let phones speak at once, a frame every 20 ms."""
        for _ in range(frames):
            for phone in phones:
                phone.say()
            self.settle()
            self.advance(0.02)

    def events(self, kind: type[Found]) -> list[Found]:
        """Return what was reported of one kind, and forget it."""
        found: list[Found] = [event for event in self.posted if isinstance(event, kind)]
        self.posted = [event for event in self.posted if not isinstance(event, kind)]
        return found

    def close(self) -> None:
        """Close everything."""
        self.switchboard.close()
        self.loop.close()


@contextmanager
def phones(*hosts: str) -> Iterator[list[RtpPhone]]:
    """Open a phone on each address, with SSRCs of their own."""
    opened = [RtpPhone(host, ssrc=0xA11CE + n) for n, host in enumerate(hosts)]
    try:
        yield opened
    finally:
        for phone in opened:
            phone.close()


def joined(board: Board, a: RtpPhone, b: RtpPhone, **changes: Any) -> tuple[int, int]:
    """Make two legs that hear each other, sources locked; return their numbers."""
    first, second = board.add(a, **changes), board.add(b, **changes)
    board.do(*join(first, second))
    board.lock(a, b)
    return first, second


def join(first: int, second: int) -> tuple[Enter, Enter]:
    """Return the commands by which two legs hear each other, in a bridge of their own."""
    return Enter(first, 1000 + first), Enter(second, 1000 + first)


def ipv6_works() -> bool:
    """Return whether this machine has an IPv6 loopback address."""
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))
        return True
    return False


def _bind_two(host: str) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        rtp = socket.socket(family, socket.SOCK_DGRAM)
        rtcp = socket.socket(family, socket.SOCK_DGRAM)
        rtp.setblocking(False)
        rtcp.setblocking(False)
        with suppress(OSError):
            rtp.bind((host, 0))
            port = rtp.getsockname()[1]
            if port % 2 == 0:
                rtcp.bind((host, port + 1))
                return rtp, rtcp
        rtp.close()
        rtcp.close()


def _received(sock: socket.socket) -> list[bytes]:
    datagrams: list[bytes] = []
    with suppress(BlockingIOError):
        while True:
            with suppress(ConnectionRefusedError):
                datagrams.append(sock.recv(2048))
    return datagrams
