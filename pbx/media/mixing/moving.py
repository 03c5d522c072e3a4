"""A leg's state on its way from one worker to another: what `LegGiven` and `TakeLeg` carry.

Each part of a leg says what it knows and goes on from it elsewhere: the stream it sends (SSRC,
sequence, timestamp), the one it hears with all counts, the source lock, SRTP, RTCP. So the far end
notices nothing: its stream goes on with the next sequence number. Times travel as ages, since the
clocks of two processes need not be one; while the leg is on its way, packets wait in its sockets.

A bridge stays behind, and so does what is being played or sent as keys: these end. Commands that
hold for the leg wherever it is (its part, its codes, what is watched) come along and are carried
out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from pbx.errors import Refused, UsageError
from pbx.media.descriptors import close_all
from pbx.media.keys.telephone_event import EventState
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.ports import PortPair, PortStock
from pbx.media.packets.rtcp import ReporterState
from pbx.media.packets.rtp import StreamState
from pbx.media.packets.source import Address
from pbx.media.packets.srtp import check_keys
from pbx.media.packets.wire import WireState
from pbx.media.protocol import (
    Echo,
    MediaDirection,
    PayloadMap,
    SetCodes,
    SetPart,
    Watch,
)
from pbx.media.terms import Count, Seconds, Word16, Word32

RTP_CLOCKS: Final = range(8000, 192_001)  # Hz
PTIMES: Final = range(5, 201)  # milliseconds

LastingCommand = SetPart | SetCodes | Watch | Echo
"""What holds for a leg until it is said anew."""


class OutgoingState(msgspec.Struct, frozen=True, array_like=True):
    """The stream that the leg hears. `age` is the seconds since its last packet, None before it."""

    ssrc: Word32
    sequence: Word16
    timestamp: Word32
    age: Seconds | None
    packets: Count
    octets: Count

    @classmethod
    def of(cls, out: OutgoingStream, now: float) -> OutgoingState:
        """Return what is known of a stream."""
        out.settle()
        age = None if out.sent_at < 0 else now - out.sent_at
        return cls(out.ssrc, out.sequence, out.timestamp, age, out.packets, out.octets)

    def resume(self, now: float) -> OutgoingStream:
        """Return a stream that goes on from here."""
        out = OutgoingStream(ssrc=self.ssrc, sequence=self.sequence, timestamp=self.timestamp)
        out.sent_at = -1.0 if self.age is None else now - self.age
        out.packets, out.octets = self.packets, self.octets
        return out


class LegState(msgspec.Struct, frozen=True, array_like=True):
    """All that a worker knows of a leg, but for its bridge and what is played to it.

    Its fields are those of `FarEnd`; ages are seconds.
    """

    payload: PayloadMap | None
    direction: MediaDirection
    out: OutgoingState
    heard: StreamState
    key: EventState
    dropped: Count
    rtcp: ReporterState
    wire: WireState
    told: bool
    unsent: Count
    refused: Count
    concealed_ms: Count
    timeout: Seconds
    silent_age: Seconds
    live_age: Seconds
    locked_to: Address | None


Luggage = tuple[LegState, tuple[LastingCommand, ...]]

_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Luggage] = msgspec.msgpack.Decoder(Luggage)


def pack(state: LegState, lasting: Sequence[LastingCommand]) -> bytes:
    """Return a leg's state, and what is to be carried out again, as octets."""
    return _encode((state, tuple(lasting)))


def unpack(octets: bytes) -> Luggage:
    """Return what `pack` made octets of; raises msgspec.DecodeError."""
    try:
        return _decoder.decode(octets)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(str(error)) from error


def adopt(
    octets: bytes, descriptors: Sequence[int], stock: PortStock
) -> tuple[PortPair, LegState, tuple[LastingCommand, ...]]:
    """Return a leg's sockets, its state and its lasting commands.

    Raises Refused when they cannot be used; the descriptors are closed then.
    """
    try:
        state, lasting = unpack(octets)
        _check(state)
    except (msgspec.DecodeError, UsageError) as error:
        close_all(descriptors)
        raise Refused(f"a leg's state cannot be read: {error}") from error
    try:
        return stock.adopt(descriptors), state, lasting
    except OSError as error:
        raise Refused(f"a leg's sockets cannot be used: {error}") from error


def _check(state: LegState) -> None:
    """Raise UsageError where numbers that are fine each make no leg together."""
    payload, heard, srtp = state.payload, state.heard, state.wire.srtp
    if payload is not None:
        events = (payload.event_send or 0, payload.event_receive or 0)
        numbered = all(0 <= number < 128 for number in (payload.send, payload.receive, *events))
        timed = payload.clock in RTP_CLOCKS and payload.ptime in PTIMES
        if not (numbered and timed):
            raise UsageError(f"{payload} cannot be spoken")
    if heard.ssrc < 0 < heard.expected:
        raise UsageError("a stream without an SSRC cannot go on")
    if srtp is not None:
        check_keys(srtp.keys)
