"""`callpbx agent …`."""

from __future__ import annotations

import json

import pytest

from pbx.acd.model import AgentState
from pbx.config import Home
from pbx.directory.model import Agent
from tests.api.office_double import DeskDouble, OfficeDouble
from tests.cli.conftest import Command

# -- without a server ----------------------------------------------------------------------------

NO_102 = "there is no agent 102; callpbx agent add 102 makes one\n"


@pytest.fixture
def phones(office: Home, command: Command) -> Home:
    """Give an office with two phones."""
    for number, name in (("101", "Alice"), ("102", "Bob")):
        assert command("extension", "add", number, "--name", name)[0] == 0
    return office


@pytest.mark.usefixtures("phones")
def test_an_agent_is_added_at_an_extension_and_listed(command: Command) -> None:
    status, out, err = command("agent", "add", "101", "--skill", "en:5", "--skill", "vip")
    assert (status, err) == (0, "")
    assert out == (
        "Agent 101 (Alice) is added, with en 5, vip 1; "
        "it takes calls once logged in: callpbx agent login 101\n"
    )
    assert command("agent", "add", "102", "--name", "Robert", "--capacity", "2")[0] == 0
    _, out, _ = command("agent", "list")
    titles, first, second = out.splitlines()
    assert titles.split() == ["Number", "Name", "State", "For", "Reason", "Queues", "Skills"]
    assert first.split()[:2] == ["101", "Alice"]
    assert "unknown (callpbx is not running)" in first
    assert first.endswith("en 5, vip 1")
    assert second.split()[:2] == ["102", "Robert"]
    rows = json.loads(command("agent", "list", "--json")[1])
    shown = [(row["number"], row["state"], row["since"], row["queues"]) for row in rows]
    assert shown == [("101", None, None, None), ("102", None, None, None)]


@pytest.mark.usefixtures("phones")
def test_skills_are_changed_one_by_one(command: Command) -> None:
    command("agent", "add", "101", "--skill", "en:5", "--skill", "zh:8")
    changes = ("--skill", "en:7", "--skill", "zh:0", "--skill", "vip:2", "--weight", "3")
    status, out, _ = command("agent", "set", "101", *changes)
    assert (status, out) == (0, "Agent 101 (Alice) has en 7, vip 2, has weight 3\n")
    assert command("agent", "set", "101", "--name", "Ann")[1].startswith("Agent 101 (Ann) ")
    assert command("agent", "set", "101", "--name", "")[1].startswith("Agent 101 (Alice) ")
    _, _, err = command("agent", "set", "101")
    assert "say what to change" in err


@pytest.mark.usefixtures("phones")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["add", "109"],
            "there is no extension 109 for the agent; add it first: callpbx extension add 109\n",
        ),
        (["add", "101"], "agent 101 exists already\n"),
        (["add", "102", "--capacity", "0"], "an agent takes 1 to 20 calls at once, not 0\n"),
        (["add", "102", "--weight", "0"], "an agent's weight is 1 to 100, not 0\n"),
        (["set", "102", "--name", "x"], NO_102),
        (["remove", "102"], "there is no agent 102\n"),
        (["login", "101"], "callpbx is not running; start it with callpbx serve\n"),
        (
            ["pause", "101", "--reason", "x"],
            "callpbx is not running; start it with callpbx serve\n",
        ),
    ],
)
def test_a_refusal_is_one_sentence(command: Command, words: list[str], sentence: str) -> None:
    command("agent", "add", "101")
    status, out, err = command("agent", *words)
    assert (status, out, err) == (1, "", sentence)


@pytest.mark.usefixtures("phones")
@pytest.mark.parametrize("skill", ["en:11", "en:0", "en:x", "a b:1", ":5"])
def test_a_skill_that_is_none_is_wrong_usage(command: Command, skill: str) -> None:
    status, _, err = command("agent", "add", "101", "--skill", skill)
    assert (status, f'"{skill}" is no skill such as en:5' in err) == (2, True)


@pytest.mark.usefixtures("phones")
def test_an_extension_stays_while_an_agent_sits_there(command: Command) -> None:
    command("agent", "add", "101")
    status, _, err = command("extension", "remove", "101")
    assert status == 1
    assert err == ("an agent sits at extension 101; remove it first: callpbx agent remove 101\n")
    assert command("agent", "remove", "101")[1] == "Agent 101 is removed; extension 101 stays\n"
    assert command("extension", "remove", "101")[0] == 0


# -- with a server -------------------------------------------------------------------------------


@pytest.fixture
def desk(live: OfficeDouble) -> DeskDouble:
    """Give the desk of a server with five agents."""
    assert live.live is not None
    assert live.live.agents is not None
    for number in ("101", "102", "103", "104", "105"):
        live.agents.rows[number] = Agent(number=number, created_at=1.0, skills={"en": 5})
    put = live.live.agents.put
    put("101", AgentState.AVAILABLE, logged_in=True, queues=("tech",), queues_later=("vip",))
    put(
        "102",
        AgentState.PAUSED,
        logged_in=True,
        pause="lunch",
        reason="lunch",
        ends_in_s=840.0,
    )
    put("103", AgentState.TALKING, logged_in=True, pause="lunch", call="c1", queue="tech")
    put("104", AgentState.HOLD, logged_in=False)
    put("105", AgentState.UNREACHABLE, logged_in=True, pause="tea", reason="no phone is registered")
    return live.live.agents


@pytest.mark.usefixtures("desk")
def test_what_agents_do_is_listed(command: Command) -> None:
    lines = command("agent", "list")[1].splitlines()[1:]
    assert [line.split("  ")[0] for line in lines] == ["101", "102", "103", "104", "105"]
    for line, words in zip(
        lines,
        (
            *("available", "lunch, 14m 0s left", "talking, then paused", "hold, then logged out"),
            "unreachable, paused",
        ),
        strict=True,
    ):
        assert words in line
        assert "1m 2s" in line
    assert "no phone is registered, tea" in lines[-1]
    assert "tech, vip later" in lines[0]


@pytest.mark.usefixtures("desk")
def test_who_changes_skills_learns_what_they_are_good_for(command: Command) -> None:
    _, serving, _ = command("agent", "set", "101", "--skill", "en:6")
    assert serving == "Agent 101 has en 6, serves tech, vip later\n"
    _, idle, _ = command("agent", "set", "102", "--skill", "emglish:6")
    assert idle.endswith("serves no queue: none asks for that\n")


@pytest.mark.parametrize(
    ("words", "done"),
    [
        (["login", "101"], ("log_in", "101")),
        (["logout", "101"], ("log_out", "101")),
        (["pause", "101", "--reason", "lunch"], ("pause", "101", "lunch", None)),
        (
            ["pause", "101", "--reason", "lunch", "--for", "15m"],
            ("pause", "101", "lunch", 900.0),
        ),
        (["recover", "101"], ("recover", "101")),
        (["resume", "101"], ("resume", "101")),
        (["extend", "101", "30"], ("extend", "101", 30.0)),
    ],
)
def test_the_sentence_of_the_desk_is_printed(
    desk: DeskDouble, command: Command, words: list[str], done: tuple[object, ...]
) -> None:
    assert command("agent", *words) == (0, f"Agent 101: {done[0]}\n", "")
    assert desk.done == [done]


def test_a_pause_needs_a_reason(desk: DeskDouble, command: Command) -> None:
    status, _, err = command("agent", "pause", "101")
    assert (status, "--reason" in err) == (2, True)
    assert not desk.done
