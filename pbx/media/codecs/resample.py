"""Between 8000 and 16000 Hz, for live sound: whole batches of frames, streaming, frame-exact.

`UP` and `DOWN` are one linear-phase half-band filter in both directions. A frame of 20 ms gives one
of 20 ms at once; what the filter has to remember between two frames is a row of samples per stream,
kept by the caller. Of its 63 taps every second one is zero but the middle one, so half of the
output of `UP` is a copy of its input, late by the filter's delay.

The taps are multiples of 2⁻¹⁶, and sums of their products with samples are exact in float64: what
comes out does not depend on the length of the frames or on who else is in the batch, not by a bit.
In a batch of 100, a frame of 20 ms costs 1 µs going up and 2.5 going down. Files, of any rate, are
`rates.py`'s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.array_codec import Frames

TAPS: Final = 63
"""Of the filter at 16000 Hz: flat to 3.4 kHz, 60 dB down from 4.6 kHz on."""

DELAY: Final = TAPS // 2
"""Samples at 16000 Hz by which sound is late, 1.9 ms."""

_WINDOW_SHAPE = 5.65  # Kaiser's β, 60 dB
_GRAIN = 1 << 16  # taps are multiples of 1/_GRAIN
_SIDE = (TAPS + 1) // 2  # taps that are not zero, without the middle one
_BLOCK = 80  # samples at 8000 Hz that one multiplication makes


def _half_band() -> NDArray[np.float64]:
    """Return the taps beside the middle one, (32,); their sum is 0.5, as is the middle one."""
    distance = np.arange(-DELAY, DELAY + 1, 2)
    window = np.i0(_WINDOW_SHAPE * np.sqrt(1 - (distance / (DELAY + 1)) ** 2))
    taps: NDArray[np.float64] = np.sinc(distance / 2) * window
    taps = np.rint(taps * (_GRAIN / 2 / taps.sum()))
    middle = _SIDE // 2
    taps[middle - 1 : middle + 1] += (_GRAIN / 2 - taps.sum()) / 2
    return taps / _GRAIN


def _sliding(taps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix that filters (n, block + 31) into (n, block); its corners do less."""
    matrix = np.zeros((_BLOCK + _SIDE - 1, _BLOCK))
    for column in range(_BLOCK):
        matrix[column : column + _SIDE, column] = taps
    return matrix


_FILTER: Final = _sliding(_half_band())


def _filtered(held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, samples) of (n, samples + 31), by the taps beside the middle one."""
    size = held.shape[1] - _SIDE + 1
    made = np.empty((len(held), size))
    for start in range(0, size, _BLOCK):
        end = min(start + _BLOCK, size)
        reach = end - start + _SIDE - 1
        np.matmul(
            held[:, start : start + reach],
            _FILTER[:reach, : end - start],
            out=made[:, start:end],
        )
    return made


class Resampler(ABC):
    """One direction between the two rates; without memory of its own, shared by all streams."""

    source: int
    """Hz of what comes in."""
    target: int
    """Hz of what goes out."""
    history: int
    """Samples of a stream that are remembered."""

    def state(self, streams: int) -> Frames:
        """Return the memory of that many new streams: int16 (streams, history), silence."""
        return np.zeros((streams, self.history), np.int16)

    def apply(self, states: Frames, frames: Frames) -> Frames:
        """Return `frames`, int16 (n, samples), at the target rate; update `states` in place.

        Raises ValueError when frames at 16000 Hz have an odd number of samples, or when there is
        not one state per frame.
        """
        size = frames.shape[1]
        if size * self.target % self.source:
            raise ValueError(f"{size} samples at {self.source} Hz are no whole number at half that")
        held = np.concatenate((states, frames), axis=1)
        states[:] = held[:, size:]
        return self._filter(held)

    @abstractmethod
    def _filter(self, held: Frames) -> Frames:
        """Return the samples that (n, history + samples) make."""


class _Up(Resampler):
    source = 8000
    target = 16000
    history = _SIDE - 1

    def _filter(self, held: Frames) -> Frames:
        size = held.shape[1] - self.history
        made = np.empty((len(held), 2 * size), np.int16)
        made[:, ::2] = _to_int16(2 * _filtered(held.astype(np.float64)))
        made[:, 1::2] = held[:, _SIDE // 2 : _SIDE // 2 + size]
        return made


class _Down(Resampler):
    source = 16000
    target = 8000
    history = TAPS - 1

    def _filter(self, held: Frames) -> Frames:
        size = (held.shape[1] - self.history) // 2
        made = _filtered(held[:, ::2].astype(np.float64))
        made += 0.5 * held[:, DELAY : DELAY + 2 * size : 2]
        return _to_int16(made)


def _to_int16(samples: NDArray[np.float64]) -> Frames:
    np.rint(samples, out=samples)
    np.clip(samples, -32768, 32767, out=samples)
    return samples.astype(np.int16)


UP: Final[Resampler] = _Up()
"""8000 to 16000 Hz."""

DOWN: Final[Resampler] = _Down()
"""16000 to 8000 Hz."""
