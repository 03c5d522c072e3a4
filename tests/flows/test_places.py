"""Who lost the line and rings again gets the old place; what is left of a server that died."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pbx.acd.keeping import Kept
from pbx.events import CallbackEnded, QueueEntered
from pbx.ivr.verbs import VOCABULARY
from pbx.media.protocol import DigitHeard
from pbx.plan.destination import CALLBACK, Destination
from pbx.plan.model import NumberRoute, Plan, Queue
from tests.kit.clock import VirtualClock
from tests.kit.exchange import House, flow
from tests.kit.loop import run
from tests.kit.softphone import PhoneCall, Softphone, Tokens

assert VOCABULARY.verbs


def plan(*names: str, **fields: Any) -> Plan:
    numbers = {
        str(400 + place): NumberRoute(str(400 + place), Destination("queue", name))
        for place, name in enumerate(names)
    }
    rules = {"keys": {"1": CALLBACK}, "whisper": False, "wrap_up_s": 0.0, **fields}
    return Plan("test", numbers, queues={name: Queue(name, **rules) for name in names})


async def opened(house: House, *names: str, **fields: Any) -> tuple[Softphone, PhoneCall]:
    """Open queues whose only agent, 102, is in another call; return its phone and that call."""
    house.open(plan(*(names or ("tech",)), **fields))
    (bob,) = await house.registered("102")
    house.agent("102")
    other = bob.call("*43")
    await other.answered()
    return bob, other


async def waits(phone: Softphone, seconds: float, number: str = "400") -> PhoneCall:
    call = phone.call(number)
    await call.answered()
    await asyncio.sleep(seconds)
    return call


async def served(bob: Softphone, count: int) -> list[str]:
    """Let the agent serve callers, and return their numbers."""
    numbers = []
    for _ in range(count):
        rung = await bob.rung()
        assert rung.request is not None
        numbers.append(rung.request.from_.uri.number)
        rung.answer()
        await asyncio.sleep(5)
        rung.hang_up()
        await asyncio.sleep(1)
    return numbers


def waited(house: House) -> list[float]:
    """Return what counted already for each caller who entered a queue."""
    return [
        round(event.waited_s)
        for event in house.happened(QueueEntered)
        if isinstance(event, QueueEntered)
    ]


def test_who_lost_the_line_and_rings_again_is_before_those_who_came_later() -> None:
    async def scenario(house: House) -> None:
        bob, other = await opened(house)
        alice, carol = await house.registered("101", "103")
        lost = await waits(alice, 30)
        await waits(carol, 10)
        lost.hang_up()
        await asyncio.sleep(200)
        await waits(alice, 1)
        other.hang_up()
        assert await served(bob, 2) == ["101", "103"]

    house = flow(scenario)
    assert waited(house) == [0, 0, 240]
    assert house.keeping.places == {}


@pytest.mark.parametrize(("later", "number"), [(301, "400"), (10, "401")])
def test_too_late_or_in_another_queue_the_place_is_a_new_one(later: float, number: str) -> None:
    async def scenario(house: House) -> None:
        bob, other = await opened(house, "tech", "sales")
        alice, carol = await house.registered("101", "103")
        lost = await waits(alice, 30)
        await waits(carol, 10)
        lost.hang_up()
        await asyncio.sleep(later)
        await waits(alice, 1, number)
        other.hang_up()
        assert await served(bob, 2) == ["103", "101"]

    assert waited(flow(scenario)) == [0, 0, 0]


def test_one_place_is_given_back_once_at_a_time() -> None:
    async def scenario(house: House) -> None:
        bob, other = await opened(house)
        alice, carol = await house.registered("101", "103")
        lost = await waits(alice, 30)
        lost.hang_up()
        await asyncio.sleep(1)
        first = await waits(alice, 1)
        second = await waits(alice, 1)
        other.hang_up()
        await served(bob, 2)
        for call in (first, second):
            await call.ended()
        await waits(carol, 1)
        await served(bob, 1)
        await waits(alice, 1)
        await served(bob, 1)

    assert waited(flow(scenario)) == [0, 31, 0, 0, 0]


# -- a server that died ------------------------------------------------------------------------


def after_a_crash(before: Any, after: Any, *, down: float = 2.0) -> House:
    """Run a scenario until its server is killed, and another with what was kept by then."""
    clock = VirtualClock()
    kept: list[Kept] = []

    async def first() -> None:
        house = House(clock)
        await before(house)
        kept.append(house.keeping.kept)
        house.exchange.abandon_calls()  # of the memory that dies; what is kept stays as it was
        house.close()
        await asyncio.sleep(0)

    run(first(), clock=clock)
    again = VirtualClock(wall=clock.wall() + down, monotonic=50.0)
    houses: list[House] = []

    async def second() -> None:
        house = House(again)
        house.exchange.new_call_id = Tokens("again")  # ids are never given twice
        houses.append(house)
        house.open(plan("tech"))
        for place in kept[0].places:
            house.keeping.keep_place(place)
        house.places.load(kept[0].places)
        house.callbacks.load(kept[0].callbacks)
        await after(house)
        await house.settle()
        house.close()
        assert not house.leaks(), house.leaks()

    run(second(), clock=again)
    return houses[0]


def test_after_a_crash_callers_who_ring_again_have_their_places_and_call_backs_their_time() -> None:
    async def before(house: House) -> None:
        await opened(house)
        alice, carol, dave = await house.registered("101", "103", "104")
        await waits(alice, 20)
        booking = await waits(carol, 10)
        for keys in "11":
            await _press(house, "103", keys)
        await booking.ended()
        await waits(dave, 10)

    async def after(house: House) -> None:
        assert [each.number for each in house.callbacks.waiting()] == ["103"]
        bob, alice, carol, dave = await house.registered("102", "101", "103", "104")
        house.agent("102", logged_in=False)
        other = bob.call("*43")
        await other.answered()
        house.agent("102")
        await waits(dave, 1)
        await waits(alice, 1)
        other.hang_up()
        assert await served(bob, 1) == ["101"]
        rung = await bob.rung()
        assert rung.request is not None
        assert rung.request.from_.uri.number == "103"
        rung.answer()
        (await carol.rung()).answer()
        await asyncio.sleep(1)
        rung.hang_up()
        assert await served(bob, 1) == ["104"]

    house = after_a_crash(before, after)
    (ended,) = house.happened(CallbackEnded)
    assert isinstance(ended, CallbackEnded)
    assert ended.result == "answered"
    assert ended.waited_s == pytest.approx(32, abs=2)


def test_after_a_crash_tries_are_not_forgotten() -> None:
    async def before(house: House) -> None:
        bob, other = await opened(house)
        (alice,) = await house.registered("101")
        booking = await waits(alice, 10)
        for keys in "11":
            await _press(house, "101", keys)
        await booking.ended()
        other.hang_up()
        agent = await bob.rung()
        agent.answer()
        (await alice.rung()).ring()
        await asyncio.sleep(1)

    async def after(house: House) -> None:
        (waiting,) = house.callbacks.waiting()
        assert waiting.tries == 1
        bob, alice = await house.registered("102", "101")
        house.agent("102")
        began = house.clock.monotonic()
        agent = await bob.rung(within=400)
        assert house.clock.monotonic() - began == pytest.approx(297, abs=3)
        agent.answer()
        (await alice.rung()).answer()
        await asyncio.sleep(1)
        agent.hang_up()
        await asyncio.sleep(1)

    house = after_a_crash(before, after)
    (kept,) = house.keeping.callbacks.values()
    assert (kept.state, kept.tries) == ("answered", 2)


async def _press(house: House, number: str, key: str) -> None:
    """Let a party hear what is said, and press a key."""
    (leg,) = (
        leg.id
        for call in house.exchange.calls.values()
        for leg in call.legs.values()
        if leg.number == number and leg.ending is None
    )
    house.media.finish_playing(leg)
    house.media.report(DigitHeard(leg, key, 100))
    await asyncio.sleep(0.1)
    house.media.finish_playing(leg)
