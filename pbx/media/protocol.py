"""What the signalling process and a media worker say to each other.

Messages of msgspec (MessagePack), several to a datagram of a SOCK_SEQPACKET pair, at most 64 kB.
Ids are made by signalling; commands have no reply, what comes of them are events. Legs are named by
a number that is never used twice in one run. No numpy here: both sides import this file.
"""

from __future__ import annotations

from typing import Literal

import msgspec

MAX_MESSAGE = 65_536
"""Bytes of the largest datagram on the channel."""

MAX_BATCH = 64
"""Messages that go into one datagram: system calls cost more than messages."""

MediaDirection = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
"""Seen from callpbx: sendonly means that we send and do not listen."""


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


class Command(msgspec.Struct, frozen=True, array_like=True):
    """Base of what signalling asks of a worker."""


class AddLeg(Command, frozen=True, array_like=True, tag="add"):
    """Give the bound port `port` to `leg`.

    Until the first UpdateLeg names a payload, packets are counted and dropped.
    """

    leg: int
    port: int


class UpdateLeg(Command, frozen=True, array_like=True, tag="update"):
    """Say (again) who is at the far end and what is spoken.

    `remote` is the RTP address of the description, `remote_rtcp` its RTCP address (port + 1 unless
    a=rtcp says otherwise), `also_from` the IP that the leg's signalling came from, accepted as a
    source too. `relearn` unlocks the learned source.
    """

    leg: int
    remote: tuple[str, int] | None
    remote_rtcp: tuple[str, int] | None
    also_from: str | None
    payload: PayloadMap | None
    direction: MediaDirection = "sendrecv"
    relearn: bool = False


class Join(Command, frozen=True, array_like=True, tag="join"):
    """Let two legs with one codec hear each other: the relay row, both ways.

    Replaces any earlier join of either.
    """

    leg: int
    other: int


class Unjoin(Command, frozen=True, array_like=True, tag="unjoin"):
    """End the relay of this leg and of the leg it was joined to; both stay."""

    leg: int


class Echo(Command, frozen=True, array_like=True, tag="echo"):
    """Send back to the leg what it says, payload for payload; its keys are told, not returned."""

    leg: int
    on: bool = True


class Play(Command, frozen=True, array_like=True, tag="play"):
    """Play a WAV file to the leg in its own codec.

    `PlaybackDone` follows at its end, or at once when it cannot be played.
    """

    leg: int
    playback: int
    path: str
    loop: bool = False


class StopPlaying(Command, frozen=True, array_like=True, tag="stop"):
    """Stop a playback; `PlaybackDone` follows with `finished` false."""

    leg: int
    playback: int


class SetMediaTimeout(Command, frozen=True, array_like=True, tag="timeout"):
    """Tell after how many seconds without RTP and RTCP `MediaSilent` is raised; 0 means never."""

    leg: int
    seconds: float


class FreeLeg(Command, frozen=True, array_like=True, tag="free"):
    """Close the leg; `LegFreed` with its figures follows."""

    leg: int


AnyCommand = (
    AddLeg | UpdateLeg | Join | Unjoin | Echo | Play | StopPlaying | SetMediaTimeout | FreeLeg
)


class StreamFigures(msgspec.Struct, frozen=True, array_like=True):
    """Figures of one direction of a leg.

    For what we sent, loss, jitter and round trip are what the far end's RTCP said. `lost` packets,
    `jitter_ms` milliseconds (RFC 3550 §6.4.1), `round_trip_ms` milliseconds or None while unknown.
    """

    packets: int = 0
    octets: int = 0
    lost: int = 0
    jitter_ms: float = 0.0
    round_trip_ms: float | None = None
    dropped: int = 0


class WorkerEvent(msgspec.Struct, frozen=True, array_like=True):
    """Base of what a worker reports."""


class PortsReady(WorkerEvent, frozen=True, array_like=True, tag="ports"):
    """More pairs are bound and may be taken: `ports` are the even RTP ports, RTCP is one above."""

    family: Literal[4, 6]
    ports: tuple[int, ...]


class PortsExhausted(WorkerEvent, frozen=True, array_like=True, tag="no_ports"):
    """No further pair could be bound in the range."""

    family: Literal[4, 6]


class SourceLocked(WorkerEvent, frozen=True, array_like=True, tag="locked"):
    """The leg's real source is known: three packets in sequence with one SSRC."""

    leg: int
    remote: tuple[str, int]


class DigitHeard(WorkerEvent, frozen=True, array_like=True, tag="digit"):
    """One telephone-event ended (RFC 4733); each event is reported once."""

    leg: int
    digit: str
    duration_ms: int


class PlaybackDone(WorkerEvent, frozen=True, array_like=True, tag="played"):
    """A playback ended. `error` is a sentence when the file could not be played."""

    leg: int
    playback: int
    finished: bool
    error: str | None = None


class MediaSilent(WorkerEvent, frozen=True, array_like=True, tag="silent"):
    """Neither RTP nor RTCP for the set time; raised again after each further such time."""

    leg: int
    seconds: float


class LegFreed(WorkerEvent, frozen=True, array_like=True, tag="freed"):
    """The leg is closed; its figures."""

    leg: int
    received: StreamFigures
    sent: StreamFigures


class LegReport(WorkerEvent, frozen=True, array_like=True, tag="report"):
    """A live leg's figures, sent when its RTCP interval passes (5 s)."""

    leg: int
    received: StreamFigures
    sent: StreamFigures


class WorkerLoad(WorkerEvent, frozen=True, array_like=True, tag="load"):
    """Once a second: what the worker uses.

    `cpu` is the share of one core used since the last report (0–1), `legs` those open, `late_ticks`
    the ticks that came late since the start.
    """

    cpu: float
    legs: int
    late_ticks: int


AnyWorkerEvent = (
    PortsReady
    | PortsExhausted
    | SourceLocked
    | DigitHeard
    | PlaybackDone
    | MediaSilent
    | LegFreed
    | LegReport
    | WorkerLoad
)

_encoder = msgspec.msgpack.Encoder()
_commands: msgspec.msgpack.Decoder[list[AnyCommand]] = msgspec.msgpack.Decoder(list[AnyCommand])
_events: msgspec.msgpack.Decoder[list[AnyWorkerEvent]] = msgspec.msgpack.Decoder(
    list[AnyWorkerEvent]
)


def encode(*messages: AnyCommand | AnyWorkerEvent) -> bytes:
    """Return messages as one datagram; at most `MAX_BATCH` of them, so that it stays in size."""
    return _encoder.encode(messages)


def decode_commands(datagram: bytes) -> list[AnyCommand]:
    """Return the commands in a datagram, in order; raises msgspec.DecodeError."""
    return _commands.decode(datagram)


def decode_events(datagram: bytes) -> list[AnyWorkerEvent]:
    """Return the events in a datagram, in order; raises msgspec.DecodeError."""
    return _events.decode(datagram)
