"""Old files go, their rows stay as long as records; nothing is deleted before its time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pbx.errors import NotFound, Refused
from pbx.recordings import retention
from pbx.recordings.retention import forget_recordings, free_octets
from tests.recordings.shelf import START, Shelf

DAY = 86_400.0


def test_the_file_goes_and_the_row_keeps_the_hash(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        old, new = shelf.record("c1-1", START), shelf.record("c2-1", START + 50 * DAY)
        before = await shelf.entry("c1-1")
        now = START + 100 * DAY
        gone = await forget_recordings(
            shelf.database, tmp_path, now, kept=90 * DAY, rows_kept=730 * DAY
        )
        assert gone == 1
        assert not old.exists()
        assert new.exists()
        entry = await shelf.entry("c1-1")
        assert (entry.state, entry.sha256) == ("deleted", before.sha256)
        with pytest.raises(Refused, match="deleted when its time was over"):
            await shelf.store.fetch("c1-1", by="me", at=now)

    asyncio.run(main())


def test_rows_go_with_the_records_and_so_does_who_listened(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.record("c1-1", START)
        await shelf.store.fetch("c1-1", by="me", at=START)
        now = START + 731 * DAY
        await forget_recordings(shelf.database, tmp_path, now, kept=90 * DAY, rows_kept=730 * DAY)
        with pytest.raises(NotFound):
            await shelf.entry("c1-1")
        assert list(tmp_path.iterdir()) == [], "empty folders are gone too"

    asyncio.run(main())


def test_many_are_deleted_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(retention, "STEP", 3)
        shelf = Shelf(tmp_path)
        for n in range(10):
            shelf.record(f"c{n}-1", START)
        await shelf.index.flush()
        gone = await forget_recordings(
            shelf.database, tmp_path, START + DAY, kept=0.0, rows_kept=730 * DAY
        )
        assert gone == 10

    asyncio.run(main())


def test_a_recording_that_goes_on_is_never_deleted(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.begin("c1-1", START)
        path = shelf.write_file("c1-1")
        await shelf.index.flush()
        now = START + 100 * DAY
        assert not await forget_recordings(
            shelf.database, tmp_path, now, kept=0.0, rows_kept=730 * DAY
        )
        assert path.exists()

    asyncio.run(main())


def test_a_file_that_cannot_be_deleted_is_tried_again(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        path = shelf.record("c1-1", START)
        path.unlink()
        path.mkdir()  # unlink refuses a folder, whoever asks
        (path / "x").touch()
        await shelf.index.flush()

        async def forget() -> int:
            return await forget_recordings(
                shelf.database, tmp_path, START + DAY, kept=0.0, rows_kept=730 * DAY
            )

        assert await forget() == 0
        assert (await shelf.entry("c1-1")).state == "complete"
        (path / "x").unlink()
        path.rmdir()
        assert await forget() == 1

    asyncio.run(main())


def test_the_room_on_the_disk_is_known(tmp_path: Path) -> None:
    assert free_octets(tmp_path) > 0
