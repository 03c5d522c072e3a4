"""RTP as RFC 3550 has it: the header, sequence numbers that wrap, and what a receiver counts.

`RtpPacket` is for whoever builds or studies single packets. The relay has no object per packet: it
reads the fixed header with `read_header` and is itself one `RtpStream` per leg, whose fields it
updates for the packet that comes next in order (relay.py); all other packets go through `admit` and
`measure`.

Sequence numbers are 16 bits and timestamps 32 bits, both wrap. A packet that is not where it is
expected may be late, may follow a loss, or may belong to a sender that started again: RFC 3550
§A.1 tells these apart, and so do we. Nothing here raises on what a remote sent.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum, auto
from math import inf
from typing import Annotated, Final

import msgspec

from pbx.media.terms import Count, Seconds, Ssrc, Word32

HEADER_SIZE: Final = 12
"""Octets of the fixed header, RFC 3550 §5.1."""

MARKER: Final = 0x0080
"""The marker bit in the first 16 bits of the header."""

VERSION_2: Final = 0x8000
"""The first 16 bits of a header without padding, extension, sources, marker; payload type 0."""

HEADS: Final = tuple(VERSION_2 | payload_type for payload_type in range(128))
"""The first 16 bits of a plain header by payload type: one object each for all that compare it."""

MAX_DROPOUT: Final = 3000  # packets missing before a jump counts as a restart, RFC 3550 §A.1
MAX_MISORDER: Final = 100  # packets that one may come too late, RFC 3550 §A.1
MAX_TRANSIT_STEP: Final = 480_000  # timestamp units; more is no jitter but another timeline

_header = struct.Struct("!HHII")

read_header = _header.unpack_from
"""Return (first 16 bits, sequence, timestamp, SSRC) of the packet at the buffer's start."""

_plain = struct.Struct("!HHII160s")

PLAIN_SIZE: Final = _plain.size
"""Octets of a packet of 20 ms of G.711 or G.722 without header extension, 172."""

read_plain = _plain.unpack_from
"""Return the same and the payload of a packet of that size: half of what two reads cost."""

write_header = _header.pack_into
"""Write (buffer, offset, first 16 bits, sequence, timestamp, SSRC)."""


def payload_bounds(packet: bytes | bytearray | memoryview, size: int) -> tuple[int, int] | None:
    """Return where the payload starts and ends in the first `size` octets, or None.

    None means that it is no RTP packet of version 2, is cut off, or holds no payload (RFC 3550
    §5.1, §5.3.1).
    """
    if size <= HEADER_SIZE or packet[0] >> 6 != 2:
        return None
    start = HEADER_SIZE + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if start + 4 > size:
            return None
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    end = size
    if packet[0] & 0x20:
        end -= packet[size - 1] or size
    return (start, end) if start < end else None


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One RTP packet without header extension or contributing sources."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    @classmethod
    def parse(cls, datagram: bytes) -> RtpPacket | None:
        """Read a datagram; None when it is no RTP packet. Extension and padding are left out."""
        bounds = payload_bounds(datagram, len(datagram))
        if bounds is None:
            return None
        head, sequence, timestamp, ssrc = read_header(datagram)
        payload = datagram[bounds[0] : bounds[1]]
        return cls(head & 0x7F, sequence, timestamp, ssrc, payload, bool(head & MARKER))

    def __bytes__(self) -> bytes:
        head = VERSION_2 | self.payload_type | (MARKER if self.marker else 0)
        return _header.pack(head, self.sequence, self.timestamp, self.ssrc) + self.payload


def sequence_distance(newer: int, older: int) -> int:
    """Return how far `newer` is ahead of `older` modulo 2^16, −32768…32767."""
    return ((newer - older + 0x8000) & 0xFFFF) - 0x8000


