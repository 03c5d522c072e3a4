"""A server's care for recordings: room on the disk, the mending at its start."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pbx.recordings.keeper import Limits, RecordingKeeper
from tests.recordings.shelf import START, Shelf

LIMITS = Limits(files_s=90.0, rows_s=730.0, min_free=1000)


class Room:
    """A disk with so many octets free; None where nobody can tell."""

    def __init__(self) -> None:
        self.free: int | None = 5000

    def __call__(self, _folder: Path) -> int:
        if self.free is None:
            raise OSError("stale file handle")
        return self.free


def test_without_room_recordings_are_refused_with_one_alarm_until_there_is_some(
    tmp_path: Path,
) -> None:
    room, alarms = Room(), list[str]()
    shelf = Shelf(tmp_path)
    keeper = RecordingKeeper(shelf.database, tmp_path, LIMITS, alarm=alarms.append, free=room)
    refused = []
    for free in (5000, 999, 998, 1000, None, 1051, 999):
        room.free = free
        keeper.look_after()
        refused.append(keeper.refusal is not None)
    assert refused == [False, True, True, True, True, False, True]
    assert len(alarms) == 2
    assert "min_free" in alarms[0]


def test_what_a_crash_left_is_mended_at_the_start(tmp_path: Path) -> None:
    async def main() -> None:
        shelf = Shelf(tmp_path)
        shelf.begin("c1-1")
        shelf.write_file("c1-1", seconds=2.0, said=1.5)
        await shelf.index.flush()
        keeper = RecordingKeeper(shelf.database, tmp_path, LIMITS, alarm=print)
        await keeper.start()
        await keeper.recovered()
        await keeper.close()
        assert (await shelf.entry("c1-1")).seconds == 2.0
        await keeper.forget(START + 100)
        assert (await shelf.entry("c1-1")).state == "deleted"

    asyncio.run(main())
