"""Bindings survive a restart, whatever the clocks say then."""

from __future__ import annotations

import json
import sqlite3

import pytest

from pbx.sip.binding import Binding, from_row, to_row
from pbx.sip.flow import Flow
from pbx.sip.headers import NameAddr
from pbx.sip.uri import Uri

BINDING = Binding(
    "101",
    Uri.parse("sip:101@10.0.0.5:5062;ob"),
    Flow("udp", ("192.0.2.1", 5060), ("198.51.100.7", 40123)),
    (NameAddr.parse('"Edge" <sip:p1.example;lr>'),),
    "c1",
    7,
    expires_at=1600.0,
    registered_at=1000.0,
    user_agent="Phone/1",
    instance="<urn:uuid:1>",
    round_trip_ms=12.5,
    reachable=False,
)


def test_a_binding_comes_back_with_its_remaining_time_after_a_reboot() -> None:
    row = to_row(BINDING, now=1100.0, wall=1_800_000_000.0)
    later = from_row(json.loads(json.dumps(row)), now=5.0, wall=1_800_000_020.0)
    assert later.remaining(5.0) == BINDING.remaining(1100.0) - 20
    assert later.registered_at == pytest.approx(5.0 - 120.0)
    assert later.key == BINDING.key
    for name in ("aor", "contact", "flow", "path", "call_id", "cseq", "user_agent", "instance"):
        assert getattr(later, name) == getattr(BINDING, name)
    assert later.reachable
    assert later.round_trip_ms is None


def test_a_row_holds_plain_values() -> None:
    row = to_row(BINDING, now=1100.0, wall=1_800_000_000.25)
    assert row["expires_at"] == 1_800_000_500_250
    with sqlite3.connect(":memory:") as database:
        marks = ", ".join("?" * len(row))
        assert database.execute(f"SELECT {marks}", tuple(row.values())).fetchone()
    database.close()


@pytest.mark.parametrize(
    ("now", "left"), [(1000.0, 600), (1599.6, 0), (1600.0, 0), (9999.0, 0), (1100.4, 500)]
)
def test_the_remaining_time_is_never_negative(now: float, left: int) -> None:
    assert BINDING.remaining(now) == left


def test_a_contact_value_names_the_phone() -> None:
    assert BINDING.contact_value(1100.0) == (
        '<sip:101@10.0.0.5:5062;ob>;expires=500;+sip.instance="<urn:uuid:1>"'
    )
