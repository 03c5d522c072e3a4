"""Why, over the API."""

from __future__ import annotations

import pytest

from pbx.api.why_views import AgentWhy, CallWhy, Spent
from pbx.errors import NotFound, Refused
from tests.api.office_double import OfficeDouble, client_of

HOUR = {"since": "2026-11-21T10:00:00+08:00", "until": "2026-11-21T03:00:00Z"}


def test_a_call_is_explained_without_a_server() -> None:
    double = OfficeDouble(live=None, bus=None)
    double.why.calls["c1"] = CallWhy(call="c1", caller="101", called="102", summary="So.", steps=())
    with client_of(double) as api:
        answer = api.get("/why/c1")
        with pytest.raises(NotFound, match="there is no record of a call c2"):
            api.get("/why/c2")
    assert (answer["kind"], answer["summary"]) == ("call", "So.")


def test_an_agent_is_explained_for_a_time() -> None:
    double = OfficeDouble()
    with client_of(double) as api:
        with pytest.raises(NotFound, match="there is no agent 102"):
            api.get("/agents/102/why", HOUR)
        with pytest.raises(Refused, match="until"):
            api.get("/agents/102/why", {"since": HOUR["since"]})
        assert double.why.asked == [("102", 1_795_226_400.0, 1_795_230_000.0)]


def test_an_agent_who_was_removed_is_still_told_of() -> None:
    double = OfficeDouble()
    spent = (Spent(state="paused", reason="lunch", seconds=60.0),)
    double.why.agents["102"] = AgentWhy(
        agent="102", since="", until="", summary="It was at lunch.", spent=spent
    )
    with client_of(double) as api:
        assert api.get("/agents/102/why", HOUR)["spent"][0]["reason"] == "lunch"
