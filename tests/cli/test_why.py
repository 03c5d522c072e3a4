"""`callpbx why`: of a call by its id, of an agent by its number."""

from __future__ import annotations

import json

import pytest

from pbx.api.why_views import AgentWhy, CallWhy, Decision, Spent, WhyStep
from pbx.events import Candidate
from tests.api.office_double import OfficeDouble
from tests.cli.conftest import Command

AT = "2026-11-21T08:00:00.000Z"


@pytest.fixture
def told(live: OfficeDouble) -> OfficeDouble:
    """Give an office that knows a call and an agent."""
    decision = Decision(
        queue="sales",
        strategy="longest_idle",
        waited_s=12.0,
        waiting=2,
        chosen=("102",),
        candidates=(Candidate("102", "", "idle 4:02"), Candidate("103", "skill", "en 3 < 5")),
        others={"paused": 4, "wrap_up": 1},
        outcome={"102": "did not answer"},
    )
    step = WhyStep(at=AT, after_s=12.0, text="queue sales offers it", decision=decision)
    for call in ("7f3a91c2", "4711"):
        live.why.calls[call] = CallWhy(
            call=call, caller="138", called="400", summary="It waited.", steps=(step,)
        )
    live.why.agents["102"] = AgentWhy(
        agent="102",
        since=AT,
        until=AT,
        summary="102 was paused.",
        spent=(Spent(state="wrap_up", reason="", seconds=2700.0),),
        decisions=3,
        chosen=1,
        declined={"no_answer": 1},
        tests={"wrap_up": 2},
    )
    return live


def test_a_call_is_told_step_by_step(told: OfficeDouble, command: Command) -> None:
    status, out, _ = command("why", "7f3a91c2")
    assert status == 0
    assert out.splitlines() == [
        "It waited.",
        "",
        "    12.000   queue sales offers it",
        "             Agent  Test    Why        Then",
        "             102    chosen  idle 4:02  did not answer",
        "             103    skill   en 3 < 5",
        "             and 5 more: 4 paused, 1 wrap up",
    ]
    _, out, _ = command("why", "7f3a91c2", "--json")
    assert json.loads(out)["steps"][0]["decision"]["chosen"] == ["102"]


def test_an_agent_is_told_by_its_number(told: OfficeDouble, command: Command) -> None:
    times = ("--since", "2026-11-21 10:00+00:00", "--until", "2026-11-21 11:00+00:00")
    _, out, _ = command("why", "102", *times)
    lines = [line.split("  ") for line in out.splitlines()]
    assert lines[0][0].startswith("Agent 102, 2026-11-2")
    assert lines[1] == ["102 was paused."]
    assert out.splitlines()[4].split() == ["wrap", "up", "–", "45:00"]
    assert out.splitlines()[-1].split() == ["not", "chosen:", "wrap", "up", "2"]
    assert told.why.asked == [("102", 1_795_255_200.0, 1_795_258_800.0)]


def test_a_number_without_an_agent_may_be_a_call(told: OfficeDouble, command: Command) -> None:
    assert command("why", "4711")[1].startswith("It waited.")
    assert command("why", "4712") == (
        1,
        "",
        "there is no agent 4712, nor is there a call 4712\n",
    )
    status, _, err = command("why", "4711", "--since", "1h")
    assert (status, err) == (1, "there is no agent 4711\n")
