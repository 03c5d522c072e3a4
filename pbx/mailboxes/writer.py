"""[io] The writer of mailboxes: rows and files follow what the memory says, soon after it changes.

While the database takes nothing, changes wait here and are tried again; the newest state of a row
is what is written. A file goes before its row does: a crash between the two leaves a row without a
file, which the next start forgets.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pbx.db import schema
from pbx.db.bulk import BulkDelete, BulkInsert, Row
from pbx.db.engine import Storage
from pbx.db.gathering import keep_writing
from pbx.errors import StorageError
from pbx.mailboxes.model import Box, Message

log = logging.getLogger(__name__)


_MESSAGES = BulkInsert(schema.messages, existing="replace")
_NO_MESSAGES = BulkDelete(schema.messages)
_BOXES = BulkInsert(schema.mailboxes, existing="replace")
_NO_BOXES = BulkDelete(schema.mailboxes)

T = TypeVar("T")


class Writer:
    """Writes rows of messages and boxes, and deletes files."""

    def __init__(self, database: Storage) -> None:
        self._database = database
        self._messages: dict[str, Message | None] = {}
        self._boxes: dict[str, Box | None] = {}
        self._files: dict[Path, None] = {}
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    @property
    def waiting(self) -> int:
        """Return how many changes are not written yet."""
        return len(self._messages) + len(self._boxes) + len(self._files)

    def put_message(self, message: Message) -> None:
        """Let a message's row be as it is now."""
        self._messages[message.id] = message
        self._wake.set()

    def drop_message(self, id: str, file: Path) -> None:
        """Let a message have no row and no file."""
        self._messages[id] = None
        self.drop_file(file)

    def put_box(self, box: Box) -> None:
        """Let a box's row be as it is now."""
        self._boxes[box.box] = box
        self._wake.set()

    def drop_box(self, name: str) -> None:
        """Let a box have no row."""
        self._boxes[name] = None
        self._wake.set()

    def drop_file(self, file: Path) -> None:
        """Let a file be gone."""
        self._files[file] = None
        self._wake.set()

    def start(self) -> None:
        """Begin to write by itself."""
        self._task = asyncio.get_running_loop().create_task(
            keep_writing(self._wake, self.flush, lambda: self.waiting), name="mailbox writer"
        )

    async def flush(self) -> bool:
        """Write what has changed; False where the database does not take it."""
        async with self._turn:
            if not self.waiting:
                return True
            files, messages, boxes = tuple(self._files), dict(self._messages), dict(self._boxes)
            await asyncio.to_thread(_unlink, files)
            for file in files:
                self._files.pop(file, None)
            if not await self._write(messages, boxes):
                return False
            _forget(self._messages, messages)
            _forget(self._boxes, boxes)
            return True

    async def close(self) -> None:
        """Write what is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        if not await self.flush():
            log.error("%d changes of mailboxes could not be written", self.waiting)

    async def _write(
        self, messages: dict[str, Message | None], boxes: dict[str, Box | None]
    ) -> bool:
        def write(connection: Connection) -> None:
            _MESSAGES.run(connection, _kept(messages))
            _NO_MESSAGES.run(connection, _gone(messages))
            _BOXES.run(connection, _kept(boxes))
            _NO_BOXES.run(connection, _gone(boxes))

        try:
            await self._database.write(write)
        except (StorageError, SQLAlchemyError, sqlite3.Error) as error:
            if not self._failing:
                log.error("mailboxes cannot be written (%s); changes wait", error)
            self._failing = True
            return False
        self._failing = False
        return True


def _kept(rows: Mapping[str, Box | Message | None]) -> list[Row]:
    return [row.values() for row in rows.values() if row is not None]


def _gone(rows: Mapping[str, Box | Message | None]) -> list[Row]:
    return [(key,) for key, row in rows.items() if row is None]


def _forget(waiting: dict[str, T], written: Mapping[str, T]) -> None:
    """Let what was written wait no more, unless it has changed again meanwhile."""
    for key, row in written.items():
        if key in waiting and waiting[key] is row:
            del waiting[key]


def _unlink(files: Iterable[Path]) -> None:
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be deleted: %s", file, error)
