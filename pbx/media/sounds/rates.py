"""From any rate to 8000 or 16000 Hz, at any place of a sound.

A `RateFilter` is a polyphase windowed sinc without memory: which input samples an output sample
hears follows from its place alone, so blocks may be made in any order and fit together to the bit.
This is for files, which can be read at any place; live streams go through `resample.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

CROSSINGS: Final = 32
"""Zero crossings of the sinc on each side: 60 dB down 450 Hz above the pass band at 8 kHz."""

WINDOW_SHAPE: Final = 6.0  # Kaiser's β, 60 dB
PASS_BAND: Final = 0.94  # of half the lower rate, the middle of the slope

MAX_PHASES: Final = 512
"""Places between two input samples that have taps of their own.

More are only asked for by odd rates (44,101 Hz); they take the nearest below, 56 dB down at worst.
"""

BLOCK: Final = 1 << 14
"""Taps that are multiplied at once: as much as stays in the processor's cache."""

Samples = NDArray[np.float32]
"""(samples,)."""


class RateFilter:
    """Converts from `source` to `target` Hz."""

    def __init__(self, source: int, target: int) -> None:
        common = math.gcd(source, target)
        self._up, self._down = target // common, source // common
        self._phases = min(self._up, MAX_PHASES)
        lower = min(1.0, target / source)
        self._half = math.ceil(CROSSINGS / lower)
        self._taps = self._design(lower * PASS_BAND)
        self._block = max(1, BLOCK // (2 * self._half))

    def read(self, sound: Callable[[int, int], Samples], first: int, count: int) -> Samples:
        """Return `count` output samples from `first` on.

        `sound(first, count)` returns input samples, zeros where there are none.
        """
        places = np.arange(first, first + count, dtype=np.int64) * self._down
        before = places // self._up  # the last input sample at or before each output sample
        phases = (places % self._up) * self._phases // self._up
        start = int(before[0]) - self._half + 1
        heard = sound(start, int(before[-1]) - int(before[0]) + 2 * self._half)
        windows = sliding_window_view(heard, 2 * self._half)
        rows = before - before[0]
        made = np.empty(count, np.float32)
        for place in range(0, count, self._block):
            block = slice(place, place + self._block)
            made[block] = np.einsum("nt,nt->n", windows[rows[block]], self._taps[phases[block]])
        return made

    def _design(self, cutoff: float) -> Samples:
        """Return one row of taps per phase; each row lets a constant pass unchanged."""
        fraction = np.arange(self._phases).reshape(-1, 1) / self._phases
        distance = np.arange(1 - self._half, self._half + 1) - fraction
        window = np.i0(WINDOW_SHAPE * np.sqrt(np.maximum(0, 1 - (distance / self._half) ** 2)))
        rows: NDArray[np.float64] = np.sinc(distance * cutoff) * window
        rows /= rows.sum(axis=1, keepdims=True)
        return rows.astype(np.float32)


@lru_cache(maxsize=16)
def rate_filter(source: int, target: int) -> RateFilter:
    """Return the filter between two rates in Hz; the last few are kept."""
    return RateFilter(source, target)
