"""What a codec's arrays can do: whole batches of payloads to samples and back.

`ArrayCodec` is the shape of each row of `codecs.ARRAY_CODECS`. Frames are int16 arrays (n, samples)
at the codec's own `rate`; payloads are bytes, one for each row, all of one duration of 10 to 60 ms.
Codecs with memory keep it in one state per stream and direction, made by `decoder()` and
`encoder()`; codecs without take `states=None`.

Nothing that comes from the network makes `decode` raise: what cannot be decoded is silence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.int16]
"""Linear samples: (n, samples), int16 full scale."""

Octets = NDArray[np.uint8]
"""Coded octets: (n, octets)."""

States = Sequence[Any] | None
"""One state per row for codecs with memory, else None."""


LONGEST_MS: Final = 120
"""Milliseconds of the longest packet that any codec has (opus)."""


class ArrayCodec(ABC):
    """One codec; each exists once and is shared by all streams."""

    name: str
    """Encoding name, as `codec.CODECS` has it."""
    rate: int
    """Samples a second of the frames, Hz; not always the RTP clock."""
    octets_per_ms: int
    """Octets of a millisecond; 0 where packets are not slices of one stream of octets."""
    silence: int
    """The octet that fills a payload up; where packets are no slices, a payload of its own."""
    expand: Frames | None = None
    """(256,): the sample of each octet, where an octet is a sample; for look-ups of one's own."""
    compress: Octets | None = None
    """(65536,): the octet of each int16 read as uint16; None where `expand` is."""

    def decoder(self) -> Any:
        """Return the state of a new stream to decode; None for a codec without memory."""
        return None

    def encoder(self) -> Any:
        """Return the state of a new stream to encode; None for a codec without memory."""
        return None

    @abstractmethod
    def decode(self, states: States, payloads: Sequence[bytes]) -> Frames:
        """Return the frames of these payloads, one row for each.

        All are meant to have one duration: rows are as long as the longest, the others end in
        silence. Never raises.
        """

    @abstractmethod
    def encode(self, states: States, frames: Frames) -> list[bytes]:
        """Return the payload of each row of `frames`, int16 (n, samples), 10 to 60 ms of them."""

    def conceal(self, state: Any, samples: int, ahead: bytes | None = None) -> Frames | None:
        """Return int16 (1, samples) in place of a lost payload, or None: use the waveform's own.

        `ahead` is the payload behind the lost one, where it has come: some hold a copy of the
        lost one. It is decoded as usual afterwards.
        """
        return None

    def duration_ms(self, payload: bytes) -> float:
        """Return the milliseconds of a payload; 0 for one that cannot be decoded."""
        return len(payload) / self.octets_per_ms


def as_rows(payloads: Sequence[bytes], silence: int) -> Octets:
    """Return payloads as one array uint8 (n, octets), short ones filled up with `silence`."""
    lengths = set(map(len, payloads))
    if len(lengths) > 1:
        longest = max(lengths)
        payloads = [payload.ljust(longest, bytes((silence,))) for payload in payloads]
    octets = np.frombuffer(b"".join(payloads), np.uint8)
    return octets.reshape(len(payloads), max(lengths, default=0))


def as_payloads(octets: Octets) -> list[bytes]:
    """Return each row of uint8 (n, octets) as a payload."""
    size, joined = octets.shape[1], octets.tobytes()
    return [joined[row * size : (row + 1) * size] for row in range(len(octets))]
