"""[io] The thread that writes recordings, so that no tick ever waits for a disk.

What it is to do waits in a queue: open a file, add a block, complete it. A disk that stalls lets
the queue grow to `MAX_WAITING` octets for all recordings together; beyond, blocks are refused and
their place in the file becomes silence (record.py counts it). Completed files are hashed a stretch
at a time, between blocks, and told by `RecordingDone`: `watch` is readable when there are some.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from pbx.media.protocol import RecordingDone, RecordingFormat
from pbx.media.recording.record import Planes
from pbx.media.recording.written_file import WrittenFile

MAX_WAITING: Final = 64 << 20
"""Octets of sound that may wait for the disk: half an hour of one call at 8000 Hz, 5 s of 400."""

CLOSING: Final = 0.5
"""Seconds that the files still open may take when the worker ends."""

Job = Callable[[], None]

log = logging.getLogger(__name__)


class RecordingWriter:
    """Writes the files of one worker's recordings."""

    def __init__(self, *, max_waiting: int = MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._files: dict[WrittenFile, None] = {}
        self._hashing: deque[WrittenFile] = deque()
        self._done: deque[RecordingDone] = deque()
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread: threading.Thread | None = None
        # The loop counts what it gives, the thread what it took: no lock is needed.
        self._given = 0
        self._taken = 0

    @property
    def watch(self) -> int:
        """Return the descriptor that is readable while `finished` has something."""
        return self._event

    @property
    def waiting(self) -> int:
        """Return the octets of sound that wait for the disk."""
        return self._given - self._taken

    def open(self, number: int, path: str, *, format: RecordingFormat, stereo: bool) -> FileTrack:
        """Return the track of a new file, which is made soon, and its folder."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
            self._thread.start()
        file = WrittenFile(number, Path(path), format=format, sides=2 if stereo else 1)
        self.later(partial(self._open, file))
        return FileTrack(self, file)

    def finished(self) -> list[RecordingDone]:
        """Return what became of the recordings that are over."""
        try:
            os.eventfd_read(self._event)
        except BlockingIOError:
            return []
        return [self._done.popleft() for _ in range(len(self._done))]

    def close(self, patience: float = CLOSING) -> None:
        """Write what waits, for `patience` seconds at most; what a stalled disk holds is lost."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(patience)
            if self._thread.is_alive():
                log.warning("recordings are cut off: the disk takes nothing")
                return  # the thread may still use the descriptor
        os.close(self._event)

    def append(self, file: WrittenFile, block: Planes, missing: int) -> bool:
        """Let a block be written; False where too much waits already."""
        if self.waiting + block.nbytes > self._max_waiting:
            return False
        self._given += block.nbytes
        self.later(partial(self._append, file, block, missing))
        return True

    def complete(self, file: WrittenFile, missing: int) -> None:
        """Let a file be completed."""
        self.later(partial(self._complete, file, missing))

    def later(self, job: Job) -> None:
        """Let the thread do something, behind what waits."""
        self._jobs.put(job)

    # On the thread

    def _run(self) -> None:
        while True:
            try:
                job = self._jobs.get(block=not self._hashing)
            except Empty:
                job = self._hash_on
            if job is None:
                break
            try:
                job()
            except Exception:  # the fence: a defect met in one recording must not end the others
                log.exception("a recording failed")
        for file in self._files:
            file.close()

    def _open(self, file: WrittenFile) -> None:
        self._files[file] = None
        if (failed := file.open()) is not None:
            self._tell(file, failed)

    def _append(self, file: WrittenFile, block: Planes, missing: int) -> None:
        try:
            file.append(block, missing)
        finally:
            self._taken += block.nbytes

    def _complete(self, file: WrittenFile, missing: int) -> None:
        if file.complete(missing):
            self._hashing.append(file)

    def _hash_on(self) -> None:
        if (done := self._hashing[0].hash_on()) is not None:
            self._tell(self._hashing.popleft(), done)

    def _tell(self, file: WrittenFile, done: RecordingDone) -> None:
        del self._files[file]
        self._done.append(done)
        os.eventfd_write(self._event, 1)


class FileTrack:
    """What one recording's blocks go to; satisfies `record.Track`."""

    def __init__(self, writer: RecordingWriter, file: WrittenFile) -> None:
        self._writer = writer
        self._file = file

    def append(self, block: Planes, missing: int) -> bool:
        """Take a block, behind `missing` samples of silence; False where there is no room."""
        return self._writer.append(self._file, block, missing)

    def mark(self, sample: int, label: str) -> None:
        """Note a word to the place `sample`."""
        self._writer.later(partial(self._file.mark, sample, label))

    def complete(self, missing: int) -> None:
        """Complete the file, with `missing` samples of silence at its end."""
        self._writer.complete(self._file, missing)
