"""A PostgreSQL server for tests, in a folder of its own, reached by a Unix socket in it.

The server refuses to run as root; there it runs as the user that Debian's package makes for it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

from tests.kit.programs import find

OWNER = "postgres"


class PostgresqlCluster:
    """A running server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, user: str = OWNER, database: str = "postgres") -> str:
        """Return what a client connects to."""
        return f"postgresql://{user}@/{database}?host={self._folder}"

    def run(self, sql: str) -> None:
        """Run statements as the owner; raises where one fails."""
        _run("psql", "-h", str(self._folder), "-U", OWNER, "-q", "-v", "ON_ERROR_STOP=1", "-c", sql)

    def ask(self, sql: str) -> str:
        """Return the only value of a query."""
        return _run("psql", "-h", str(self._folder), "-U", OWNER, "-qAt", "-c", sql).strip()

    def restart(self) -> None:
        """Cut all connections and begin anew."""
        _control(self._folder, "restart", "-m", "immediate")


@contextlib.contextmanager
def postgresql() -> Generator[PostgresqlCluster]:
    """Run a server while entered; the programs must be here (tests/kit/programs.py)."""
    folder = Path(tempfile.mkdtemp(prefix="callpbx-postgresql-"))
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER)
    try:
        _run("initdb", "-D", str(folder / "cluster"), "-U", OWNER, "-A", "trust", "--no-sync")
        options = f"-k {folder} -h '' -c fsync=off"
        _control(folder, "start", "-o", options)
        try:
            yield PostgresqlCluster(folder)
        finally:
            _control(folder, "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


def _control(folder: Path, *words: str) -> None:
    """Start or stop the server, which keeps what it is given: the log, never our pipe."""
    _run("pg_ctl", "-D", str(folder / "cluster"), "-l", str(folder / "log"), "-w", *words)


def _run(program: str, *arguments: str) -> str:
    found = find(program)
    assert found is not None, f"{program} is not here"
    done = subprocess.run(
        [found, *arguments],
        check=True,
        cwd="/",
        user=OWNER if os.geteuid() == 0 else None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    return done.stdout
