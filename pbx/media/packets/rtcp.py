"""RTCP, RFC 3550 §6: sender and receiver reports, CNAME, BYE; written and read, pure.

RTCP never passes from leg to leg: what the far end tells is about our stream to it, and we tell it
about its stream to us. `RtcpReporter` holds one leg's side of that. `now` is monotonic seconds; the
NTP times on the wire are `now` plus the constant `epoch`, so that a step of the wall clock never
shows up as round-trip time.

Reading never raises: a compound packet is valid as a whole, lengths and all (RFC 3550 §A.2), or it
is ignored.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.rtp import RtpStream, timestamp_distance
from pbx.media.terms import Count, Seconds, Word32

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
DESCRIPTION: Final = 202
GOODBYE: Final = 203

NTP_EPOCH: Final = 2_208_988_800
"""Seconds from 1900, where NTP counts from, to 1970."""

MAX_ROUND_TRIP: Final = 60.0
"""Seconds; a longer one comes of a report that is not about ours."""

ROUNDING: Final = 0.01
"""Seconds that a far end's coarse clock may make the round trip seem negative."""

_CNAME: Final = 1  # item of a source description, RFC 3550 §6.5.1

_LEADERS = (SENDER_REPORT, RECEIVER_REPORT)  # a compound packet begins with a report, §A.2

_word = struct.Struct("!BBH")
_sender = struct.Struct("!IIIIII")
_block = struct.Struct("!IIIIII")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver tells about one stream, RFC 3550 §6.4.1.

    `fraction_lost` in 1/256, `lost` packets (negative with duplicates), `jitter` in timestamp
    units, `last_report` the middle 32 bits of that sender report's NTP time, `delay` since then in
    1/65536 s.
    """

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    last_report: int
    delay: int

    @classmethod
    def parse(cls, octets: bytes) -> ReportBlock:
        """Read 24 octets."""
        ssrc, losses, highest, jitter, last_report, delay = _block.unpack(octets)
        lost = (losses & 0xFF_FFFF) - ((losses & 0x80_0000) << 1)
        return cls(ssrc, losses >> 24, lost, highest, jitter, last_report, delay)

    def __bytes__(self) -> bytes:
        lost = max(-0x80_0000, min(0x7F_FFFF, self.lost)) & 0xFF_FFFF
        return _block.pack(
            self.ssrc,
            self.fraction_lost << 24 | lost,
            self.highest & 0xFFFF_FFFF,
            min(self.jitter, 0xFFFF_FFFF),
            self.last_report,
            min(self.delay, 0xFFFF_FFFF),
        )


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """A report by somebody who sends no RTP, RFC 3550 §6.4.2."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        body = self.ssrc.to_bytes(4, "big") + b"".join(map(bytes, self.blocks))
        return _packet(RECEIVER_REPORT, len(self.blocks), body)


