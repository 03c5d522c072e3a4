"""The office's own databases, as `connections` of callpbx.yaml names them; read, never written.

A kind of database is one row of `KINDS`. Each makes sure of three things in its own way: that
nothing is written whatever the query says, that values travel beside the query as named parameters,
and that a query ends when nobody waits for it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from pbx.errors import Refused
from pbx.outside.postgresql import PostgresqlServer
from pbx.outside.sqlite import SqliteFile
from pbx.plan.query import is_select, parameters_of

Row = list[tuple[str, object]]
"""Columns by their names, in their order; a name can come twice."""


class Database(Protocol):
    """One connection of callpbx.yaml."""

    async def first_row(self, query: str, parameters: Mapping[str, str]) -> Row | None:
        """Return the first row; None where there is none.

        Raises Refused for what the database will not do, Unavailable where it cannot be asked.
        """

    async def close(self) -> None:
        """Close whatever is open."""


KINDS: Final[Mapping[str, Callable[[str, Path], Database]]] = {
    "sqlite": lambda url, folder: SqliteFile(folder / url.removeprefix("sqlite:///")),
    "postgresql": lambda url, _: PostgresqlServer(url),
}
"""Scheme of the URL → what makes the database of a URL and the office's folder."""


class Databases:
    """All connections by name; each is opened when it is first asked."""

    def __init__(self, connections: Mapping[str, str], folder: Path) -> None:
        """Paths of SQLite files begin at `folder` unless they are absolute."""
        self._databases = {
            name: KINDS[url.partition(":")[0]](url, folder) for name, url in connections.items()
        }

    async def first_row(
        self, connection: str, query: str, parameters: Mapping[str, str]
    ) -> Row | None:
        """Ask one of them. Raises as `Database.first_row` does, and Refused for a connection that
        callpbx.yaml does not have."""
        database = self._databases.get(connection)
        if database is None:
            raise Refused(f'connection "{connection}" is not in callpbx.yaml; add it there')
        if not is_select(query):
            raise Refused("the query is no SELECT")
        missing = set(parameters_of(query)) - set(parameters)
        if missing:
            raise Refused(f"the query's :{min(missing)} has no value; name it under with")
        return await database.first_row(query, parameters)

    async def close(self) -> None:
        """Close all of them."""
        for database in self._databases.values():
            await database.close()
