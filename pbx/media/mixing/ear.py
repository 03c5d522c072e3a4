"""What legs hear from the tick: frames become packets, and packets go out.

An `Ear` is one leg's stream while the tick feeds it; its numbers go on from where the leg's
`OutgoingStream` stands, and that is brought up to date by `settle`, so a far end never notices who
feeds it. All ears of one codec and packet time are rows of one `EarBank`: one look-up encodes them
all, numpy writes their headers into one matrix of packets, and what is left for each ear is a bound
`send` of a view. System calls are the cost; nothing else is done ear by ear on the common way.

Sequence and timestamp count packets and samples, never the clock. Only where an ear begins does
`OutgoingStream.next` ask how much time went by, and the first packet has the marker bit. A bank of
another packet time than the tick's 20 ms keeps samples until they fill a packet.

The first ears of a bank hear the mix, those behind them a *source* alone: its payloads go out as
they are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.array_codec import ArrayCodec, Frames
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.rtp import HEADER_SIZE, HEADS, MARKER
from pbx.media.protocol import PayloadMap

TICK_MS: Final = 20
"""Milliseconds of a frame of the matrix."""

LARGEST: Final = 1500
"""Octets kept for a payload of a codec whose packets are of any length."""

ROOM: Final = 16
"""Packets that there is room for beyond those of the ears."""

log = logging.getLogger(__name__)

_HEADER = np.dtype([("head", ">u2"), ("sequence", ">u2"), ("timestamp", ">u4"), ("ssrc", ">u4")])


Shape = tuple[str, int, int]
"""Codec, RTP clock in Hz and packet time in milliseconds."""


class Source(Protocol):
    """What an ear hears alone, coded already."""

    def next_payload(self, codec: ArrayCodec, ptime: int) -> bytes | None:
        """Return the next packet's payload, or None when there is nothing to send."""


Outgoing = tuple["Ear", Callable[[memoryview], object], memoryview]
"""Whose packet it is, what sends it, and the packet."""


class Ear:
    """One leg's stream as the tick feeds it.

    `send` sends a packet and may raise OSError; `fail` is told of that. `source` is what the ear
    hears in place of the mix.
    """

    __slots__ = (
        "_bank",
        "at_once",
        "codec",
        "fail",
        "lowering",
        "missed",
        "octets",
        "out",
        "payload",
        "row",
        "send",
        "shape",
        "since",
        "source",
        "state",
    )

    def __init__(
        self,
        codec: ArrayCodec,
        payload: PayloadMap,
        out: OutgoingStream,
        send: Callable[[memoryview], object],
        fail: Callable[[OSError, memoryview], None],
    ) -> None:
        self.codec = codec
        self.payload = payload
        self.out = out
        self.send = send
        self.fail = fail
        self.source: Source | None = None
        self.state: Any = codec.encoder()
        self.lowering: NDArray[np.int16] | None = None
        """The filter's memory where the ear hears a bridge that is wider than its codec."""
        self.shape: Shape = codec.name, payload.clock, payload.ptime
        """What all ears of a bank have in common."""
        self.at_once = False
        """Whether it goes on with what was heard just before by another way: no fade to begin."""
        self.row = -1
        """Its place in the bank."""
        self.since = 0
        """Packets that the bank had sent when this ear began, or was settled."""
        self.missed = 0
        """Packets of the bank since then that were not sent to this ear."""
        self.octets = 0
        """Octets of payload sent since then, where packets are of any length."""
        self._bank: EarBank | None = None

    def settle(self) -> None:
        """Bring the outgoing stream up to date."""
        if self._bank is not None:
            self._bank.settle(self)

    def enter(self, bank: EarBank, row: int) -> None:
        """Take a row in a bank that feeds the stream from now on."""
        self.out.settle()
        self._bank = bank
        self.row = row
        self.out.feeder = self

    def row_in(self, bank: EarBank) -> int:
        """Return its row in that bank, −1 where it is not there."""
        return self.row if self._bank is bank else -1

    def leave(self) -> None:
        """Be fed by the tick no longer; the stream is up to date."""
        self.settle()
        self._bank = None
        if self.out.feeder is self:
            self.out.feeder = None


