"""A PostgreSQL server of the office, for reading alone; needs the extra `postgresql` (asyncpg).

Every enquiry is one statement of the extended protocol in a transaction that is read-only and
rolled back, on connections whose default is read-only as well. Values and results travel as texts,
so a caller's digits fit a column of numbers without anybody knowing its type. Who wants more than
that gives callpbx a user of its own who may SELECT and nothing else.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from typing import Any, Final

from pbx.errors import Refused
from pbx.outside.breaker import Unavailable
from pbx.plan.query import numbered

MAX_OPEN: Final = 4
"""Connections to one server."""

IDLE_S: Final = 60.0
"""Seconds after which a connection that nobody uses is closed."""

CONNECT_S: Final = 5.0
"""Seconds that connecting may take, should nobody else limit it."""

SETTINGS: Final = {
    "application_name": "callpbx",
    "default_transaction_read_only": "on",
    "statement_timeout": "5000",  # milliseconds
    "idle_in_transaction_session_timeout": "10000",
}
"""What each connection begins with."""

AS_TEXT: Final = (
    *("int2", "int4", "int8", "float4", "float8", "numeric", "bool", "uuid"),
    *("date", "time", "timetz", "timestamp", "timestamptz", "interval"),
)
"""Types that are sent and received as the server writes them."""

TROUBLE: Final = ("08", "28", "3D", "40", "53", "54", "55", "57", "58", "XX")
"""Classes of SQLSTATE that are the server's state, not the query's."""


class PostgresqlServer:
    """One server: connections are made when needed, and anew after an error."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._driver = _driver()
        self._pool: Any = None
        self._making = asyncio.Lock()

    async def first_row(
        self, query: str, parameters: Mapping[str, str]
    ) -> list[tuple[str, object]] | None:
        """Return the first row; a cancelled enquiry is cancelled at the server, too."""
        driver = self._driver
        if driver is None:
            sentence = "lookups in PostgreSQL need a driver; pip install callpbx[postgresql]"
            raise Refused(sentence)
        prepared = numbered(query)
        values = [parameters[name] for name in prepared.names]
        try:
            pool = await self._ready(driver)
            async with pool.acquire() as connection:
                transaction = connection.transaction(readonly=True)
                await transaction.start()
                try:
                    row = await connection.fetchrow(prepared.query, *values)
                finally:  # never committed: some functions write in spite of all
                    await transaction.rollback()
        except driver.PostgresError as error:
            raise _what_is_wrong(error) from None
        except (OSError, driver.InterfaceError):
            raise Unavailable("the database server gives no answer") from None
        return None if row is None else list(row.items())

    async def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            self._pool.terminate()

    async def _ready(self, driver: Any) -> Any:
        async with self._making:
            if self._pool is None:
                self._pool = await driver.create_pool(
                    self._url,
                    min_size=0,
                    max_size=MAX_OPEN,
                    max_inactive_connection_lifetime=IDLE_S,
                    timeout=CONNECT_S,
                    server_settings=SETTINGS,
                    init=_speak_text,
                )
        return self._pool


def _driver() -> Any:
    """Return asyncpg, None where it is not installed.

    Loaded when a connection is configured: its import takes longer than a call may be held up.
    """
    try:
        return importlib.import_module("asyncpg")
    except ImportError:
        return None


async def _speak_text(connection: Any) -> None:
    for name in AS_TEXT:
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=str, decoder=str, format="text"
        )


def _what_is_wrong(error: Any) -> Unavailable | Refused:
    """The server quotes values where they do not fit a type; those are not repeated."""
    state = str(error.sqlstate or "")
    if state == "57014":
        return Unavailable("the query takes too long")
    if state.startswith(TROUBLE):
        return Unavailable("the database server cannot answer now")
    if state.startswith("42"):
        return Refused(f"the database says: {error.args[0]}")
    if state.startswith("25"):
        return Refused("the query would write, which lookups never do")
    return Refused("a value does not fit its column, or the query cannot be computed")
