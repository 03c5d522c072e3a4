"""The files of recordings while they are written: µ-law WAV, PCM WAV, Ogg with opus.

They live on the writer's thread. Each call of `append` leaves a file that plays to its end: WAV by
sizes rewritten in place, Ogg by whole pages. A write that fails (disk full) raises OSError and
leaves the file as it was before; what it was given is then owed as silence by whoever keeps the
time. Octets go to the system at once: from there they survive this process, not the power.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from os import pwrite
from typing import BinaryIO, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.g711 import PCMU
from pbx.media.codecs.stereo_opus import FRAME, OpusEncoder
from pbx.media.protocol import RecordingFormat
from pbx.media.recording.ogg import FIRST, LAST, MAX_SEGMENTS, opus_head, opus_tags, page, segments
from pbx.media.recording.record import RATES, Planes
from pbx.media.recording.wav import HEADER_SIZE, MULAW, PCM, Mark, WavLayout, marks_chunks

_SERIAL: Final = 1
"""Of the only stream in each Ogg file."""


class RecordingFile(Protocol):
    """A recording's file. `samples` are counted per side."""

    rate: int

    @property
    def samples(self) -> int:
        """Return the samples of one side so far."""

    def append(self, block: Planes) -> None:
        """Add sound, int16 (sides, samples); raises OSError."""

    def complete(self, marks: Sequence[Mark]) -> None:
        """Write what stands at the end; nothing is appended afterwards. Raises OSError."""


class WavFile:
    """A WAV file; `code` makes octets of interleaved int16 samples."""

    def __init__(
        self, file: BinaryIO, layout: WavLayout, code: Callable[[NDArray[np.int16]], bytes]
    ) -> None:
        self._descriptor = file.fileno()
        self._layout = layout
        self._code = code
        self._sound = 0
        self._octets = HEADER_SIZE
        self.rate = layout.rate
        _write(self._descriptor, layout.header(0), 0)

    @property
    def samples(self) -> int:
        """Return the samples of one side."""
        return self._sound // self._layout.block

    def append(self, block: Planes) -> None:
        """Add sound and say so in the header."""
        coded = self._code(np.ascontiguousarray(block.T))
        _write(self._descriptor, coded, self._octets)
        _write(self._descriptor, self._layout.header(self._sound + len(coded)), 0)
        self._sound += len(coded)
        self._octets += len(coded)

    def complete(self, marks: Sequence[Mark]) -> None:
        """Cut off what a failed write left, and add the marks."""
        os.ftruncate(self._descriptor, self._octets)
        behind = marks_chunks(marks)
        if behind:
            _write(self._descriptor, behind, self._octets)
            _write(self._descriptor, self._layout.header(self._sound, behind=len(behind)), 0)
            self._octets += len(behind)


class OpusFile:
    """An Ogg file with one opus stream. Marks have no place in it that players know of."""

    def __init__(self, file: BinaryIO, sides: int) -> None:
        self._descriptor = file.fileno()
        self._encoder = OpusEncoder(sides)
        self._rest = np.zeros((0, sides), np.int16)
        self._sequence = 0
        self._position = 0
        self._octets = 0
        self.rate = RATES["opus"]
        self.samples = 0
        pre_skip = 3 * self._encoder.delay
        head = opus_head(channels=sides, pre_skip=pre_skip, rate=self.rate)
        self._put([head], flags=FIRST)
        self._put([opus_tags("callpbx")])

    def append(self, block: Planes) -> None:
        """Add sound as a page or two; less than 20 ms of it waits for the next time."""
        sound = np.concatenate((self._rest, block.T))
        whole = len(sound) - len(sound) % FRAME
        before = self._octets, self._sequence, self._position
        try:
            self._put_frames(sound[:whole])
        except OSError:
            self._octets, self._sequence, self._position = before
            raise
        self._rest = sound[whole:]
        self.samples += block.shape[1]

    def complete(self, marks: Sequence[Mark]) -> None:
        """Write the encoder's last 20 ms and the end of the stream."""
        left, sides = self._rest.shape
        frames = np.zeros((1 + (left + self._encoder.delay) // FRAME, FRAME, sides), np.int16)
        frames.reshape(-1, sides)[:left] = self._rest
        self._position = 3 * (self.samples + self._encoder.delay)
        self._put([self._encoder.encode(frame) for frame in frames], flags=LAST)
        os.ftruncate(self._descriptor, self._octets)

    def _put_frames(self, sound: NDArray[np.int16]) -> None:
        packets: list[bytes] = []
        room = MAX_SEGMENTS
        for frame in sound.reshape(-1, FRAME, sound.shape[1]):
            packet = self._encoder.encode(frame)
            if segments(packet) > room:
                self._put(packets)
                packets, room = [], MAX_SEGMENTS
            packets.append(packet)
            room -= segments(packet)
            self._position += 3 * FRAME
        if packets:
            self._put(packets)

    def _put(self, packets: Sequence[bytes], *, flags: int = 0) -> None:
        content = page(
            packets,
            serial=_SERIAL,
            sequence=self._sequence,
            position=self._position,
            flags=flags,
        )
        _write(self._descriptor, content, self._octets)
        self._octets += len(content)
        self._sequence += 1


def start_file(file: BinaryIO, format: RecordingFormat, sides: int) -> RecordingFile:
    """Begin a recording in an empty file.

    Raises OSError, and Refused where the format cannot be written here.
    """
    if format == "opus":
        return OpusFile(file, sides)
    tag, code = _WAV_CODES[format]
    return WavFile(file, WavLayout(tag, RATES[format], sides), code)


def _as_mulaw(samples: NDArray[np.int16]) -> bytes:
    return PCMU.compress[samples.view(np.uint16)].tobytes()


def _as_pcm(samples: NDArray[np.int16]) -> bytes:
    return samples.astype("<i2", copy=False).tobytes()


_WAV_CODES: Final[dict[RecordingFormat, tuple[int, Callable[[NDArray[np.int16]], bytes]]]] = {
    "ulaw": (MULAW, _as_mulaw),
    "pcm": (PCM, _as_pcm),
}


def _write(descriptor: int, octets: bytes, offset: int) -> None:
    """Write all of `octets` at `offset`; raises OSError."""
    view = memoryview(octets)
    while view:
        written = pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
