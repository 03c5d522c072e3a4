"""The codecs that the worker can decode and encode: one row of `ARRAY_CODECS` each.

What a codec's arrays do is in a file of its own (`g711.py`, `g722.py`, `opus.py`, `l16.py`); the
shape they share is in `array_codec.py`, what signalling knows of them in `codec.py`. A codec
whose library is missing on this platform has no row; signalling finds that out by itself and does
not offer it (`Codec.needs`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pbx.media.codecs.array_codec import ArrayCodec, Frames, Octets, States
from pbx.media.codecs.g711 import PCMA, PCMU
from pbx.media.codecs.g722 import G722
from pbx.media.codecs.l16 import L16
from pbx.media.codecs.opus import Opus

__all__ = ["ARRAY_CODECS", "ArrayCodec", "Frames", "Octets", "States", "load_codecs"]

log = logging.getLogger(__name__)

_OURS: Final[Sequence[ArrayCodec]] = (PCMU, PCMA, L16)
_BY_LIBRARY: Final[Sequence[Callable[[], ArrayCodec]]] = (G722, Opus)


def load_codecs(makers: Sequence[Callable[[], ArrayCodec]]) -> Iterator[ArrayCodec]:
    """Yield the codecs whose libraries can be loaded; log one warning for each of the others."""
    for make in makers:
        try:
            yield make()
        except ImportError as error:
            log.warning("a codec is left out, its library cannot be loaded: %s", error)


ARRAY_CODECS: Final = {codec.name: codec for codec in (*_OURS, *load_codecs(_BY_LIBRARY))}
"""Every codec with arrays, by its name."""
