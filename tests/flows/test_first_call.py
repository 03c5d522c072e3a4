"""One extension calls another: the ways it can go, and the record of each."""

from __future__ import annotations

import asyncio

from pbx.events import LegEnded
from pbx.media.protocol import Enter, UpdateLeg
from pbx.sip import events as sip
from tests.kit.exchange import House, flow


def test_two_phones_talk_and_the_called_one_hangs_up() -> None:
    async def scenario(house: House) -> None:
        house.add("101", name="Alice")
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.ring()
        await asyncio.sleep(2)
        rung.answer()
        await call.answered()
        assert call.progress() == [180]
        await asyncio.sleep(10)
        rung.hang_up()
        assert (await call.ended()).slug == "bye"

    house = flow(scenario)
    record = house.record
    assert (record.result, record.reason, record.ended_by) == ("answered", "bye", "called")
    assert (record.caller.number, record.caller.name) == ("101", "Alice")
    assert record.called.number == "102"
    assert record.path == ("ext:102",) or list(record.path) == ["ext:102"]
    assert abs(record.ring_s - 2.0) < 0.05
    assert abs(record.talk_s - 10.0) < 0.05
    assert (record.cause, record.sip_status) == (16, 200)


def test_the_caller_hangs_up() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        await asyncio.sleep(3)
        call.hang_up()
        assert (await rung.ended()).slug == "bye"

    record = flow(scenario).record
    assert (record.result, record.ended_by) == ("answered", "caller")


def test_both_legs_take_one_relay_row_and_know_no_address_of_the_other() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        assert rung.request is not None
        assert alice.address[0].encode() not in rung.request.body
        assert alice.address[0] not in str(rung.request)
        rung.answer()
        response = await call.answered()
        assert bob.address[0] not in str(response)
        await asyncio.sleep(1)
        assert len(house.media.sent(Enter)) == 2
        codecs = {update.payload.codec for update in house.media.sent(UpdateLeg) if update.payload}
        assert codecs == {"PCMU"}
        call.hang_up()

    flow(scenario)


def test_legs_have_call_ids_of_their_own() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        alice.call("102")
        rung = await bob.rung()
        assert rung.request is not None
        own = {carried for carried in house.network.carried if b"INVITE sip:102" in carried.octets}
        assert own
        assert all(
            rung.request.call_id.encode() not in c.octets or c.flow.remote == bob.address
            for c in own
        )
        rung.respond(486)

    flow(scenario)


def test_busy_is_told_as_busy() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        (await bob.rung()).respond(486)
        assert await call.failed() == 486

    record = flow(scenario).record
    assert (record.result, record.cause, record.sip_status) == ("busy", 17, 486)


def test_a_declined_call_is_rejected() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        (await bob.rung()).respond(603)
        assert await call.failed() == 603

    record = flow(scenario).record
    assert (record.result, record.reason) == ("rejected", "declined")


def test_nobody_answers_within_the_ringing_time() -> None:
    async def scenario(house: House) -> None:
        house.add("102", no_answer_s=7.0)
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.ring()
        assert await call.failed() == 480
        await asyncio.sleep(1)
        assert rung.events, "the phone must stop ringing"

    record = flow(scenario).record
    assert (record.result, record.reason, record.cause) == ("no_answer", "no_answer", 19)
    assert abs(record.ring_s - 7.0) < 0.1


def test_an_extension_without_a_phone_is_unavailable() -> None:
    async def scenario(house: House) -> None:
        house.add("102")
        (alice,) = await house.registered("101")
        assert await alice.call("102").failed() == 480

    record = flow(scenario).record
    assert (record.result, record.reason, record.cause) == ("unavailable", "not_registered", 20)


def test_an_unknown_number_is_not_found() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        assert await alice.call("999").failed() == 404

    record = flow(scenario).record
    assert (record.result, record.reason, record.cause) == ("failed", "unknown_number", 1)


def test_the_caller_gives_up_while_it_rings() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.ring()
        await asyncio.sleep(3)
        call.hang_up()
        await asyncio.sleep(1)
        assert rung.events, "the called phone must be told"

    record = flow(scenario).record
    assert (record.result, record.ended_by, record.sip_status) == ("cancelled", "caller", 487)


def test_no_common_codec_is_488() -> None:
    async def scenario(house: House) -> None:
        alice = house.phone("101", codecs=["opus"])
        bob = house.phone("102")
        await alice.register()
        await bob.register()
        assert await alice.call("102").failed() == 488
        assert not bob.was_rung

    assert flow(scenario).record.reason == "no_common_codec"


def test_the_caller_without_an_offer_gets_ours() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102", offer=False)
        rung = await bob.rung()
        rung.answer()
        response = await call.answered()
        assert b"m=audio" in response.body
        await asyncio.sleep(2)
        assert len(house.media.sent(Enter)) == 2
        assert all(update.payload for update in house.media.sent(UpdateLeg))
        rung.hang_up()
        await call.ended()

    assert flow(scenario).record.result == "answered"


def test_early_media_of_a_single_phone_reaches_the_caller() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.early_media()
        await asyncio.sleep(1)
        assert call.progress() == [183]
        assert len(house.media.sent(Enter)) == 2
        (early,) = (
            event.response for event in call.events if isinstance(event, sip.InviteProgressed)
        )
        rung.answer()
        final = await call.answered()
        assert final.body == early.body
        assert final.to_tag == early.to_tag
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_echo_answers_at_once_and_sends_back() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        call = alice.call("*43")
        await call.answered()
        await asyncio.sleep(5)
        call.hang_up()

    record = flow(scenario).record
    assert (record.result, list(record.path)) == ("answered", ["feature:echo"])


def test_an_unknown_code_is_announced_and_then_refused() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        call = alice.call("*999")
        await asyncio.sleep(1)
        assert call.progress() == [183]
        house.media.finish_playing(next(iter(house.media.legs)))
        assert await call.failed() == 404

    assert flow(scenario).record.reason == "unknown_code"


def test_no_media_port_left_is_503() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        house.media.exhausted = True
        assert await alice.call("102").failed() == 503
        assert not bob.was_rung

    assert flow(scenario).record.result == "failed"


def test_a_lost_worker_ends_its_calls_with_a_record() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        await asyncio.sleep(1)
        house.media.lose_worker()
        await call.ended()
        await rung.ended()

    record = flow(scenario).record
    assert (record.reason, record.ended_by) == ("media_worker_lost", "system")


def test_a_failing_script_costs_its_own_call_only() -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol = await house.registered("101", "102", "103")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()

        async def broken(*_: object) -> None:
            raise RuntimeError("a defect")

        house.exchange.destinations._routes["ext"] = broken  # type: ignore[assignment]
        house.defects = 1
        assert await carol.call("102").failed() == 500
        assert len(house.exchange.calls) == 1
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert {record.reason for record in house.records.values()} == {"internal_error", "bye"}


def test_every_leg_that_began_ended_once() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        call.hang_up()
        rung.hang_up()

    house = flow(scenario)
    ended = [event.leg for event in house.happened(LegEnded)]  # type: ignore[union-attr]
    assert sorted(ended) == sorted(set(ended))
    assert len(ended) == 2
