"""Call-backs over the API."""

from __future__ import annotations

import pytest

from pbx.errors import NotFound, NotRunning
from tests.api.centre_double import booked_callback, centre_of
from tests.api.office_double import OfficeDouble, client_of


def office() -> OfficeDouble:
    double = OfficeDouble()
    assert double.live is not None
    double.live.centre = centre = centre_of("sales")
    centre.booked.append(booked_callback())
    return double


def test_call_backs_have_the_documented_fields() -> None:
    with client_of(office()) as api:
        (row,) = api.get("/callbacks")
    assert (row["id"], row["queue"], row["number"]) == ("c0ffee01", "sales", "13800138000")
    assert (row["tries"], row["most_tries"], row["doing"]) == (1, 3, "resting")
    for name in ("call", "since", "waited_s", "next_at", "priority", "language"):
        assert name in row


def test_one_is_tried_now_or_cancelled() -> None:
    with client_of(office()) as api:
        assert api.post("/callbacks/13800138000/now")["id"] == "c0ffee01"
        api.delete("/callbacks/c0ffee01")
        assert api.get("/callbacks") == []
        with pytest.raises(NotFound, match="no call-back c0ffee01 waits"):
            api.delete("/callbacks/c0ffee01")


def test_without_a_call_centre_there_are_none() -> None:
    with client_of(OfficeDouble()) as api, pytest.raises(NotRunning):
        api.get("/callbacks")
