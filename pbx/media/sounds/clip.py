"""Clips: what can be played, cut into units that are made once and shared by all who hear them.

A `Source` makes 120 ms of sound at 8000 or 16000 Hz, at any place. The tracks of its `Clip` keep
what was made: one for the samples of each rate, one for each codec. A track is filled as far as
somebody listens, in any order, and a `Shelf` forgets the oldest units when the cache is full; they
are made again when somebody asks. So nothing waits for a whole file, and a long one takes no more
room than a short one.

Places and lengths are counted in samples of 16 kHz whatever the rate: 16 of them a millisecond.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.array_codec import ArrayCodec

PER_MS: Final = 16
"""Places a millisecond."""

UNIT_MS: Final = 120
"""Milliseconds of a unit: whole packets of 10, 20, 30, 40 and 60 ms; those of 50 take five."""

UNIT: Final = UNIT_MS * PER_MS

ENDLESS: Final = 1 << 62
"""The length of a sound that does not end."""

CACHE_OCTETS: Final = 64 << 20
"""What shelves keep: an hour of samples at 8 kHz, two of G.711."""

_PART_MS: Final = 60  # the longest that codecs are given at once

Frame = NDArray[np.int16]
"""(samples,)."""

Made = TypeVar("Made")
Piece = TypeVar("Piece")


class Shelf:
    """Remembers in which order units were made, and forgets the oldest beyond `limit` octets."""

    def __init__(self, limit: int = CACHE_OCTETS) -> None:
        self._limit = limit
        self._units: deque[tuple[dict[int, Any], int, int]] = deque()
        self.octets = 0
        """What is kept now."""

    def put(self, units: dict[int, Any], number: int, octets: int) -> None:
        """Take note that unit `number` was put into `units`."""
        self._units.append((units, number, octets))
        self.octets += octets
        while self.octets > self._limit:
            old_units, old_number, old_octets = self._units.popleft()
            del old_units[old_number]
            self.octets -= old_octets


class Source(ABC):
    """Where the sound of a clip comes from."""

    @abstractmethod
    def read(self, unit: int, rate: int) -> Frame:
        """Return that unit at `rate` Hz, int16 (rate * UNIT_MS / 1000,), zeros after the end.

        Raises Refused when it cannot be read.
        """


class Clip:
    """Something that is played from its start to its end, or for ever.

    `length` is in places. A clip that repeats itself says after how many units it does. Its tracks
    do not refer to it, so that a clip which nobody plays any more is gone at once, with its file.
    """

    def __init__(
        self, source: Source, shelf: Shelf, length: int, *, repeats: int | None = None
    ) -> None:
        self.length = length
        self.repeats = repeats
        self._source = source
        self._shelf = shelf
        self._samples: dict[int, SampleTrack] = {}
        self._coded: dict[str | tuple[str, int], CodedTrack] = {}

    def samples(self, rate: int) -> SampleTrack:
        """Return the clip's samples at 8000 or 16000 Hz."""
        track = self._samples.get(rate)
        if track is None:
            track = self._samples[rate] = SampleTrack(self._source, self._shelf, self.repeats, rate)
        return track

    def coded(self, codec: ArrayCodec, ptime: int) -> CodedTrack:
        """Return the clip coded, for packets of `ptime` milliseconds."""
        key = codec.name if codec.octets_per_ms else (codec.name, ptime)
        track = self._coded.get(key)
        if track is None:
            kind = OctetTrack if codec.octets_per_ms else PacketTrack
            track = self._coded[key] = kind(
                self.samples(codec.rate), self._shelf, self.repeats, codec, ptime
            )
        return track


class _Track(ABC, Generic[Made, Piece]):
    """One form of a clip, unit by unit. All of this raises Refused where the clip does."""

    def __init__(self, shelf: Shelf, repeats: int | None, unit_ms: int = UNIT_MS) -> None:
        self._units: dict[int, Made] = {}
        self._shelf = shelf
        self._unit = unit_ms * PER_MS
        self._repeats = ENDLESS
        if repeats is not None:
            self._repeats = math.lcm(repeats * UNIT_MS, unit_ms) // unit_ms

    def unit(self, number: int) -> Made:
        """Return a unit, made now or earlier."""
        number %= self._repeats
        made = self._units.get(number)
        if made is None:
            made, octets = self._make(number)
            self._units[number] = made
            self._shelf.put(self._units, number, octets)
        return made

    @abstractmethod
    def cut(self, start: int, stop: int) -> Piece:
        """Return what lies between two places."""

    @abstractmethod
    def _make(self, number: int) -> tuple[Made, int]:
        """Return a unit and the octets it takes."""


