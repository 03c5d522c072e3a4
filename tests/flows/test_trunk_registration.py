"""Registering with carriers, asking whether they are there, and the calls that come in by it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from pbx.plan.destination import Destination
from pbx.plan.model import NumberRoute, Plan
from tests.kit.carrier import USER, Carrier
from tests.kit.exchange import House, flow

NUMBER = "02888886666"


async def passing(house: House, seconds: int) -> None:
    """Let time pass, with the server's housekeeping each second."""
    for _ in range(seconds):
        house.lines.tick()
        await asyncio.sleep(1)


def registered(
    scenario: Callable[[House, Carrier], Awaitable[None]], **told: object
) -> Callable[[House], Awaitable[None]]:
    """Return a scenario with a carrier, whose line has been ticked once."""

    async def with_carrier(house: House) -> None:
        carrier = Carrier(house, "198.51.100.7", password="geheim")
        house.trunk(carrier.trunk("main", register=True, **told))
        await passing(house, 1)
        await scenario(house, carrier)

    return with_carrier


def test_a_line_registers_with_its_token_and_digest() -> None:
    async def scenario(house: House, carrier: Carrier) -> None:
        first, second = carrier.registers
        assert str(second.uri) == "sip:198.51.100.7"
        assert second.from_.uri.user == second.to.uri.user == USER
        assert second.headers.get("Authorization") is not None
        assert (first.call_id, second.cseq.number) == (second.call_id, first.cseq.number + 1)
        assert carrier.contact is not None
        line = house.lines.get("main")
        assert line is not None
        assert carrier.contact.user == line.entry.token
        assert line.is_registered(house.clock.monotonic())

    flow(registered(scenario))


def test_it_registers_again_before_its_time_is_over() -> None:
    async def scenario(house: House, carrier: Carrier) -> None:
        call_id, number = carrier.registers[-1].call_id, carrier.registers[-1].cseq.number
        await passing(house, 475)
        assert len(carrier.registers) == 2
        await passing(house, 70)
        assert len(carrier.registers) == 4, "between 80 and 90 % of 600 s"
        again = carrier.registers[-2]
        assert (again.call_id, again.cseq.number) == (call_id, number + 1)

    flow(registered(scenario))


def test_the_carriers_own_time_counts() -> None:
    async def scenario(house: House) -> None:
        carrier = Carrier(house, "198.51.100.7", password="geheim")
        carrier.expires = 60
        house.trunk(carrier.trunk("main", register=True))
        await passing(house, 56)
        assert len(carrier.registers) == 4

    flow(scenario)


def test_too_brief_is_asked_again_with_what_the_carrier_wants() -> None:
    async def scenario(house: House) -> None:
        carrier = Carrier(house, "198.51.100.7", password="geheim")
        carrier.least = 1800
        house.trunk(carrier.trunk("main", register=True))
        await passing(house, 3)
        assert [each.expires for each in carrier.registers] == [600, 600, 1800, 1800]
        line = house.lines.get("main")
        assert line is not None
        assert line.trouble is None
        assert not house.alarms

    flow(scenario)


def test_it_backs_off_from_30_s_to_5_minutes_and_raises_one_alarm() -> None:
    async def scenario(house: House) -> None:
        carrier = Carrier(house, "198.51.100.7", password="geheim")
        carrier.refuses_registering = 403
        house.trunk(carrier.trunk("main", register=True))
        times = []
        for second in range(1400):
            before = len(carrier.registers)
            await passing(house, 1)
            if len(carrier.registers) > before:
                times.append(second)
        waits = [later - earlier for earlier, later in pairwise(times)]
        assert waits == pytest.approx([30, 60, 120, 240, 300, 300, 300], abs=2)
        (alarm,) = house.alarms
        assert alarm.startswith("trunk main is out of order: registering: 403 Forbidden")
        carrier.refuses_registering = 0
        await passing(house, 305)
        line = house.lines.get("main")
        assert line is not None
        assert (line.trouble, line.is_registered(house.clock.monotonic())) == (None, True)

    flow(scenario)


def test_a_wrong_password_is_not_tried_twice_in_a_row() -> None:
    async def scenario(house: House) -> None:
        carrier = Carrier(house, "198.51.100.7", password="geheim")
        house.trunk(replace(carrier.trunk("main", register=True), password="falsch"))
        await passing(house, 5)
        assert len(carrier.registers) == 2
        assert "registering: 401 Unauthorized" in house.alarms[0]

    flow(scenario)


