"""[io] What a server does about recordings besides making them: index, recovery, room, retention.

Below `min_free` octets on the disk no new recording may begin; those that go on do go on. It is
said once, and recordings begin again when there is room, and a little more, so that it does not go
to and fro.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pbx.db.engine import Storage
from pbx.recordings.index import RecordingIndex
from pbx.recordings.recovery import cut_off, recover
from pbx.recordings.retention import forget_recordings, free_octets

log = logging.getLogger(__name__)

ROOM_AGAIN = 1.05
"""Times `min_free` that must be free before recordings begin again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long files and rows are kept, seconds, and the octets that must stay free."""

    files_s: float
    rows_s: float
    min_free: int


class RecordingKeeper:
    """Keeps the recordings in `folder`.

    `alarm` is told once when room runs out. `free` tells how many octets are left.
    """

    def __init__(
        self,
        database: Storage,
        folder: Path,
        limits: Limits,
        *,
        alarm: Callable[[str], object],
        free: Callable[[Path], int] = free_octets,
    ) -> None:
        self.index = RecordingIndex(database, folder)
        self.refusal: str | None = None
        """Why no recording may begin now; None where it may."""
        self._database = database
        self._folder = folder
        self._limits = limits
        self._alarm = alarm
        self._free = free
        self._recovery: asyncio.Task[object] | None = None

    async def start(self) -> None:
        """Begin to keep the index, and mend in the background what a crash left."""
        self.index.start()
        interrupted = await cut_off(self._database)
        self._recovery = asyncio.get_running_loop().create_task(
            recover(self._database, self.index, self._folder, interrupted),
            name="recovery of recordings",
        )
        self._recovery.add_done_callback(_recovered)
        self.look_after()

    async def recovered(self) -> None:
        """Wait until what a crash left is mended."""
        if self._recovery is not None:
            await asyncio.wait((self._recovery,))

    def look_after(self) -> None:
        """See whether there is room for recordings."""
        limit = self._limits.min_free
        try:
            free = self._free(self._folder)
        except OSError as error:
            log.warning("the room in %s is not known: %s", self._folder, error)
            return
        if self.refusal is None and free < limit:
            self.refusal = (
                f"no recording begins: less than {limit / 1e9:.1f} GB is free in {self._folder} "
                "(retention: min_free)"
            )
            self._alarm(f"{self.refusal}; make room on the disk")
        elif self.refusal is not None and free > ROOM_AGAIN * limit:
            log.warning("there is room in %s again: recordings begin", self._folder)
            self.refusal = None

    async def forget(self, now: float) -> None:
        """Delete what is too old at `now`, seconds since the epoch. Raises StorageError."""
        await forget_recordings(
            self._database,
            self._folder,
            now,
            kept=self._limits.files_s,
            rows_kept=self._limits.rows_s,
        )

    async def close(self) -> None:
        """Write what is left of the index."""
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.wait((self._recovery,))
        await self.index.close()


def _recovered(recovery: asyncio.Task[object]) -> None:
    if not recovery.cancelled() and (error := recovery.exception()) is not None:
        log.error("recordings could not be mended", exc_info=error)
