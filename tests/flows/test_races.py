"""CANCEL against 200, a lossy network, random hang-ups: one record each and nothing left over."""

from __future__ import annotations

import asyncio
import random

import pytest

from pbx.sip import events as sip
from pbx.sip.flow import Flow
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall, Softphone


async def _answers(phone: Softphone, after: float) -> None:
    while True:
        call = await phone.rung(within=100_000)
        call.ring()
        asyncio.get_running_loop().call_later(after, call.answer)


def _last(call: PhoneCall) -> type:
    return type(call.events[-1]) if call.events else object


@pytest.mark.parametrize("milliseconds", range(0, 51, 2))
def test_a_cancel_around_the_answer_leaves_487_or_an_ended_call(milliseconds: int) -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        answering = asyncio.create_task(_answers(bob, 0.025))
        for tenth in range(20):
            call = alice.call("102")
            await asyncio.sleep(0.008 + milliseconds / 1000 + tenth / 10_000)
            call.hang_up()
            await asyncio.sleep(3)
        await asyncio.sleep(35)
        answering.cancel()
        assert not house.exchange.calls
        assert all(_last(rung) is not object for rung in bob.calls.values())

    house = flow(scenario)
    assert len(house.records) == 20
    assert {record.result for record in house.records.values()} <= {"cancelled", "answered"}


@pytest.mark.parametrize("seed", range(6))
def test_ten_percent_loss_each_way_sets_up_every_call_with_one_record_each(seed: int) -> None:
    async def scenario(house: House) -> None:
        chance = random.Random(seed)
        alice, bob = await house.registered("101", "102")

        def loses(octets: bytes, flow: Flow) -> bool:
            return chance.random() < 0.1

        house.network.loses = loses
        answering = asyncio.create_task(_answers(bob, 0.5))
        for _ in range(20):
            call = alice.call("102")
            await call.answered(within=40)
            await asyncio.sleep(5)
            call.hang_up()
            await asyncio.sleep(1)
        await asyncio.sleep(70)
        answering.cancel()
        house.network.loses = lambda octets, flow: False

    house = flow(scenario)
    assert len(house.records) == 20
    assert {record.result for record in house.records.values()} == {"answered"}


@pytest.mark.parametrize("seed", range(30))
def test_hang_ups_at_random_moments_leave_nothing(seed: int) -> None:
    async def scenario(house: House) -> None:
        chance = random.Random(seed)
        alice, bob = await house.registered("101", "102")
        answering = asyncio.create_task(_answers(bob, chance.uniform(0.0, 1.0)))
        for _ in range(10):
            call = alice.call("102")
            await asyncio.sleep(chance.uniform(0.0, 2.0))
            chooses = chance.choice([alice, bob])
            if chooses is alice:
                call.hang_up()
            for rung in list(bob.calls.values()):
                rung.hang_up()
            await asyncio.sleep(chance.uniform(0.0, 0.1))
            call.hang_up()
            await asyncio.sleep(1)
        await asyncio.sleep(40)
        answering.cancel()

    house = flow(scenario)
    assert len(house.records) == 10


def test_a_callers_phone_that_vanishes_while_it_rings_leaves_nothing() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        alice.call("102")
        rung = await bob.rung()
        rung.ring()
        house.network.loses = lambda octets, flow: alice.address in (flow.remote, flow.local)
        rung.answer()
        ended = await rung.saw(sip.InviteEnded, within=70)
        assert ended.slug == "bye"
        await asyncio.sleep(70)

    assert flow(scenario).record.reason == "no_ack"
