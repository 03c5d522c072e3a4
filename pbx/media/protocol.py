"""What the signalling process and a media worker say to each other.

Messages of msgspec (MessagePack), several to a datagram of a SOCK_SEQPACKET pair, at most 64 kB.
Ids are made by signalling; commands have no reply, what comes of them are events. Legs are named by
a number that is never used twice in one run. No numpy here: both sides import this file.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pbx.media.terms import MediaDirection, PayloadMap, RecordingFormat, SrtpKeys, StreamFigures

__all__ = ["MediaDirection", "PayloadMap", "RecordingFormat", "SrtpKeys", "StreamFigures"]

MAX_MESSAGE = 65_536
"""Bytes of the largest datagram on the channel."""

MAX_BATCH = 64
"""Messages that go into one datagram: system calls cost more than messages."""


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
    source too. `relearn` unlocks the learned source. `keys` None means plain RTP.
    """

    leg: int
    remote: tuple[str, int] | None
    remote_rtcp: tuple[str, int] | None
    also_from: str | None
    payload: PayloadMap | None
    direction: MediaDirection = "sendrecv"
    relearn: bool = False
    keys: SrtpKeys | None = None


class Enter(Command, frozen=True, array_like=True, tag="enter"):
    """Make the leg a member of a bridge: it hears all other members and they hear it.

    A bridge begins with its first member or recording and ends with its last. A leg is in one
    bridge at most: entering another leaves the first. With `gated` the leg's voice passes only
    while it talks, so that a room full of people does not hear each other's fans.
    """

    leg: int
    bridge: int
    gated: bool = False


class Leave(Command, frozen=True, array_like=True, tag="leave"):
    """Take the leg out of its bridge; it stays, alone."""

    leg: int


class SetPart(Command, frozen=True, array_like=True, tag="part"):
    """Say whether the leg is a voice and an ear of its bridge: a muted leg is no voice, a held one
    neither. It holds whatever bridge the leg is in, until it is said anew."""

    leg: int
    speaks: bool = True
    hears: bool = True


class SetGains(Command, frozen=True, array_like=True, tag="gains"):
    """Say how loud single voices are to single ears: (listener, speaker, gain), legs all.

    A gain of 0 is silence, 1 unchanged, which all pairs have that are not named; it replaces what
    was said of this bridge before. Legs that are not members yet may be named.
    """

    bridge: int
    gains: tuple[tuple[int, int, float], ...]


class Echo(Command, frozen=True, array_like=True, tag="echo"):
    """Send back to the leg what it says, payload for payload; its keys are told, not returned."""

    leg: int
    on: bool = True


class Play(Command, frozen=True, array_like=True, tag="play"):
    """Play sources to the leg, one after the other, in its own codec.

    A source is `file:PATH` (WAV), `tone:NAME` (tones of the country, endless ones too),
    `music:PATH` (a file or a folder of them, heard live: who comes later hears the same place) or
    `silence:MILLISECONDS`. `others` is the gain of what the leg hears besides; 0 silences it. With
    `stop_on_key` the first key that the leg presses ends it. A leg has one playback: a new one ends
    the old. `PlaybackDone` follows at its end, or at once when nothing can be played.
    """

    leg: int
    playback: int
    sources: tuple[str, ...]
    loop: bool = False
    others: float = 0.0
    stop_on_key: bool = False


class Announce(Command, frozen=True, array_like=True, tag="announce"):
    """Play sources to all ears of a bridge, over what they hear; several take their turns."""

    bridge: int
    sources: tuple[str, ...]


class StopPlaying(Command, frozen=True, array_like=True, tag="stop"):
    """Stop a playback; `PlaybackDone` follows with `finished` false."""

    leg: int
    playback: int


class SendDigits(Command, frozen=True, array_like=True, tag="digits"):
    """Let the far end of the leg hear keys: telephone-events where it takes them, else tones."""

    leg: int
    digits: str
    duration_ms: int = 100


class SetCodes(Command, frozen=True, array_like=True, tag="codes"):
    """Say which codes the party may key in a call (`*1`, `##`).

    Keys that may begin one are withheld from whoever hears the leg, for a second at most, and sent
    on if none completes; `CodeHeard` follows when one does. Keys are reported all the same.
    """

    leg: int
    codes: tuple[str, ...]


