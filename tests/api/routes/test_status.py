"""How the office is, over the API; bans, trunks and tokens."""

from __future__ import annotations

import pytest

from pbx.api.views import Ban, Registration, TrunkState
from pbx.errors import NotFound, Refused
from tests.api.office_double import OfficeDouble, Phone, client_of


def test_status_tells_which_phones_are_there_and_which_are_not() -> None:
    double = OfficeDouble()
    double.directory.phones = {
        "101": Phone("101"),
        "102": Phone("102"),
        "103": Phone("103", contact="sip:door@192.0.2.7"),
    }
    assert double.live is not None
    double.live.bindings = [
        Registration(number="102", contact="sip:102@192.0.2.1", transport="tcp", expires_in_s=60.0)
    ]
    with client_of(double) as api:
        report = api.get("/status")
        (registration,) = api.get("/registrations")
    assert (report["registered"], report["unregistered"]) == (["102"], ["101"])
    assert report["server"]["database"] == {
        "ok": True,
        "size_bytes": 123456,
        "pending": 0,
        "error": None,
    }
    assert list(registration)[:6] == [
        "number",
        "contact",
        "transport",
        "user_agent",
        "expires_in_s",
        "round_trip_ms",
    ]


def test_a_ban_is_shown_and_lifted() -> None:
    double = OfficeDouble()
    assert double.live is not None
    double.live.bans = [Ban(address="2001:db8::9", failures=12, until="2026-11-21T09:00:00.000Z")]
    with client_of(double) as api:
        assert api.get("/bans")[0]["address"] == "2001:db8::9"
        api.delete("/bans/2001%3Adb8%3A%3A9")
        with pytest.raises(NotFound, match="is not banned"):
            api.delete("/bans/192.0.2.1")
    assert double.live.done == [("unban", "2001:db8::9")]


def test_a_trunk_is_added_by_its_addresses() -> None:
    double = OfficeDouble()
    with client_of(double) as api:
        body = {"name": "main", "server": "sip:192.0.2.1", "match": ["192.0.2.1"], "max_calls": 30}
        added = api.post("/trunks", {**body, "srtp": "required"})
        assert added == {
            **body,
            "username": None,
            "register": False,
            "srtp": "required",
            "numbers": [],
            "per_minute": None,
            "state": None,
        }
        assert api.get("/trunks") == [added]
        api.delete("/trunks/main")
        assert api.get("/trunks") == []
        with pytest.raises(NotFound):
            api.delete("/trunks/main")
    assert double.live is not None
    assert double.live.done == [("directory_changed",)] * 2


def test_a_trunk_that_registers_says_how_it_is_and_never_its_password() -> None:
    double = OfficeDouble()
    assert double.live is not None
    double.live.lines["main"] = TrunkState(registered=False, error="registering: 403 Forbidden")
    body = {
        "name": "main",
        "server": "sip:192.0.2.1",
        "username": "u",
        "register": True,
        "numbers": ["02888886666"],
        "per_minute": 20,
    }
    with client_of(double) as api:
        api.post("/trunks", {**body, "password": "geheim"})
        (shown,) = api.get("/trunks")
    assert {key: shown[key] for key in body} == body
    assert "geheim" not in str(shown)
    assert shown["state"] == {
        "registered": False,
        "reachable": True,
        "calls": 0,
        "round_trip_ms": None,
        "error": "registering: 403 Forbidden",
    }


def test_a_tokens_secret_is_shown_once() -> None:
    with client_of(OfficeDouble()) as api:
        created = api.post("/tokens", {"name": "crm", "scope": "control"})
        assert created == {"name": "crm", "scope": "control", "token": "secret-crm"}
        assert api.get("/tokens") == [{"name": "crm", "scope": "control", "last_used": None}]
        with pytest.raises(Refused, match="scope: "):
            api.post("/tokens", {"name": "x", "scope": "root"})
        api.delete("/tokens/crm")
        assert api.get("/tokens") == []
