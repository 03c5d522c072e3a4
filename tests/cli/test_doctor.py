"""`callpbx doctor`: one line each, with the fix."""

from __future__ import annotations

import json

import pytest

from pbx.api.views import Registration
from pbx.cli import doctor
from pbx.cli.checks.finding import Finding, fail, ok, warn
from pbx.config import Home
from tests.api.office_double import OfficeDouble, Phone
from tests.cli.conftest import Command


def test_a_fresh_office_fails_in_nothing(office: Home, command: Command) -> None:
    office.settings.write_text(
        "sip: {listen: udp://127.0.0.1:0}\napi: {listen: http://127.0.0.1:0}\n"
        "retention: {min_free: 1}\n"
    )
    status, out, _ = command("doctor")
    assert status == 0
    assert "warn server      callpbx is not running\n" in out
    assert "                 → start it with callpbx serve\n" in out
    assert out.splitlines()[-1].startswith("0 failures, ")


def test_a_running_server_is_asked(live: OfficeDouble, command: Command, home: Home) -> None:
    home.dialplan.write_text("version: 1\n")
    live.directory.phones = {"101": Phone("101"), "102": Phone("102")}
    assert live.live is not None
    live.live.bindings = [
        Registration(number="101", contact="sip:101@192.0.2.1", transport="udp", expires_in_s=60.0)
    ]
    _, out, _ = command("doctor")
    assert "running as process 4711" in out
    assert "1 not registered: 102" in out
    assert "ports       callpbx listens on udp://0.0.0.0:5060" in out


@pytest.mark.parametrize(
    ("findings", "summary", "status"),
    [
        ([ok("a", "fine")], "All is well", 0),
        ([ok("a", "fine"), warn("b", "so", "do")], "0 failures, 1 warning", 0),
        ([fail("a", "bad", "do"), warn("b", "so", "do")], "1 failure, 1 warning", 1),
    ],
)
def test_the_exit_status_follows_the_worst(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    findings: list[Finding],
    summary: str,
    status: int,
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda _: iter(findings))
    ended, out, _ = command("doctor")
    assert (ended, out.splitlines()[-1]) == (status, summary)


def test_json_is_a_bare_list(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda _: iter([warn("a", "b", "c")]))
    assert json.loads(command("doctor", "--json")[1]) == [
        {"level": "warn", "subject": "a", "sentence": "b", "fix": "c"}
    ]
