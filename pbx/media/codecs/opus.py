"""opus by libopus itself, decoded and encoded as mono at 16000 Hz whatever was sent (RFC 6716).

libopus is called through ctypes with addresses of our own arrays: no copy of the samples, and no
object for each packet but the payload. The calls keep the interpreter's lock, so that the tick does
not lose it to a thread that writes files between one packet and the next. States are plain memory
without pointers into themselves (opus.h allows copying them), copied from one that was set up.

libopus makes packets of one frame of 10, 20, 40 or 60 ms. Packets of 30 and 50 ms are several
frames of 10 ms, put together here (RFC 6716 §3.2.5). The stream's RTP clock is 48000 (RFC 7587).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

import numpy as np

from pbx.media.codecs.array_codec import LONGEST_MS, ArrayCodec, Frames, States

RATE: Final = 16000
"""Hz of the samples, in both directions."""

BITS_PER_SECOND: Final = 28000
"""What the encoder is asked for; speech with its pauses comes to 24 kbit/s."""

COMPLEXITY: Final = 1
"""Of 0 to 10. Speech at 28 kbit/s and 1 costs 43 µs a frame of 20 ms and sounds (PESQ, wide band
4.2 to 4.3) as with 3 at twice, nearly as with 5 at 24 kbit/s and two and a half times the cost."""

_APPLICATION_VOIP = 2048
_SET_BITRATE, _SET_COMPLEXITY = 4002, 4010  # opus_defines.h
_PER_MS = RATE // 1000
_SHORTEST = RATE // 400  # 2.5 ms, the grain of everything in libopus
_WHOLE = (960, 640, 320, 160)  # samples that the encoder puts into one frame
_LONGEST_FRAME = 1275  # octets, RFC 6716 §3.4
_GUESS_MS = 20  # of a payload that tells nothing, alone in its batch

_FRAME_MS: Final = (  # by the five highest bits of the first octet, RFC 6716 §3.1 table 2
    *(10, 20, 40, 60) * 3,  # SILK
    *(10, 20) * 2,  # both
    *(2.5, 5, 10, 20) * 4,  # CELT
)


class Opus(ArrayCodec):
    """opus; raises ImportError where there is no libopus for this platform."""

    name = "opus"
    rate = RATE
    octets_per_ms = 0
    silence = 0x48  # a frame of 20 ms of wide-band speech with nothing in it: nothing was sent

    def __init__(self) -> None:
        libopus = _Library()
        self._decode = libopus.decode
        self._encode = libopus.encode
        self._new_decoder = libopus.new_decoder()
        self._new_encoder = libopus.new_encoder()
        self._packet = np.zeros(_LONGEST_FRAME, np.uint8)
        self._packet_at = self._packet.ctypes.data

    def decoder(self) -> Any:
        """Return the memory of a stream to decode, some 18 kB."""
        return type(self._new_decoder).from_buffer_copy(self._new_decoder)

    def encoder(self) -> Any:
        """Return the memory of a stream to encode, some 31 kB."""
        return type(self._new_encoder).from_buffer_copy(self._new_encoder)

    def duration_ms(self, payload: bytes) -> float:
        """Return what the first two octets say (RFC 6716 §3.1); 0 where they are broken."""
        if not payload:
            return 0
        toc = payload[0]
        match toc & 3:
            case 0:
                frames = 1
            case 3:
                frames = payload[1] & 0x3F if len(payload) > 1 else 0
            case _:
                frames = 2
        milliseconds = frames * _FRAME_MS[toc >> 3]
        return milliseconds if milliseconds <= LONGEST_MS else 0

    def decode(self, states: States, payloads: Sequence[bytes]) -> Frames:
        """Return the samples of each packet; of one that libopus does not take, silence."""
        longest = max(map(self.duration_ms, payloads), default=0) or _GUESS_MS
        frames = np.zeros((len(payloads), int(longest * _PER_MS)), np.int16)
        samples, at = frames.shape[1], frames.ctypes.data
        for row, (state, payload) in enumerate(zip(states or (), payloads, strict=True)):
            # An empty payload would be taken for a lost one.
            if payload and self._decode(state, payload, len(payload), at, samples, 0) < 0:
                frames[row] = 0
            at += 2 * samples
        return frames

    def conceal(self, state: Any, samples: int, ahead: bytes | None = None) -> Frames:
        """Return what libopus makes of a loss: the copy that `ahead` holds, else its guess."""
        room = -(-samples // _SHORTEST) * _SHORTEST
        frames = np.zeros((1, room), np.int16)
        at = frames.ctypes.data
        if not ahead or self._decode(state, ahead, len(ahead), at, room, 1) < 0:
            self._decode(state, None, 0, at, room, 0)
        return frames[:, :samples]

    def encode(self, states: States, frames: Frames) -> list[bytes]:
        """Return a packet for each row; raises ValueError when rows are not 10 ms or several."""
        samples = frames.shape[1]
        piece = next((whole for whole in _WHOLE if samples and samples % whole == 0), 0)
        if not piece:
            raise ValueError(f"opus has no packet of {samples} samples")
        frames = np.ascontiguousarray(frames)
        at, row, step = frames.ctypes.data, 2 * samples, 2 * piece
        packets = []
        for state in states or ():
            end = at + row  # not strides[0], which may be anything for a single row
            pieces = [self._encode_frame(state, start, piece) for start in range(at, end, step)]
            packets.append(pieces[0] if len(pieces) == 1 else join_frames(pieces))
            at = end
        return packets

    def _encode_frame(self, state: Any, at: int, samples: int) -> bytes:
        size = self._encode(state, at, samples, self._packet_at, _LONGEST_FRAME)
        if size < 0:
            raise ValueError(f"libopus returned {size} for {samples} samples")
        return self._packet[:size].tobytes()


def join_frames(packets: Sequence[bytes]) -> bytes:
    """Return one packet with the frames of several that hold one each (RFC 6716 §3.2.5, VBR).

    Frames in one packet share its first octet; one of another kind is left empty, which a decoder
    conceals. The encoder above changes the kind of its frames only when its settings are changed.
    """
    toc = packets[0][0]
    frames = [packet[1:] if packet[0] == toc else b"" for packet in packets]
    lengths = b"".join(map(_length, frames[:-1]))
    return bytes((toc | 3, 0x80 | len(frames))) + lengths + b"".join(frames)


def _length(frame: bytes) -> bytes:
    """Write the length of a frame in one octet or two (RFC 6716 §3.2.1)."""
    size = len(frame)
    if size < 252:
        return bytes((size,))
    first = 252 + (size & 3)
    return bytes((first, (size - first) >> 2))


_Address = ctypes.c_void_p
_Int = ctypes.c_int


class _Library:
    """The six functions of libopus that are called, opus.h."""

    def __init__(self) -> None:
        try:
            loaded = import_module("opuslib_next.api").libopus
        except (OSError, RuntimeError) as error:  # the module is there, the library is not
            raise ImportError(str(error)) from error
        self._functions = ctypes.PyDLL(None, handle=loaded._handle)
        self.decode = self._function(
            *("opus_decode", _Address, ctypes.c_char_p, _Int, _Address, _Int, _Int)
        )
        self.encode = self._function("opus_encode", _Address, _Address, _Int, _Address, _Int)

    def new_decoder(self) -> ctypes.Array[ctypes.c_char]:
        """Return the state of a decoder that has heard nothing."""
        size = self._function("opus_decoder_get_size", _Int)(1)
        state = ctypes.create_string_buffer(size)
        _check(self._function("opus_decoder_init", _Address, _Int, _Int)(state, RATE, 1))
        return state

    def new_encoder(self) -> ctypes.Array[ctypes.c_char]:
        """Return the state of an encoder that is set up and has heard nothing."""
        size = self._function("opus_encoder_get_size", _Int)(1)
        state = ctypes.create_string_buffer(size)
        start = self._function("opus_encoder_init", _Address, _Int, _Int, _Int)
        _check(start(state, RATE, 1, _APPLICATION_VOIP))
        control = self._function("opus_encoder_ctl", _Address, _Int)  # variadic from here on
        _check(control(state, _SET_BITRATE, _Int(BITS_PER_SECOND)))
        _check(control(state, _SET_COMPLEXITY, _Int(COMPLEXITY)))
        return state

    def _function(self, name: str, *arguments: type) -> Callable[..., int]:
        function = self._functions[name]
        function.argtypes = arguments
        function.restype = _Int
        return function


def _check(code: int) -> None:
    if code != 0:
        raise ImportError(f"libopus cannot be set up: error {code}")
