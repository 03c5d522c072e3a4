"""opus for recordings: one or two sides at 16000 Hz, by libopus (RFC 6716).

Unlike the codec of calls (opus.py), whose calls keep the interpreter's lock because the tick must
not lose it, these let go of it: they run on the writer's thread beside the tick.
"""

from __future__ import annotations

import ctypes
from importlib import import_module
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.errors import Refused

RATE: Final = 16000
"""Hz of the samples."""

FRAME: Final = RATE // 50
"""Samples of a packet, per side: 20 ms."""

BITS_PER_SECOND: Final = 24_000
"""For each side."""

COMPLEXITY: Final = 1
"""Of 0 to 10, as for calls: at this rate more is hardly heard and costs twice as much."""

_APPLICATION_VOIP: Final = 2048  # opus_defines.h
_SET_BITRATE, _SET_COMPLEXITY, _GET_LOOKAHEAD = 4002, 4010, 4027
_LONGEST: Final = 2 * 1275  # octets of a packet with one frame, RFC 6716 §3.4, with room to spare

_Address = ctypes.c_void_p
_Int = ctypes.c_int


class OpusEncoder:
    """One stream's encoder. Raises Refused where there is no libopus for this platform."""

    def __init__(self, sides: int) -> None:
        functions = _library()
        self._encode = functions["opus_encode"]
        self._encode.argtypes = (_Address, _Address, _Int, _Address, _Int)
        self._packet = ctypes.create_string_buffer(_LONGEST)
        size = functions["opus_encoder_get_size"](_Int(sides))
        self._state = ctypes.create_string_buffer(size)
        start = functions["opus_encoder_init"]
        _check(start(self._state, _Int(RATE), _Int(sides), _Int(_APPLICATION_VOIP)))
        control = functions["opus_encoder_ctl"]
        _check(control(self._state, _Int(_SET_BITRATE), _Int(BITS_PER_SECOND * sides)))
        _check(control(self._state, _Int(_SET_COMPLEXITY), _Int(COMPLEXITY)))
        delay = _Int()
        _check(control(self._state, _Int(_GET_LOOKAHEAD), ctypes.byref(delay)))
        self.delay = delay.value
        """Samples by which what is decoded lies behind what was encoded."""

    def encode(self, frame: NDArray[np.int16]) -> bytes:
        """Return the packet of 20 ms: int16 (320, sides), contiguous."""
        size = self._encode(self._state, frame.ctypes.data, FRAME, self._packet, _LONGEST)
        return self._packet.raw[:size] if size > 0 else _SILENT


_SILENT: Final = b"\x48"
"""A packet of 20 ms with nothing in it (RFC 6716 §3.1), for a frame that cannot be encoded."""


def _library() -> ctypes.CDLL:
    try:
        loaded = import_module("opuslib_next.api").libopus
    except (ImportError, OSError, RuntimeError) as error:
        raise Refused(f"recordings cannot be opus, there is no libopus here: {error}") from error
    return ctypes.CDLL(None, handle=loaded._handle)


def _check(code: int) -> None:
    if code != 0:
        raise Refused(f"libopus cannot record: error {code}")
