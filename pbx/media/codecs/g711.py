"""G.711: µ-law and A-law as two tables each, exact against the ITU's sweep.

ITU-T G.711, linear values left-justified to 16 bits: A-law drops the low 4 bits, µ-law the low 2,
of the magnitude in one's complement. That is the ITU's rounding; two's complement, as in Python's
old `audioop`, differs from it on 508 of the 65,536 µ-law inputs, all of them negative values on a
decision boundary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.array_codec import ArrayCodec, Frames, Octets, States, as_payloads, as_rows

_MULAW_BIAS = 33  # added to the 14-bit magnitude so that each segment starts at a power of two
_MULAW_TOP = 0x1FFF
_ALAW_MASK = 0x55  # every other bit is sent inverted


class G711(ArrayCodec):
    """One of the two laws: 8000 Hz, an octet a sample, no memory."""

    rate = 8000
    octets_per_ms = 8
    expand: Frames
    compress: Octets

    def __init__(self, name: str, compress: Octets, expand: Frames) -> None:
        self.name = name
        self.compress = compress
        self.expand = expand
        self.silence = int(compress[0])

    def decode(self, states: States, payloads: Sequence[bytes]) -> Frames:
        """Look the samples up; any octets are a payload."""
        return self.expand.take(as_rows(payloads, self.silence))

    def encode(self, states: States, frames: Frames) -> list[bytes]:
        """Look the octets up."""
        return as_payloads(self.compress.take(frames.view(np.uint16)))


def _segments(magnitude: NDArray[np.int64], lowest: int) -> NDArray[np.int64]:
    """Return how many bits each magnitude is longer than `lowest` bits, at least 0."""
    lengths = np.frexp(magnitude.astype(np.float64))[1].astype(np.int64)
    return np.maximum(lengths - lowest, 0)


def _mulaw_encoding() -> Octets:
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


def _alaw_encoding() -> Octets:
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


PCMU: Final = G711("PCMU", _mulaw_encoding(), _mulaw_decoding())
"""µ-law, RTP payload type 0."""

PCMA: Final = G711("PCMA", _alaw_encoding(), _alaw_decoding())
"""A-law, RTP payload type 8."""
