"""Sound files: WAV of any common rate, width and number of channels, read as 8 kHz mono int16.

A `WavReader` reads 50 ms at a time, so that nothing ever waits for a whole file: PCM
of 8, 16, 24 and 32 bits, float of 32 and 64, A-law and µ-law, plain or as WAVE_FORMAT_EXTENSIBLE.
Channels are averaged. Another rate goes through `Resampler`, a polyphase windowed sinc that keeps
its place between blocks. A file in the wanted form passes bit by bit.

What a user can have done wrong with a file is told as `Refused`, in one sentence.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pbx.errors import Refused
from pbx.media.codecs import ARRAY_CODECS

RATE: Final = 8000
"""Hz of what is read, until wider codecs are mixed."""

BLOCKS_PER_SECOND: Final = 20

CROSSINGS: Final = 32
"""Zero crossings of the sinc on each side: 60 dB down 450 Hz above the pass band at 8 kHz."""

WINDOW_SHAPE: Final = 6.0  # Kaiser's β, 60 dB
PASS_BAND: Final = 0.94  # of half the lower rate, the middle of the slope
MAX_RATE: Final = 384_000
MAX_CHANNELS: Final = 32
MAX_CHUNKS: Final = 1000
FORMAT_SIZE: Final = 40  # octets of the longest format chunk, WAVE_FORMAT_EXTENSIBLE

Samples = NDArray[np.float32]
"""(samples,), in units of int16 full scale."""


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
    return lambda octets: np.nan_to_num(
        np.frombuffer(octets, kind) * 32768.0, posinf=32767, neginf=-32768
    ).astype(np.float32)


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


@dataclass(frozen=True, slots=True)
class WavFormat:
    """How a file's samples are written. `rate` in Hz, `width` in octets a sample."""

    rate: int
    channels: int
    width: int
    read: Callable[[bytes], Samples]


class Resampler:
    """Converts a stream of samples from one rate to another, block by block."""

    def __init__(self, source: int, target: int) -> None:
        common = math.gcd(source, target)
        self._up, self._down = target // common, source // common
        lower = min(1.0, target / source)
        self._half = math.ceil(CROSSINGS / lower)
        self._filters = self._design(lower * PASS_BAND)
        self._held = np.zeros(self._half - 1, np.float32)
        self._next = 0
        """Where the next output lies in `_held`, in units of 1/up of an input sample."""

    def feed(self, samples: Samples) -> Samples:
        """Take the next input samples; return what they make certain."""
        held = np.concatenate((self._held, samples))
        taps = 2 * self._half
        last_start = len(held) - taps
        if last_start < 0:
            self._held = held
            return np.zeros(0, np.float32)
        positions = np.arange(self._next, (last_start + 1) * self._up, self._down)
        windows = sliding_window_view(held, taps)[positions // self._up]
        resampled: Samples = np.einsum("nt,nt->n", windows, self._filters[positions % self._up])
        self._next += len(positions) * self._down
        keep = min(self._next // self._up, len(held))
        self._next -= keep * self._up
        self._held = held[keep:]
        return resampled

    def flush(self) -> Samples:
        """Return the rest, as if silence followed."""
        return self.feed(np.zeros(self._half, np.float32))

    def _design(self, cutoff: float) -> Samples:
        """Return one row of taps per fraction of an input sample; each row lets a constant pass."""
        fraction = np.arange(self._up).reshape(-1, 1) / self._up
        distance = np.arange(1 - self._half, self._half + 1) - fraction
        window = np.i0(WINDOW_SHAPE * np.sqrt(np.maximum(0, 1 - (distance / self._half) ** 2)))
        rows: NDArray[np.float64] = np.sinc(distance * cutoff) * window
        rows /= rows.sum(axis=1, keepdims=True)
        return rows.astype(np.float32)


class WavReader:
    """Reads an open WAV file from its start; `name` is what messages call it.

    Raises Refused when it is no WAV file or is coded in a way that we do not play.
    """

    def __init__(self, file: BinaryIO, name: str, rate: int = RATE) -> None:
        self._file = file
        self._name = name
        self._format, self._left = self._find_sound()
        source = self._format.rate
        self._resampler = Resampler(source, rate) if source != rate else None
        self._frames = max(1, source // BLOCKS_PER_SECOND)

    def read(self) -> NDArray[np.int16]:
        """Return the next samples, at least one; none at the end of the file."""
        sound = self._format
        while True:
            frame = sound.width * sound.channels
            octets = self._file.read(min(self._left, self._frames * frame))
            self._left -= len(octets)
            octets = octets[: len(octets) - len(octets) % frame]
            if not octets:
                return self._rest()
            samples = sound.read(octets)
            if sound.channels > 1:
                samples = samples.reshape(-1, sound.channels).mean(axis=1)
            if self._resampler is not None:
                samples = self._resampler.feed(samples)
            if len(samples):
                return _to_int16(samples)

    def _rest(self) -> NDArray[np.int16]:
        resampler, self._resampler = self._resampler, None
        self._left = 0
        return _to_int16(resampler.flush() if resampler is not None else np.zeros(0, np.float32))

    def _find_sound(self) -> tuple[WavFormat, int]:
        """Read chunks up to the samples; return their form and how many octets there are."""
        head = self._file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            raise Refused(f"{self._name} is not a WAV file")
        sound: WavFormat | None = None
        for _ in range(MAX_CHUNKS):
            chunk = self._file.read(8)
            if len(chunk) < 8:
                break
            size = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data" and sound is not None:
                return sound, size or 0xFFFF_FFFF  # 0: its writer streamed and did not come back
            if chunk[:4] == b"fmt ":
                start = self._file.read(min(size, FORMAT_SIZE))
                sound = self._read_format(start)
                size -= len(start)
            self._file.seek(size + size % 2, 1)
        raise Refused(f"{self._name} holds no sound")

    def _read_format(self, chunk: bytes) -> WavFormat:
        if len(chunk) < 16:
            raise Refused(f"{self._name} is not a WAV file")
        tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
        if tag == _EXTENSIBLE and len(chunk) >= 26:
            tag = int.from_bytes(chunk[24:26], "little")
        read = _READERS.get((tag, bits))
        if read is None:
            raise Refused(
                f"{self._name} is WAV of format {tag} with {bits} bits; save it as 16-bit PCM"
            )
        if not 0 < channels <= MAX_CHANNELS or not 1000 <= rate <= MAX_RATE:
            raise Refused(f"{self._name} has {channels} channels at {rate} Hz; save it as mono")
        return WavFormat(rate, channels, bits // 8, read)


def _to_int16(samples: Samples) -> NDArray[np.int16]:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