def timestamp_distance(newer: int, older: int) -> int:
    """Return how far `newer` is ahead of `older` modulo 2^32, −2^31…2^31 − 1."""
    return ((newer - older + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


class Arrival(Enum):
    """Where a packet stands in its stream."""

    NEXT = auto()
    """In order, or the first one after a loss."""
    LATE = auto()
    """Overtaken by others, or a duplicate."""
    FIRST = auto()
    """The stream begins, or begins again: another SSRC, or a jump that is no loss."""
    REFUSED = auto()
    """Not believed yet: another SSRC or a far jump, until a second packet follows in order."""


class StreamState(msgspec.Struct, frozen=True, array_like=True):
    """All that one `RtpStream` knows, for another to go on with: its fields, by their names.

    `age` is the seconds since the last packet arrived.
    """

    clock: Annotated[int, msgspec.Meta(ge=1, le=192_000)]
    ssrc: Ssrc
    expected: Annotated[int, msgspec.Meta(ge=0, le=0x10000)]
    octets: Count
    age: Seconds
    timestamp: Word32
    jitter: Annotated[float, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]
    bursts: int
    counted: int
    counted_to: int
    cycles: int
    base: int
    earlier_expected: int
    told_expected: int
    told_packets: int


class RtpStream:
    """What RFC 3550 §A.3 and §A.8 count about the packets that one leg sends.

    `expected` is the sequence number that comes next, 1…65536: 65536 stands for 0 after a wrap, so
    that the relay's comparison fails there and `admit` counts the cycle. `jitter` and `transit` are
    in timestamp units, `arrived` in seconds, `octets` of payload. Counts go on when the sender
    changes its SSRC.
    """

    __slots__ = (
        "_base",
        "_candidate",
        "_counted",
        "_counted_to",
        "_cycles",
        "_earlier_expected",
        "_missing",
        "_told_expected",
        "_told_packets",
        "arrived",
        "bursts",
        "clock",
        "expected",
        "jitter",
        "octets",
        "ssrc",
        "timestamp",
        "transit",
    )

    def __init__(self, clock: int = 8000) -> None:
        self.clock = clock
        self.ssrc = -1
        """The SSRC in use; −1 before the first packet."""
        self.expected = 0
        self.octets = 0
        self.arrived = 0.0
        self.timestamp = 0
        """Of the packet that arrived last."""
        self.transit = inf
        self.jitter = 0.0
        self.bursts = 0
        """Gaps that lost packets made; one that late packets fill again is none."""
        self._missing: dict[int, list[int]] = {}
        """The newest numbers that have not come, each with how many its gap still lacks."""
        self._counted = 0
        self._counted_to = 0
        self._cycles = 0
        self._base = 0
        self._candidate = (-1, -1)
        self._earlier_expected = 0
        self._told_expected = 0
        self._told_packets = 0

    @property
    def packets(self) -> int:
        """Return the packets received.

        Each packet in order moves `expected` on by one, so these need no counter of their own.
        """
        return self._counted + self.expected - self._counted_to

    def tune(self, clock: int) -> None:
        """Measure in another unit, Hz, from the next packet on."""
        if clock != self.clock:
            self.clock = clock
            self.jitter = 0.0
            self.transit = inf

    def trust(self, ssrc: int, sequence: int) -> None:
        """Believe the next packet of `ssrc` at once when it has this sequence number."""
        if ssrc != self.ssrc:
            self._candidate = (ssrc, sequence)

    def admit(self, ssrc: int, sequence: int) -> Arrival:
        """Place a packet in the stream and count it unless it is refused (RFC 3550 §A.1)."""
        packets = self.packets
        arrival = self._place(ssrc, sequence)
        self._counted = packets if arrival is Arrival.REFUSED else packets + 1
        self._counted_to = self.expected
        return arrival

    def measure(self, timestamp: int, octets: int, now: float) -> None:
        """Take an admitted packet into the jitter estimate (RFC 3550 §6.4.1)."""
        self.octets += octets
        self.arrived = now
        self.timestamp = timestamp
        transit = now * self.clock - timestamp
        step = abs(transit - self.transit)
        self.transit = transit
        if step < MAX_TRANSIT_STEP:
            self.jitter += (step - self.jitter) / 16

    @property
    def extended_highest(self) -> int:
        """Return the highest sequence number with the cycles counted in the upper 16 bits."""
        return self._cycles + self.expected - 1

    def extend(self, sequence: int) -> int:
        """Return the extended number of a packet at or behind the highest one."""
        return self.extended_highest + sequence_distance(sequence, self.expected - 1)

    @property
    def lost(self) -> int:
        """Return packets expected less packets received; negative when there were duplicates."""
        return self._expected_in_all() - self.packets

    @property
    def jitter_ms(self) -> float:
        """Return the interarrival jitter in milliseconds."""
        return self.jitter * 1000 / self.clock

    def fraction_lost(self) -> int:
        """Return the loss since the last call as a fraction of 256 (RFC 3550 §A.3)."""
        expected, packets = self._expected_in_all(), self.packets
        due = expected - self._told_expected
        lost = due - (packets - self._told_packets)
        self._told_expected, self._told_packets = expected, packets
        return min(255, lost * 256 // due) if due > 0 and lost > 0 else 0

    def state(self, now: float) -> StreamState:
        """Return all that is known, for `resume` of another stream."""
        return StreamState(
            clock=self.clock,
            ssrc=self.ssrc,
            expected=self.expected,
            octets=self.octets,
            age=now - self.arrived,
            timestamp=self.timestamp,
            jitter=self.jitter,
            bursts=self.bursts,
            counted=self._counted,
            counted_to=self._counted_to,
            cycles=self._cycles,
            base=self._base,
            earlier_expected=self._earlier_expected,
            told_expected=self._told_expected,
            told_packets=self._told_packets,
        )

    def resume(self, state: StreamState, now: float) -> None:
        """Go on where another stream was; its clock need not be ours."""
        self.clock = state.clock
        self.ssrc = state.ssrc
        self.expected = state.expected
        self.octets = state.octets
        self.arrived = now - state.age
        self.timestamp = state.timestamp
        self.transit = inf
        self.jitter = state.jitter
        self.bursts = state.bursts
        self._counted = state.counted
        self._counted_to = state.counted_to
        self._cycles = state.cycles
        self._base = state.base
        self._earlier_expected = state.earlier_expected
        self._told_expected = state.told_expected
        self._told_packets = state.told_packets

    def _place(self, ssrc: int, sequence: int) -> Arrival:
        if ssrc != self.ssrc:
            if self.ssrc < 0 or self._follows_candidate(ssrc, sequence):
                self._begin(ssrc, sequence)
                return Arrival.FIRST
            return Arrival.REFUSED
        ahead = (sequence - self.expected) & 0xFFFF
        if ahead < MAX_DROPOUT:
            if sequence < self.expected - 1:
                self._cycles += 0x10000
            self.expected = sequence + 1
            if ahead:
                self._miss(ahead)
            return Arrival.NEXT
        if ahead >= 0x10000 - MAX_MISORDER:
            self._fill(self.extend(sequence))
            return Arrival.LATE
        if self._follows_candidate(ssrc, sequence):
            self._begin(ssrc, sequence)
            return Arrival.FIRST
        return Arrival.REFUSED

    def _miss(self, count: int) -> None:
        """Note that the `count` numbers before the highest have not come."""
        self.bursts += 1
        missing, highest = self._missing, self.extended_highest
        while missing and (oldest := next(iter(missing))) < highest - MAX_MISORDER:
            del missing[oldest]
        if count < MAX_MISORDER:  # a longer gap cannot be filled any more
            gap = [count]
            missing.update((number, gap) for number in range(highest - count, highest))

    def _fill(self, number: int) -> None:
        """Note that a missing packet has come after all."""
        gap = self._missing.pop(number, None)
        if gap is not None:
            gap[0] -= 1
            self.bursts -= gap[0] == 0

    def _expected_in_all(self) -> int:
        if self.ssrc < 0:
            return 0
        return self._earlier_expected + self.extended_highest - self._base + 1

    def _follows_candidate(self, ssrc: int, sequence: int) -> bool:
        known = self._candidate == (ssrc, sequence)
        self._candidate = (ssrc, (sequence + 1) & 0xFFFF)
        return known

    def _begin(self, ssrc: int, sequence: int) -> None:
        self._earlier_expected = self._expected_in_all()
        self.ssrc = ssrc
        self.expected = sequence + 1
        self._cycles = 0
        self._base = sequence
        self.transit = inf
        self._missing.clear()
        self._candidate = (-1, -1)
