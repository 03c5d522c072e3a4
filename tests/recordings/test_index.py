"""The index: a row for each recording, soon after it changes, whatever the disk does."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from pbx.db.engine import MemoryDatabase
from pbx.errors import StorageError
from pbx.events import RecordingEnded, RecordingPaused, RecordingResumed
from pbx.recordings.index import RecordingIndex
from pbx.recordings.mending import NO_FILE
from pbx.recordings.model import Pause
from tests.recordings.shelf import START, Shelf

T = TypeVar("T")


def test_a_recording_that_goes_on_is_in_the_index(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.begin("c1-1")
        entry = await shelf.entry("c1-1")
        assert (entry.state, entry.seconds, entry.sha256) == ("recording", None, None)
        assert (entry.call, entry.format) == ("c1", "ulaw")
        assert entry.started_at == "2026-11-21T08:00:00.000Z"

    asyncio.run(main())


def test_a_complete_one_has_length_and_hash(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        path = shelf.record("c1-1", seconds=2.5)
        entry = await shelf.entry("c1-1")
        assert (entry.state, entry.seconds, entry.error) == ("complete", 2.5, None)
        assert entry.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert entry.octets == path.stat().st_size

    asyncio.run(main())


def test_pauses_are_kept_in_seconds_of_sound(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.begin("c1-1")
        shelf.index.take(RecordingPaused(call="c1", recording="c1-1"), START + 2)
        assert (await shelf.entry("c1-1")).pauses == (Pause(from_s=2.0, to_s=None),)
        shelf.index.take(RecordingResumed(call="c1", recording="c1-1"), START + 5)
        shelf.index.take(RecordingPaused(call="c1", recording="c1-1"), START + 7)
        shelf.write_file("c1-1", seconds=9.0)
        shelf.end("c1-1", START + 9)
        assert (await shelf.entry("c1-1")).pauses == (
            Pause(from_s=2.0, to_s=5.0),
            Pause(from_s=7.0, to_s=9.0),
        )

    asyncio.run(main())


def test_a_recording_whose_worker_died_is_mended(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.begin("c1-1")
        path = shelf.write_file("c1-1", seconds=3.0, said=2.5)
        shelf.index.take(RecordingEnded(call="c1", recording="c1-1", error="it died"), START)
        assert shelf.index.is_busy("c1-1")
        await shelf.index.close()
        entry = await shelf.entry("c1-1")
        assert (entry.state, entry.seconds, entry.error) == ("interrupted", 3.0, "it died")
        assert entry.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert not shelf.index.is_busy("c1-1")

    asyncio.run(main())


def test_a_recording_that_never_had_a_file_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.begin("c1-1")
        shelf.index.take(RecordingEnded(call="c1", recording="c1-1"), START)
        await shelf.index.close()
        entry = await shelf.entry("c1-1")
        assert (entry.state, entry.error) == ("missing", NO_FILE)

    asyncio.run(main())


class Disk(MemoryDatabase):
    """A database that can be full."""

    full = False

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Fail while the disk is full."""
        if self.full:
            raise StorageError("database or disk is full")
        return await super().write(change)


def test_rows_wait_while_the_database_takes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        disk = shelf.database = Disk()
        shelf.index = RecordingIndex(disk, tmp_path)
        disk.full = True
        shelf.begin("c1-1")
        assert not await shelf.index.flush()
        disk.full = False
        assert await shelf.index.flush()
        assert not shelf.index._changed

    asyncio.run(main())


def test_what_is_told_of_a_recording_that_is_over_changes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.record("c1-1")
        shelf.index.take(RecordingPaused(call="c1", recording="c1-1"), START)
        assert (await shelf.entry("c1-1")).pauses == ()

    asyncio.run(main())


def test_the_writer_writes_by_itself(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.index.start()
        shelf.begin("c1-1")
        while shelf.index.is_busy("c1-1") and shelf.index._changed:
            await asyncio.sleep(0)
        await shelf.index.close()
        assert (await shelf.entry("c1-1")).state == "recording"

    asyncio.run(main())
