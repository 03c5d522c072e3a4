"""G.722 at 64 kbit/s by the native library of that name, bit-exact against the ITU's vectors.

ITU-T G.722 mode 1: two bands of 8 kHz, coded in 6 and 2 bits; an octet is two samples at 16000 Hz.
The RTP clock is 8000 all the same (RFC 3551 §4.5.2), which is signalling's and the packets' matter.
Both directions have memory: an adaptive predictor for each band.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from pbx.media.codecs.array_codec import ArrayCodec, Frames, States

_BITS_PER_SECOND = 64000


class G722(ArrayCodec):
    """G.722; raises ImportError where there is no library for this platform."""

    name = "G722"
    rate = 16000
    octets_per_ms = 8
    silence = 0xFF  # the smallest step up in both bands; what is left of it is below 4 in 32768

    def __init__(self) -> None:
        self._coder = import_module("G722").G722

    def decoder(self) -> Any:
        """Return the memory of a stream, as after its reset."""
        return self._coder(self.rate, _BITS_PER_SECOND)

    encoder = decoder

    def decode(self, states: States, payloads: Sequence[bytes]) -> Frames:
        """Return two samples for each octet; any octets are a payload."""
        longest = max(map(len, payloads), default=0)
        frames = np.zeros((len(payloads), 2 * longest), np.int16)
        for frame, state, payload in zip(frames, states or (), payloads, strict=True):
            frame[: 2 * len(payload)] = state.decode(payload)
        return frames

    def encode(self, states: States, frames: Frames) -> list[bytes]:
        """Return an octet for each two samples."""
        return [state.encode(frame) for frame, state in zip(frames, states or (), strict=True)]