@dataclass(frozen=True, slots=True)
class SenderReport:
    """A report by somebody who sends RTP, RFC 3550 §6.4.1. `ntp` is 64 bits of fixed point."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        info = _sender.pack(
            self.ssrc,
            self.ntp >> 32,
            self.ntp & 0xFFFF_FFFF,
            self.timestamp,
            self.packets & 0xFFFF_FFFF,
            self.octets & 0xFFFF_FFFF,
        )
        return _packet(SENDER_REPORT, len(self.blocks), info + b"".join(map(bytes, self.blocks)))


@dataclass(frozen=True, slots=True)
class Description:
    """The CNAME of one source, RFC 3550 §6.5."""

    ssrc: int
    cname: str

    def __bytes__(self) -> bytes:
        name = self.cname.encode()[:255]
        item = self.ssrc.to_bytes(4, "big") + bytes((_CNAME, len(name))) + name
        return _packet(DESCRIPTION, 1, item + bytes(4 - len(item) % 4))


@dataclass(frozen=True, slots=True)
class Goodbye:
    """These sources are leaving, RFC 3550 §6.6."""

    sources: tuple[int, ...]

    def __bytes__(self) -> bytes:
        body = b"".join(source.to_bytes(4, "big") for source in self.sources)
        return _packet(GOODBYE, len(self.sources), body)


RtcpPacket = SenderReport | ReceiverReport | Goodbye


def parse_rtcp(datagram: bytes) -> tuple[RtcpPacket, ...]:
    """Return the reports and goodbyes of a compound packet; () when it is not valid.

    Descriptions and packets of unknown types are skipped.
    """
    packets: list[RtcpPacket] = []
    at, end = 0, len(datagram)
    while at < end:
        if end - at < 4:
            return ()
        first, kind, words = _word.unpack_from(datagram, at)
        body_end = after = at + 4 + 4 * words
        if first >> 6 != 2 or after > end or (at == 0 and kind not in _LEADERS):
            return ()
        if first & 0x20:
            body_end -= datagram[after - 1]
            if after != end or not at + 4 <= body_end < after:
                return ()
        if kind in _readers:
            packet = _readers[kind](datagram[at + 4 : body_end], first & 0x1F)
            if packet is None:
                return ()
            packets.append(packet)
        at = after
    return tuple(packets)


def compact_ntp(seconds: float) -> int:
    """Return the middle 32 bits of an NTP time: seconds modulo 65536 in 1/65536 s."""
    return int(seconds * 65536) & 0xFFFF_FFFF


class ReporterState(msgspec.Struct, frozen=True, array_like=True):
    """All that one `RtcpReporter` knows, for another to go on with.

    `ntp` is the present time as seconds since 1900 in that reporter's reckoning; ages are seconds
    since the last sender report, and since the last valid RTCP at all.
    """

    cname: str
    ntp: Annotated[float, msgspec.Meta(ge=0, le=1 << 32)]
    last_report: Word32
    last_report_age: Seconds
    heard_age: Seconds
    lost: int
    jitter: Word32
    reported: Count
    round_trip: Seconds | None


class RtcpReporter:
    """One leg's reports: what we tell the far end, and what it told about our stream.

    `epoch` is what must be added to `now` to get seconds since 1900. `lost` packets, `jitter` and
    `round_trip` (seconds, None while unknown) are about what we sent, of which the far end has told
    about `reported` packets; `heard` is when the last valid RTCP came.
    """

    __slots__ = (
        "_cname",
        "_epoch",
        "_last_report",
        "_last_report_at",
        "heard",
        "jitter",
        "lost",
        "reported",
        "round_trip",
    )

    def __init__(self, *, cname: str, epoch: float) -> None:
        self._cname = cname
        self._epoch = epoch
        self._last_report = 0
        self._last_report_at = 0.0
        self.heard = 0.0
        self.lost = 0
        self.jitter = 0
        """Timestamp units of our stream."""
        self.reported = 0
        self.round_trip: float | None = None

    @classmethod
    def resume(cls, state: ReporterState, now: float) -> RtcpReporter:
        """Return a reporter that goes on where another was; its clock need not be ours."""
        reporter = cls(cname=state.cname, epoch=state.ntp - now)
        reporter._last_report = state.last_report
        reporter._last_report_at = now - state.last_report_age
        reporter.heard = now - state.heard_age
        reporter.lost = state.lost
        reporter.jitter = state.jitter
        reporter.reported = state.reported
        reporter.round_trip = state.round_trip
        return reporter

    def state(self, now: float) -> ReporterState:
        """Return all that is known, for `resume` elsewhere."""
        return ReporterState(
            cname=self._cname,
            ntp=now + self._epoch,
            last_report=self._last_report,
            last_report_age=now - self._last_report_at,
            heard_age=now - self.heard,
            lost=self.lost,
            jitter=self.jitter,
            reported=self.reported,
            round_trip=self.round_trip,
        )

    def read(self, datagram: bytes, *, heard: RtpStream, sent: OutgoingStream, now: float) -> bool:
        """Take what the far end reports; false when the datagram is not valid."""
        packets = parse_rtcp(datagram)
        for packet in packets:
            if isinstance(packet, Goodbye):
                continue
            if isinstance(packet, SenderReport) and packet.ssrc == heard.ssrc:
                self._last_report = packet.ntp >> 16 & 0xFFFF_FFFF
                self._last_report_at = now
            for block in packet.blocks:
                if block.ssrc == sent.ssrc:
                    sent.settle()
                    self._read_block(block, sent, now)
        if packets:
            self.heard = now
        return bool(packets)

    def write(
        self, *, heard: RtpStream, sent: OutgoingStream, now: float, goodbye: bool = False
    ) -> bytes:
        """Return a compound packet: SR when we have sent anything, else RR; CNAME; BYE if asked."""
        sent.settle()
        blocks = (self._block(heard, now),) if heard.packets else ()
        report: SenderReport | ReceiverReport
        if sent.packets:
            since = max(0.0, now - sent.sent_at)
            timestamp = (sent.timestamp + round(since * sent.clock)) & 0xFFFF_FFFF
            ntp = int((now + self._epoch) * 4_294_967_296)
            report = SenderReport(sent.ssrc, ntp, timestamp, sent.packets, sent.octets, blocks)
        else:
            report = ReceiverReport(sent.ssrc, blocks)
        compound = bytes(report) + bytes(Description(sent.ssrc, self._cname))
        return compound + bytes(Goodbye((sent.ssrc,))) if goodbye else compound

    def _block(self, heard: RtpStream, now: float) -> ReportBlock:
        delay = round((now - self._last_report_at) * 65536) if self._last_report else 0
        return ReportBlock(
            ssrc=heard.ssrc,
            fraction_lost=heard.fraction_lost(),
            lost=heard.lost,
            highest=heard.extended_highest,
            jitter=int(heard.jitter),
            last_report=self._last_report,
            delay=delay,
        )

    def _read_block(self, block: ReportBlock, sent: OutgoingStream, now: float) -> None:
        self.lost = block.lost
        self.jitter = block.jitter
        self.reported = sent.packets
        if block.last_report == 0:
            return
        sent_at = block.last_report + block.delay
        trip = timestamp_distance(compact_ntp(now + self._epoch), sent_at) / 65536
        if -ROUNDING < trip < MAX_ROUND_TRIP:
            self.round_trip = max(0.0, trip)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _word.pack(0x80 | count, kind, len(body) // 4) + body


def _read_sender(body: bytes, count: int) -> SenderReport | None:
    blocks = _read_blocks(body[24:], count)
    if len(body) < 24 or blocks is None:
        return None
    ssrc, seconds, fraction, timestamp, packets, octets = _sender.unpack_from(body)
    return SenderReport(ssrc, seconds << 32 | fraction, timestamp, packets, octets, blocks)


def _read_receiver(body: bytes, count: int) -> ReceiverReport | None:
    blocks = _read_blocks(body[4:], count)
    if len(body) < 4 or blocks is None:
        return None
    return ReceiverReport(int.from_bytes(body[:4], "big"), blocks)


def _read_goodbye(body: bytes, count: int) -> Goodbye | None:
    if len(body) < 4 * count:
        return None
    return Goodbye(tuple(int.from_bytes(body[4 * n : 4 * n + 4], "big") for n in range(count)))


def _read_blocks(octets: bytes, count: int) -> tuple[ReportBlock, ...] | None:
    """Return `count` blocks; profile extensions behind them are left out."""
    if len(octets) < 24 * count:
        return None
    return tuple(ReportBlock.parse(octets[24 * n : 24 * n + 24]) for n in range(count))


_readers = {
    SENDER_REPORT: _read_sender,
    RECEIVER_REPORT: _read_receiver,
    GOODBYE: _read_goodbye,
}
