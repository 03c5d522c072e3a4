"""Brings a database to the newest revision of the schema, or refuses it.

A new database gets the tables of `schema` directly and the newest revision's name; Alembic, which
takes longer to import than everything else takes to start, is needed only for one that an older
version wrote. A test holds both ways to the same tables.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect

from pbx.db import schema
from pbx.errors import Refused

_VERSIONS = "alembic_version"


def bring_up_to_date(connection: Connection, name: str) -> None:
    """Create or migrate the tables, within the transaction of `connection`.

    Raises Refused where a newer version of callpbx wrote the database, which `name` names.
    """
    revision = stored_revision(connection)
    if revision is None:
        _create(connection, name)
    elif revision not in schema.REVISIONS:
        raise Refused(
            f"{name} was written by a newer version of callpbx (its revision is {revision}, this "
            f"version knows up to {schema.REVISIONS[-1]}); start that version, or use a backup "
            "from before the update"
        )
    elif revision != schema.REVISIONS[-1]:
        migrate(connection)


def stored_revision(connection: Connection) -> str | None:
    """Return the revision that the database says it has; None for an empty one."""
    if not inspect(connection).has_table(_VERSIONS):
        return None
    row = connection.exec_driver_sql(f"SELECT version_num FROM {_VERSIONS}").one_or_none()
    return str(row[0]) if row is not None else None


def migrate(connection: Connection, to: str = "head") -> None:
    """Run the migrations up to `to`, within the transaction of `connection`."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _create(connection: Connection, name: str) -> None:
    if inspect(connection).get_table_names():
        raise Refused(f"{name} is a database, but not one of callpbx")
    schema.metadata.create_all(connection)
    connection.exec_driver_sql(
        f"CREATE TABLE {_VERSIONS} (version_num VARCHAR(32) NOT NULL, "
        f"CONSTRAINT {_VERSIONS}_pkc PRIMARY KEY (version_num))"
    )
    connection.exec_driver_sql(f"INSERT INTO {_VERSIONS} VALUES (?)", (schema.REVISIONS[-1],))
