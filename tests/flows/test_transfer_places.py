"""Transfers to places that take whoever comes: queues, menus, mailboxes, ring groups."""

from __future__ import annotations

import asyncio

import pytest

from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind
from pbx.call.transfer import transfer
from pbx.events import MenuEntered, QueueEntered
from pbx.plan.destination import Destination
from pbx.plan.model import Menu, NumberRoute, Plan, RingGroup
from tests.flows.test_queues import heard_by, leg_of, plan, tech, waits
from tests.kit.exchange import House, flow
from tests.kit.transfers import results, segments, talking


def in_queue(house: House) -> None:
    """Open a queue at 400 whose agent is 104."""
    house.open(plan(tech(music="jazz")))
    house.add("104")
    house.agent("104")


@pytest.mark.parametrize("how", ["refer", "order", "second call"])
def test_a_queue_takes_the_party_for_as_long_as_it_waits(how: str) -> None:
    async def scenario(house: House) -> None:
        in_queue(house)
        (dave,) = await house.registered("104")
        busy = dave.call("*43")
        await busy.answered()
        talk = await talking(house)
        if how == "refer":
            talk.bob.refer("400")
        elif how == "order":
            transfer(house.exchange, talk.call.id, "queue:tech")
        else:
            second = talk.phones["102"].call("400")
            await second.answered()
            await asyncio.sleep(3)
            talk.bob.refer_to(second)
            await second.ended()
        await talk.bob.ended()
        await asyncio.sleep(60)
        assert talk.played_to("101") == ["music:jazz"]
        busy.hang_up()
        rung = await dave.rung()
        rung.answer()
        await asyncio.sleep(2)
        assert talk.hears() == {"101": {"104"}, "104": {"101"}}
        rung.hang_up()
        await talk.alice.ended()

    house = flow(scenario)
    assert results(house) == ["completed"]
    record = next(each for each in house.records.values() if each.called.number == "102")
    assert ("queue", "tech", "answered") in segments(record)
    assert record.wait_s == pytest.approx(60, abs=0.5)
    assert len(house.happened(QueueEntered)) == (2 if how == "second call" else 1)


def test_a_held_customer_hears_the_music_of_its_queue() -> None:
    async def scenario(house: House) -> None:
        in_queue(house)
        (dave,) = await house.registered("104")
        call = await waits(house)
        rung = await dave.rung()
        rung.answer()
        await asyncio.sleep(1)
        rung.reinvite(dave.describe(direction="sendonly"))
        await asyncio.sleep(1)
        assert heard_by(house, "101") == ["music:jazz"]
        rung.reinvite(dave.describe())
        await asyncio.sleep(1)
        assert leg_of(house, "101") in house.media.joined
        rung.hang_up()
        await call.ended()

    flow(scenario)


def test_a_menu_takes_the_party() -> None:
    async def scenario(house: House) -> None:
        house.exchange.plan = Plan("test", menus={"main": Menu("main", (), {})})
        talk = await talking(house)
        transfer(house.exchange, talk.call.id, "menu:main")
        await talk.bob.ended()
        await asyncio.sleep(1)
        talk.alice.hang_up()
        await house.settle()

    house = flow(scenario)
    assert results(house) == ["completed"]
    assert len(house.happened(MenuEntered)) == 1


def test_a_mailbox_takes_the_party() -> None:
    entered: list[str] = []

    async def leave(call: object, name: str, *, reason: str = "") -> Outcome:
        entered.append(name)
        return Outcome(OutcomeKind.LEFT, "voicemail", "message", 200, NORMAL_CLEARING, "system")

    async def scenario(house: House) -> None:
        house.destinations.register("voicemail", leave)
        talk = await talking(house)
        transfer(house.exchange, talk.call.id, "voicemail:103")
        await talk.alice.ended()

    assert results(flow(scenario)) == ["completed"]
    assert entered == ["103"]


@pytest.mark.parametrize("answers", [True, False])
def test_a_ring_group_rings_as_it_always_does(answers: bool) -> None:
    async def scenario(house: House) -> None:
        members = (Destination("ext", "103"), Destination("ext", "104"))
        house.exchange.plan = Plan(
            "test",
            numbers={"300": NumberRoute("300", Destination("ring", "sales"))},
            ring_groups={"sales": RingGroup("sales", members, "in_order", 15.0)},
        )
        talk = await talking(house)
        dave = house.phone("104")
        await dave.register()
        talk.bob.refer("300")
        (await talk.carol.rung()).ring()
        rung = await dave.rung()
        rung.ring()
        await asyncio.sleep(10 if answers else 16)
        if answers:
            rung.answer()
            await talk.bob.ended()
            assert talk.bob.noticed() == [100, 200]
            rung.hang_up()
        else:
            assert talk.bob.noticed() == [100, 480]
            assert talk.hears() == {"101": {"102"}, "102": {"101"}}
            talk.bob.hang_up()
        await talk.alice.ended()

    assert results(flow(scenario)) == ["completed" if answers else "no_answer"]
