"""Transfers across a line: callers from outside, targets outside, and a carrier that refers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pbx.media.protocol import CodeHeard, DigitHeard
from pbx.plan.destination import Destination
from pbx.plan.model import NumberRoute, OutboundRule, Plan, Queue
from pbx.sip import events as sip
from tests.kit.exchange import House, Trunk, flow
from tests.kit.softphone import PhoneCall, Softphone
from tests.kit.transfers import results, segments

OUTSIDE = "013800138000"
ABROAD = "00900123456"


def office(house: House) -> Softphone:
    """Give the office a line, a number on it, and the way out; return the carrier."""
    house.exchange.plan = Plan(
        "test",
        numbers={"4008001234": NumberRoute("4008001234", Destination("ext", "101"))},
        outbound={"all": OutboundRule("all", ("0",), ("carrier",))},
    )
    carrier = house.phone("carrier", host="198.51.100.7")
    house.trunk(Trunk("carrier", "198.51.100.7", numbers=("4008001234",)))
    return carrier


async def called(house: House) -> tuple[Softphone, PhoneCall, PhoneCall, Softphone]:
    """Let somebody outside call 101, who answers; return carrier, both calls and Bob's phone."""
    carrier = office(house)
    alice, bob = await house.registered("101", "102")
    call = carrier.call("4008001234")
    rung = await alice.rung()
    rung.answer()
    await call.answered()
    await asyncio.sleep(5)
    return carrier, call, rung, bob


def test_a_customer_is_handed_on_and_its_carrier_is_shown_nobody() -> None:
    async def scenario(house: House) -> None:
        _carrier, call, agent, bob = await called(house)
        agent.refer("102")
        rung = await bob.rung()
        rung.answer()
        await agent.ended()
        await asyncio.sleep(2)
        assert call.shown() == []
        call.hang_up()
        await rung.ended()

    record = flow(scenario).record
    assert record.direction == "inbound"
    assert [each for each in segments(record) if each[0] == "talk"] == [
        ("talk", "101", "transferred"),
        ("talk", "102", "ended"),
    ]


@pytest.mark.parametrize("how", ["refer", "code"])
def test_a_customer_is_handed_on_to_a_number_outside(how: str) -> None:
    async def scenario(house: House) -> None:
        carrier, call, agent, _bob = await called(house)
        if how == "refer":
            agent.refer(OUTSIDE)
        else:
            (live,) = house.exchange.calls.values()
            (leg,) = (each.id for each in live.legs.values() if each.number == "101")
            house.media.report(CodeHeard(leg, "*2"))
            await asyncio.sleep(0.1)
            for key in f"{OUTSIDE}#":
                house.media.report(DigitHeard(leg, key, 100))
        rung = await carrier.rung()
        rung.answer()
        await asyncio.sleep(2)
        if how == "code":
            agent.hang_up()
        else:
            await agent.ended()
        await asyncio.sleep(2)
        assert len(house.media.joined) == 2
        rung.hang_up()
        await call.ended()

    house = flow(scenario)
    assert results(house) == ["completed"]
    assert ("talk", OUTSIDE, "ended") in segments(house.record)


@pytest.mark.parametrize(("own", "shown"), [(None, "4008005678"), ("4008001234", "4008001234")])
def test_a_call_of_a_queue_is_handed_on_with_the_number_of_the_queue(
    own: str | None, shown: str
) -> None:
    async def scenario(house: House) -> None:
        carrier = office(house)
        house.trunk(Trunk("carrier", "198.51.100.7", numbers=("4008001234", "4008005678")))
        route = NumberRoute("4008001234", Destination("queue", "tech"))
        queue = Queue("tech", whisper=False, wrap_up_s=0.0, caller_id="4008005678")
        plan = replace(house.exchange.plan, numbers={route.number: route}, queues={"tech": queue})
        house.open(plan)
        (alice,) = await house.registered("101")
        house.agent("101")
        house.directory.extensions["101"].caller_id = own
        call = carrier.call("4008001234")
        agent = await alice.rung()
        agent.answer()
        await asyncio.sleep(2)
        agent.refer(OUTSIDE)
        rung = await carrier.rung()
        assert rung.request is not None
        assert rung.request.from_.uri.user == shown
        rung.answer()
        await agent.ended()
        rung.hang_up()
        await call.ended()

    assert results(flow(scenario)) == ["completed"]


def test_a_carrier_may_refer_nobody() -> None:
    async def scenario(house: House) -> None:
        _carrier, call, agent, _bob = await called(house)
        call.refer("102")
        assert (await call.saw(sip.RequestAnswered)).response.status == 403
        agent.hang_up()
        await call.ended()

    assert results(flow(scenario)) == []


def test_the_limits_for_calls_abroad_are_those_of_who_transfers() -> None:
    async def scenario(house: House) -> None:
        _carrier, call, agent, _bob = await called(house)
        for _ in range(20):
            await house.lines.dial(ABROAD, plan=house.exchange.plan, by="101")
        agent.refer(ABROAD)
        await asyncio.sleep(2)
        assert agent.noticed() == [100, 403]
        assert len(house.media.joined) == 2
        agent.hang_up()
        await call.ended()

    house = flow(scenario)
    assert results(house) == ["rejected"]
    assert any("toll fraud" in alarm for alarm in house.alarms)
