"""The codecs that the worker can decode and encode: one row of `ARRAY_CODECS` each.

What a codec's arrays do is in a file of its own (`g711.py`); the shape they share is in
`array_codec.py`, what signalling knows of them in `codec.py`. A codec without a row is relayed
only.
"""

from __future__ import annotations

from typing import Final

from pbx.media.array_codec import ArrayCodec, Frames, Octets, States
from pbx.media.g711 import PCMA, PCMU

__all__ = ["ARRAY_CODECS", "ArrayCodec", "Frames", "Octets", "States"]

_ROWS: tuple[ArrayCodec, ...] = (PCMU, PCMA)

ARRAY_CODECS: Final = {codec.name: codec for codec in _ROWS}
"""Every codec with arrays, by its name."""
