"""Calls over the API: look, make, end, trace."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pbx.api.views import CallLeg, LiveCall, TraceEntry
from pbx.errors import NotFound, NotRunning, Refused
from tests.api.office_double import OfficeDouble, client_of


def office() -> OfficeDouble:
    double = OfficeDouble()
    assert double.live is not None
    leg = CallLeg(leg=1, role="caller", number="101", state="answered", codec="PCMA")
    double.live.up = [
        LiveCall(
            id="c9",
            from_="101",
            to="102",
            state="talking",
            since="2026-11-21T08:00:00.000Z",
            legs=(leg,),
        )
    ]
    return double


def test_calls_have_the_documented_fields() -> None:
    with client_of(office()) as api:
        (call,) = api.get("/calls")
    assert list(call) == ["id", "from", "to", "state", "since", "queue", "agent", "legs"]
    assert (call["from"], call["queue"], call["legs"][0]["codec"]) == ("101", None, "PCMA")


def test_a_call_is_made() -> None:
    double = office()
    with client_of(double) as api:
        assert api.post("/calls", {"from": "101", "to": "*43"}) == {"id": "c1"}
        with pytest.raises(NotFound, match="there is no extension 999"):
            api.post("/calls", {"from": "999", "to": "102"})
        with pytest.raises(Refused, match=r"^to: '.*' is no number that can be dialled$"):
            api.post("/calls", {"from": "101", "to": "102;x"})
    assert double.live is not None
    assert double.live.done == [("originate", "101", "*43")]


def test_a_call_with_a_key_is_made_once() -> None:
    double = office()
    with client_of(double) as api:
        key = {"Idempotency-Key": "order-7"}
        first = api.post("/calls", {"from": "101", "to": "102"}, key)
        assert api.post("/calls", {"from": "101", "to": "102"}, key) == first
        with pytest.raises(Refused, match='the key "order-7" was used for another request'):
            api.post("/calls", {"from": "101", "to": "103"}, key)
    assert double.live is not None
    assert double.live.done == [("originate", "101", "102")]


def test_a_call_is_ended() -> None:
    double = office()
    with client_of(double) as api:
        api.delete("/calls/c9")
        with pytest.raises(NotFound, match="no call c8 is up"):
            api.delete("/calls/c8")
    assert double.live is not None
    assert double.live.done == [("hangup", "c9")]


def test_a_trace_is_a_bare_list() -> None:
    double = office()
    assert double.live is not None
    double.live.ladder = [
        TraceEntry(
            at=1.5, kind="sip", summary="BYE", leg=1, direction="sent", from_="a:1", to="b:2"
        )
    ]
    with client_of(double) as api:
        (entry,) = api.get("/calls/c9/trace")
    assert (entry["at"], entry["from"], entry["detail"]) == (1.5, "a:1", None)


@pytest.mark.parametrize("path", ["/calls", "/registrations", "/status", "/bans", "/calls/x/trace"])
def test_what_needs_a_server_says_so_without_one(path: str) -> None:
    with client_of(OfficeDouble(live=None)) as api, pytest.raises(NotRunning):
        api.get(path)


def test_nothing_of_a_call_runs_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a route is not async")

    monkeypatch.setattr(asyncio.BaseEventLoop, "run_in_executor", refuse)
    with client_of(office()) as api:
        for path in ("/calls", "/status", "/extensions", "/records", "/trunks", "/tokens"):
            api.get(path)
