"""Queues over the API."""

from __future__ import annotations

import pytest

from pbx.errors import NotFound, NotRunning
from tests.api.centre_double import centre_of
from tests.api.office_double import OfficeDouble, client_of


def office() -> OfficeDouble:
    double = OfficeDouble()
    assert double.live is not None
    double.live.centre = centre_of("sales", "tech")
    return double


def test_queues_have_the_documented_fields() -> None:
    with client_of(office()) as api:
        sales, tech = api.get("/queues")
        detail = api.get("/queues/sales")
        board = api.get("/board")
    for name in ("name", "waiting", "longest_wait_s", "agents", "service_level", "answered"):
        assert name in sales
    assert (sales["abandoned"], sales["agents"], tech["service_level"]) == (3, {"ringing": 1}, None)
    assert "callers" not in sales
    assert detail["callers"][0]["offered_to"] == ["102"]
    assert board["staff"][0]["state"] == "ringing"


def test_what_a_supervisor_does_is_done_in_the_name_of_the_caller() -> None:
    double = office()
    with client_of(double) as api:
        api.order("/queues/sales/close")
        api.order("/queues/sales/open")
        assert api.get("/callers/13800138000")["call"] == "7f3a91c2aa"
        api.order("/queues/sales/callers/7f3a91c2aa/raise")
        api.post("/queues/sales/callers/7f3a91c2aa/move", {"to": "tech"})
        with pytest.raises(NotFound, match="there is no queue hr"):
            api.order("/queues/hr/close")
    assert double.live is not None
    centre = double.live.centre
    assert getattr(centre, "done", None) == [
        ("close", "sales", "socket"),
        ("open", "sales", "socket"),
        ("raise", "sales", "7f3a91c2aa", "socket"),
        ("move", "sales", "7f3a91c2aa", "tech", "socket"),
    ]


def test_without_a_call_centre_nothing_is_shown() -> None:
    with client_of(OfficeDouble()) as api, pytest.raises(NotRunning):
        api.get("/queues")
