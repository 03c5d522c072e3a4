"""Call-backs with each await of each call cancelled in turn: nothing leaks, and whoever was not
called back waits on; see test_cancelled_everywhere.py."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from pbx.ivr.verbs import VOCABULARY
from pbx.plan.destination import CALLBACK, Destination
from pbx.plan.model import Callback, NumberRoute, Plan, Queue
from tests.flows.test_cancelled_everywhere import Act, act_when_rung, answer_soon, everywhere, press
from tests.kit.exchange import House
from tests.kit.softphone import PhoneCall

assert VOCABULARY.verbs


async def _busy(call: PhoneCall) -> None:
    call.respond(486)


async def _leaves(call: PhoneCall) -> None:
    call.answer()
    await asyncio.sleep(0.5)
    call.hang_up()


async def _called_back(
    house: House, first: Literal["agent", "customer"], agent: Act, customer: Act
) -> None:
    """Book a call-back, and let it be tried while phones act on their own."""
    rules = Callback(first=first, tries=2, again_s=(0.0, 20.0))
    queue = Queue("tech", keys={"1": CALLBACK}, wrap_up_s=0.0, callback=rules)
    route = NumberRoute("400", Destination("queue", "tech"))
    house.open(Plan("test", {"400": route}, queues={"tech": queue}))
    alice, bob = await house.registered("101", "102")
    house.agent("102")
    other = bob.call("*43")
    await asyncio.sleep(1)
    alice.call("400")
    await asyncio.sleep(5)
    await press(house, "11")
    await asyncio.sleep(1)
    for call in list(alice.calls.values()):
        call.hang_up()
    other.hang_up()
    actors = [
        asyncio.create_task(act_when_rung(bob, agent)),
        asyncio.create_task(act_when_rung(alice, customer)),
    ]
    for _ in range(10):
        await asyncio.sleep(9)
        for leg in {leg for leg, _ in house.media.playing}:
            house.media.finish_playing(leg)
    for phone in (alice, bob):
        for call in list(phone.calls.values()):
            call.hang_up()
    await asyncio.sleep(1)
    for actor in actors:
        actor.cancel()
    for waiting in house.callbacks.waiting():
        house.callbacks.cancel(waiting.id)
    await asyncio.sleep(40)


@pytest.mark.parametrize(
    ("first", "agent", "customer"),
    [
        ("agent", answer_soon, answer_soon),
        ("agent", _leaves, _busy),
        ("customer", answer_soon, answer_soon),
        ("customer", _leaves, _leaves),
    ],
)
def test_a_call_back_leaves_nothing_wherever_it_is_cancelled(
    first: Literal["agent", "customer"], agent: Act, customer: Act
) -> None:
    houses = everywhere(lambda house: _called_back(house, first, agent, customer))
    for house in houses:
        assert all(kept.state != "waiting" for kept in house.keeping.callbacks.values())
        assert len(house.callbacks) == 0
