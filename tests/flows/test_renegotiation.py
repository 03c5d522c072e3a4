"""What changes while two talk: who is asked, who is answered, and what the other side notices."""

from __future__ import annotations

import asyncio

from pbx.events import CodecChanged, HoldEnded, HoldStarted
from pbx.media.protocol import SetMediaTimeout
from pbx.sip import events as sip
from tests.flows.test_answers import codecs_in_use
from tests.flows.test_hold import talking
from tests.kit.exchange import House, flow
from tests.kit.softphone import description


def holds(house: House) -> tuple[int, int]:
    """Return how often a hold began and ended."""
    return len(house.happened(HoldStarted)), len(house.happened(HoldEnded))


# -- hold ------------------------------------------------------------------------------------------


def test_both_hold_and_one_who_resumes_still_hears_nothing() -> None:
    async def scenario(house: House) -> None:
        alice, bob, call, rung = await talking(house)
        call.reinvite(alice.describe(direction="sendonly", version=2))
        await asyncio.sleep(1)
        rung.reinvite(bob.describe(direction="sendonly", version=2))
        await asyncio.sleep(1)
        call.reinvite(alice.describe(version=3))
        await asyncio.sleep(1)
        assert not house.media.joined
        rung.reinvite(bob.describe(version=3))
        await asyncio.sleep(1)
        assert house.media.joined
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert holds(house) == (2, 2)
    assert abs(house.record.hold_s - 3.0) < 0.1


def test_a_hold_that_the_other_side_ends_by_hanging_up_is_in_the_record() -> None:
    async def scenario(house: House) -> None:
        alice, _, call, rung = await talking(house)
        call.reinvite(alice.describe(direction="sendonly", version=2))
        await asyncio.sleep(7)
        rung.hang_up()
        await call.ended()

    record = flow(scenario).record
    assert (record.result, record.ended_by) == ("answered", "called")
    assert abs(record.hold_s - 7.0) < 0.1
    assert record.segments[-1].kind == "hold"


def test_a_re_invite_without_an_offer_gets_ours_and_the_ack_may_hold() -> None:
    async def scenario(house: House) -> None:
        alice, _, call, rung = await talking(house)
        call.acks_with = alice.describe(direction="sendonly", version=2)
        call.reinvite(None)
        offer = (await call.saw(sip.ReinviteAnswered)).response.body
        assert b"a=sendrecv" in offer
        await asyncio.sleep(1)
        assert holds(house) == (1, 0)
        assert not house.media.joined
        call.acks_with = alice.describe(version=3)
        call.reinvite(None)
        await asyncio.sleep(1)
        assert holds(house) == (1, 1)
        assert house.media.joined
        assert not any(isinstance(event, sip.ReinviteReceived) for event in rung.events)
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_an_ack_without_an_answer_leaves_a_call_that_is_up_as_it_was() -> None:
    async def scenario(house: House) -> None:
        alice, _, call, rung = await talking(house)
        call.acks_with = b""
        call.reinvite(None)
        await call.saw(sip.ReinviteAnswered)
        await asyncio.sleep(40)
        assert len(house.exchange.calls) == 1
        call.reinvite(alice.describe(direction="sendonly", version=2))
        await asyncio.sleep(1)
        assert holds(house) == (1, 0)
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_who_only_talks_from_the_beginning_is_heard_and_holds_nobody() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102", body=alice.describe(direction="sendonly"))
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        await asyncio.sleep(1)
        assert house.media.joined
        call.reinvite(alice.describe(direction="sendonly", version=2))  # a session refresh
        await asyncio.sleep(1)
        assert house.media.joined
        call.hang_up()
        await rung.ended()

    assert holds(flow(scenario)) == (0, 0)


# -- session refresh -------------------------------------------------------------------------------


def test_the_same_offer_again_gets_the_same_answer() -> None:
    async def scenario(house: House) -> None:
        _, _, call, rung = await talking(house)
        assert call.body is not None
        first = (await call.answered()).body
        for _ in range(2):
            call.events.clear()
            call.reinvite(call.body)
            assert (await call.saw(sip.ReinviteAnswered)).response.body == first
        call.update(call.body)
        assert (await call.saw(sip.RequestAnswered)).response.body == first
        call.events.clear()
        call.update(None)
        assert (await call.saw(sip.RequestAnswered)).response.body == b""
        assert not any(isinstance(event, sip.ReinviteReceived) for event in rung.events)
        call.hang_up()
        await rung.ended()

    flow(scenario)


# -- another codec ---------------------------------------------------------------------------------


def test_the_other_side_is_asked_before_a_lost_codec_is_answered() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer(description(bob.address[0], 41_000, ("PCMU",)))  # it names one, and has both
        await call.answered()
        await asyncio.sleep(1)
        bob.codecs = ("PCMA",)
        call.reinvite(description(alice.address[0], 42_000, ("PCMA", "G722"), version=2))
        assert b"PCMA/8000" in (await call.saw(sip.ReinviteAnswered)).response.body
        asked = (await rung.saw(sip.ReinviteReceived)).request.body
        assert b"RTP/AVP 8 9 " in asked
        assert codecs_in_use(house) == {"PCMA"}
        call.hang_up()
        await rung.ended()

    assert len(flow(scenario).happened(CodecChanged)) == 2


def test_a_codec_that_the_other_side_refuses_is_transcoded() -> None:
    async def scenario(house: House) -> None:
        alice, _, call, rung = await talking(house)
        rung.refuses = 488
        call.reinvite(description(alice.address[0], 42_000, ("G722",), version=2))
        await call.saw(sip.ReinviteAnswered)
        await asyncio.sleep(1)
        assert codecs_in_use(house) == {"PCMU", "G722"}
        assert house.media.joined
        call.events.clear()
        g722 = description(alice.address[0], 42_000, ("G722",), direction="sendonly", version=3)
        call.reinvite(g722)
        await call.saw(sip.ReinviteAnswered)
        assert holds(house) == (1, 0)
        call.hang_up()
        await rung.ended()

    assert flow(scenario).record.reason == "bye"


