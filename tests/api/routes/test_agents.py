"""Agents over the API."""

from __future__ import annotations

import pytest

from pbx.acd.model import AgentState
from pbx.directory.model import Agent
from pbx.errors import NotFound, NotRunning, Refused
from tests.api.office_double import OfficeDouble, client_of


def office() -> OfficeDouble:
    double = OfficeDouble()
    double.agents.rows = {
        "102": Agent(number="102", created_at=1.0, name="Bob", skills={"en": 5}),
        "101": Agent(number="101", created_at=1.0, name="王小明", skills={"zh": 8}, capacity=2),
    }
    assert double.live is not None
    assert double.live.agents is not None
    double.live.agents.put("101", AgentState.AVAILABLE, logged_in=True, queues=("tech", "sales"))
    double.live.agents.put(
        "102", AgentState.PAUSED, logged_in=True, pause="lunch", reason="lunch", ends_in_s=900.04
    )
    return double


def test_agents_are_listed_by_number_with_what_they_do() -> None:
    with client_of(office()) as api:
        first, second = api.get("/agents")
    assert first == {
        "number": "101",
        "name": "王小明",
        "state": "available",
        "reason": "",
        "since": "1970-01-01T00:00:01.000Z",
        "seconds": 62.0,
        "ends_in_s": None,
        "logged_in": True,
        "pause": None,
        "queues": ["tech", "sales"],
        "queues_later": [],
        "skills": {"zh": 8},
        "capacity": 2,
        "weight": 1,
        "call": None,
        "queue": None,
    }
    assert (second["state"], second["reason"], second["ends_in_s"]) == ("paused", "lunch", 900.0)


def test_without_a_server_nobody_knows_what_agents_do() -> None:
    double = office()
    double.live = None
    with client_of(double) as api:
        for row in api.get("/agents"):
            unknown = [row[key] for key in ("state", "reason", "since", "seconds", "queues")]
            assert unknown == [None] * 5
        with pytest.raises(NotRunning):
            api.post("/agents/101/login")


def test_an_agent_is_added_changed_and_removed() -> None:
    double = office()
    with client_of(double) as api:
        added = api.post("/agents", {"number": "103", "skills": {"en": 3}, "weight": 2})
        assert (added["number"], added["skills"], added["weight"]) == ("103", {"en": 3}, 2)
        assert added["state"] is None  # the server hears of it this moment
        changed = api.patch("/agents/103", {"skills": {"vip": 9}, "name": "Carol"})
        assert (changed["skills"], changed["name"]) == ({"en": 3, "vip": 9}, "Carol")
        assert api.get("/agents/103") == changed
        api.delete("/agents/103")
        with pytest.raises(NotFound, match="there is no agent 103"):
            api.get("/agents/103")
    assert double.live is not None
    assert double.live.done == [("directory_changed",)] * 3


@pytest.mark.parametrize(
    ("path", "body", "done"),
    [
        ("login", None, ("log_in", "101")),
        ("logout", None, ("log_out", "101")),
        ("pause", {"reason": "lunch"}, ("pause", "101", "lunch", None)),
        ("pause", {"reason": "lunch", "for_s": 900}, ("pause", "101", "lunch", 900.0)),
        ("recover", None, ("recover", "101")),
        ("resume", None, ("resume", "101")),
        ("wrap-up", {"seconds": 30}, ("extend", "101", 30.0)),
    ],
)
def test_what_is_asked_for_is_answered_with_a_sentence_and_the_agent(
    path: str, body: dict[str, object] | None, done: tuple[object, ...]
) -> None:
    double = office()
    with client_of(double) as api:
        answer = api.post(f"/agents/101/{path}", body)
    assert double.live is not None
    assert double.live.agents is not None
    assert double.live.agents.done == [done]
    assert answer["sentence"] == f"Agent 101: {done[0]}"
    assert (answer["number"], answer["state"]) == ("101", "available")


def test_who_is_no_agent_is_told_so() -> None:
    with client_of(office()) as api, pytest.raises(NotFound, match="there is no agent 109"):
        api.post("/agents/109/login")


def test_a_pause_without_a_reason_is_a_mistake() -> None:
    with client_of(office()) as api, pytest.raises(Refused, match="reason: Field required"):
        api.post("/agents/101/pause", {})
