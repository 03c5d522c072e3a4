"""Sound files: WAV of any common rate, width and number of channels, and raw G.722.

A file is read at any place, some milliseconds at a time, as mono float samples at its own rate;
`rates.py` makes 8000 or 16000 Hz of them. WAV is PCM of 8, 16, 24 and 32 bits, float of 32 and 64,
A-law and µ-law, plain or as WAVE_FORMAT_EXTENSIBLE; channels are averaged. A file that ends in
`.g722` is a stream of G.722 octets without a header, as prompt packages ship it.

What a user can have done wrong with a file is told as `Refused`, in one sentence.
"""

from __future__ import annotations

import os
import stat
import struct
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.errors import Refused
from pbx.media.codecs.registry import ARRAY_CODECS

MIN_RATE: Final = 1000
MAX_RATE: Final = 384_000
MAX_CHANNELS: Final = 32
MAX_CHUNKS: Final = 1000
FORMAT_SIZE: Final = 40  # octets of the longest format chunk, WAVE_FORMAT_EXTENSIBLE
MAX_READ: Final = 1 << 18
"""Octets that are read at once, so that 32 channels at 384 kHz take no more memory than one."""

WARM_UP_MS: Final = 500
"""Milliseconds that a G.722 decoder hears before its place: then it is as if it had heard all."""
PART_MS: Final = 60  # the longest payload that decoders are given

Samples = NDArray[np.float32]
"""(samples,), in units of int16 full scale."""

Octets = Callable[[int, int], bytes]
"""(offset, count) → that many octets of a file, fewer at its end; raises OSError."""


def _unsigned_8(octets: bytes) -> Samples:
    return (np.frombuffer(octets, np.uint8).astype(np.float32) - 128) * 256


def _signed_24(octets: bytes) -> Samples:
    triples = np.frombuffer(octets, np.uint8).reshape(-1, 3)
    words = np.zeros((len(triples), 4), np.uint8)
    words[:, 1:] = triples
    return (words.view("<i4")[:, 0] / 65536).astype(np.float32)


def _number(kind: str, scale: float) -> Callable[[bytes], Samples]:
    return lambda octets: (np.frombuffer(octets, kind) * scale).astype(np.float32)


def _float(kind: str) -> Callable[[bytes], Samples]:
    def read(octets: bytes) -> Samples:
        numbers = np.nan_to_num(np.frombuffer(octets, kind).astype(np.float64))
        return (np.clip(numbers, -2, 2) * 32768).astype(np.float32)

    return read


def _coded(name: str) -> Callable[[bytes], Samples]:
    codec = ARRAY_CODECS[name]
    return lambda octets: codec.decode(None, [octets])[0].astype(np.float32)


_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE

_READERS: Final[dict[tuple[int, int], Callable[[bytes], Samples]]] = {
    (_PCM, 8): _unsigned_8,
    (_PCM, 16): _number("<i2", 1.0),
    (_PCM, 24): _signed_24,
    (_PCM, 32): _number("<i4", 1 / 65536),
    (_FLOAT, 32): _float("<f4"),
    (_FLOAT, 64): _float("<f8"),
    (_ALAW, 8): _coded("PCMA"),
    (_MULAW, 8): _coded("PCMU"),
}
"""(format tag, bits a sample) → octets to samples."""


class OpenFile:
    """A file on disk, open until nobody refers to it.

    Raises Refused when it cannot be read or is none: a folder, a pipe, a device.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            # O_NONBLOCK: to open a pipe that nobody writes must not stop the worker.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            reason = error.strerror if isinstance(error, OSError) else "no such name"
            raise Refused(f"{path} cannot be read: {reason}") from error
        weakref.finalize(self, os.close, descriptor)
        self._descriptor = descriptor
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise Refused(f"{path} is not a file")
        self.size = about.st_size

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` octets from `offset` on, fewer at the end; raises OSError."""
        return os.pread(self._descriptor, count, offset)


class SoundFile(ABC):
    """A readable sound: `frames` samples at `rate` Hz, which `name` is called in messages."""

    name: str
    rate: int
    frames: int

    def read(self, first: int, count: int) -> Samples:
        """Return `count` samples from `first` on; before the start and after the end are zeros.

        Raises Refused when the disk fails, or the file has become shorter meanwhile.
        """
        samples = np.zeros(count, np.float32)
        start, stop = max(first, 0), min(first + count, self.frames)
        if start < stop:
            try:
                found = self._read(start, stop - start)
            except OSError as error:
                raise Refused(f"{self.name} cannot be read: {error.strerror}") from error
            if len(found) < stop - start:
                raise Refused(f"{self.name} became shorter while it was played")
            samples[start - first : stop - first] = found
        return samples

    @abstractmethod
    def _read(self, first: int, count: int) -> Samples:
        """Return samples that lie inside the file; fewer where it ends early."""


