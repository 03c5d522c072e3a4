"""The writer: changes wait while the disk takes nothing, and none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from pbx.db.engine import MemoryDatabase
from pbx.errors import StorageError
from tests.mailboxes.cabinet import Cabinet

T = TypeVar("T")


class Disk(MemoryDatabase):
    """A database that can be full."""

    full = False

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Fail while the disk is full."""
        if self.full:
            raise StorageError("database or disk is full")
        return await super().write(change)


def test_changes_wait_while_the_database_takes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        disk = Disk()
        cabinet = Cabinet(tmp_path, disk)
        disk.full = True
        message = cabinet.leave()
        assert not await cabinet.boxes.writer.flush()
        assert not await cabinet.boxes.writer.flush()
        assert caplog.text.count("mailboxes cannot be written") == 1
        disk.full = False
        assert await cabinet.boxes.writer.flush()
        assert cabinet.boxes.writer.waiting == 0
        assert (await cabinet.restarted()).boxes.find(message) is not None

    asyncio.run(main())


def test_the_writer_writes_by_itself(tmp_path: Path) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        cabinet.boxes.writer.start()
        message = cabinet.leave()
        while cabinet.boxes.writer.waiting:
            await asyncio.sleep(0)
        assert (await cabinet.restarted()).boxes.find(message) is not None
        await cabinet.boxes.close()

    asyncio.run(main())


def test_a_file_that_cannot_be_deleted_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        cabinet = Cabinet(tmp_path)
        message = cabinet.leave()
        path = cabinet.boxes.path(message)
        path.unlink()
        path.mkdir()
        cabinet.boxes.delete(message)
        assert await cabinet.boxes.writer.flush()
        assert "cannot be deleted" in caplog.text

    asyncio.run(main())
