"""What one line knows of itself: room, reach, trouble."""

from __future__ import annotations

import pytest

from pbx.call.line import MINUTE, SUSPECT_FOR, Line
from pbx.errors import MessageError
from pbx.sip.flow import Flow
from tests.kit.exchange import Trunk

FLOW = Flow("udp", ("192.0.2.1", 5060), ("198.51.100.7", 5060))


def line(**told: object) -> Line:
    entry = Trunk("main", "198.51.100.7", **told)
    return Line(entry, call_id="id", realm_refused=lambda realm: None)


def test_calls_in_and_out_fill_it() -> None:
    own = line(max_calls=2)
    own.took("in")
    own.took("in")
    assert own.has_room(0.0)
    own.took("out")
    assert (own.calls, own.is_full, own.has_room(0.0)) == (2, True, False)
    own.let_go("in")
    own.let_go("never there")
    assert own.has_room(0.0)


def test_a_minute_has_room_for_so_many_calls_out() -> None:
    own = line(per_minute=2)
    own.went_out(0.0)
    own.went_out(30.0)
    assert not own.has_room(59.0)
    assert own.has_room(MINUTE)
    assert not own.is_full, "calls that come in are not counted by the minute"


def test_a_line_without_limits_is_never_full() -> None:
    own = line()
    for leg in range(1000):
        own.took(leg)
        own.went_out(0.0)
    assert own.has_room(0.0)


def test_a_failed_call_makes_it_the_last_for_a_minute() -> None:
    own = line()
    own.suspect("a call had no answer", 10.0)
    assert not own.is_reachable(10.0 + SUSPECT_FOR - 1)
    assert own.is_reachable(10.0 + SUSPECT_FOR)
    own.suspect("a call had no answer", 100.0)
    own.answered(3.0)
    assert (own.is_reachable(100.0), own.trouble) == (True, None)


def test_silence_is_told_until_it_answers() -> None:
    own = line()
    own.silent("it does not answer")
    assert (own.is_reachable(0.0), own.trouble) == (False, "it does not answer")


def test_a_line_that_registers_is_reachable_once_it_has() -> None:
    own = line(username="u", password="p", register=True)
    assert (own.is_registered(0.0), own.is_reachable(0.0)) == (False, False)
    assert own.client is not None
    own.client.unresolved(0.0)
    assert own.trouble == "registering: its name has no address"
    assert line().is_registered(0.0) is None


def test_its_account_knows_its_addresses_and_keeps_them_while_its_name_has_none() -> None:
    own = line(username="u", password="p")
    assert own.account is not None
    own.found((FLOW,))
    own.found(())
    assert own.flows == (FLOW,)
    assert own.account.addresses == {FLOW.remote}


def test_addresses_at_the_carrier_keep_its_port_and_transport() -> None:
    class Tls(Trunk):
        server = "sip:old@sip.carrier.com:5070;transport=tcp"

    own = Line(Tls("main", ""), call_id="id", realm_refused=lambda realm: None)
    assert str(own.to("110")) == "sip:110@sip.carrier.com:5070;transport=tcp"
    assert str(own.to(None)) == "sip:sip.carrier.com:5070;transport=tcp"


def test_a_server_that_is_no_sip_uri_is_an_error() -> None:
    class Odd(Trunk):
        server = "tel:110"

    with pytest.raises(MessageError):
        Line(Odd("main", ""), call_id="id", realm_refused=lambda realm: None)
