"""L16: samples as they are, 16 bits in network order (RFC 3551 §4.5.11).

Ours is mono at 16000 Hz, with an RTP clock of that and a dynamic payload type; the static types
10 and 11 are for 44100 Hz.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from pbx.media.codecs.array_codec import ArrayCodec, Frames, States, as_payloads, as_rows


class LinearCodec(ArrayCodec):
    """16-bit samples at 16000 Hz, no memory."""

    name = "L16"
    rate = 16000
    octets_per_ms = 32
    silence = 0

    def decode(self, states: States, payloads: Sequence[bytes]) -> Frames:
        """Swap the octets; half a sample at the end is left out."""
        octets = as_rows(payloads, self.silence)
        whole = np.ascontiguousarray(octets[:, : octets.shape[1] // 2 * 2])
        return whole.view(">i2").astype(np.int16)

    def encode(self, states: States, frames: Frames) -> list[bytes]:
        """Swap the octets."""
        return as_payloads(frames.astype(">i2", order="C").view(np.uint8))


L16: Final = LinearCodec()
"""Linear samples, `L16/16000`."""
