"""Many rows, few statements: every count around the block size, replacing and ignoring."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from sqlalchemy import Connection, select

from pbx.db import schema
from pbx.db.bulk import BLOCK, BulkDelete, BulkInsert
from pbx.db.engine import MemoryDatabase

REPLACE = BulkInsert(schema.open_calls, existing="replace")
IGNORE = BulkInsert(schema.open_calls, existing="ignore")
DELETE = BulkDelete(schema.open_calls)


def stored(connection: Connection) -> list[tuple[int, str]]:
    return [(row[0], row[1]) for row in connection.execute(select(schema.open_calls))]


Step = tuple[BulkInsert | BulkDelete, list[tuple[object, ...]]]


def after(*steps: Step) -> list[tuple[int, str]]:
    """Run each bulk statement with its rows; return what is in the table then."""

    async def run() -> list[tuple[int, str]]:
        database = MemoryDatabase()
        for statement, rows in steps:
            await database.write(partial(statement.run, rows=rows))
        found = await database.read(stored)
        await database.close()
        return found

    return asyncio.run(run())


@pytest.mark.parametrize("count", [0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 5])
def test_all_rows_go_in_whatever_their_number(count: int) -> None:
    rows = [(n, f"row {n}") for n in range(count)]
    assert after((REPLACE, [*rows])) == rows


def test_a_row_whose_key_is_there_replaces_it() -> None:
    assert after((REPLACE, [(1, "old"), (2, "two")]), (REPLACE, [(1, "new")])) == [
        (1, "new"),
        (2, "two"),
    ]


def test_or_is_ignored() -> None:
    assert after((IGNORE, [(1, "old")]), (IGNORE, [(1, "new"), (2, "two")])) == [
        (1, "old"),
        (2, "two"),
    ]


def test_rows_are_deleted_by_key_and_absent_keys_do_no_harm() -> None:
    rows = [(n, "x") for n in range(5)]
    assert after((REPLACE, [*rows]), (DELETE, [(1,), (3,), (99,)]), (DELETE, [])) == [
        (0, "x"),
        (2, "x"),
        (4, "x"),
    ]
