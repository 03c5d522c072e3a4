"""What an office is beside its dialplan: what a check of the dialplan may know of it. [io]"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

from pbx.config import Home, Settings
from pbx.ivr.check.facts import Facts
from pbx.outside.speech.files import problem_of


def office_facts(home: Home, settings: Settings | None) -> Facts:
    """Return what is known of an office, with or without a server; nothing is created."""
    return Facts(
        today=today(),
        settings=settings,
        trunks=_has_trunks(home.database),
        sounds=lambda path: problem_of(home.path, path),
    )


def today() -> date:
    """Return the day that it is here."""
    return datetime.now().astimezone().date()


def _has_trunks(database: Path) -> bool:
    """Tell whether the office has a line to a carrier, as far as its database can be read."""
    if not database.exists():
        return False
    try:
        uri = f"{database.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=1.0)) as connection:
            return connection.execute("SELECT 1 FROM trunks LIMIT 1").fetchone() is not None
    except sqlite3.Error:
        return False  # callpbx doctor tells what is wrong with it
