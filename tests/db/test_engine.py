"""Opening, transactions, order, failures; each on a real file in a temporary folder."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from pbx.db import engine
from pbx.db.engine import Database, MemoryDatabase, Storage, open_database
from pbx.errors import Refused, StorageError


def on(path: Path, use: Callable[[Database], Awaitable[None]]) -> None:
    """Open the database at `path`, use it, close it."""

    async def run() -> None:
        database = open_database(path)
        try:
            await use(database)
        finally:
            await database.close()

    asyncio.run(run())


def add_token(connection: Connection, name: str = "ops") -> None:
    connection.execute(
        text("INSERT INTO tokens (name, scope, sha256, created_at) VALUES (:n, 'read', :n, 0)"),
        {"n": name},
    )


def names(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute(text("SELECT name FROM tokens ORDER BY name"))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "callpbx.db"


def test_a_new_database_is_made_for_its_owner_alone(path: Path) -> None:
    async def use(database: Database) -> None:
        await database.write(add_token)
        wal = path.with_name("callpbx.db-wal")
        modes = [stat.S_IMODE(file.stat().st_mode) for file in (path, wal)]
        assert modes == [0o600, 0o600]
        assert database.size() > 0

    on(path, use)


def test_a_database_that_others_could_read_is_closed_to_them(path: Path) -> None:
    on(path, lambda database: database.write(add_token))
    path.chmod(0o644)
    on(path, lambda database: database.read(names))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_written_is_there_after_opening_again(path: Path) -> None:
    on(path, lambda database: database.write(add_token))

    async def use(database: Database) -> None:
        assert await database.read(names) == ["ops"]

    on(path, use)


def test_the_log_is_write_ahead_and_commits_survive_a_kill(path: Path) -> None:
    async def use(database: Database) -> None:
        def pragmas(connection: Connection) -> tuple[str, int, int]:
            values = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "busy_timeout")
            ]
            return values[0], values[1], values[2]

        assert await database.write(pragmas) == ("wal", 1, 5000)

    on(path, use)


async def undone_when_it_raises(database: Storage) -> None:
    def fail(connection: Connection) -> None:
        add_token(connection)
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        await database.write(fail)
    assert await database.read(names) == []


def test_a_change_that_raises_is_undone(path: Path) -> None:
    on(path, undone_when_it_raises)
    asyncio.run(undone_when_it_raises(MemoryDatabase()))


def test_changes_run_one_at_a_time_in_the_order_they_were_asked_for(path: Path) -> None:
    async def use(database: Database) -> None:
        order: list[int] = []
        await asyncio.gather(*(database.write(lambda _, n=n: order.append(n)) for n in range(50)))
        assert order == list(range(50))

    on(path, use)


def test_readers_cannot_change_anything(path: Path) -> None:
    async def use(database: Database) -> None:
        with pytest.raises(StorageError, match="readonly"):
            await database.read(add_token)

    on(path, use)


def test_a_locked_database_is_an_error_and_works_again_when_it_is_free(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT", 0.0)
    monkeypatch.setattr(engine, "_COMMON", ("busy_timeout = 0",))

    async def use(database: Database) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="locked"):
            await database.write(add_token)
        assert await database.read(names) == []
        other.execute("ROLLBACK")
        other.close()
        await database.write(add_token)
        assert await database.read(names) == ["ops"]

    on(path, use)


def test_a_full_disk_is_an_error_and_works_again_when_there_is_room(path: Path) -> None:
    async def use(database: Database) -> None:
        def limit(connection: Connection, pages: int) -> None:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

        def fill(connection: Connection) -> None:
            for n in range(2_000):
                add_token(connection, f"{n:0100}")

        await database.write(lambda connection: limit(connection, 1))  # no more than there are
        with pytest.raises(StorageError, match="full"):
            await database.write(fill)
        await database.write(lambda connection: limit(connection, 1_000_000))
        await database.write(fill)
        assert len(await database.read(names)) == 2_000

    on(path, use)


def test_breaking_a_constraint_is_a_defect_and_no_state_of_the_disk(path: Path) -> None:
    async def use(database: Database) -> None:
        await database.write(add_token)
        with pytest.raises(Exception, match="UNIQUE") as caught:
            await database.write(add_token)
        assert not isinstance(caught.value, StorageError)

    on(path, use)


def test_a_file_that_is_no_database_is_refused_in_one_sentence(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("dear diary " * 100)
    with pytest.raises(Refused, match=r"callpbx\.db cannot be used: file is not a database$"):
        open_database(path)


def test_a_folder_in_the_place_of_the_database_is_refused(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(Refused, match="cannot be opened: Is a directory"):
        open_database(path)


def test_somebody_elses_database_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    theirs = sqlite3.connect(path)
    theirs.execute("CREATE TABLE recipes (name TEXT)")
    theirs.close()
    with pytest.raises(Refused, match="not one of callpbx"):
        open_database(path)
    with closing(sqlite3.connect(path)) as theirs:
        tables = theirs.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("recipes",)]


def test_closing_waits_for_what_was_asked_for_before(path: Path) -> None:
    async def run() -> None:
        database = open_database(path)
        pending = [
            asyncio.ensure_future(database.write(lambda c, n=n: add_token(c, str(n))))
            for n in range(20)
        ]
        await asyncio.sleep(0)
        await database.close()
        await asyncio.gather(*pending)

    asyncio.run(run())

    async def use(database: Database) -> None:
        assert len(await database.read(names)) == 20

    on(path, use)


def test_opening_an_up_to_date_database_imports_neither_alembic_nor_an_orm(path: Path) -> None:
    on(path, lambda database: database.write(add_token))
    script = (
        "import sys, pathlib\n"
        "from pbx.db.engine import open_database\n"
        f"database = open_database(pathlib.Path({str(path)!r}))\n"
        "heavy = ('alembic', 'sqlalchemy.orm', 'sqlalchemy.ext.asyncio', 'aiosqlite')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