class Watch(Command, frozen=True, array_like=True, tag="watch"):
    """Ask to be told what is in the leg's sound: keys pressed as tones, beginnings and ends of
    talking. Both cost a decoded leg."""

    leg: int
    keys: bool = False
    talk: bool = False


class Record(Command, frozen=True, array_like=True, tag="record"):
    """Record a bridge into the file at `path`, which must not exist; `RecordingDone` follows.

    Stereo: on the left the voice of the leg `left`, on the right what it hears of others and of
    prompts, without music. Where `left` is None it is mono, the sum of all voices.
    """

    recording: int
    bridge: int
    path: str
    left: int | None = None
    format: RecordingFormat = "ulaw"


class PauseRecording(Command, frozen=True, array_like=True, tag="pause"):
    """Record silence on both sides from now on, or sound again."""

    recording: int
    paused: bool


class StopRecording(Command, frozen=True, array_like=True, tag="recorded"):
    """Complete the file; `RecordingDone` follows."""

    recording: int


class SetMediaTimeout(Command, frozen=True, array_like=True, tag="timeout"):
    """Tell after how many seconds without RTP and RTCP `MediaSilent` is raised; 0 means never."""

    leg: int
    seconds: float


class GiveLeg(Command, frozen=True, array_like=True, tag="give"):
    """Part with the leg: `LegGiven` follows, with its two sockets as ancillary descriptors."""

    leg: int


class TakeLeg(Command, frozen=True, array_like=True, tag="take"):
    """Go on with a leg that another worker gave; its two sockets come as ancillary descriptors.

    `state` is what `LegGiven` brought.
    """

    leg: int
    state: bytes


class FreeLeg(Command, frozen=True, array_like=True, tag="free"):
    """Close the leg; `LegFreed` with its figures follows."""

    leg: int


AnyCommand = (
    AddLeg
    | UpdateLeg
    | Enter
    | Leave
    | SetPart
    | SetGains
    | Echo
    | Play
    | Announce
    | StopPlaying
    | SendDigits
    | SetCodes
    | Watch
    | Record
    | PauseRecording
    | StopRecording
    | SetMediaTimeout
    | GiveLeg
    | TakeLeg
    | FreeLeg
)


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
    """A key was pressed and let go: a telephone-event (RFC 4733) or a pair of tones (Q.24).

    Each is reported once.
    """

    leg: int
    digit: str
    duration_ms: int
    source: Literal["rfc4733", "inband"] = "rfc4733"


class CodeHeard(WorkerEvent, frozen=True, array_like=True, tag="code"):
    """The party keyed one of its codes; nobody else heard it."""

    leg: int
    code: str


class Talking(WorkerEvent, frozen=True, array_like=True, tag="talking"):
    """The party began to talk (for 200 ms by now), or ended (800 ms ago); also when it leaves."""

    leg: int
    on: bool


class PlaybackDone(WorkerEvent, frozen=True, array_like=True, tag="played"):
    """A playback ended. `error` is a sentence when the file could not be played."""

    leg: int
    playback: int
    finished: bool
    error: str | None = None


class RecordingDone(WorkerEvent, frozen=True, array_like=True, tag="recorded"):
    """A recording's file is complete. `seconds` of sound, `octets` of the file.

    `error` is a sentence when it could not be written whole; what there is can be played.
    """

    recording: int
    seconds: float
    octets: int
    sha256: str
    error: str | None = None


class LegGiven(WorkerEvent, frozen=True, array_like=True, tag="given"):
    """The leg left this worker; `state` is for `TakeLeg` of another. None where it was not here."""

    leg: int
    state: bytes | None


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
    the ticks that came late since the start, of `ticks`. `mixed` legs are heard or told by the
    matrix rather than relayed. `music_frames` of hold music were coded since the start, whoever
    heard them.
    """

    cpu: float
    legs: int
    late_ticks: int
    ticks: int = 0
    mixed: int = 0
    music_frames: int = 0


AnyWorkerEvent = (
    PortsReady
    | PortsExhausted
    | SourceLocked
    | DigitHeard
    | CodeHeard
    | Talking
    | PlaybackDone
    | RecordingDone
    | LegGiven
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
    try:
        return _commands.decode(datagram)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(str(error)) from error


def decode_events(datagram: bytes) -> list[AnyWorkerEvent]:
    """Return the events in a datagram, in order; raises msgspec.DecodeError."""
    try:
        return _events.decode(datagram)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(str(error)) from error
