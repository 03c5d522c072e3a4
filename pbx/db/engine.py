"""Opens the database and runs functions on it: `await database.write(change)`.

SQLite knows one writer at a time, so there is one thread that writes, with one connection; what it
is given runs in order, each function as one transaction. Readers have threads of their own and, in
WAL mode, never wait for the writer. A function gets a SQLAlchemy `Connection` and does all of its
statements in one go: one hop between threads costs less than each `await` of an asynchronous
driver, and nothing else of the server has to wait for the disk.

`synchronous=NORMAL` means that a commit survives the death of this process by whatever signal, but
that the last ones may be lost with the power. `MemoryDatabase` is the same without threads and
without a file, for tests on a virtual clock and for simulations.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.pool import ConnectionPoolEntry

from pbx.db import schema
from pbx.db.upgrade import bring_up_to_date
from pbx.errors import CallpbxError, Refused, StorageError

T = TypeVar("T")

BUSY_TIMEOUT = 5.0  # seconds that a statement waits while another process holds the database
READERS = 2

_DEFECTS = (
    IntegrityError,
    ProgrammingError,
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
)
"""What our own statements do wrong, which no free space on the disk will mend."""

_COMMON = (f"busy_timeout = {int(BUSY_TIMEOUT * 1000)}", "foreign_keys = ON")
_WRITER = (
    "page_size = 8192",  # a new database only; rows of a call are 1–3 kB
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "wal_autocheckpoint = 2000",  # pages: 16 MB
    "journal_size_limit = 16777216",
)
_READER = ("query_only = ON",)


class Storage(Protocol):
    """What the stores need of a database: functions run on it, one transaction each."""

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Return what `query` returns; it sees one state of the database and changes nothing."""

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Run `change` as one transaction and return what it returns once that is committed.

        Changes run one at a time, in the order they were asked for. An exception out of `change`
        undoes it and is raised here. Raises StorageError when the database cannot be written now.
        """


class Database:
    """A database in a file; see `Storage`. Made by `open_database`."""

    def __init__(self, path: Path, writer: Engine) -> None:
        self.path = path
        self._writing = writer
        self._reading = _engine(f"sqlite:///{path}", _READER, begin="BEGIN", pool_size=READERS)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="db-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-reader")

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Return what `query` returns; see `Storage.read`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, _transact, self._reading, query)

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Run `change` as one transaction; see `Storage.write`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer, _transact, self._writing, change)

    def size(self) -> int:
        """Return the bytes that the database takes on disk, its write-ahead log included."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    async def close(self) -> None:
        """Close every connection, after what was asked for before has run."""
        loop = asyncio.get_running_loop()
        self._readers.shutdown(wait=False)
        await loop.run_in_executor(self._writer, self._reading.dispose)
        await loop.run_in_executor(self._writer, self._writing.dispose)
        self._writer.shutdown(wait=False)


class MemoryDatabase:
    """A database that lives in this object; see `Storage`. Nothing waits and nothing is kept."""

    def __init__(self) -> None:
        self._engine = _engine("sqlite://", (), begin="BEGIN", poolclass=StaticPool)
        schema.metadata.create_all(self._engine)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Return what `query` returns; see `Storage.read`."""
        return _transact(self._engine, query)

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Run `change` as one transaction; see `Storage.write`."""
        return _transact(self._engine, change)

    async def close(self) -> None:
        """Forget everything."""
        self._engine.dispose()


def open_database(path: Path) -> Database:
    """Open the database at `path`; make it, with mode 0600, where there is none.

    One that an older version wrote is brought up to date. Raises Refused, with one sentence for the
    user, for one that a newer version wrote and for a file that cannot be used.
    """
    try:
        _create_private(path)
    except OSError as error:
        raise Refused(f"{path} cannot be opened: {error.strerror}") from error
    writer = _engine(f"sqlite:///{path}", _WRITER, begin="BEGIN IMMEDIATE", pool_size=1)
    try:
        _transact(writer, lambda connection: bring_up_to_date(connection, str(path)))
    except CallpbxError as error:
        writer.dispose()
        if isinstance(error, Refused):
            raise
        raise Refused(f"{path} cannot be used: {error}") from error
    return Database(path, writer)


def _create_private(path: Path) -> None:
    """Make sure that the file exists and is its owner's alone; SQLite's log gets the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _engine(url: str, pragmas: tuple[str, ...], *, begin: str, **options: object) -> Engine:
    engine = create_engine(
        url, connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT}, **options
    )

    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver's own idea of when a transaction begins is switched off.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (*_COMMON, *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _transact(engine: Engine, function: Callable[[Connection], T]) -> T:
    try:
        with engine.begin() as connection:
            return function(connection)
    except _DEFECTS:
        raise
    except DBAPIError as error:
        raise StorageError(str(error.orig)) from error
    except sqlite3.Error as error:  # out of `connected` and bulk.py, past SQLAlchemy
        raise StorageError(str(error)) from error