def test_a_party_that_stays_with_its_codec_when_asked_is_asked_once() -> None:
    async def scenario(house: House) -> None:
        alice, bob, call, rung = await talking(house)
        bob.codecs = ("PCMU",)
        where = (alice.address[0], 42_000, ("G722",))
        for version, direction in ((2, "sendrecv"), (3, "sendonly"), (4, "sendrecv")):
            call.reinvite(description(*where, direction=direction, version=version))
            await call.saw(sip.ReinviteAnswered)
            call.events.clear()
            await asyncio.sleep(1)
        assert codecs_in_use(house) == {"PCMU", "G722"}
        asked = [event for event in rung.events if isinstance(event, sip.ReinviteReceived)]
        assert len(asked) == 1
        assert b"RTP/AVP 9 0 " in asked[0].request.body
        call.hang_up()
        await rung.ended()

    assert flow(scenario).record.reason == "bye"


def test_a_hang_up_while_the_other_side_is_asked_ends_the_call() -> None:
    async def scenario(house: House) -> None:
        alice, bob, call, rung = await talking(house)
        house.network.loses = lambda octets, flow: bob.address in (flow.local, flow.remote)
        call.reinvite(description(alice.address[0], 42_000, ("PCMA",), version=2))
        await asyncio.sleep(1)
        house.network.loses = lambda octets, flow: False
        call.hang_up()
        await rung.ended()
        await asyncio.sleep(40)

    assert flow(scenario).record.reason == "bye"


def test_a_silent_other_side_that_is_asked_ends_the_call() -> None:
    async def scenario(house: House) -> None:
        alice, bob, call, _ = await talking(house)
        house.network.loses = lambda octets, flow: bob.address in (flow.local, flow.remote)
        call.reinvite(description(alice.address[0], 42_000, ("PCMA",), version=2))
        await call.ended()
        await asyncio.sleep(40)

    record = flow(scenario).record
    assert (record.reason, record.ended_by) == ("dialog_gone", "system")


def test_both_sides_change_their_codec_at_once() -> None:
    async def scenario(house: House) -> None:
        alice, bob, call, rung = await talking(house)
        alice.codecs = bob.codecs = ("PCMA",)
        call.reinvite(description(alice.address[0], 42_000, ("PCMA",), version=2))
        rung.reinvite(description(bob.address[0], 43_000, ("PCMA",), version=2))
        await asyncio.sleep(30)
        assert codecs_in_use(house) == {"PCMA"}
        assert len(house.exchange.calls) == 1
        call.hang_up()
        await rung.ended()

    assert flow(scenario).record.reason == "bye"


def test_a_hold_that_collides_with_our_own_offer_comes_through_in_the_end() -> None:
    async def scenario(house: House) -> None:
        alice, bob, call, rung = await talking(house)
        bob.codecs = ("PCMA",)
        call.reinvite(description(alice.address[0], 42_000, ("PCMA",), version=2))
        await asyncio.sleep(0.0015)  # ours to the other side leaves now
        rung.reinvite(bob.describe(direction="sendonly", version=2))
        await asyncio.sleep(30)
        assert holds(house) == (1, 0)
        assert codecs_in_use(house) == {"PCMA"}
        call.hang_up()
        await rung.ended()

    assert flow(scenario).record.reason == "bye"


def test_an_answer_to_our_offer_may_hold() -> None:
    async def scenario(house: House) -> None:
        alice, bob, call, rung = await talking(house)
        rung.answers_with = description(
            bob.address[0], 43_000, ("PCMA",), direction="inactive", version=2
        )
        call.reinvite(description(alice.address[0], 42_000, ("PCMA",), version=2))
        await call.saw(sip.ReinviteAnswered)
        await asyncio.sleep(1)
        assert holds(house) == (1, 0)
        assert not house.media.joined
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_re_invite_that_crosses_a_bye_is_answered_and_nothing_is_left() -> None:
    async def scenario(house: House) -> None:
        alice, _, call, rung = await talking(house)
        rung.hang_up()
        await asyncio.sleep(0.0015)  # our BYE to the other side leaves now
        call.reinvite(alice.describe(direction="sendonly", version=2))
        await call.ended()
        await asyncio.sleep(40)

    house = flow(scenario)
    assert house.record.reason == "bye"
    assert holds(house) == (0, 0)


# -- how long a leg may be silent ------------------------------------------------------------------


def test_a_leg_may_be_silent_for_30_s_on_hold_for_300_s_and_for_ever_where_it_only_listens() -> (
    None
):
    async def scenario(house: House) -> None:
        alice, bob, call, rung = await talking(house)
        caller, called = sorted(house.media.legs)

        def limit(leg: int) -> float:
            return house.media.sent(SetMediaTimeout, leg)[-1].seconds

        assert (limit(caller), limit(called)) == (30.0, 30.0)
        call.reinvite(alice.describe(direction="sendonly", version=2))
        await asyncio.sleep(1)
        assert (limit(caller), limit(called)) == (300.0, 30.0)
        call.reinvite(alice.describe(version=3))
        await asyncio.sleep(1)
        assert limit(caller) == 30.0
        rung.reinvite(bob.describe(direction="recvonly", version=2))
        await asyncio.sleep(1)
        assert (limit(caller), limit(called)) == (30.0, 0.0)
        call.hang_up()
        await rung.ended()

    assert holds(flow(scenario)) == (1, 1)
