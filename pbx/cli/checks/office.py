"""The office: are its files safe and sound, and does its server see the phones."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from pbx.cli.check import find_problems
from pbx.cli.checks.finding import Check, Examined, Finding, fail, ok, warn
from pbx.cli.office import connect_live
from pbx.errors import ConfigError, Refused
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import check_plan

MAX_NAMED = 10  # phones that one line names


def check_modes(examined: Examined) -> Iterator[Finding]:
    """Look whether secrets are the owner's only: the database, the socket, their folder."""
    home = examined.home
    open_ones = [
        path
        for path in (home.var, home.database, home.socket)
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    for path in open_ones:
        sentence = f"others may open {path}, which holds secrets"
        yield fail("files", sentence, f"chmod go= {path}")
    foreign = [path for path in (home.var, home.database) if path.exists() and not _is_ours(path)]
    for path in foreign:
        fix = f"run callpbx as its owner, or chown -R {os.geteuid()} {home.var}"
        yield fail("files", f"{path} belongs to somebody else", fix)
    if not open_ones and not foreign:
        yield ok("files", f"only you can open {home.var}")


def check_files(examined: Examined) -> Iterator[Finding]:
    """Check dialplan.yaml and callpbx.yaml."""
    try:
        problems = find_problems(examined.home)
    except ConfigError as error:
        yield fail("dialplan", str(error), "callpbx init writes what is missing")
        return
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        yield fail("dialplan", str(errors[0]), "callpbx check shows all of them")
    else:
        yield ok("dialplan", "dialplan.yaml and callpbx.yaml have no errors")


def check_database(examined: Examined) -> Iterator[Finding]:
    """Let SQLite read the whole database."""
    path = examined.home.database
    if not path.exists():
        yield fail("database", f"{path} is missing", "make it with callpbx init")
        return
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5.0)
        try:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict == "ok":
        yield ok("database", "sound")
    else:
        fix = f"stop callpbx, keep a copy of {path}, and restore your last good one"
        yield fail("database", f"damaged: {verdict}", fix)


_RECORDED = """SELECT file, state FROM recordings
WHERE state IN ('recording', 'complete', 'interrupted')"""


def check_recordings(examined: Examined) -> Iterator[Finding]:
    """Compare the index of recordings with the files."""
    home = examined.home
    try:
        connection = sqlite3.connect(f"{home.database.as_uri()}?mode=ro", uri=True, timeout=5.0)
        with closing(connection):
            rows: dict[str, str] = dict(connection.execute(_RECORDED))
    except sqlite3.Error:
        return  # the database has a finding of its own
    heard = {file for file, state in rows.items() if state in ("complete", "interrupted")}
    there = {
        path.relative_to(home.recordings).as_posix()
        for pattern in ("*.wav", "*.opus")
        for path in home.recordings.rglob(pattern)
    }
    # What began between the two looks is in the second only.
    gone, strange = heard - there, set() if examined.running else there - rows.keys()
    if gone:
        sentence = f"{len(gone)} files are gone, {min(gone)} for one"
        yield warn("recordings", sentence, "put them back, or the next start notes that they are")
    if strange:
        sentence = f"{len(strange)} files are not in the index, {min(strange)} for one"
        yield warn("recordings", sentence, "the next start of callpbx serve enters what it can")
    if not gone and not strange:
        yield ok("recordings", f"all {len(heard)} have their file")


def check_rooms(examined: Examined) -> Iterator[Finding]:
    """See whether the conference rooms have the PINs without which nobody gets in."""
    home = examined.home
    try:
        plan, _ = check_plan(home.dialplan, VOCABULARY)
        with closing(sqlite3.connect(f"{home.database.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT room, member, moderator FROM conference_pins")
            pins = {room: (member, moderator) for room, member, moderator in rows}
    except (ConfigError, sqlite3.Error):
        return  # the dialplan and the database have findings of their own
    for room, rules in plan.conferences.items() if plan is not None else ():
        member, moderator = pins.get(room, (None, None))
        if rules.wait_for_moderator and moderator is None:
            sentence = f"{room} waits for a moderator and has no moderator PIN: nobody gets in"
            yield warn("conference", sentence, f"callpbx conference set {room} --moderator-pin P")
        elif rules.pin and member is None:
            who = "nobody gets" if moderator is None else "only moderators get"
            sentence = f"{room} asks for a PIN and has none: {who} in"
            yield warn("conference", sentence, f"callpbx conference set {room} --pin P")


def check_server(examined: Examined) -> Iterator[Finding]:
    """Ask the running server which phones are missing and what worries it."""
    if not examined.running:
        yield warn("server", "callpbx is not running", "start it with callpbx serve")
        return
    try:
        with connect_live(examined.home) as api:
            report: dict[str, Any] = api.get("/status")
    except Refused as refused:
        yield fail("server", str(refused), "look at its log")
        return
    server = report["server"]
    yield ok("server", f"running as process {server['pid']} since {server['started_at']}")
    yield from _phones(report)
    if not server["database"]["ok"]:
        sentence = f"records cannot be written: {server['database']['error']}"
        yield fail("records", sentence, "make room on the disk; they wait in memory meanwhile")
    for alarm in server["alarms"]:
        yield warn("alarm", f"{alarm['sentence']} ({alarm['count']}×)", "see callpbx status")


OFFICE_CHECKS: tuple[Check, ...] = (
    check_modes,
    check_files,
    check_database,
    check_recordings,
    check_rooms,
    check_server,
)


def _phones(report: dict[str, Any]) -> Iterator[Finding]:
    missing = report["unregistered"]
    if not missing:
        yield ok("phones", f"all {len(report['registered'])} are registered")
        return
    named = ", ".join(missing[:MAX_NAMED]) + (", …" if len(missing) > MAX_NAMED else "")
    yield warn(
        "phones",
        f"{len(missing)} not registered: {named}",
        "check their server, user and password; callpbx status shows bans",
    )


def _is_ours(path: Path) -> bool:
    return os.geteuid() in (0, path.stat().st_uid)
