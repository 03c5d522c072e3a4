"""The office's folder and its server, in good and in bad states."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from pbx.cli.checks import office as checks
from pbx.cli.checks.finding import Check, Examined, Finding
from pbx.config import Home, Settings


def only(check: Check, home: Home, *, running: bool = False) -> Finding:
    (found,) = check(Examined(home, Settings(), running))
    return found


def test_a_fresh_office_is_safe_and_sound(office: Home) -> None:
    for check in (checks.check_modes, checks.check_files, checks.check_database):
        assert only(check, office).level == "ok"


def test_a_database_that_others_may_read_is_noticed(office: Home) -> None:
    office.database.chmod(0o644)
    found = only(checks.check_modes, office)
    assert (found.level, found.fix) == ("fail", f"chmod go= {office.database}")


def test_somebody_elses_office_is_noticed(office: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    found = list(checks.check_modes(Examined(office, Settings(), running=False)))
    assert [finding.level for finding in found] == ["fail", "fail"]
    assert "belongs to somebody else" in found[0].sentence


def test_a_mistake_in_the_dialplan_is_quoted(office: Home) -> None:
    office.dialplan.write_text("version: 1\nmenu:\n")
    found = only(checks.check_files, office)
    assert found.level == "fail"
    assert found.sentence.startswith("dialplan.yaml:2:1 E002")
    office.dialplan.unlink()
    assert "does not exist" in only(checks.check_files, office).sentence


@pytest.mark.parametrize(
    ("rules", "member", "moderator", "said"),
    [
        ("{pin: yes}", None, None, "7001 asks for a PIN and has none: nobody gets in"),
        ("{pin: yes}", None, "x", "7001 asks for a PIN and has none: only moderators get in"),
        ("{pin: yes}", "x", None, None),
        ("{wait_for_moderator: yes}", "x", None, "7001 waits for a moderator"),
        ("{wait_for_moderator: yes}", None, "x", None),
        ("{}", None, None, None),
    ],
)
def test_a_room_that_nobody_gets_into_is_noticed(
    office: Home, rules: str, member: str | None, moderator: str | None, said: str | None
) -> None:
    office.dialplan.write_text(f'version: 1\nconferences:\n  "7001": {rules}\n')
    with closing(sqlite3.connect(office.database)) as connection, connection:
        row = ("7001", "salt", member, moderator)
        connection.execute("INSERT INTO conference_pins VALUES (?, ?, ?, ?)", row)
    found = list(checks.check_rooms(Examined(office, Settings(), running=False)))
    assert [finding.level for finding in found] == ["warn"] * (said is not None)
    assert all(said in finding.sentence for finding in found if said)


def test_recordings_and_their_index_are_compared(office: Home) -> None:
    assert only(checks.check_recordings, office).sentence == "all 0 have their file"
    with closing(sqlite3.connect(office.database)) as database, database:
        database.executemany(
            "INSERT INTO recordings VALUES (?, 'c1', 0, ?, 'ulaw', ?, 1, 1, '', NULL, '[]')",
            [
                ("c1-1", "complete", "2026/11/21/c1-1.wav"),
                ("c1-2", "recording", "2026/11/21/c1-2.wav"),
                ("c1-3", "deleted", "2026/11/21/c1-3.wav"),
            ],
        )
    assert "1 files are gone, 2026/11/21/c1-1.wav" in only(checks.check_recordings, office).sentence
    folder = office.recordings / "2026/11/21"
    folder.mkdir(parents=True)
    for name in ("c1-1.wav", "c9-1.opus"):
        (folder / name).touch()
    found = only(checks.check_recordings, office)
    assert (found.level, "c9-1.opus" in found.sentence) == ("warn", True)
    assert only(checks.check_recordings, office, running=True).level == "ok"


def test_a_damaged_database_is_noticed(office: Home) -> None:
    octets = bytearray(office.database.read_bytes())
    octets[4096:8192] = b"\xa5" * 4096
    office.database.write_bytes(octets)
    found = only(checks.check_database, office)
    assert (found.level, found.subject) == ("fail", "database")
    assert found.sentence.startswith("damaged: ")
    office.database.unlink()
    assert only(checks.check_database, office).fix == "make it with callpbx init"


def test_no_server_is_a_warning_and_a_silent_one_a_failure(
    office: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert only(checks.check_server, office).level == "warn"
    found = only(checks.check_server, office, running=True)  # nobody is there
    assert (found.level, found.sentence) == (
        "fail",
        "callpbx is not running; start it with callpbx serve",
    )


def report(**server: Any) -> dict[str, Any]:
    usual = {"pid": 7, "started_at": "x", "database": {"ok": True, "error": None}, "alarms": []}
    return {"server": {**usual, **server}, "registered": ["101"], "unregistered": []}


class Reporting:
    """Stands in for the connection to a server that reports this."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report

    def __call__(self, _: Home) -> Reporting:
        return self

    def __enter__(self) -> Reporting:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, _: str) -> dict[str, Any]:
        return self.report


def levels(monkeypatch: pytest.MonkeyPatch, home: Home, reported: dict[str, Any]) -> dict[str, str]:
    monkeypatch.setattr(checks, "connect_live", Reporting(reported))
    found = checks.check_server(Examined(home, Settings(), running=True))
    return {finding.subject: finding.level for finding in found}


def test_what_worries_the_server_is_passed_on(
    office: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert levels(monkeypatch, office, report()) == {"server": "ok", "phones": "ok"}
    worried = report(
        database={"ok": False, "error": "disk full"},
        alarms=[{"sentence": "the disk is full", "count": 3, "at": "x"}],
    )
    worried["unregistered"] = [str(number) for number in range(200, 230)]
    assert levels(monkeypatch, office, worried) == {
        "server": "ok",
        "phones": "warn",
        "records": "fail",
        "alarm": "warn",
    }
