"""Revisions: made new, migrated from the oldest, refused when newer."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from pbx.db import schema
from pbx.db.engine import open_database
from pbx.db.upgrade import migrate, stored_revision
from pbx.errors import Refused

MIGRATIONS = Path(schema.__file__).parent / "migrations"


def open_once(path: Path) -> None:
    """Open the database at `path` and close it again."""
    asyncio.run(open_database(path).close())


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the columns and indexes of every table, as SQLite tells them."""
    connection = sqlite3.connect(path)
    names = [
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    ]
    found = {}
    for name in sorted(names):
        columns = connection.execute(f"PRAGMA table_xinfo({name})").fetchall()
        indexes = connection.execute(f"PRAGMA index_list({name})").fetchall()
        described = [
            (unique, connection.execute(f"PRAGMA index_info('{index}')").fetchall())
            for _, index, unique, *_ in indexes
        ]
        found[name] = [*sorted(columns, key=lambda c: c[1]), *sorted(described, key=repr)]
    connection.close()
    return found


def test_the_list_of_revisions_is_the_chain_of_migrations() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    chain = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(chain)) == schema.REVISIONS


def test_migrating_from_nothing_makes_what_the_schema_says(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    with engine.begin() as connection:
        migrate(connection)
        assert stored_revision(connection) == schema.REVISIONS[-1]
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)
        assert differences == []
    engine.dispose()
    open_once(tmp_path / "created.db")
    assert tables(tmp_path / "migrated.db") == tables(tmp_path / "created.db")


def test_an_older_database_is_migrated_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.db"
    open_once(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("UPDATE alembic_version SET version_num = 'r0000'")
    monkeypatch.setattr(schema, "REVISIONS", ("r0000", *schema.REVISIONS))
    migrated: list[str] = []
    monkeypatch.setattr("pbx.db.upgrade.migrate", lambda *_: migrated.append("yes"))
    open_once(path)
    assert migrated == ["yes"]


def test_a_database_of_a_newer_version_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    open_once(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as newer:
        newer.execute("UPDATE alembic_version SET version_num = 'r9999'")
    with pytest.raises(Refused) as caught:
        open_once(path)
    assert "newer version of callpbx" in str(caught.value)
    assert "r9999" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_phones_of_before_may_encrypt_their_speech(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection, "r0001")
        connection.exec_driver_sql(
            "INSERT INTO extensions (number, realm, ha1_md5, ha1_sha256, no_answer_s, voicemail, "
            "created_at) VALUES ('101', 'callpbx', 'a', 'b', 20.0, 0, 0)"
        )
    engine.dispose()
    open_once(path)
    with closing(sqlite3.connect(path)) as newer:
        assert newer.execute("SELECT number, srtp FROM extensions").fetchall() == [
            ("101", "optional")
        ]
