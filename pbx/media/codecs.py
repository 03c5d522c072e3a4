"""The codecs' arrays: whole batches of frames to samples and back, in numpy.

One row of `ARRAY_CODECS` per codec that the worker can play or mix; a codec without a row is
relayed only. Frames are int16 arrays (n, samples), payloads uint8 arrays (n, octets); a codec
without memory takes `states=None` and is one table look-up.

G.711 (ITU-T G.711, linear values left-justified to 16 bits): A-law drops the low 4 bits, µ-law the
low 2, of the magnitude in one's complement. That is the ITU's rounding; two's complement, as in
Python's old `audioop`, differs from it on 508 of the 65,536 µ-law inputs, all of them negative
values on a decision boundary. Both tables below are exact against the ITU's sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.int16]
"""Linear samples: (n, samples), int16 full scale."""

Payloads = NDArray[np.uint8]
"""Coded frames: (n, octets)."""

_MULAW_BIAS = 33  # added to the 14-bit magnitude so that each segment starts at a power of two
_MULAW_TOP = 0x1FFF
_ALAW_MASK = 0x55  # every other bit is sent inverted


@dataclass(frozen=True, slots=True)
class ArrayCodec:
    """One codec. `states` holds one state per row for codecs with memory, else None."""

    name: str
    """Encoding name, as `codec.CODECS` has it."""
    rate: int
    """Samples a second of the frames, Hz."""
    silence: int
    """The octet of a coded zero, for filling up."""
    decode: Callable[[Any, Payloads], Frames]
    """(states, payloads (n, octets)) → frames (n, samples)."""
    encode: Callable[[Any, Frames], Payloads]
    """(states, frames (n, samples)) → payloads (n, octets)."""


def _segments(magnitude: NDArray[np.int64], lowest: int) -> NDArray[np.int64]:
    """Return how many bits each magnitude is longer than `lowest` bits, at least 0."""
    lengths = np.frexp(magnitude.astype(np.float64))[1].astype(np.int64)
    return np.maximum(lengths - lowest, 0)


def _mulaw_encoding() -> Payloads:
    """Return the octet of each int16 read as uint16."""
    linear = np.arange(0x10000, dtype=np.uint16).view(np.int16).astype(np.int64)
    negative = linear < 0
    magnitude = (np.where(negative, ~linear, linear) >> 2) + _MULAW_BIAS
    magnitude = np.minimum(magnitude, _MULAW_TOP)
    segment = _segments(magnitude, 6)
    step = (magnitude >> (segment + 1)) & 0x0F
    code: NDArray[np.int64] = np.where(negative, 0x80, 0) | segment << 4 | step
    return (~code & 0xFF).astype(np.uint8)


def _mulaw_decoding() -> Frames:
    """Return the sample of each octet."""
    code = ~np.arange(256) & 0xFF
    segment = code >> 4 & 7
    magnitude = (((code & 0x0F) << 1) + _MULAW_BIAS << segment) - _MULAW_BIAS << 2
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_encoding() -> Payloads:
    """Return the octet of each int16 read as uint16."""
    linear = np.arange(0x10000, dtype=np.uint16).view(np.int16).astype(np.int64)
    negative = linear < 0
    magnitude = np.where(negative, ~linear, linear) >> 4
    segment = _segments(magnitude, 4)
    step = (magnitude >> np.maximum(segment - 1, 0)) & 0x0F
    code: NDArray[np.int64] = np.where(negative, 0, 0x80) | segment << 4 | step
    return (code ^ _ALAW_MASK).astype(np.uint8)


def _alaw_decoding() -> Frames:
    """Return the sample of each octet: the middle of its interval."""
    code = np.arange(256) ^ _ALAW_MASK
    segment = code >> 4 & 7
    step = code & 0x0F
    linear_part = (step << 4) + 8
    magnitude = np.where(
        segment > 0, (linear_part + 0x100) << np.maximum(segment - 1, 0), linear_part
    )
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _table_codec(name: str, encoding: Payloads, decoding: Frames) -> ArrayCodec:
    def decode(_states: None, payloads: Payloads) -> Frames:
        return decoding[payloads]

    def encode(_states: None, frames: Frames) -> Payloads:
        return encoding[frames.view(np.uint16)]

    return ArrayCodec(name, 8000, int(encoding[0]), decode, encode)


_ROWS = (
    _table_codec("PCMU", _mulaw_encoding(), _mulaw_decoding()),
    _table_codec("PCMA", _alaw_encoding(), _alaw_decoding()),
)

ARRAY_CODECS: Final = {codec.name: codec for codec in _ROWS}
"""Every codec with arrays, by its name."""