class SampleTrack(_Track[Frame, Frame]):
    """A clip's samples; what `cut` returns is shared and must not be written to."""

    def __init__(self, source: Source, shelf: Shelf, repeats: int | None, rate: int) -> None:
        super().__init__(shelf, repeats)
        self._source = source
        self._rate = rate
        self._step = 1000 * PER_MS // rate

    def cut(self, start: int, stop: int) -> Frame:
        """Return the samples between two places, int16 (samples,)."""
        number, offset = divmod(start, UNIT)
        end = offset + stop - start
        step = self._step
        if end <= UNIT:
            return self.unit(number)[offset // step : end // step]
        split = start - offset + UNIT
        return np.concatenate((self.cut(start, split), self.cut(split, stop)))

    def _make(self, number: int) -> tuple[Frame, int]:
        frame = self._source.read(number, self._rate)
        frame.flags.writeable = False
        return frame, frame.nbytes


class CodedTrack(_Track[Any, bytes]):
    """A clip in a codec's payloads.

    A codec with memory goes on from unit to unit; where one is made without the one before, its
    encoder hears that one first, so that whoever listens across the border hears none.
    """

    def __init__(
        self,
        samples: SampleTrack,
        shelf: Shelf,
        repeats: int | None,
        codec: ArrayCodec,
        ptime: int,
    ) -> None:
        unit_ms = UNIT_MS if codec.octets_per_ms else math.lcm(UNIT_MS, ptime)
        super().__init__(shelf, repeats, unit_ms)
        self.codec = codec
        self.ptime = ptime
        self._samples = samples
        self._state: Any = None
        self._ready_for = -1
        """The unit that the encoder's state is meant for."""

    def _encode(self, number: int, part_ms: int) -> list[bytes]:
        """Return unit `number` in parts of `part_ms` milliseconds, coded."""
        if self._ready_for != number:
            self._state = self.codec.encoder()
            before = (number - 1) % self._repeats
            if self._state is not None and before != ENDLESS - 1:
                self._encode_parts(before, part_ms)
        payloads = self._encode_parts(number, part_ms)
        self._ready_for = (number + 1) % self._repeats
        return payloads

    def _encode_parts(self, number: int, part_ms: int) -> list[bytes]:
        start = number * self._unit
        samples = self._samples.cut(start, start + self._unit)
        parts = samples.reshape(-1, self.codec.rate * part_ms // 1000)
        if self._state is None:
            return self.codec.encode(None, parts)
        states = [self._state]
        return [self.codec.encode(states, part.reshape(1, -1))[0] for part in parts]


class OctetTrack(CodedTrack):
    """A clip as one stream of octets, of which any slice is a payload."""

    def cut(self, start: int, stop: int) -> bytes:
        """Return the octets between two places."""
        number, offset = divmod(start, UNIT)
        end = offset + stop - start
        if end <= UNIT:
            per_ms = self.codec.octets_per_ms
            coded: bytes = self.unit(number)[offset * per_ms // PER_MS : end * per_ms // PER_MS]
            return coded
        split = start - offset + UNIT
        return self.cut(start, split) + self.cut(split, stop)

    def _make(self, number: int) -> tuple[bytes, int]:
        coded = b"".join(self._encode(number, _PART_MS))
        return coded, len(coded)


class PacketTrack(CodedTrack):
    """A clip as packets of one length, which cannot be cut."""

    def cut(self, start: int, stop: int) -> bytes:
        """Return the packet in which `start` lies."""
        number, offset = divmod(start, self._unit)
        packet: bytes = self.unit(number)[offset // (self.ptime * PER_MS)]
        return packet

    def _make(self, number: int) -> tuple[list[bytes], int]:
        packets = self._encode(number, self.ptime)
        return packets, sum(map(len, packets))


class Silence(Source):
    """Nothing."""

    def read(self, unit: int, rate: int) -> Frame:
        """Return zeros."""
        return np.zeros(rate * UNIT_MS // 1000, np.int16)


def repeats_after(milliseconds: int) -> int:
    """Return after how many whole units a sound of that period begins anew."""
    return math.lcm(milliseconds, UNIT_MS) // UNIT_MS
