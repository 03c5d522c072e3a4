"""The sink that writes records: rows gather for 50 ms and go into one transaction.

Taking an event costs an entry in a list; nothing of a call ever waits for the disk. While the
database cannot be written (disk full, locked), rows wait in the outbox and are tried again every
second: one line in the log when that begins and one when it is over, and `alarm` in between.

A call is in the database within 0.2 s of its first event, so that a killed server leaves none
without a trace: the next one ends it as interrupted (recovery.py), at the last time at which its
server is known to have lived.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pbx.cdr import recovery
from pbx.cdr.late import write_late
from pbx.cdr.outbox import Batch, Listener, Outbox
from pbx.db import schema
from pbx.db.bulk import BulkDelete, BulkInsert, Row
from pbx.db.engine import Storage
from pbx.errors import StorageError
from pbx.events.bus import Clock, Stamped

log = logging.getLogger(__name__)

INTERVAL = 0.05  # seconds that events gather for one transaction
RETRY = 1.0  # seconds between attempts while the database takes nothing
ALIVE_EVERY = 1.0  # seconds between signs of life while calls go on and nothing happens
ROWS = 1_000  # of each kind, in one transaction

_OPEN = BulkInsert(schema.open_calls, existing="replace")
_CLOSE = BulkDelete(schema.open_calls)
_EVENTS = BulkInsert(schema.events, existing="ignore")
_RECORDS = BulkInsert(schema.records, existing="replace")
_ALIVE = BulkInsert(schema.alive, existing="replace")


class Recorder:
    """Writes records and events; `bus.attach(recorder)` makes it hear of them.

    In this order: `close_interrupted`, then a bus that begins at `next_seq`, then `start`; at the
    end `close`.
    """

    def __init__(
        self,
        database: Storage,
        clock: Clock,
        *,
        interval: float = INTERVAL,
        retry: float = RETRY,
    ) -> None:
        self.alarm: str | None = None
        """Why the database takes nothing at present; None while it does."""
        self.next_seq = 1
        """The first number that this run's events may have; known after `close_interrupted`."""
        self._database = database
        self._clock = clock
        self._interval = interval
        self._retry = retry
        self._outbox = Outbox()
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._closing = False
        self._running = True
        self._writer: asyncio.Task[None] | None = None

    def __call__(self, stamped: Stamped) -> None:
        """Take an event; its rows are written within `interval` seconds."""
        self._outbox.take(stamped)
        if not self._wake.is_set():
            self._wake.set()

    async def close_interrupted(self) -> int:
        """End the calls that a killed server left open; return how many there were."""
        found = await self._database.write(recovery.close_interrupted)
        self.next_seq = found.next_seq
        if found.calls:
            log.warning("%d calls were cut off when the server died", found.calls)
        return found.calls

    def listen(self, listener: Listener) -> None:
        """Let `listener` hear of calls with queues or agents from now on."""
        self._outbox.listener = listener

    def start(self) -> None:
        """Begin to write."""
        self._writer = asyncio.get_running_loop().create_task(self._run(), name="cdr writer")

    async def flush(self) -> bool:
        """Write everything that was taken so far; False where the database does not take it."""
        async with self._turn:
            self._outbox.seal()
            while batch := self._outbox.batch(ROWS):
                if not await self._write(batch):
                    return False
            return True

    async def close(self) -> None:
        """Write what is left and note that the server ended in good order."""
        self._closing = True
        self._wake.set()
        if self._writer is not None:
            await self._writer
        if not await self.flush():
            log.error("%d records could not be written", self._outbox.waiting_records)
            return
        async with self._turn:
            self._running = False
            await self._write(self._outbox.batch(0))

    def snapshot(self) -> dict[str, object]:
        """Return counts for `status`."""
        return {
            "open_calls": self._outbox.open_calls,
            "waiting_records": self._outbox.waiting_records,
            "lost_records": self._outbox.lost_records,
            "lost_events": self._outbox.lost_events,
            "stray_events": self._outbox.stray_events,
            "alarm": self.alarm,
        }

    async def _run(self) -> None:
        while not self._closing:
            if await self._news():
                await asyncio.sleep(self._interval)
                written = await self.flush()
            else:
                written = await self._sign_of_life()
            if not written:
                self._wake.set()
                await asyncio.sleep(self._retry)

    async def _news(self) -> bool:
        """Wait for an event; False when none came for a while in which calls went on."""
        try:
            async with asyncio.timeout(ALIVE_EVERY if self._outbox.open_calls else None):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    async def _sign_of_life(self) -> bool:
        async with self._turn:
            return await self._write(self._outbox.batch(0))

    async def _write(self, batch: Batch) -> bool:
        seq = max(self._outbox.last_seq, self.next_seq - 1)
        alive: Row = (1, self._clock.wall(), self._clock.monotonic(), seq, self._running)
        try:
            await self._database.write(partial(_write_rows, batch, alive))
        except (StorageError, SQLAlchemyError, sqlite3.Error) as error:
            self._raise_alarm(str(error))
            return False
        self._outbox.written(batch)
        self._clear_alarm()
        return True

    def _raise_alarm(self, why: str) -> None:
        if self.alarm is None:
            log.error("records cannot be written (%s); calls go on and records wait in memory", why)
        self.alarm = why

    def _clear_alarm(self) -> None:
        if self.alarm is not None:
            log.warning("records are written again; %d were lost", self._outbox.lost_records)
        self.alarm = None


def _write_rows(batch: Batch, alive: Row, connection: Connection) -> None:
    _OPEN.run(connection, batch.opened)
    _EVENTS.run(connection, batch.events)
    _RECORDS.run(connection, batch.records)
    write_late(connection, batch.late)
    _CLOSE.run(connection, [(ordinal,) for ordinal in batch.closed])
    _ALIVE.run(connection, [alive])
