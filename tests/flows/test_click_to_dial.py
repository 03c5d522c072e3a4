"""`callpbx call FROM TO`: the caller's own phone rings first, then the other: how it can go."""

from __future__ import annotations

import asyncio

import pytest

from pbx.errors import NotFound, Refused
from pbx.events import HoldStarted
from pbx.media.protocol import MediaSilent
from pbx.sip import events as sip
from tests.flows.test_answers import codecs_in_use
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall, Softphone, description


async def clicked(house: House) -> tuple[Softphone, Softphone, PhoneCall, PhoneCall]:
    """Return two phones, the caller's answered leg and the other's ringing one."""
    house.add("101", name="Alice")
    house.add("102", name="Bob")
    alice, bob = await house.registered("101", "102")
    await house.exchange.originate("101", "102")
    own = await alice.rung()
    own.answer()
    return alice, bob, own, await bob.rung()


def shown(call: PhoneCall) -> tuple[str | None, str]:
    """Return the name and number that a rung phone shows."""
    assert call.request is not None
    return call.request.from_.display_name, call.request.from_.uri.number


def test_the_caller_hears_it_ring_until_somebody_answers() -> None:
    async def scenario(house: House) -> None:
        _, _, own, rung = await clicked(house)
        assert not house.media.playing
        rung.ring()
        await asyncio.sleep(1)
        (ringback,) = house.media.playing.values()
        assert (ringback.sources, ringback.loop) == (("tone:ring",), True)
        rung.answer()
        await asyncio.sleep(1)
        assert not house.media.playing
        own.hang_up()
        await rung.ended()

    flow(scenario)


def test_both_phones_ring_one_after_the_other_and_show_the_other_party() -> None:
    async def scenario(house: House) -> None:
        _, _, own, rung = await clicked(house)
        assert shown(own) == ("Bob", "102")
        assert shown(rung) == ("Alice", "101")
        rung.answer()
        await asyncio.sleep(5)
        rung.hang_up()
        await own.ended()

    record = flow(scenario).record
    assert (record.result, record.reason, record.ended_by) == ("answered", "bye", "called")
    assert (record.caller.number, record.called.number) == ("101", "102")
    assert record.direction == "internal"
    assert abs(record.talk_s - 5.0) < 0.1


def test_the_caller_hangs_up_while_the_other_phone_rings() -> None:
    async def scenario(house: House) -> None:
        _, _, own, rung = await clicked(house)
        rung.ring()
        await asyncio.sleep(3)
        own.hang_up()
        await rung.saw(sip.InviteCancelled)

    record = flow(scenario).record
    assert (record.result, record.reason, record.ended_by) == ("cancelled", "cancelled", "caller")
    assert record.answered_at is None


def test_the_caller_vanishes_while_the_other_phone_rings() -> None:
    async def scenario(house: House) -> None:
        alice, _, _, rung = await clicked(house)
        rung.ring()
        alice.ua._endpoint.by_local_tag.clear()
        house.media.report(MediaSilent(min(house.media.legs), 30.0))
        await rung.saw(sip.InviteCancelled)

    record = flow(scenario).record
    assert (record.result, record.reason, record.ended_by) == ("failed", "dialog_gone", "system")


@pytest.mark.parametrize(
    ("status", "result"), [(486, "busy"), (603, "rejected"), (480, "unavailable")]
)
def test_what_the_other_phone_says_ends_the_call(status: int, result: str) -> None:
    async def scenario(house: House) -> None:
        _, _, own, rung = await clicked(house)
        rung.respond(status)
        await own.ended()

    record = flow(scenario).record
    assert (record.result, record.sip_status) == (result, status)


@pytest.mark.parametrize(
    ("status", "result"), [(486, "busy"), (603, "rejected"), (480, "unavailable")]
)
def test_what_the_callers_own_phone_says_ends_the_call(status: int, result: str) -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        await house.exchange.originate("101", "102")
        (await alice.rung()).respond(status)
        await asyncio.sleep(1)
        assert not bob.was_rung

    assert flow(scenario).record.result == result


def test_nobody_picks_up_the_callers_own_phone() -> None:
    async def scenario(house: House) -> None:
        house.add("101", no_answer_s=5.0)
        alice, bob = await house.registered("101", "102")
        await house.exchange.originate("101", "102")
        own = await alice.rung()
        own.ring()
        await own.saw(sip.InviteCancelled)
        assert not bob.was_rung

    record = flow(scenario).record
    assert (record.result, record.cause) == ("no_answer", 19)


