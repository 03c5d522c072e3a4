"""What calls leave behind: nothing, whatever way they went."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter

from pbx.call.call import Call
from pbx.call.leg import Leg
from pbx.call.leg_media import LegMedia
from pbx.call.ringing import Ringing
from pbx.media.protocol import MediaSilent
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall, Softphone


def living() -> Counter[str]:
    """Count what calls are made of, after a collection."""
    gc.collect()
    parts = (Call, Leg, LegMedia, Ringing)
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, parts))


async def _answers(phone: Softphone) -> None:
    while True:
        call = await phone.rung(within=100_000)
        call.ring()
        asyncio.get_running_loop().call_later(0.2, call.answer)


async def _one_call(house: House, alice: Softphone, way: int) -> None:
    if way == 4:
        await house.exchange.originate("101", "102")
        own = await alice.rung()
        own.answer()
        await asyncio.sleep(1)
        own.hang_up()
        return
    call: PhoneCall = alice.call(("102", "102", "*43", "999")[way])
    await asyncio.sleep(0.1 if way == 1 else 1)
    if way == 0:
        call.reinvite(alice.describe(direction="sendonly", version=2))
        call.info(b"Signal=5\r\n", "application/dtmf-relay")
        house.media.report(MediaSilent(min(house.media.legs), 30.0))
    call.hang_up()


def test_no_part_of_200_calls_survives_them() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        answering = asyncio.create_task(_answers(bob))
        for number in range(200):
            await _one_call(house, alice, number % 5)
            await asyncio.sleep(0.5)
        await asyncio.sleep(70)
        answering.cancel()
        assert len(house.records) == 200
        assert not living()
        transactions = house.ua.snapshot()
        assert transactions["invites"] == transactions["usages"] == transactions["waiting"] == 0

    flow(scenario)


def test_a_call_is_freed_without_the_garbage_collector() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        await asyncio.sleep(1)
        (live,) = house.exchange.calls.values()
        parts = [weakref.ref(each) for each in (live, *live.legs.values())]
        del live
        gc.disable()
        try:
            call.hang_up()
            await rung.ended()
            await asyncio.sleep(2)
            assert [part() for part in parts] == [None, None, None]
        finally:
            gc.enable()

    flow(scenario)
