"""A SQLite file of the office, for reading alone.

Each enquiry opens the file anew: it may be replaced by a fresh export at any time, and an enquiry
that hangs then hangs alone. Opening and closing cost a thread and 0.3 ms. Four fences, each
enough by itself, keep it unwritten: the file is opened `mode=ro`, `query_only` is set, an
authoriser lets nothing pass but SELECT, columns and functions, and a statement is one statement.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import aiosqlite

from pbx.errors import Refused
from pbx.outside.breaker import Unavailable

MAX_OPEN: Final = 8
"""Enquiries under way at a time, each with a thread; later ones wait within their own time."""

LOCK_WAIT: Final = 1.0
"""Seconds that a file locked by its writer is waited for."""

STEPS_BETWEEN_LOOKS: Final = 10_000
"""Steps of SQLite's machine, about a millisecond, after which it looks whether to go on."""

MAX_LENGTH: Final = 1_000_000
"""Bytes that one value may have, also on the way."""

PERMITTED: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION})
"""All that a query may do."""

FORBIDDEN_FUNCTIONS: Final = frozenset({"load_extension", "fts3_tokenizer"})

TROUBLE: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}
    | {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_INTERRUPT}
)
"""Primary codes that are the file's fault, not the query's."""


class SqliteFile:
    """One file. Opened per enquiry, so there is nothing to mend after an error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = asyncio.Semaphore(MAX_OPEN)
        self._closing: set[asyncio.Future[object]] = set()

    async def first_row(
        self, query: str, parameters: Mapping[str, str]
    ) -> list[tuple[str, object]] | None:
        """Return the first row; a cancelled enquiry stops within a millisecond."""
        if not self._path.is_file():
            raise Unavailable(f"there is no file {self._path.name}")
        uri = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        async with self._open:
            wanted = True
            connection = await aiosqlite.connect(
                uri, uri=True, timeout=LOCK_WAIT, isolation_level=None, factory=_Fenced
            )
            try:
                await connection.set_progress_handler(lambda: not wanted, STEPS_BETWEEN_LOOKS)
                async with connection.execute(query, dict(parameters)) as cursor:
                    row = await cursor.fetchone()
                    names = [column[0] for column in cursor.description or ()]
            except sqlite3.Error as error:
                raise _what_is_wrong(error) from None
            finally:
                wanted = False
                self._close(connection)
        return None if row is None else list(zip(names, row, strict=True))

    async def close(self) -> None:
        """Wait for the threads of enquiries that are over."""
        await asyncio.gather(*self._closing)

    def _close(self, connection: aiosqlite.Connection) -> None:
        """Let the thread close it when it gets there; nobody waits, cancelled or not."""
        future = connection.stop()
        if future is not None:
            self._closing.add(future)
            future.add_done_callback(self._closing.discard)


class _Fenced(sqlite3.Connection):
    """A connection that can do no harm from its first moment."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_LENGTH)
        for pragma in ("query_only = ON", "trusted_schema = OFF", "cell_size_check = ON"):
            self.execute(f"PRAGMA {pragma}")
        self.set_authorizer(_authorise)


def _authorise(
    action: int, _first: str | None, name: str | None, _database: str | None, _inner: str | None
) -> int:
    if action == sqlite3.SQLITE_FUNCTION and (name or "").lower() in FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in PERMITTED else sqlite3.SQLITE_DENY


def _what_is_wrong(error: sqlite3.Error) -> Unavailable | Refused:
    """SQLite's own sentences name tables and columns, never values."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return (Unavailable if code in TROUBLE else Refused)(f"the database says: {error}")
