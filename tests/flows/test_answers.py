"""Offer and answer while a call is set up: late offers, early media, forks, lost descriptions."""

from __future__ import annotations

import asyncio

import pytest

from pbx.events import Bridged, LegAnswered
from pbx.media.protocol import UpdateLeg
from pbx.sip import events as sip
from pbx.sip.message import Response
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall, description


def codecs_in_use(house: House) -> set[str]:
    """Return the codecs that the open legs speak."""
    updates = [house.media.update_of(leg) for leg in house.media.legs]
    return {update.payload.codec for update in updates if update.payload}


def provisional(call: PhoneCall, status: int) -> Response:
    """Return the newest response of that status that came."""
    return next(
        event.response
        for event in reversed(call.events)
        if isinstance(event, sip.InviteProgressed) and event.response.status == status
    )


def fork(house: House, rung: PhoneCall, status: int, tag: str, body: bytes | None) -> None:
    """Answer as another branch behind the phone's address: with a To tag of its own."""
    assert rung.request is not None
    response = Response.answering(rung.request, status, to_tag=tag)
    host, port = rung.phone.address
    response.headers.add("Contact", f"<sip:{tag}@{host}:{port}>")
    if body is not None:
        response.headers.add("Content-Type", "application/sdp")
        response.body = body
    house.network.carry(bytes(response), rung.phone.node.flow_to(rung.phone.exchange))


# -- the offer comes late --------------------------------------------------------------------------


def test_a_late_offer_whose_ack_brings_no_answer_ends_the_call() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102", offer=False)
        call.acks_with = b""
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        await call.ended()
        await rung.ended()

    record = flow(scenario).record
    assert (record.result, record.reason, record.ended_by) == (
        "answered",
        "no_answer_body",
        "system",
    )


def test_an_answer_to_a_late_offer_that_nobody_can_speak_ends_the_call() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102", offer=False)
        call.acks_with = description(alice.address[0], 40_000, ("opus",))
        rung = await bob.rung()
        rung.answer()
        await call.ended()
        await rung.ended()

    assert flow(scenario).record.reason == "no_common_codec"


def test_a_late_offer_names_the_called_sides_codec_first_and_its_answer_may_change_it() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102", offer=False)
        call.acks_with = description(alice.address[0], 40_000, ("PCMU",))
        rung = await bob.rung()
        rung.answer(description(bob.address[0], 41_000, ("G722", "PCMU")))
        offer = (await call.answered()).body
        assert b"RTP/AVP 9 " in offer
        assert b" 0 " in offer
        bob.codecs = ("PCMU",)
        asked = await rung.saw(sip.ReinviteReceived)
        assert b"PCMU/8000" in asked.request.body
        await asyncio.sleep(1)
        assert codecs_in_use(house) == {"PCMU"}
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_caller_without_an_offer_is_told_that_it_rings_when_early_media_comes() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102", offer=False)
        rung = await bob.rung()
        rung.early_media()
        await asyncio.sleep(1)
        assert call.progress() == [180]
        rung.answer()
        await call.answered()
        call.hang_up()
        await rung.ended()

    flow(scenario)


# -- early media -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "told"), [(486, 486), (503, 480), (500, 500)])
def test_early_media_and_then_a_refusal_gives_the_caller_the_refusal(
    status: int, told: int
) -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.early_media()
        await asyncio.sleep(1)
        rung.respond(status)
        assert await call.failed() == told
        assert call.progress() == [183]

    house = flow(scenario)
    assert not house.happened(LegAnswered)
    assert house.record.answered_at is None


def test_another_branch_that_answers_after_early_media_leaves_the_callers_description_alone() -> (
    None
):
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        fork(house, rung, 183, "one", description(bob.address[0], 42_000, ("PCMU",)))
        await asyncio.sleep(1)
        early = provisional(call, 183)
        fork(house, rung, 200, "two", description(bob.address[0], 43_000, ("PCMA",)))
        final = await call.answered()
        assert (final.body, final.to_tag) == (early.body, early.to_tag)
        asked = await call.saw(sip.ReinviteReceived)
        assert b"RTP/AVP 8 0 " in asked.request.body, "what it speaks now is offered last"
        await asyncio.sleep(1)
        assert codecs_in_use(house) == {"PCMA"}
        call.hang_up()
        await asyncio.sleep(1)
        byes = [c for c in house.network.carried if c.octets.startswith(b"BYE sip:two@")]
        assert len(byes) == 1

    assert flow(scenario).record.result == "answered"


