"""`callpbx simulate`: a call rehearsed on the command line, as the manual shows it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from pbx.config import Home
from tests.cli.conftest import Command

DOCUMENT = Path(__file__).parents[2] / "docs" / "dialplan.md"
DAY = "2026-09-28 10:00"


@pytest.fixture
def clinic(home: Home, command: Command) -> Home:
    """Give a clinic without a server."""
    assert command("init", str(home.path), "--template", "clinic")[0] == 0
    return home


def test_the_manual_shows_what_is_printed(clinic: Home, command: Command) -> None:
    _, _, shown = DOCUMENT.read_text().partition("\n$ callpbx ")
    words, story = shown.partition("```")[0].split("\n", 1)
    assert command(*shlex.split(words)) == (0, story, "")


def test_phones_and_the_day_night_key_are_as_they_are_told_to_be(
    clinic: Home, command: Command
) -> None:
    told = ("--phone", "101=busy", "--phone", "102=unregistered", "--switched", "clinic=open")
    night = "2026-09-28 23:00"
    status, out, _ = command("simulate", "--to", "8000", "--at", night, "--press", "1", *told)
    assert status == 0
    assert "hours      clinic → open (switched by *28" in out
    assert "voicemail  clinic" in out


def test_json_has_steps_places_and_outcome(clinic: Home, command: Command) -> None:
    words = ("simulate", "--to", "8000", "--at", DAY, "--press", "1", "--json")
    answer = json.loads(command(*words)[1])
    assert answer["places"][-2:] == ["menu:main", "ring:reception"]
    assert answer["outcome"]["result"] == "answered"
    assert answer["steps"][0]["at"] == "2026-09-28T10:00:00.000+08:00"
    assert answer["steps"][0]["file"] == "dialplan.yaml"


def test_a_lookup_finds_what_it_is_told_to(home: Home, command: Command) -> None:
    command("init", str(home.path), "--template", "takeaway")
    words = ("simulate", "--to", "8000", "--at", "2026-09-28 12:00", "--press", "1")
    _, found, _ = command(*words, "--mock", "customer.name=王", "--mock", "customer.address=8")
    assert "caller_name 王 8" in found
    _, failed, _ = command(*words, "--mock", "customer=error")
    assert "customer failed: mock" in failed


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--phone", "101=asleep"), "states are answers, busy, no_answer, unregistered"),
        (("--phone", "=busy"), "is no NAME=STATE"),
        (("--queue", "main=full"), 'the dialplan has no "main" — it has none'),
        (("--switched", "clinik=open"), 'no "clinik" — did you mean "clinic"?'),
        (("--press", "1 x"), '"x" are no keys'),
        (("--at", "0001-01-01"), "is not of the years 1970 to 2999"),
        (("--at", "9999-12-31 10:00+08:00"), "is not of the years 1970 to 2999"),
        (("--queue", "main"), "--queue"),
        (("--switched", "clinic=holiday"), "--switched"),
        (("--mock", "customer"), "is no NAME.KEY=VALUE"),
        (("--mock", "customer.name=x"), 'the dialplan has no lookup "customer"'),
        (("--at", "tomorrow"), '"tomorrow" is no time'),
    ],
)
def test_an_option_that_says_nothing_is_wrong_usage(
    clinic: Home, command: Command, option: tuple[str, str], words: str
) -> None:
    status, out, err = command("simulate", "--to", "8000", *option)
    assert (status, out) == (2, "")
    assert words in err


def test_a_number_that_leads_nowhere_is_refused(office: Home, command: Command) -> None:
    office.dialplan.write_text('version: 1\nnumbers:\n  "8000": hangup\n')
    status, _, err = command("simulate", "--to", "9000")
    assert status == 1
    assert '"9000" is not under numbers' in err


def test_a_dialplan_with_errors_is_not_rehearsed(office: Home, command: Command) -> None:
    office.dialplan.write_text("version: 1\nnumbers:\n  400: 101\n")
    status, _, err = command("simulate", "--to", "400")
    assert status == 1
    assert "dialplan.yaml:3:8 E005" in err
    assert err.endswith("the dialplan cannot be used; mend what is told above\n")


def test_what_a_lookup_finds_moves_no_cursor_and_makes_no_line(
    home: Home, command: Command
) -> None:
    command("init", str(home.path), "--template", "takeaway")
    words = ("simulate", "--to", "8000", "--at", "2026-09-28 12:00", "--press", "1")
    _, out, _ = command(*words, "--mock", "customer.name=\x1b[2J\n=cmd|' /C calc'!A0")
    assert "\x1b" not in out
    assert "caller_name ·[2J·=cmd|' /C calc'!A0" in out
