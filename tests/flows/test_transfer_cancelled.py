"""Transfers with the call's script cancelled at each await in turn: nothing leaks, one record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from pbx.call.call import Call
from pbx.call.leg import Leg
from pbx.call.lookup import find_call
from pbx.call.transfer import transfer
from pbx.errors import NotFound, Refused
from pbx.media.protocol import CodeHeard, DigitHeard
from tests.flows.test_cancelled_everywhere import act_when_rung, answer_soon, everywhere
from tests.kit.exchange import House
from tests.kit.softphone import PhoneCall

Act = Callable[[PhoneCall], Awaitable[None]]


async def _busy(call: PhoneCall) -> None:
    call.respond(486)


async def _only_ring(call: PhoneCall) -> None:
    call.ring()


def _leg(house: House, number: str) -> Leg | None:
    """Return the newest leg of a number that is up; None where the call is gone."""
    calls: list[Call] = list(house.exchange.calls.values())
    legs = [leg for call in calls for leg in call.legs.values()]
    return next((leg for leg in reversed(legs) if leg.number == number and leg.up), None)


async def _press(house: House, number: str, keys: str, code: str = "") -> None:
    for key in keys:
        if (leg := _leg(house, number)) is not None:
            house.media.report(DigitHeard(leg.id, key, 100))
    if code and (leg := _leg(house, number)) is not None:
        house.media.report(CodeHeard(leg.id, code))
    await asyncio.sleep(0.1)


async def _play(house: House, act: Act, how: str, by: str) -> None:
    """101 calls 102; one of them hands the other on to 103; everybody hangs up in the end."""
    alice, bob, carol = await house.registered("101", "102", "103")
    actors = [asyncio.create_task(act_when_rung(bob, answer_soon))]
    actors.append(asyncio.create_task(act_when_rung(alice, answer_soon)))
    actors.append(asyncio.create_task(act_when_rung(carol, act)))
    call = alice.call("102")
    await asyncio.sleep(5)
    mine = call if by == "101" else next(iter(bob.calls.values()), None)
    if mine is not None:
        await _HOW[how](house, mine, by)
    await asyncio.sleep(50)
    for phone in (alice, bob, carol):
        for other in list(phone.calls.values()):
            other.hang_up()
    await asyncio.sleep(40)
    for actor in actors:
        actor.cancel()


async def _refer(_house: House, mine: PhoneCall, _by: str) -> None:
    mine.refer("103")


async def _refer_and_leave(_house: House, mine: PhoneCall, _by: str) -> None:
    mine.refer("103")
    mine.hang_up()


async def _order(house: House, _mine: PhoneCall, _by: str) -> None:
    with suppress(NotFound, Refused):
        transfer(house.exchange, find_call(house.exchange.calls, "101").id, "103")


async def _blind(house: House, _mine: PhoneCall, by: str) -> None:
    await _press(house, by, "##", "##")
    await _press(house, by, "103#")


async def _ask(house: House, mine: PhoneCall, by: str) -> None:
    await _press(house, by, "*2", "*2")
    await _press(house, by, "103#")
    await asyncio.sleep(5)
    mine.hang_up()


async def _ask_and_return(house: House, _mine: PhoneCall, by: str) -> None:
    await _press(house, by, "*2", "*2")
    await _press(house, by, "103#")
    await asyncio.sleep(5)
    await _press(house, by, "*2", "*2")


async def _three(house: House, mine: PhoneCall, by: str) -> None:
    await _press(house, by, "*2", "*2")
    await _press(house, by, "103#")
    await asyncio.sleep(5)
    await _press(house, by, "*3", "*3")
    await asyncio.sleep(5)
    mine.hang_up()


_HOW: dict[str, Callable[[House, PhoneCall, str], Awaitable[None]]] = {
    "refer": _refer,
    "refer and leave": _refer_and_leave,
    "order": _order,
    "blind": _blind,
    "ask": _ask,
    "ask and return": _ask_and_return,
    "three": _three,
}


@pytest.mark.parametrize("by", ["101", "102"])
@pytest.mark.parametrize("act", [answer_soon, _busy, _only_ring])
@pytest.mark.parametrize("how", _HOW)
def test_a_transfer_leaves_nothing_wherever_it_is_cancelled(how: str, act: Act, by: str) -> None:
    houses = everywhere(lambda house: _play(house, act, how, by))
    assert all(len(house.records) == 1 for house in houses)


async def _second_call(house: House, *, answered: bool) -> None:
    """102 asks 103 in a call of its own, and joins both."""
    alice, bob, carol = await house.registered("101", "102", "103")
    actors = [asyncio.create_task(act_when_rung(bob, answer_soon))]
    actors.append(
        asyncio.create_task(act_when_rung(carol, answer_soon if answered else _only_ring))
    )
    alice.call("102")
    await asyncio.sleep(5)
    first = next(iter(bob.calls.values()), None)
    second = bob.call("103")
    await asyncio.sleep(5)
    if first is not None and (second.progress() or answered):
        with suppress(ValueError):  # the second call is gone
            first.refer_to(second)
    await asyncio.sleep(50)
    for phone in (alice, bob, carol):
        for other in list(phone.calls.values()):
            other.hang_up()
    await asyncio.sleep(40)
    for actor in actors:
        actor.cancel()


@pytest.mark.parametrize("answered", [True, False])
def test_an_attended_transfer_leaves_nothing_wherever_it_is_cancelled(answered: bool) -> None:
    houses = everywhere(lambda house: _second_call(house, answered=answered))
    assert all(len(house.records) in (1, 2) for house in houses)
    assert len(houses[0].records) == 1
