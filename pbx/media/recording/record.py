"""One recording as the tick sees it: frames in, blocks of half a second out to the writer.

Sound is kept as planes, one for each side, and handed over in blocks, so that a tick costs two
copies of a frame. Time is what was written: whoever calls `write` or `skip` for each tick gets a
file that is aligned with the clock. What the writer cannot take (a disk that stalls) is counted and
becomes silence of the same length.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pbx.media.protocol import RecordingFormat

RATES: Final[dict[RecordingFormat, int]] = {"ulaw": 8000, "pcm": 16000, "opus": 16000}
"""Samples a second of each format, Hz."""

BLOCK_MS: Final = 500
"""Milliseconds of sound that are handed over at once: what a killed worker loses, nearly."""

Planes = NDArray[np.int16]
"""(sides, samples): left and right, or the one side of a mono recording."""


class Track(Protocol):
    """The file behind a recording; none of these waits for the disk."""

    def append(self, block: Planes, missing: int) -> bool:
        """Take a block, behind `missing` samples of silence; False where there is no room."""

    def mark(self, sample: int, label: str) -> None:
        """Note a word to the place `sample`."""

    def complete(self, missing: int) -> None:
        """Complete the file, with `missing` samples of silence at its end."""


class Recording:
    """A bridge's sound on its way to a file. `number` is signalling's name for it."""

    __slots__ = ("_block", "_filled", "_missing", "_paused", "_taken", "_track", "number", "rate")

    def __init__(self, number: int, track: Track, *, format: RecordingFormat, stereo: bool) -> None:
        self.number = number
        self.rate = RATES[format]
        """Samples a second that `write` takes, Hz."""
        self._track = track
        self._block: Planes = self._empty(2 if stereo else 1)
        self._filled = 0
        self._missing = 0
        self._taken = 0
        self._paused = False

    @property
    def seconds(self) -> float:
        """Return how much was recorded so far."""
        return (self._taken + self._filled) / self.rate

    def write(self, left: NDArray[np.int16], right: NDArray[np.int16] | None = None) -> None:
        """Record one tick: int16 (rate / 50,) of each side; `right` is None for a mono one."""
        start = self._filled
        self._filled = end = start + len(left)
        block = self._block
        if self._paused:
            block[:, start:end] = 0
        else:
            block[0, start:end] = left
            if right is not None:
                block[1, start:end] = right
        if end == block.shape[1]:
            self._hand_over()

    def skip(self, ticks: int) -> None:
        """Record silence for ticks that were never run, so that time stays the clock's.

        More than a block of them is told as missing.
        """
        if ticks * 20 > BLOCK_MS:
            self._hand_over()
            self._missing += ticks * self.rate // 50
            self._taken += ticks * self.rate // 50
            return
        silence = np.zeros(self.rate // 50, np.int16)
        for _ in range(ticks):
            self.write(silence, silence if len(self._block) == 2 else None)

    def pause(self, on: bool) -> None:
        """Record silence on all sides from now on, or sound again; either way with a mark."""
        if on != self._paused:
            self._paused = on
            self._track.mark(self._taken + self._filled, "paused" if on else "resumed")

    def stop(self) -> None:
        """Complete the file."""
        self._hand_over()
        self._track.complete(self._missing)

    def _hand_over(self) -> None:
        block, filled = self._block[:, : self._filled], self._filled
        if filled:
            if self._track.append(block, self._missing):
                self._missing = 0
            else:
                self._missing += filled
            self._taken += filled
            self._block, self._filled = self._empty(len(block)), 0

    def _empty(self, sides: int) -> Planes:
        return np.empty((sides, self.rate * BLOCK_MS // 1000), np.int16)
