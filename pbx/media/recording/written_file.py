"""One recording's file from its making to its hash, as the writer's thread goes about it.

Nothing here raises for what a disk does. Sound that could not be written, or never came this far,
is owed: before the next block silence of the same length goes in, so that the file stays aligned
with the clock, and `RecordingDone` says how much of it there is.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from pbx.errors import Refused
from pbx.media.protocol import RecordingDone, RecordingFormat
from pbx.media.recording.file import RecordingFile, start_file
from pbx.media.recording.record import Planes
from pbx.media.recording.wav import Mark

SILENCE_AT_ONCE: Final = 1
"""Seconds of owed silence that are written in one go."""

STRETCH: Final = 1 << 20
"""Octets hashed in one go."""

_TOO_SLOW: Final = "the disk or the machine was too slow"


class WrittenFile:
    """A recording's file; `number` is signalling's name for the recording."""

    def __init__(self, number: int, path: Path, *, format: RecordingFormat, sides: int) -> None:
        self.number = number
        self._path = path
        self._format: RecordingFormat = format
        self._sides = sides
        self._marks: list[Mark] = []
        self._opened: BinaryIO | None = None
        self._file: RecordingFile | None = None
        self._owed = 0
        self._lost = 0
        self._why = _TOO_SLOW
        self._hash = hashlib.sha256()
        self._hashed = 0

    def open(self) -> RecordingDone | None:
        """Make the file, and its folder; return what became of it if that cannot be done."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._opened = os.fdopen(os.open(self._path, flags, 0o600), "r+b", buffering=0)
            self._file = start_file(self._opened, self._format, self._sides)
        except OSError as error:
            return self._never(f"the file cannot be made: {error.strerror}")
        except Refused as refusal:
            return self._never(str(refusal))
        return None

    def append(self, block: Planes, missing: int) -> None:
        """Add int16 (sides, samples), behind `missing` samples of silence."""
        if self._file is None:
            return
        self._miss(missing)
        try:
            self._pay(self._file)
            self._file.append(block)
        except OSError as error:
            self._why = error.strerror or str(error)
            self._miss(block.shape[1])

    def mark(self, sample: int, label: str) -> None:
        """Put a word to a place."""
        self._marks.append(Mark(sample, label))

    def complete(self, missing: int) -> bool:
        """Write the end, with `missing` samples of silence; True where `hash_on` must follow."""
        if self._file is None:
            return False
        self._miss(missing)
        try:
            self._pay(self._file)
            self._file.complete(self._marks)
        except OSError as error:
            self._why = error.strerror or str(error)
        return True

    def hash_on(self) -> RecordingDone | None:
        """Hash a stretch of the completed file; return what became of it once that is all."""
        file, opened = self._file, self._opened
        if file is None or opened is None:
            return self._never("the recording was never begun")
        try:
            stretch = os.pread(opened.fileno(), STRETCH, self._hashed)
        except OSError as error:
            self._why = f"the file cannot be read: {error.strerror}"
            return self._done(file, sha256="")
        if stretch:
            self._hash.update(stretch)
            self._hashed += len(stretch)
            return None
        return self._done(file, sha256=self._hash.hexdigest())

    def close(self) -> None:
        """Let the file be as it is."""
        if self._opened is not None:
            self._opened.close()
        self._file = self._opened = None

    def _done(self, file: RecordingFile, *, sha256: str) -> RecordingDone:
        self.close()
        seconds = file.samples / file.rate
        error = None if sha256 else self._why
        if self._lost:
            error = f"{self._lost / file.rate:.1f} s are silent: {self._why}"
        return RecordingDone(self.number, seconds, self._hashed, sha256, error)

    def _never(self, why: str) -> RecordingDone:
        self.close()
        return RecordingDone(self.number, 0.0, 0, "", why)

    def _miss(self, samples: int) -> None:
        self._owed += samples
        self._lost += samples

    def _pay(self, file: RecordingFile) -> None:
        """Write the silence that is owed; raises OSError and goes on from there next time."""
        while self._owed:
            count = min(self._owed, SILENCE_AT_ONCE * file.rate)
            file.append(np.zeros((self._sides, count), np.int16))
            self._owed -= count
