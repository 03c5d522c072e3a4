"""`callpbx hours`: the calendar of a month."""

from __future__ import annotations

import json
from datetime import date

import pytest

from pbx.plan.destination import Destination
from pbx.plan.hours import Holiday, Schedule, Span
from pbx.plan.model import Flow, Plan
from pbx.plan.step import Mark, Step
from tests.cli.conftest import Command

WORKDAY = (Span(540, 720), Span(810, 1080))
SCHEDULE = Schedule(
    "office",
    "Asia/Shanghai",
    weekly={**dict.fromkeys(range(5), WORKDAY), 5: (Span(600, 960),)},
    holidays=(Holiday(date(2026, 10, 1), date(2026, 10, 7)),),
    also_open={date(2026, 10, 11): (Span(540, 1080),)},
    override_key="*28",
)


def plan(*flows: str) -> Plan:
    step = Step(
        "hours",
        {"schedule": "office"},
        {
            "open": Destination("menu", "main"),
            "closed": Destination("flow", "night"),
            "holiday": Destination("menu", "holiday"),
        },
        Mark("dialplan.yaml", 68, 7),
    )
    return Plan(
        "test",
        hours={"office": SCHEDULE, "总部": SCHEDULE},
        flows={name: Flow(name, (step,)) for name in flows},
    )


@pytest.fixture(autouse=True)
def dialplan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the office have two flows that ask for its hours."""
    monkeypatch.setattr("pbx.cli.hours.find_plan", lambda _: plan("front_door", "前台"))


def test_the_calendar_says_of_each_day_when_it_is_open(command: Command) -> None:
    status, printed, _ = command("hours", "office", "2026-10")
    lines = printed.splitlines()
    assert status == 0
    assert lines[0] == "office, October 2026, times of Asia/Shanghai"
    assert len(lines) == 4 + 31
    assert lines[4] == "Thu 2026-10-01  holiday                  2026-10-01..10-07"
    assert lines[11] == "Thu 2026-10-08  09:00-12:00 13:30-18:00"
    assert lines[13] == "Sat 2026-10-10  10:00-16:00"
    assert lines[14] == "Sun 2026-10-11  09:00-18:00              make-up day"
    assert lines[21] == "Sun 2026-10-18  closed"


def test_with_one_use_each_day_says_where_its_callers_are_led(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pbx.cli.hours.find_plan", lambda _: plan("front_door"))
    _, printed, _ = command("hours", "office", "2026-10")
    lines = printed.splitlines()
    holiday = "Thu 2026-10-01  holiday                  → menu:holiday"
    assert lines[3] == f"{holiday}  2026-10-01..10-07"
    assert lines[10] == "Thu 2026-10-08  09:00-12:00 13:30-18:00  → menu:main, else flow:night"
    assert lines[20] == "Sun 2026-10-18  closed                   → flow:night"


def test_it_says_where_callers_are_led_in_aligned_columns(command: Command) -> None:
    _, printed, _ = command("hours", "office", "2026-10")
    leads = "open → menu:main · closed → flow:night · holiday → menu:holiday"
    assert printed.splitlines()[1:3] == [
        f"flow:front_door (dialplan.yaml:68)  {leads}",
        f"flow:前台 (dialplan.yaml:68)        {leads}",
    ]


def test_as_json_every_slot_has_its_reason_and_its_leads(command: Command) -> None:
    _, printed, _ = command("hours", "office", "2026-10", "--json")
    document = json.loads(printed)
    assert {key: document[key] for key in ("name", "timezone", "month", "override_key")} == {
        "name": "office",
        "timezone": "Asia/Shanghai",
        "month": "2026-10",
        "override_key": "*28",
    }
    assert [use["place"] for use in document["uses"]] == ["flow:front_door", "flow:前台"]
    assert document["uses"][0]["line"] == 68
    assert document["days"][9] == {
        "date": "2026-10-10",
        "slots": [
            {
                "from": begin,
                "to": end,
                "state": state,
                "reason": reason,
                "leads": [lead, lead],
            }
            for begin, end, state, reason, lead in (
                ("00:00", "10:00", "closed", "outside sat 10:00-16:00", "flow:night"),
                ("10:00", "16:00", "open", "sat 10:00-16:00", "menu:main"),
                ("16:00", "24:00", "closed", "outside sat 10:00-16:00", "flow:night"),
            )
        ],
    }


def test_without_a_month_it_is_this_one(command: Command) -> None:
    status, printed, _ = command("hours", "总部")
    assert status == 0
    assert "today" in printed


def test_hours_that_nobody_asks_for_say_so(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pbx.cli.hours.find_plan", lambda _: plan())
    _, printed, _ = command("hours", "office", "2026-10")
    assert 'Nothing asks for them yet; write "- hours: office" in a flow' in printed


def test_hours_that_do_not_exist_name_the_nearest(command: Command) -> None:
    status, _, errors = command("hours", "ofice")
    assert (status, errors) == (
        1,
        'dialplan.yaml has no hours "ofice" — did you mean "office"?\n',
    )


@pytest.mark.parametrize("month", ["October", "2026-13", "2026-1", "0001-01", "9999-12"])
def test_a_month_is_a_year_and_a_month(command: Command, month: str) -> None:
    status, _, errors = command("hours", "office", month)
    assert status == 2
    assert f'"{month}" is no month; write 2026-10' in errors