class EarBank:
    """All ears of one shape."""

    def __init__(self, shape: Shape) -> None:
        name, _, ptime = shape
        self.shape = shape
        self.codec = codec = ARRAY_CODECS[name]
        self.ptime = ptime
        self.ears: list[Ear] = []
        self.failed = False
        """Whether a failure was told; further ones are not, lest they flood the log."""
        self._mixed = 0
        """How many of the ears hear the mix; they come first."""
        self._samples = codec.rate * ptime // 1000
        self._waiting = np.zeros((0, 0), dtype=np.int16)
        """Samples of each mixed ear that do not fill a packet yet."""
        self._credit = 0
        """Milliseconds of the packet that is filling."""
        self._count = 0
        """Packets sent to each ear since the bank began."""
        self._sent_at = 0.0
        self._octets = codec.octets_per_ms * ptime
        self._step = 0
        self._marked = False
        """Whether the next packet of some ear is its first."""
        self._make_room(0)
        self._lay_out(np.zeros(0, dtype=_HEADER))

    def arrange(self, mixed: Sequence[Ear], alone: Sequence[Ear], now: float) -> None:
        """Make these the bank's ears: those that hear the mix, and those with a source."""
        ears = [*mixed, *alone]
        rows = np.array([ear.row_in(self) for ear in ears], dtype=np.intp)
        waiting = np.zeros((len(mixed), self._credit * self.codec.rate // 1000), dtype=np.int16)
        kept = np.flatnonzero((rows[: len(mixed)] >= 0) & (rows[: len(mixed)] < self._mixed))
        waiting[kept] = self._waiting[rows[kept]]
        header = np.zeros(len(ears), dtype=_HEADER)
        kept = np.flatnonzero(rows >= 0)
        header[kept] = self._header[rows[kept]]
        self.ears, self._mixed, self._waiting = ears, len(mixed), waiting
        self._lay_out(header)
        for row, ear in enumerate(ears):
            if rows[row] < 0:
                self._begin(ear, row, now)
            ear.row = row

    def settle(self, ear: Ear) -> None:
        """Tell an ear's outgoing stream what was sent to it."""
        sent = self._count - ear.since - ear.missed
        if sent:
            out, header = ear.out, self._header[ear.row]
            out.sequence = int(header["sequence"])
            out.timestamp = int(header["timestamp"])
            out.sent_at = self._sent_at
            out.packets += sent
            out.octets += ear.octets if not self._octets else sent * self._octets
        ear.since, ear.missed, ear.octets = self._count, 0, 0

    def send(self, frames: Frames, now: float) -> None:
        """Send 20 ms: `frames` (mixed ears, samples) are what the mixed ears hear."""
        if self.ptime == TICK_MS:
            self._send_packets(frames, now)
            return
        self._credit += TICK_MS
        waiting = np.concatenate((self._waiting, frames), axis=1)
        while self._credit >= self.ptime:
            self._credit -= self.ptime
            self._send_packets(np.ascontiguousarray(waiting[:, : self._samples]), now)
            waiting = waiting[:, self._samples :]
        self._waiting = waiting

    def _lay_out(self, header: NDArray[np.void]) -> None:
        """Make the matrix of packets. `header` holds what was sent last: a packet adds a step."""
        ears = self.ears
        if len(ears) > len(self._rows):
            self._make_room(len(ears) + ROOM)
        self._packets = self._room[: len(ears)]
        self._header = header
        self._header_octets = header.view(np.uint8).reshape(len(ears), HEADER_SIZE)
        self._step = ears[0].out.frame if ears else 0
        self._heads = [HEADS[ear.payload.send] for ear in ears]
        self._all = list(zip(ears, (ear.send for ear in ears), self._rows, strict=False))

    def _make_room(self, packets: int) -> None:
        """Have a matrix for more packets."""
        size = HEADER_SIZE + (self._octets or LARGEST)
        self._room = np.zeros((packets, size), dtype=np.uint8)
        self._rows = [row.data for row in self._room]

    def _begin(self, ear: Ear, row: int, now: float) -> None:
        """Let an ear's stream go on here, one step behind its first packet, which has a marker."""
        ear.enter(self, row)
        ear.since = self._count
        if ear.source is None:
            ear.at_once = True  # from now on: it may come to a room of another rate
        sequence, timestamp = ear.out.next(now)
        self._header[row] = (
            self._heads[row] | MARKER,
            (sequence - 1) & 0xFFFF,
            (timestamp - self._step) & 0xFFFF_FFFF,
            ear.out.ssrc,
        )
        self._marked = True

    def _send_packets(self, frames: Frames, now: float) -> None:
        """Send one packet to each ear; `frames` fill those of the mixed ears."""
        alone = [
            None if ear.source is None else ear.source.next_payload(self.codec, self.ptime)
            for ear in self.ears[self._mixed :]
        ]
        header = self._header
        header["sequence"] += 1
        header["timestamp"] += self._step
        self._packets[:, :HEADER_SIZE] = self._header_octets
        self._count += 1
        self._sent_at = now
        self._emit(self._fill(frames, alone))
        if self._marked:
            self._marked = False
            header["head"] = self._heads

    def _fill(self, frames: Frames, alone: list[bytes | None]) -> list[Outgoing]:
        """Write the payloads; return what is to be sent."""
        codec, mixed = self.codec, self._mixed
        if codec.compress is not None:
            coded = np.take(codec.compress, frames.view(np.uint16), mode="clip")
            self._packets[:mixed, HEADER_SIZE:] = coded
            if mixed == len(self.ears):
                return self._all
            payloads: list[bytes | None] = []
            to_send = self._all[:mixed]
        else:
            payloads = self._encode(frames) if mixed else []
            to_send = []
        if self._share(alone):
            return self._write(to_send, payloads) + self._all[mixed:]
        return self._write(to_send, payloads + alone)

    def _share(self, alone: list[bytes | None]) -> bool:
        """Write at once what all that hear no mix get, if it is the same music for all of them."""
        payload = alone[0] if alone else None
        if payload is None or len(payload) != self._octets:
            return False
        if any(other is not payload for other in alone):
            return False
        self._packets[self._mixed :, HEADER_SIZE:] = np.frombuffer(payload, np.uint8)
        return True

    def _write(self, to_send: list[Outgoing], payloads: list[bytes | None]) -> list[Outgoing]:
        """Write payloads behind those that are ready to be sent; return all."""
        first = len(to_send)
        entries = self._all[first : first + len(payloads)]
        for entry, payload in zip(entries, payloads, strict=True):
            ear, send, row = entry
            if payload is None:
                self._miss(ear)
            elif len(payload) == self._octets:
                row[HEADER_SIZE:] = payload
                to_send.append(entry)
            else:
                size = HEADER_SIZE + len(payload)
                row[HEADER_SIZE:size] = payload
                ear.octets += len(payload)
                to_send.append((ear, send, row[:size]))
        return to_send

    def _encode(self, frames: Frames) -> list[bytes | None]:
        """Return the payload of each mixed ear.

        The fence: an encoder that fails begins anew, and only its own ear misses a packet.
        """
        ears = self.ears[: self._mixed]
        try:
            return [*self.codec.encode([ear.state for ear in ears], frames)]
        except Exception:  # the fence of the docstring: one by one, to find the one that fails
            return [self._encode_alone(ear, frames[ear.row : ear.row + 1]) for ear in ears]

    def _encode_alone(self, ear: Ear, frame: Frames) -> bytes | None:
        try:
            return self.codec.encode([ear.state], frame)[0]
        except Exception:  # the same fence; told once a bank, as there are 50 frames a second
            if not self.failed:
                self.failed = True
                log.exception("what an ear hears cannot be coded in %s", self.codec.name)
            ear.state = self.codec.encoder()
            return None

    def _miss(self, ear: Ear) -> None:
        """Take back the numbers of a packet that does not go out."""
        ear.missed += 1
        row = self._header[ear.row : ear.row + 1]
        row["sequence"] -= 1
        row["timestamp"] -= self._step

    def _emit(self, to_send: list[tuple[Ear, Callable[[memoryview], object], memoryview]]) -> None:
        """Send packets: flat, because this is most of what a mixed leg costs."""
        packets = iter(to_send)
        while True:
            try:
                for _, send, packet in packets:
                    send(packet)
            except OSError as error:
                unsent = packet
                next(ear for ear, _, packet in to_send if packet is unsent).fail(error, unsent)
            else:
                return
