"""Real SQLite files: one row as it is, nothing written whatever is asked, no query that stays."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from pbx.errors import Refused
from pbx.outside.breaker import Unavailable
from pbx.outside.sqlite import MAX_OPEN, SqliteFile

ENDLESS = (
    "SELECT count(*) FROM orders a, orders b, orders c, orders d, orders e, orders f, orders g"
    " WHERE a.eta || b.eta || c.eta || d.eta || e.eta || f.eta || g.eta = 'x'"
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "the shop?.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE orders (no TEXT, id INTEGER, status TEXT, eta TEXT)")
        rows = [
            (f"2026{count:05}", count, "已发货", f"2026-10-{count % 28 + 1:02}")
            for count in range(300)
        ]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
        connection.execute("CREATE INDEX by_no ON orders (no)")
        connection.execute("CREATE VIEW latest AS SELECT max(id) AS id FROM orders")
    return path


def ask(
    path: Path, query: str, parameters: Mapping[str, str] | None = None
) -> dict[str, object] | None:
    async def main() -> dict[str, object] | None:
        file = SqliteFile(path)
        try:
            row = await file.first_row(query, parameters or {})
            return None if row is None else dict(row)
        finally:
            await file.close()

    return asyncio.run(main())


def content(path: Path) -> bytes:
    return path.read_bytes()


def test_a_row_is_found_by_its_names(shop: Path) -> None:
    found = ask(shop, "SELECT status, eta AS due FROM orders WHERE no = :no", {"no": "202600007"})
    assert found == {"status": "已发货", "due": "2026-10-08"}


def test_only_the_first_row_counts(shop: Path) -> None:
    assert ask(shop, "SELECT id FROM orders ORDER BY id DESC") == {"id": 299}


def test_no_row_is_none(shop: Path) -> None:
    assert ask(shop, "SELECT status FROM orders WHERE no = :no", {"no": "1"}) is None


def test_a_text_fits_a_column_of_numbers(shop: Path) -> None:
    assert ask(shop, "SELECT no FROM orders WHERE id = :id", {"id": "7"}) == {"no": "202600007"}


def test_views_and_functions_may_be_used(shop: Path) -> None:
    assert ask(shop, "SELECT upper('a') AS a, id FROM latest") == {"a": "A", "id": 299}


@pytest.mark.parametrize(
    "value",
    [
        "' OR '1'='1",
        "'; DROP TABLE orders; --",
        "x' UNION SELECT sql,1 FROM sqlite_master --",
        "%",
        ":no",
    ],
)
def test_a_value_is_never_sql(shop: Path, value: str) -> None:
    before = content(shop)
    assert ask(shop, "SELECT status, eta FROM orders WHERE no = :no", {"no": value}) is None
    assert content(shop) == before


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM orders",
        "UPDATE orders SET status = 'x'",
        "INSERT INTO orders VALUES ('1', 1, '', '')",
        "WITH a AS (SELECT 1) DELETE FROM orders",
        "DROP TABLE orders",
        "CREATE TEMP TABLE t AS SELECT 1",
        "ATTACH DATABASE '/tmp/x.db' AS x",
        "PRAGMA query_only = OFF",
        "SELECT * FROM pragma_database_list",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT fts3_tokenizer('simple')",
        "VACUUM INTO '/tmp/x.db'",
        "BEGIN IMMEDIATE",
        "SELECT 1; DELETE FROM orders",
        "REINDEX",
        "ANALYZE",
        "EXPLAIN DELETE FROM orders",
    ],
)
def test_nothing_but_reading_is_done(shop: Path, query: str) -> None:
    before = content(shop)
    with pytest.raises(Refused, match="the database says"):
        ask(shop, query)
    assert content(shop) == before
    assert sorted(path.name for path in shop.parent.iterdir()) == [shop.name]


def test_a_wrong_query_says_what_is_wrong_with_it(shop: Path) -> None:
    with pytest.raises(Refused, match="no such column: colour"):
        ask(shop, "SELECT colour FROM orders")


def test_huge_values_are_not_made(shop: Path) -> None:
    with pytest.raises(Refused, match="too big"):
        ask(shop, "SELECT length(zeroblob(100000000) || 'x')")


def test_a_file_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    for path in (tmp_path / "none.db", tmp_path):
        with pytest.raises(Unavailable, match="there is no file"):
            ask(path, "SELECT 1")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear customer, " * 100)
    with pytest.raises(Unavailable, match="not a database"):
        ask(path, "SELECT * FROM orders")


def test_a_replaced_file_is_seen_at_once(shop: Path, tmp_path: Path) -> None:
    assert ask(shop, "SELECT count(*) AS n FROM orders") == {"n": 300}
    fresh = tmp_path / "fresh.db"
    with contextlib.closing(sqlite3.connect(fresh)) as connection, connection:
        connection.execute("CREATE TABLE orders (no TEXT)")
    fresh.replace(shop)
    assert ask(shop, "SELECT count(*) AS n FROM orders") == {"n": 0}


def test_a_query_ends_when_nobody_waits_for_it(shop: Path) -> None:
    """`close` waits for the thread, so this test hangs where the query is not stopped."""

    async def main() -> None:
        file = SqliteFile(shop)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await file.first_row(ENDLESS, {})
        await file.close()

    asyncio.run(main())


def test_a_query_that_hangs_hangs_alone(shop: Path) -> None:
    async def main() -> None:
        file = SqliteFile(shop)
        hanging = [asyncio.create_task(file.first_row(ENDLESS, {})) for _ in range(MAX_OPEN - 1)]
        assert await file.first_row("SELECT 1 AS one", {}) == [("one", 1)]
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        await file.close()

    asyncio.run(main())
