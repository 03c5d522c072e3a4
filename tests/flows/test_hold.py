"""Hold, resume, another codec, keys by INFO: what happens while two talk."""

from __future__ import annotations

import asyncio

from pbx.events import DigitReceived, HoldEnded, HoldStarted
from pbx.media.protocol import SendDigits, UpdateLeg
from pbx.sip import events as sip
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall, Softphone, description


async def talking(house: House) -> tuple[Softphone, Softphone, PhoneCall, PhoneCall]:
    """Return two phones in a call."""
    alice, bob = await house.registered("101", "102")
    call = alice.call("102")
    rung = await bob.rung()
    rung.answer()
    await call.answered()
    await asyncio.sleep(1)
    return alice, bob, call, rung


def test_hold_and_resume_are_answered_at_once_and_the_other_side_hears_nothing_of_it() -> None:
    async def scenario(house: House) -> None:
        alice, _, call, rung = await talking(house)
        before = len(rung.events)
        call.reinvite(alice.describe(direction="sendonly", version=2))
        held = await call.saw(sip.ReinviteAnswered)
        assert b"a=recvonly" in held.response.body
        assert not house.media.joined, "nobody hears a phone that holds"
        await asyncio.sleep(5)
        call.events.clear()
        call.reinvite(alice.describe(direction="sendrecv", version=3))
        resumed = await call.saw(sip.ReinviteAnswered)
        assert b"a=sendrecv" in resumed.response.body
        assert len(rung.events) == before
        assert house.media.joined
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert len(house.happened(HoldStarted)) == len(house.happened(HoldEnded)) == 1
    assert abs(house.record.hold_s - 5.0) < 0.1


def test_hold_by_the_old_address_of_zeros_counts_as_hold() -> None:
    async def scenario(house: House) -> None:
        _, _, call, rung = await talking(house)
        call.reinvite(description("0.0.0.0", 40_000, version=2))
        await call.saw(sip.ReinviteAnswered)
        await asyncio.sleep(2)
        rung.hang_up()
        await call.ended()

    assert len(flow(scenario).happened(HoldStarted)) == 1


def test_both_sides_hold() -> None:
    async def scenario(house: House) -> None:
        alice, bob, call, rung = await talking(house)
        call.reinvite(alice.describe(direction="sendonly", version=2))
        await call.saw(sip.ReinviteAnswered)
        rung.reinvite(bob.describe(direction="inactive", version=2))
        answer = await rung.saw(sip.ReinviteAnswered)
        assert b"a=inactive" in answer.response.body
        await asyncio.sleep(4)
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert len(house.happened(HoldStarted)) == 2
    assert house.record.hold_s < 4.6, "overlapping holds count once"


def test_losing_the_codec_in_use_reinvites_the_other_side() -> None:
    async def scenario(house: House) -> None:
        alice, bob, call, rung = await talking(house)
        bob.codecs = ("PCMA",)
        call.reinvite(description(alice.address[0], 41_000, ("PCMA",), version=2))
        await call.saw(sip.ReinviteAnswered)
        offered = await rung.saw(sip.ReinviteReceived)
        assert b"PCMA/8000" in offered.request.body
        await asyncio.sleep(1)
        last = {update.leg: update for update in house.media.sent(UpdateLeg)}
        assert {update.payload.codec for update in last.values() if update.payload} == {"PCMA"}
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_codec_that_nobody_has_is_refused_and_the_call_goes_on() -> None:
    async def scenario(house: House) -> None:
        alice, _, call, rung = await talking(house)
        call.reinvite(description(alice.address[0], 41_000, ("opus",), version=2))
        assert (await call.saw(sip.ReinviteFailed)).status == 488
        await asyncio.sleep(1)
        assert len(house.exchange.calls) == 1
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_key_by_info_is_reported_and_goes_on_as_a_telephone_event() -> None:
    async def scenario(house: House) -> None:
        _, _, call, rung = await talking(house)
        call.info(b"Signal=5\r\nDuration=160\r\n", "application/dtmf-relay")
        await asyncio.sleep(1)
        (sent,) = house.media.sent(SendDigits)
        assert (sent.leg, sent.digits) == (house.media.joined[sent.leg] + 1, "5")
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    (key,) = house.happened(DigitReceived)
    assert isinstance(key, DigitReceived)
    assert (key.digit, key.duration_ms, key.source) == ("5", 160, "info")


async def without_events(house: House) -> tuple[PhoneCall, PhoneCall]:
    """Return a call to a phone that takes no telephone-events."""
    alice, bob = await house.registered("101", "102")
    call = alice.call("102")
    rung = await bob.rung()
    rung.answer(description(bob.address[0], 41_000, event=None))
    await call.answered()
    await asyncio.sleep(1)
    return call, rung


def test_a_key_goes_on_by_info_where_there_are_no_telephone_events() -> None:
    async def scenario(house: House) -> None:
        call, rung = await without_events(house)
        call.info(b"5", "application/dtmf")
        passed = await rung.saw(sip.RequestReceived)
        assert passed.request.body == b"Signal=5\r\nDuration=100\r\n"
        await asyncio.sleep(1)
        assert not house.media.sent(SendDigits)
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_key_that_is_refused_as_info_goes_on_as_a_tone() -> None:
    async def scenario(house: House) -> None:
        call, rung = await without_events(house)
        rung.refuses = 415
        call.info(b"5", "application/dtmf")
        await asyncio.sleep(1)
        (sent,) = house.media.sent(SendDigits)
        assert sent.digits == "5"
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_code_by_info_is_withheld_and_does_what_it_means() -> None:
    async def scenario(house: House) -> None:
        _, _, call, rung = await talking(house)
        for key in (b"*", b"1"):
            call.info(key, "application/dtmf")
            await asyncio.sleep(0.2)
        assert house.media.recording
        assert not house.media.sent(SendDigits)
        call.info(b"*", "application/dtmf")
        await asyncio.sleep(2)
        assert [sent.digits for sent in house.media.sent(SendDigits)] == ["*"], "no code came of it"
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_silent_leg_is_asked_and_stays_when_it_answers() -> None:
    async def scenario(house: House) -> None:
        from pbx.media.protocol import MediaSilent

        _, _, call, rung = await talking(house)
        leg = min(house.media.legs)
        house.media.report(MediaSilent(leg, 30.0))
        await asyncio.sleep(2)
        assert len(house.exchange.calls) == 1
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_silent_leg_that_does_not_answer_ends_the_call() -> None:
    async def scenario(house: House) -> None:
        from pbx.media.protocol import MediaSilent

        alice, _, call, rung = await talking(house)
        house.network.loses = lambda octets, flow: alice.address in (flow.remote, flow.local)
        house.media.report(MediaSilent(min(house.media.legs), 30.0))
        await rung.ended()
        call.phone.ua.end(call.invite, now=call.phone.now())
        await asyncio.sleep(70)

    assert flow(scenario).record.reason == "dialog_gone"
