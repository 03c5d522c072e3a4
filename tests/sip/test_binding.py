"""What a binding says of itself."""

from __future__ import annotations

import pytest

from pbx.sip.binding import Binding
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


@pytest.mark.parametrize(
    ("now", "left"), [(1000.0, 600), (1599.6, 0), (1600.0, 0), (9999.0, 0), (1100.4, 500)]
)
def test_the_remaining_time_is_never_negative(now: float, left: int) -> None:
    assert BINDING.remaining(now) == left


def test_a_contact_value_names_the_phone() -> None:
    assert BINDING.contact_value(1100.0) == (
        '<sip:101@10.0.0.5:5062;ob>;expires=500;+sip.instance="<urn:uuid:1>"'
    )