def test_what_is_removed_or_stopped_is_taken_back() -> None:
    async def scenario(house: House, carrier: Carrier) -> None:
        house.trunk(carrier.trunk("main", register=True, max_calls=5))
        await passing(house, 2)
        assert [each.expires for each in carrier.registers[2:4]] == [0, 600]
        await house.lines.stop()
        assert carrier.registers[-1].expires == 0
        assert carrier.contact is None
        sent = len(carrier.registers)
        await passing(house, 700)
        assert len(carrier.registers) == sent

    flow(registered(scenario))


def test_nobody_is_told_that_a_line_is_out_of_order_that_was_removed() -> None:
    async def scenario(house: House, carrier: Carrier) -> None:
        house.network.loses = lambda octets, flow: flow.remote[0] == "198.51.100.7"
        await passing(house, 30)
        house.directory.lines.clear()
        house.lines.directory_changed()
        await passing(house, 65)
        assert house.alarms == []

    flow(registered(scenario))


def test_a_carrier_that_is_gone_does_not_hold_the_server_up() -> None:
    async def scenario(house: House, carrier: Carrier) -> None:
        house.network.loses = lambda octets, flow: flow.remote[0] == "198.51.100.7"
        began = house.clock.monotonic()
        await house.lines.stop()
        assert house.clock.monotonic() - began == pytest.approx(2.0)
        await house.settle(40)

    flow(registered(scenario))


@pytest.mark.parametrize(
    "written",
    [NUMBER, "+862888886666", "00862888886666", "862888886666", "2888886666", f"+86{NUMBER[1:]}"],
)
def test_a_call_to_the_registered_contact_is_the_lines_by_whatever_address(written: str) -> None:
    async def scenario(house: House, carrier: Carrier) -> None:
        house.exchange.plan = Plan("test", {NUMBER: NumberRoute(NUMBER, Destination("ext", "102"))})
        (bob,) = await house.registered("102")
        other = Carrier(house, "203.0.113.99")  # the carrier calls from another machine
        other.contact = carrier.contact
        call = other.call_in(written, from_="+8613800138000", token=True)
        rung = await bob.rung()
        assert rung.request is not None
        assert rung.request.from_.uri.user == "13800138000"
        rung.answer()
        await call.answered()
        call.hang_up()
        await rung.ended()

    record = flow(registered(scenario)).record
    assert (record.direction, record.called.number) == ("inbound", NUMBER)
    assert record.caller.number == "13800138000"


def test_a_call_to_the_account_is_for_the_first_number() -> None:
    async def scenario(house: House, carrier: Carrier) -> None:
        house.exchange.plan = Plan("test", {NUMBER: NumberRoute(NUMBER, Destination("ext", "102"))})
        (bob,) = await house.registered("102")
        call = carrier.call_in(USER, token=True)
        (await bob.rung()).respond(486)
        assert await call.failed() == 486

    assert flow(registered(scenario, numbers=(NUMBER,))).record.called.number == NUMBER


def test_a_token_that_is_none_is_a_strangers() -> None:
    async def scenario(house: House, carrier: Carrier) -> None:
        stranger = Carrier(house, "203.0.113.99")
        assert carrier.contact is not None
        stranger.contact = replace(carrier.contact, user="7a0c00")
        assert await stranger.call_in(NUMBER, token=True).failed() == 401

    assert not flow(registered(scenario)).records


def test_a_line_that_does_not_answer_is_unreachable_within_65_s_and_comes_back() -> None:
    async def scenario(house: House) -> None:
        carrier = Carrier(house, "198.51.100.7")
        house.trunk(carrier.trunk("main"))
        await passing(house, 35)
        line = house.lines.get("main")
        assert line is not None
        assert line.is_reachable(house.clock.monotonic())
        assert line.round_trip_ms == pytest.approx(2.0)
        house.network.loses = lambda octets, flow: flow.remote[0] == "198.51.100.7"
        await passing(house, 65)
        assert not line.is_reachable(house.clock.monotonic())
        (alarm,) = house.alarms
        assert alarm.startswith("trunk main is out of order: it does not answer")
        house.network.loses = lambda octets, flow: False
        await passing(house, 65)
        assert line.is_reachable(house.clock.monotonic())
        assert line.trouble is None
        assert len(house.alarms) == 1

    flow(scenario)
