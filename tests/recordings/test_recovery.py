"""After a crash: every file has a row and every row says what became of its file."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from pbx.media.recording.ogg import FIRST, opus_head, opus_tags, page
from pbx.recordings import recovery
from pbx.recordings.index import RecordingIndex
from pbx.recordings.mending import INTERRUPTED, NO_FILE, NOT_OURS
from pbx.recordings.recovery import Audit, Recovered, audit, cut_off, recover
from tests.recordings.shelf import START, Shelf


async def restart(shelf: Shelf) -> Recovered:
    """Let a new server find what the killed one left."""
    await shelf.index.flush()
    shelf.index = RecordingIndex(shelf.database, shelf.folder)
    interrupted = await cut_off(shelf.database)
    return await recover(shelf.database, shelf.index, shelf.folder, interrupted)


def test_what_was_going_on_is_mended(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.record("c1-1")
        shelf.begin("c2-1")
        path = shelf.write_file("c2-1", seconds=4.0, said=3.5)
        assert await restart(shelf) == Recovered(mended=1)
        entry = await shelf.entry("c2-1")
        assert (entry.state, entry.seconds, entry.error) == ("interrupted", 4.0, INTERRUPTED)
        assert entry.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (await shelf.entry("c1-1")).state == "complete"
        assert await audit(shelf.database, tmp_path) == Audit((), ())

    asyncio.run(main())


def test_a_file_that_the_index_never_heard_of_gets_a_row(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.write_file("c3-2", seconds=2.0)
        assert await audit(shelf.database, tmp_path) == Audit((), (shelf.file("c3-2"),))
        assert await restart(shelf) == Recovered(adopted=1)
        entry = await shelf.entry("c3-2")
        assert (entry.call, entry.state, entry.seconds) == ("c3", "interrupted", 2.0)
        assert entry.format == "ulaw"
        assert await restart(shelf) == Recovered()

    asyncio.run(main())


def test_a_file_of_opus_gets_a_row_too(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        head = opus_head(channels=2, pre_skip=312, rate=16000)
        (tmp_path / "c4-1.opus").write_bytes(
            page([head], serial=1, sequence=0, position=0, flags=FIRST)
            + page([opus_tags("callpbx")], serial=1, sequence=1, position=0)
            + page([b"\x48"] * 50, serial=1, sequence=2, position=48_312)
        )
        assert (await restart(shelf)).adopted == 1
        entry = await shelf.entry("c4-1")
        assert (entry.format, entry.seconds) == ("opus", 1.0)
        assert entry.media_type == "audio/ogg; codecs=opus"

    asyncio.run(main())


def test_a_row_whose_file_is_gone_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.record("c1-1").unlink()
        shelf.begin("c2-1")
        assert await restart(shelf) == Recovered(mended=1, missing=1)
        for recording in ("c1-1", "c2-1"):
            entry = await shelf.entry(recording)
            assert (entry.state, entry.error) == ("missing", NO_FILE)
        assert await restart(shelf) == Recovered()

    asyncio.run(main())


def test_files_that_are_no_recordings_are_left_alone_and_named(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        (tmp_path / "notes.txt").write_text("mine")
        (tmp_path / "c5-1.wav").write_text("no sound")
        assert await restart(shelf) == Recovered(strange=("c5-1.wav",))
        assert (tmp_path / "c5-1.wav").read_text() == "no sound"

    asyncio.run(main())


def test_a_copy_of_a_recording_does_not_take_the_place_of_the_first(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        path = shelf.record("c1-1")
        (tmp_path / "c1-1.wav").write_bytes(path.read_bytes())
        assert await restart(shelf) == Recovered(strange=("c1-1.wav",))
        assert (await shelf.entry("c1-1")).file == shelf.file("c1-1")

    asyncio.run(main())


def test_any_number_is_looked_at_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(recovery, "STEP", 3)
        shelf = Shelf(tmp_path)
        for n in range(10):
            shelf.record(f"gone{n}-1", START + n // 4).unlink()
            shelf.record(f"kept{n}-1", START + n // 4)
            shelf.write_file(f"alone{n}-1")
        assert await restart(shelf) == Recovered(adopted=10, missing=10)
        assert await audit(shelf.database, tmp_path) == Audit((), ())

    asyncio.run(main())


def test_a_damaged_file_keeps_its_row(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.begin("c6-1")
        shelf.write_file("c6-1").write_bytes(b"")
        await restart(shelf)
        entry = await shelf.entry("c6-1")
        assert (entry.state, entry.error, entry.sha256) == ("interrupted", NOT_OURS, None)

    asyncio.run(main())


def test_a_recording_that_begins_meanwhile_is_not_taken_for_an_orphan(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.begin("c7-1")
        shelf.write_file("c7-1")
        done = await recover(shelf.database, shelf.index, tmp_path, [])
        assert done == Recovered()
        assert (await shelf.entry("c7-1")).state == "recording"

    asyncio.run(main())
