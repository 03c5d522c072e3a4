"""`callpbx simulate --queue NAME`: a day of a queue on the command line."""

from __future__ import annotations

import json

import pytest

from pbx.config import Home
from tests.cli.conftest import Command

DIALPLAN = """\
version: 1
numbers:
  "8000": queue:service
queues:
  service: {skills: {service: 3}, wrap_up: 10s, if_no_agents: hangup}
"""

DAY = ("simulate", "--queue", "service", "--agents", "6", "--hours", "2")


@pytest.fixture
def desk(office: Home) -> Home:
    """Give an office with one queue."""
    office.dialplan.write_text(DIALPLAN)
    return office


def test_a_day_is_told_in_figures_and_a_picture(desk: Home, command: Command) -> None:
    status, out, _ = command(*DAY, "--calls-per-hour", "60,150")
    assert status == 0
    assert "service: 2 h, 60, 150 calls an hour, 6 agents, longest_idle" in out
    assert "talk 180 s, wrap-up 10 s, patience 120 s, picked up after 4 s, seed 1" in out
    assert "answered within 20 s, of all calls; the goal is 80 %" in out
    assert [line[:5] for line in out.splitlines()[-4:]] == [" 0:00", " 0:30", " 1:00", " 1:30"]


def test_json_has_what_was_made_up_and_what_came_of_it(desk: Home, command: Command) -> None:
    day = json.loads(command(*DAY, "--calls-per-hour", "100", "--json")[1])
    assert (day["queue"], day["agents"], day["calls_per_hour"]) == ("service", 6, [100.0])
    ended = day["answered"] + day["abandoned"] + sum(day["sent_away"].values())
    assert day["calls"] == ended + day["waiting"]
    assert 0 < day["occupancy"] < 1
    assert len(day["most_waiting"]) == 4
    assert day == json.loads(command(*DAY, "--calls-per-hour", "100", "--json")[1])
    assert day != json.loads(command(*DAY, "--calls-per-hour", "100", "--seed", "2", "--json")[1])


def test_a_day_without_agents_or_calls_has_figures_too(desk: Home, command: Command) -> None:
    empty = json.loads(command(*DAY, "--calls-per-hour", "0", "--json")[1])
    assert (empty["calls"], empty["service_level"], empty["asa_s"]) == (0, None, None)
    words = ("simulate", "--queue", "service", "--agents", "0", "--hours", "1", "--patience", "0")
    status, out, _ = command(*words)
    assert status == 0
    assert "no_agents" in out
    assert "nobody gives up" in out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--queue", "servise"), 'no "servise" — did you mean "service"?'),
        (("--queue", "service", "--calls-per-hour", "many"), "write 120, or 40,90,60 by hour"),
        (("--queue", "service", "--queue", "other"), "Missing option '--to'"),
        (("--queue", "service=full"), "Missing option '--to'"),
        ((), "Missing option '--to'"),
    ],
)
def test_what_says_nothing_is_wrong_usage(
    desk: Home, command: Command, words: tuple[str, ...], error: str
) -> None:
    status, out, err = command("simulate", *words)
    assert (status, out) == (2, "")
    assert error in err
