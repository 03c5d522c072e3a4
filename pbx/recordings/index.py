"""[io] The writer of the index: rows of recordings reach the database soon after they change.

It is told of each recording by the events of it, synchronously; nothing of a call waits. While the
database takes nothing, rows wait here and are tried again. A recording whose worker died has a file
that is whole but for what came last: it is mended here, in a thread, and its row says so.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pbx.db import schema
from pbx.db.bulk import BulkInsert, Row
from pbx.db.engine import Storage
from pbx.db.gathering import keep_writing
from pbx.errors import StorageError
from pbx.events import RecordingEnded, RecordingEvent, RecordingStarted
from pbx.recordings.mending import mend
from pbx.recordings.rows import IndexRow, first_row

log = logging.getLogger(__name__)


_WRITER = "recording index"

_ROWS = BulkInsert(schema.recordings, existing="replace")


class RecordingIndex:
    """Keeps the index of the recordings in `folder`."""

    def __init__(self, database: Storage, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._live: dict[str, IndexRow] = {}
        self._changed: dict[str, IndexRow] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._mending: set[str] = set()
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._failing = False

    def take(self, event: RecordingEvent, at: float) -> None:
        """Note what happened to a recording at `at`, seconds since the epoch."""
        if isinstance(event, RecordingStarted):
            row = first_row(event, at)
            self._live[row.id] = row
        else:
            known = self._live.get(event.recording)
            if known is None:
                return
            row = known
            row.take(event, at)
        self.put(row)
        if isinstance(event, RecordingEnded):
            del self._live[row.id]
            if not event.sha256:
                self._mending.add(row.id)
                self._begin(self._mend(row), f"mending {row.id}")

    def put(self, row: IndexRow) -> None:
        """Let a row be written as it is by then."""
        self._changed[row.id] = row
        self._wake.set()

    def is_busy(self, recording: str) -> bool:
        """Tell whether the recording's file is being written, or its row waits to be."""
        return recording in self._live or recording in self._changed or recording in self._mending

    def start(self) -> None:
        """Begin to write."""
        self._begin(keep_writing(self._wake, self.flush, lambda: len(self._changed)), _WRITER)

    async def flush(self) -> bool:
        """Write what has changed; False where the database does not take it."""
        async with self._turn:
            rows = tuple(self._changed.values())
            written = {row.id: row.values() for row in rows}
            if not rows or not await self._write(list(written.values())):
                return not rows
            for row in rows:  # unless it has changed again meanwhile
                if row.values() == written[row.id]:
                    self._changed.pop(row.id, None)
            return True

    async def close(self) -> None:
        """Write what is left."""
        for task in self._tasks:
            if task.get_name() == _WRITER:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if not await self.flush():
            log.error("%d rows of recordings could not be written", len(self._changed))

    async def _write(self, rows: list[Row]) -> bool:
        def write(connection: Connection) -> None:
            _ROWS.run(connection, rows)

        try:
            await self._database.write(write)
        except (StorageError, SQLAlchemyError, sqlite3.Error) as error:
            if not self._failing:
                log.error("recordings cannot be entered in the index (%s); rows wait", error)
            self._failing = True
            return False
        self._failing = False
        return True

    async def _mend(self, row: IndexRow) -> None:
        """Mend the file of a recording that its worker did not complete."""
        try:
            await asyncio.to_thread(mend, self._folder, row)
        finally:
            self._mending.discard(row.id)
            self.put(row)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)