@dataclass(frozen=True, slots=True)
class WavFormat:
    """How a file's samples are written. `rate` in Hz, `width` in octets a sample."""

    rate: int
    channels: int
    width: int
    read: Callable[[bytes], Samples]


class WavFile(SoundFile):
    """A WAV file of `size` octets, all channels of it as one.

    Raises Refused when it is no WAV file or is coded in a way that we do not play.
    """

    def __init__(self, octets: Octets, size: int, name: str) -> None:
        self.name = name
        self._octets = octets
        try:
            self._format, self._start, length = self._find_sound(size)
        except OSError as error:
            raise Refused(f"{name} cannot be read: {error.strerror}") from error
        self.rate = self._format.rate
        self.frames = length // (self._format.width * self._format.channels)

    def _read(self, first: int, count: int) -> Samples:
        most = MAX_READ // (self._format.width * self._format.channels)
        parts = [
            self._read_part(place, min(most, first + count - place))
            for place in range(first, first + count, most)
        ]
        return np.concatenate(parts)

    def _read_part(self, first: int, count: int) -> Samples:
        sound = self._format
        frame = sound.width * sound.channels
        octets = self._octets(self._start + first * frame, count * frame)
        samples = sound.read(octets[: len(octets) - len(octets) % frame])
        if sound.channels > 1:
            shares = np.full(sound.channels, 1 / sound.channels, np.float32)
            samples = samples.reshape(-1, sound.channels) @ shares
        return samples

    def _find_sound(self, size: int) -> tuple[WavFormat, int, int]:
        """Read chunks up to the samples; return their form, where they start and their octets."""
        head = self._octets(0, 12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            raise Refused(f"{self.name} is not a WAV file; save it as one, 16 bits, mono")
        sound: WavFormat | None = None
        place = 12
        for _ in range(MAX_CHUNKS):
            chunk = self._octets(place, 8)
            if len(chunk) < 8:
                break
            place += 8
            length = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data" and sound is not None:
                # 0: whoever wrote it streamed, and did not come back to fill the length in.
                return sound, place, min(length or size, size - place)
            if chunk[:4] == b"fmt ":
                sound = self._read_format(self._octets(place, min(length, FORMAT_SIZE)))
            place += length + length % 2
        raise Refused(f"{self.name} holds no sound; save it anew as 16-bit PCM")

    def _read_format(self, chunk: bytes) -> WavFormat:
        if len(chunk) < 16:
            raise Refused(f"{self.name} is not a WAV file; save it as one, 16 bits, mono")
        tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
        if tag == _EXTENSIBLE and len(chunk) >= 26:
            tag = int.from_bytes(chunk[24:26], "little")
        read = _READERS.get((tag, bits))
        if read is None:
            raise Refused(
                f"{self.name} is WAV of format {tag} with {bits} bits; save it as 16-bit PCM"
            )
        if not 0 < channels <= MAX_CHANNELS or not MIN_RATE <= rate <= MAX_RATE:
            raise Refused(
                f"{self.name} has {channels} channels at {rate} Hz; save it as mono at 16000 Hz"
            )
        return WavFormat(rate, channels, bits // 8, read)


class G722File(SoundFile):
    """Raw G.722 at 64 kbit/s: one octet is two samples at 16 kHz (ITU-T G.722)."""

    rate = 16000

    def __init__(self, octets: Octets, size: int, name: str) -> None:
        self.name = name
        self.frames = size * 2
        self._octets = octets
        self._codec = ARRAY_CODECS["G722"]

    def _read(self, first: int, count: int) -> Samples:
        warm_up = WARM_UP_MS * self._codec.octets_per_ms
        start = max(0, first // 2 - warm_up)
        octets = self._octets(start, (first + count + 1) // 2 - start)
        part = PART_MS * self._codec.octets_per_ms
        states = [self._codec.decoder()]
        rows = [
            self._codec.decode(states, [octets[place : place + part]])[0]
            for place in range(0, len(octets), part)
        ]
        samples = np.concatenate(rows or [np.zeros(0, np.int16)])
        return samples[first - start * 2 :][:count].astype(np.float32)


def open_sound(path: str) -> SoundFile:
    """Return the sound file at `path`; raises Refused with what is wrong with it."""
    file = OpenFile(path)
    kind = G722File if path.lower().endswith(".g722") else WavFile
    return kind(file.read, file.size, path)
