"""Every scenario, with its script cancelled at each await in turn: nothing leaks, one record each.

Cancelling the script at an arbitrary await stands for everything that can end a call at an
arbitrary moment. The phones act on their own here, since the call may be gone at any time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.kit.exchange import House
from tests.kit.loop import VirtualLoop, cancel_everywhere
from tests.kit.softphone import PhoneCall, Softphone

Act = Callable[[PhoneCall], Awaitable[None]]


async def _answer_soon(call: PhoneCall) -> None:
    call.ring()
    await asyncio.sleep(1)
    call.answer()


async def _early_media_then_answer(call: PhoneCall) -> None:
    call.early_media()
    await asyncio.sleep(1)
    call.answer()


async def _busy(call: PhoneCall) -> None:
    call.respond(486)


async def _only_ring(call: PhoneCall) -> None:
    call.ring()


async def _forward(call: PhoneCall) -> None:
    call.respond(302, headers=[("Contact", "<sip:103@192.0.2.1>")])


async def _act_when_rung(phone: Softphone, act: Act) -> None:
    while True:
        await act(await phone.rung(within=100_000))


async def _everybody_calls(house: House, dialled: str, act: Act, *, phones: int) -> None:
    alice, carol = await house.registered("101", "103")
    rung = [house.phone("102") for _ in range(phones)]
    for phone in rung:
        await phone.register()
    actors = [asyncio.create_task(_act_when_rung(phone, act)) for phone in rung]
    actors.append(asyncio.create_task(_act_when_rung(carol, _answer_soon)))
    call = alice.call(dialled)
    await asyncio.sleep(25)
    call.hang_up()
    for phone in (*rung, carol):
        for other in list(phone.calls.values()):
            other.hang_up()
    await asyncio.sleep(40)
    for actor in actors:
        actor.cancel()


async def _click(house: House, _dialled: str, act: Act, *, phones: int) -> None:
    (bob,) = await house.registered("102")
    alice = house.phone("101")
    await alice.register()
    actors = [
        asyncio.create_task(_act_when_rung(alice, _answer_soon)),
        asyncio.create_task(_act_when_rung(bob, act)),
    ]
    await house.exchange.originate("101", "102")
    await asyncio.sleep(25)
    for phone in (alice, bob):
        for call in list(phone.calls.values()):
            call.hang_up()
    await asyncio.sleep(40)
    for actor in actors:
        actor.cancel()


@pytest.mark.parametrize(
    ("play", "dialled", "act", "phones"),
    [
        (_everybody_calls, "102", _answer_soon, 1),
        (_everybody_calls, "102", _answer_soon, 2),
        (_everybody_calls, "102", _early_media_then_answer, 1),
        (_everybody_calls, "102", _busy, 2),
        (_everybody_calls, "102", _only_ring, 2),
        (_everybody_calls, "102", _forward, 1),
        (_everybody_calls, "*43", _busy, 1),
        (_everybody_calls, "*999", _busy, 1),
        (_click, "102", _answer_soon, 1),
        (_click, "102", _busy, 1),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).strip("_"),
)
def test_nothing_leaks_wherever_it_is_cancelled(
    play: Callable[..., Awaitable[None]], dialled: str, act: Act, phones: int
) -> None:
    houses: list[House] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        house = House(loop.clock)
        houses.append(house)
        try:
            await play(house, dialled, act, phones=phones)
        finally:
            house.close()

    def check() -> None:
        house = houses[-1]
        assert not house.leaks(), f"{house.leaks()}\n{house.network.ladder()}"
        assert len(house.records) == 1, house.records

    assert cancel_everywhere(scenario, tasks="call *", check=check) > 0
