"""Many rows into one table with few statements, whose SQL is made once.

A statement with one row costs a step of SQLite each, and each step lets go of the interpreter lock
and waits to get it back; while the signalling thread is busy that wait is what a row costs. So full
blocks of rows go in with one statement, and only the rest row by row. For the same reason these
statements, and only these, go to the driver's cursor and not through SQLAlchemy, which would add
25 µs to each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal

from sqlalchemy import Connection, Table, bindparam, delete, insert
from sqlalchemy.dialects.sqlite import dialect

BLOCK = 32
"""Rows of one statement; times the columns, below SQLite's 32,766 variables."""

Row = tuple[Any, ...]
"""Values in the order of the table's columns, as SQLite takes them."""


class BulkInsert:
    """Insert rows into `table`; a row whose key is there already replaces it or is ignored."""

    def __init__(self, table: Table, *, existing: Literal["replace", "ignore"]) -> None:
        statement = insert(table).prefix_with(f"OR {existing.upper()}")
        self._one = str(statement.compile(dialect=dialect(paramstyle="qmark")))
        marks = "(" + ", ".join("?" * len(table.columns)) + ")"
        self._block = self._one + f", {marks}" * (BLOCK - 1)

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert all rows."""
        if not rows:
            return
        cursor = connection.connection.cursor()
        full = len(rows) - len(rows) % BLOCK
        for start in range(0, full, BLOCK):
            cursor.execute(self._block, tuple(chain.from_iterable(rows[start : start + BLOCK])))
        if full < len(rows):
            cursor.executemany(self._one, rows[full:])
        cursor.close()


class BulkDelete:
    """Delete the rows of `table` with given primary keys."""

    def __init__(self, table: Table) -> None:
        keys = [column == bindparam(column.name) for column in table.primary_key]
        statement = delete(table).where(*keys)
        self._one = str(statement.compile(dialect=dialect(paramstyle="qmark")))

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Delete all rows whose key is among `rows`."""
        if not rows:
            return
        cursor = connection.connection.cursor()
        cursor.executemany(self._one, rows)
        cursor.close()
