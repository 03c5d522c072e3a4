"""How the exchange stops: nobody new, a grace for those who talk, a record for every call."""

from __future__ import annotations

import asyncio

from pbx.sip import events as sip
from tests.flows.test_hold import talking
from tests.kit.exchange import House, flow


def test_draining_ends_at_once_when_nobody_talks() -> None:
    async def scenario(house: House) -> None:
        before = house.clock.monotonic()
        await house.exchange.drain(5.0)
        assert house.clock.monotonic() == before

    flow(scenario)


def test_draining_ends_as_soon_as_the_last_call_does() -> None:
    async def scenario(house: House) -> None:
        _, _, call, rung = await talking(house)
        drained = asyncio.create_task(house.exchange.drain(60.0))
        await asyncio.sleep(2)
        call.hang_up()
        await rung.ended()
        before = house.clock.monotonic()
        await drained
        assert house.clock.monotonic() - before < 1.5

    assert flow(scenario).record.reason == "bye"


def test_past_the_grace_time_calls_get_a_bye_and_ringing_ones_503() -> None:
    async def scenario(house: House) -> None:
        _, _, call, rung = await talking(house)
        carol, dave = await house.registered("103", "104")
        second = carol.call("104")
        ringing = await dave.rung()
        ringing.ring()
        await house.exchange.drain(5.0)
        await call.ended()
        await rung.ended()
        assert await second.failed() == 503
        await ringing.saw(sip.InviteCancelled)

    first, second = flow(scenario).records.values()
    assert (first.result, first.reason, first.ended_by) == ("answered", "shutdown", "system")
    assert (second.result, second.reason, second.sip_status) == ("failed", "shutdown", 503)


def test_a_second_signal_leaves_a_record_for_every_call_at_once() -> None:
    async def scenario(house: House) -> None:
        _, _, call, rung = await talking(house)
        carol, dave = await house.registered("103", "104")
        second = carol.call("104")
        await dave.rung()
        draining = asyncio.create_task(house.exchange.drain(60.0))
        await asyncio.sleep(1)
        draining.cancel()
        house.exchange.abandon_calls()
        assert len(house.records) == 2, "nothing had to be waited for"
        assert not house.exchange.calls
        await call.ended()
        await rung.ended()
        assert await second.failed() == 503

    assert {record.reason for record in flow(scenario).records.values()} == {"shutdown"}


def test_a_call_that_begins_while_congested_is_told_to_come_again() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        house.exchange.congested = lambda: True
        call = alice.call("102")
        assert await call.failed() == 503
        response = next(e for e in call.events if isinstance(e, sip.InviteFailed)).response
        assert response is not None
        assert response.headers.get("Retry-After") == "5"
        assert not bob.was_rung

    assert not flow(scenario).records
