"""Keys as pairs of tones, ITU-T Q.23, for legs that take no telephone-events.

One row of low frequencies, one column of high ones; a key is the sum of two sines. The high tone is
2 dB louder, since lines weaken high frequencies more (Q.23 §5). Edges are raised cosines of 3 ms:
a tone that is cut off sounds like a click and looks like more frequencies than two.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.media.keys.telephone_event import DIGITS

LOW: Final = (697.0, 770.0, 852.0, 941.0)
"""Hz of the rows 123A, 456B, 789C, *0#D."""

HIGH: Final = (1209.0, 1336.0, 1477.0, 1633.0)
"""Hz of the columns 147*, 2580, 369#, ABCD."""

KEYPAD: Final = ("123A", "456B", "789C", "*0#D")
"""The keys, row by row."""

SHORTEST: Final = 40
"""Milliseconds that a tone must last to be a key everywhere (Q.24 §3.4)."""

GAP: Final = 60
"""Milliseconds of silence after each key, whole frames and more than Q.24's 40."""

ZERO_DBM0: Final = 22_300
"""Peak of a sine of 0 dBm0 in int16: G.711's full scale is 3.14 (A-law) to 3.17 dBm0."""

_PLACES = {
    digit: (low, high)
    for low, row in zip(LOW, KEYPAD, strict=True)
    for high, digit in zip(HIGH, row, strict=True)
}
_LOW_DBM0 = -9.0
_HIGH_DBM0 = -7.0
_EDGE = 0.003
_FRAME_MS = 20


def frequencies(digit: str) -> tuple[float, float]:
    """Return the low and the high frequency of a key, Hz; raises ValueError for no key."""
    if digit not in _PLACES:
        raise ValueError(f"{digit!r} is no key")
    return _PLACES[digit]


def key_frames(digits: str, duration_ms: int, rate: int) -> NDArray[np.int16]:
    """Return keys as frames of 20 ms, int16 (n, rate / 50), a gap after each key.

    A key lasts `duration_ms` rounded up to whole frames, at least 40 ms. Raises ValueError for what
    is no key.
    """
    frames = max(-(-duration_ms // _FRAME_MS), SHORTEST // _FRAME_MS)
    size = rate * _FRAME_MS // 1000
    gap = np.zeros((GAP // _FRAME_MS, size), dtype=np.int16)
    parts = [part for digit in digits for part in (_tone(digit, frames * size, rate), gap)]
    return np.concatenate([part.reshape(-1, size) for part in parts] or [gap[:0]])


@lru_cache(maxsize=len(DIGITS) * 4)
def _tone(digit: str, samples: int, rate: int) -> NDArray[np.int16]:
    """Return a key of so many samples with soft edges; read-only, since it is shared."""
    low, high = frequencies(digit)
    at = np.arange(samples) / rate
    sound = _level(_LOW_DBM0) * np.sin(2 * np.pi * low * at)
    sound += _level(_HIGH_DBM0) * np.sin(2 * np.pi * high * at)
    edge = np.minimum(np.minimum(at, at[::-1]) / _EDGE, 1.0)
    tone = np.rint(sound * (0.5 - 0.5 * np.cos(np.pi * edge))).astype(np.int16)
    tone.flags.writeable = False
    return tone


def _level(dbm0: float) -> float:
    return float(ZERO_DBM0 * 10 ** (dbm0 / 20))