def test_the_other_phone_is_offered_the_callers_codec_first_and_may_choose_another() -> None:
    async def scenario(house: House) -> None:
        house.add("101")
        alice, bob = await house.registered("101", "102")
        await house.exchange.originate("101", "102")
        own = await alice.rung()
        own.answer(description(alice.address[0], 40_000, ("G722",)))
        rung = await bob.rung()
        assert rung.request is not None
        assert b"RTP/AVP 9 8 0 " in rung.request.body
        alice.codecs = ("PCMA",)
        rung.answer(description(bob.address[0], 41_000, ("PCMA",)))
        asked = await own.saw(sip.ReinviteReceived)
        assert b"PCMA/8000" in asked.request.body
        await asyncio.sleep(1)
        assert codecs_in_use(house) == {"PCMA"}
        own.hang_up()
        await rung.ended()

    assert flow(scenario).record.result == "answered"


def test_a_caller_who_has_not_the_other_phones_codec_is_transcoded_for() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        await house.exchange.originate("101", "102")
        own = await alice.rung()
        own.refuses = 488
        own.answer(description(alice.address[0], 40_000, ("G722",)))
        rung = await bob.rung()
        rung.answer(description(bob.address[0], 41_000, ("PCMA",)))
        await asyncio.sleep(2)
        assert codecs_in_use(house) == {"G722", "PCMA"}
        assert house.media.joined
        own.hang_up()
        await rung.ended()

    assert flow(scenario).record.result == "answered"


def test_a_caller_who_holds_while_the_other_phone_rings_is_not_heard_after() -> None:
    async def scenario(house: House) -> None:
        alice, _, own, rung = await clicked(house)
        own.reinvite(alice.describe(direction="sendonly", version=2))
        await own.saw(sip.ReinviteAnswered)
        rung.answer()
        await asyncio.sleep(4)
        assert not house.media.joined
        own.reinvite(alice.describe(version=3))
        await asyncio.sleep(1)
        assert house.media.joined
        own.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert len(house.happened(HoldStarted)) == 1
    assert abs(house.record.hold_s - 4.0) < 0.1


def test_early_media_reaches_a_caller_who_has_picked_up() -> None:
    async def scenario(house: House) -> None:
        _, _, own, rung = await clicked(house)
        rung.early_media()
        await asyncio.sleep(1)
        assert house.media.joined
        rung.respond(486)
        await own.ended()

    flow(scenario)


def test_two_phones_of_the_caller_ring_and_one_is_let_go() -> None:
    async def scenario(house: House) -> None:
        desk, mobile = house.phone("101"), house.phone("101")
        (bob,) = await house.registered("102")
        await desk.register()
        await mobile.register()
        await house.exchange.originate("101", "102")
        loser, own = await desk.rung(), await mobile.rung()
        own.answer()
        await loser.saw(sip.InviteCancelled)
        rung = await bob.rung()
        rung.answer()
        await asyncio.sleep(2)
        own.hang_up()
        await rung.ended()

    record = flow(scenario).record
    assert (record.result, record.ended_by) == ("answered", "caller")
    assert abs(record.talk_s - 2.0) < 0.1


def test_who_cannot_be_rung_is_said_at_once() -> None:
    async def scenario(house: House) -> None:
        house.add("103")
        await house.registered("101", "102")
        with pytest.raises(NotFound, match="extension 199"):
            await house.exchange.originate("199", "102")
        with pytest.raises(NotFound, match="number 999"):
            await house.exchange.originate("101", "999")
        with pytest.raises(Refused, match="no registered phone"):
            await house.exchange.originate("103", "102")
        await house.exchange.drain(1.0)
        with pytest.raises(Refused, match="no further calls"):
            await house.exchange.originate("101", "102")

    assert not flow(scenario).records


def test_a_supervisor_hangs_up() -> None:
    async def scenario(house: House) -> None:
        _, _, own, rung = await clicked(house)
        rung.answer()
        await asyncio.sleep(2)
        (call,) = house.exchange.calls
        house.exchange.hangup(call)
        await own.ended()
        await rung.ended()
        with pytest.raises(NotFound):
            house.exchange.hangup("nothing")

    record = flow(scenario).record
    assert (record.result, record.reason) == ("answered", "hung_up_by_administrator")
    assert record.ended_by == "supervisor"
