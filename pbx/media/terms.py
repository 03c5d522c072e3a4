"""The values that commands and events of protocol.py hold: directions, payloads, keys, figures."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Word16 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
Word32 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Seconds = Annotated[float, msgspec.Meta(ge=-1e10, le=1e10)]
Ssrc = Annotated[int, msgspec.Meta(ge=-1, le=0xFFFF_FFFF)]
"""Numbers as a leg's state holds them on its way: what cannot be is refused when it is read. Of
SSRCs, −1 means none yet."""

MediaDirection = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
"""Seen from callpbx: sendonly means that we send and do not listen."""

RecordingFormat = Literal["ulaw", "pcm", "opus"]
"""How a recording is written: µ-law WAV at 8 kHz, PCM WAV at 16 kHz, or Ogg with opus."""


class PayloadMap(msgspec.Struct, frozen=True, array_like=True):
    """One codec as one leg numbers it.

    `clock` is the RTP clock in Hz (8000 for G.722), `ptime` milliseconds a packet. `event_clock` is
    telephone-event's, which may be 8000 beside opus; None where there is no telephone-event.
    """

    codec: str
    send: int
    receive: int
    clock: int
    ptime: int = 20
    event_send: int | None = None
    event_receive: int | None = None
    event_clock: int | None = None


class SrtpKeys(msgspec.Struct, frozen=True, array_like=True):
    """One leg's SRTP keys as SDES agreed on them (RFC 4568).

    `suite` is the name in a=crypto; `send` and `receive` are master key and salt, joined. The
    remote's packets carry `mki` octets of master key identifier.
    """

    suite: str
    send: bytes
    receive: bytes
    mki: int = 0

    def __repr__(self) -> str:
        return f"SrtpKeys({self.suite})"  # logs never show a key


class StreamFigures(msgspec.Struct, frozen=True, array_like=True):
    """Figures of one direction of a leg.

    For what we sent, loss, jitter and round trip are what the far end's RTCP said. `lost` packets,
    `jitter_ms` milliseconds (RFC 3550 §6.4.1), `round_trip_ms` milliseconds or None while unknown.
    `bursts` counts the gaps that the lost packets make, `concealed_ms` the sound that was made up
    for them, `buffer_ms` the jitter buffer's delay (0 where a packet is relayed). `reported` is how
    many of the packets that we sent the far end's RTCP has told about, 0 where it told nothing.
    """

    packets: int = 0
    octets: int = 0
    lost: int = 0
    jitter_ms: float = 0.0
    round_trip_ms: float | None = None
    dropped: int = 0
    bursts: int = 0
    concealed_ms: int = 0
    buffer_ms: float = 0.0
    reported: int = 0