def test_another_branch_with_the_same_codec_changes_only_where_we_send() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        fork(house, rung, 183, "one", description(bob.address[0], 42_000, ("PCMU",)))
        await asyncio.sleep(1)
        fork(house, rung, 200, "two", description(bob.address[0], 43_000, ("PCMU",)))
        await call.answered()
        await asyncio.sleep(2)
        assert not any(isinstance(event, sip.ReinviteReceived) for event in call.events)
        assert house.media.sent(UpdateLeg)[-1].remote == (bob.address[0], 43_000)
        call.hang_up()
        await asyncio.sleep(1)

    flow(scenario)


def test_a_redirection_after_early_media_rings_the_other_phone() -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol = await house.registered("101", "102", "103")
        carol.codecs = ("PCMA",)
        call = alice.call("102")
        rung = await bob.rung()
        rung.early_media()
        await asyncio.sleep(1)
        rung.respond(302, headers=[("Contact", "<sip:103@192.0.2.1>")])
        other = await carol.rung()
        assert other.request is not None
        assert b"RTP/AVP 0 8 " in other.request.body, "the codec in use is offered first"
        other.answer()
        final = await call.answered()
        assert final.body == provisional(call, 183).body
        await call.saw(sip.ReinviteReceived)
        await asyncio.sleep(1)
        assert codecs_in_use(house) == {"PCMA"}
        call.hang_up()
        await other.ended()

    flow(scenario)


# -- descriptions that are missing -----------------------------------------------------------------


def test_a_200_without_a_description_is_no_answer() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer(b"")
        assert await call.failed() == 488
        await rung.ended()

    house = flow(scenario)
    assert (house.record.result, house.record.reason) == ("failed", "no_answer_body")
    assert house.record.sip_status == 488
    assert not house.happened(Bridged)


def test_a_200_without_a_description_leaves_the_other_phones_ringing() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        desk, mobile = house.phone("102"), house.phone("102")
        await desk.register()
        await mobile.register()
        call = alice.call("102")
        (await desk.rung()).answer(b"")
        rung = await mobile.rung()
        await asyncio.sleep(1)
        rung.answer()
        await call.answered()
        call.hang_up()
        await rung.ended()

    assert flow(scenario).record.result == "answered"


def test_a_200_without_a_description_after_one_in_183_is_fine() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.early_media()
        await asyncio.sleep(1)
        rung.answer(b"")
        await call.answered()
        call.hang_up()
        await rung.ended()

    assert flow(scenario).record.result == "answered"


def test_a_description_that_cannot_be_read_refuses_the_call_with_its_status() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        assert await alice.call("102", body=b"v=0\r\nthis is none\r\n").failed() == 400
        secure = alice.describe().replace(b"RTP/AVP", b"RTP/SAVP")
        assert await alice.call("102", body=secure).failed() == 488
        assert not bob.was_rung

    assert {record.result for record in flow(scenario).records.values()} == {"failed"}


def test_the_ack_to_an_answer_is_no_answer_to_the_offer_that_waits_for_it() -> None:
    """Our re-INVITE has to wait until the caller's ACK is there; it is an offer all the same."""

    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        fork(house, rung, 183, "one", description(bob.address[0], 42_000, ("PCMU",)))
        await asyncio.sleep(1)
        house.network.loses = lambda octets, flow: octets.startswith(b"ACK")
        fork(house, rung, 200, "two", description(bob.address[0], 43_000, ("PCMA",)))
        await call.answered()
        await asyncio.sleep(3)
        house.network.loses = lambda octets, flow: False
        await call.saw(sip.ReinviteReceived)
        await asyncio.sleep(1)
        assert len(house.exchange.calls) == 1
        call.hang_up()
        await asyncio.sleep(1)

    flow(scenario)
