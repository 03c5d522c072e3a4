"""Ports that ran out, workers that die, phones that fall silent."""

from __future__ import annotations

import asyncio

import pytest

from pbx.events import MediaLost
from pbx.media.protocol import LegReport, MediaSilent, StreamFigures
from pbx.sip import events as sip
from pbx.sip.flow import Flow
from tests.flows.test_hold import talking
from tests.kit.exchange import EXCHANGE, House, flow
from tests.kit.network import method_or_status
from tests.kit.softphone import PhoneCall


def refusal(call: PhoneCall) -> sip.InviteFailed:
    """Return the final response that refused a call."""
    failed = [event for event in call.events if isinstance(event, sip.InviteFailed)]
    return failed[-1]


# -- ports -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ports", [0, 1])
def test_ports_that_ran_out_are_503_with_retry_after(ports: int) -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        take = house.media.take_port
        left = [ports]

        def counted(*args: object, **options: object) -> object:
            house.media.exhausted = left[0] == 0
            left[0] -= 1
            return take(*args, **options)  # type: ignore[arg-type]

        house.media.take_port = counted  # type: ignore[method-assign, assignment]
        call = alice.call("102")
        if ports:
            rung = await bob.rung()
            rung.answer()
            await rung.ended()
        assert await call.failed() == 503
        response = refusal(call).response
        assert response is not None
        assert response.headers.get("Retry-After") == "5"
        assert bob.was_rung is False

    record = flow(scenario).record
    assert (record.result, record.reason, record.sip_status) == ("failed", "no_resource", 503)


# -- workers ---------------------------------------------------------------------------------------


def test_a_worker_that_dies_while_it_rings_ends_the_call_with_503() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.ring()
        await asyncio.sleep(1)
        house.media.lose_worker()
        assert await call.failed() == 503
        response = refusal(call).response
        assert response is not None
        assert "Retry-After" in response.headers
        await rung.saw(sip.InviteCancelled)

    record = flow(scenario).record
    assert (record.result, record.reason, record.cause) == ("failed", "media_worker_lost", 41)
    assert record.ended_by == "system"


def test_a_call_that_begins_beside_a_dead_worker_is_let_go_and_the_next_one_lives() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.early_media()
        await asyncio.sleep(1)
        house.media.lose_worker()
        assert await call.failed() == 503
        again = alice.call("102")
        other = await bob.rung()
        other.answer()
        await again.answered()
        again.hang_up()
        await other.ended()

    results = [record.result for record in flow(scenario).records.values()]
    assert results == ["failed", "answered"]


def test_the_record_of_a_lost_worker_has_the_figures_of_its_last_report() -> None:
    async def scenario(house: House) -> None:
        _, _, call, rung = await talking(house)
        leg = min(house.media.legs)
        house.media.report(LegReport(leg, StreamFigures(packets=500, lost=5), StreamFigures()))
        house.media.lose_worker()
        await call.ended()
        await rung.ended()

    record = flow(scenario).record
    assert (record.result, record.reason, record.cause) == ("answered", "media_worker_lost", 41)
    caller = next(
        row for row in record.quality if (row.leg, row.direction) == ("caller", "received")
    )
    assert (caller.codec, caller.packets) == ("PCMU", 500)
    assert (caller.loss_percent, caller.mos) == (0.99, 4.33)


# -- silence ---------------------------------------------------------------------------------------


def test_a_long_silence_is_told_once_and_asked_about_each_time() -> None:
    async def scenario(house: House) -> None:
        alice, _, call, rung = await talking(house)
        leg = min(house.media.legs)
        for seconds in (30.2, 60.2, 90.2, 120.2):
            house.media.report(MediaSilent(leg, seconds))
            await asyncio.sleep(30)
        house.media.report(MediaSilent(leg, 30.1))
        await asyncio.sleep(1)
        asked = [
            carried
            for carried in house.network.carried
            if carried.flow.remote == alice.address and carried.octets.startswith(b"OPTIONS")
        ]
        assert len(asked) == 5
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert len(house.happened(MediaLost)) == 2
    assert house.record.reason == "bye"


def test_a_silent_phone_that_answers_481_is_gone() -> None:
    async def scenario(house: House) -> None:
        alice, _, _, rung = await talking(house)
        alice.ua._endpoint.by_local_tag.clear()  # the phone has started anew
        house.media.report(MediaSilent(min(house.media.legs), 30.0))
        await rung.ended()

    record = flow(scenario).record
    assert (record.reason, record.ended_by) == ("dialog_gone", "system")


def test_a_silent_phone_whose_connection_is_gone_ends_the_call() -> None:
    async def scenario(house: House) -> None:
        alice = house.phone("101", transport="tcp")
        bob = house.phone("102")
        await alice.register()
        await bob.register()
        alice.node.listens = False
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        await asyncio.sleep(1)
        house.network.cut(EXCHANGE, alice.address)
        await asyncio.sleep(5)
        assert len(house.exchange.calls) == 1, "a lost connection alone ends nothing"
        house.media.report(MediaSilent(min(house.media.legs), 30.0))
        await rung.ended()

    record = flow(scenario).record
    assert (record.result, record.reason) == ("answered", "transport")


def test_a_question_that_is_open_when_the_call_ends_is_forgotten() -> None:
    async def scenario(house: House) -> None:
        alice, _, call, rung = await talking(house)

        def options(octets: bytes, flow: Flow) -> bool:
            return method_or_status(octets).endswith("OPTIONS")

        house.network.loses = options
        house.media.report(MediaSilent(min(house.media.legs), 30.0))
        await asyncio.sleep(1)
        rung.hang_up()
        await call.ended()
        assert alice.address

    flow(scenario)


# -- connections -----------------------------------------------------------------------------------


def test_a_connection_that_closes_during_a_call_is_opened_again_for_the_bye() -> None:
    async def scenario(house: House) -> None:
        alice = house.phone("101", transport="tcp")
        bob = house.phone("102")
        await alice.register()
        await bob.register()
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        house.network.cut(EXCHANGE, alice.address)
        await asyncio.sleep(10)
        rung.hang_up()
        await call.ended()

    record = flow(scenario).record
    assert (record.reason, record.ended_by) == ("bye", "called")
    assert abs(record.talk_s - 10.0) < 0.1


def test_a_phone_whose_connection_is_gone_cannot_be_reached() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        bob = house.phone("102", transport="tcp")
        await bob.register()
        bob.node.listens = False
        house.network.cut(EXCHANGE, bob.address)
        assert await alice.call("102").failed() == 480

    record = flow(scenario).record
    assert (record.result, record.reason) == ("unavailable", "unreachable")


def test_a_phone_that_registers_from_elsewhere_during_a_call_keeps_it() -> None:
    async def scenario(house: House) -> None:
        _, _, call, rung = await talking(house)
        moved = house.phone("102", host="198.51.100.20")
        await moved.register()
        assert len(house.registrar.bindings("102", house.clock.monotonic())) == 2
        await asyncio.sleep(5)
        call.hang_up()
        await rung.ended()

    assert flow(scenario).record.reason == "bye"
