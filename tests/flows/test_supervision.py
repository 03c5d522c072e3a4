"""Supervisors on a live call: who hears whom in each mode, release and take-over, the record."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pbx.call import supervision
from pbx.call.leg import Leg
from pbx.call.leg_state import News
from pbx.errors import NotFound, Refused
from pbx.events import SupervisionMode
from pbx.media.protocol import DigitHeard, SetCodes
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall


class Watched:
    """Alice talks to Bob, and Carol's phone is there to watch them."""

    def __init__(self, house: House, alice: PhoneCall, bob: PhoneCall, carol: PhoneCall) -> None:
        self.house = house
        self.alice, self.bob, self.carol = alice, bob, carol
        (self.call,) = house.exchange.calls.values()

    def leg(self, number: str) -> Leg:
        """Return the open leg of a number."""
        (leg,) = (leg for leg in self.call.legs.values() if leg.number == number and leg.up)
        return leg

    def heard_by(self, number: str) -> set[str]:
        """Return the numbers that a party hears."""
        numbers = {leg.id: leg.number for leg in self.call.legs.values()}
        return {numbers[leg] for leg in self.house.media.hears(self.leg(number).id)}

    def hears(self) -> dict[str, set[str]]:
        """Return who hears whom."""
        up = [leg.number for leg in self.call.legs.values() if leg.up]
        return {number: self.heard_by(number) for number in up}


async def watched(house: House, mode: SupervisionMode = "listen") -> Watched:
    """Let Alice call Bob and Carol supervise them."""
    alice, bob, carol = await house.registered("101", "102", "103")
    call = alice.call("102")
    rung = await bob.rung()
    rung.answer()
    await call.answered()
    await asyncio.sleep(1)
    (call_id,) = house.exchange.calls
    await supervision.supervise(house.exchange, call_id, "103", mode)
    own = await carol.rung()
    own.answer()
    await asyncio.sleep(1)
    return Watched(house, call, rung, own)


LISTENED = {"101": {"102"}, "102": {"101"}, "103": {"101", "102"}}
WHISPERED = {**LISTENED, "102": {"101", "103"}}
BARGED = {**WHISPERED, "101": {"102", "103"}}
HEARD: dict[SupervisionMode, dict[str, set[str]]] = {
    "listen": LISTENED,
    "whisper": WHISPERED,
    "barge": BARGED,
}


@pytest.mark.parametrize("mode", HEARD)
def test_each_mode_has_its_audience(mode: SupervisionMode) -> None:
    async def scenario(house: House) -> None:
        there = await watched(house, mode)
        assert there.hears() == HEARD[mode]
        there.carol.hang_up()
        await asyncio.sleep(1)
        assert there.hears() == {"101": {"102"}, "102": {"101"}}, "the call goes on without"
        there.alice.hang_up()
        await there.bob.ended()

    (watch,) = flow(scenario).record.supervision
    assert (watch.by, watch.mode) == ("103", mode)


def test_keys_switch_the_mode_without_ringing_again() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        carol = there.leg("103").id
        switches: list[tuple[str, SupervisionMode]]
        switches = [("2", "whisper"), ("3", "barge"), ("7", "barge"), ("1", "listen")]
        for key, mode in switches:
            house.media.report(DigitHeard(carol, key, 100))
            assert there.hears() == HEARD[mode]
            await asyncio.sleep(2)
        there.alice.hang_up()
        await there.bob.ended()
        await there.carol.ended()

    modes = [watch.mode for watch in flow(scenario).record.supervision]
    assert modes == ["listen", "whisper", "barge", "listen"]


def test_the_same_command_again_switches_the_mode() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        await supervision.supervise(house.exchange, "101", "103", "barge")
        assert there.hears() == BARGED
        there.bob.hang_up()
        await there.alice.ended()
        await there.carol.ended()

    assert flow(scenario).record.ended_by == "called"


def test_nobody_hears_a_listener_whoever_joins_later() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        (call,) = house.exchange.calls.values()
        alice, bob = there.leg("101"), there.leg("102")
        call.bridge.remove(bob)
        call.bridge.add(bob)
        assert there.hears() == LISTENED
        call.bridge.remove(alice)
        call.bridge.add(alice)
        assert there.hears() == LISTENED
        there.alice.hang_up()
        await there.bob.ended()

    flow(scenario)


def test_a_supervisor_who_does_not_answer_leaves_the_call_alone() -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol = await house.registered("101", "102", "103")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        await supervision.supervise(house.exchange, "101", "103", "barge")
        own = await carol.rung()
        assert "answer-after=0" in (own.request.headers.get("Call-Info") or "")
        await asyncio.sleep(30)
        call.hang_up()
        await rung.ended()

    record = flow(scenario).record
    assert record.supervision == ()
    assert [segment.kind for segment in record.segments] == ["ring", "talk"]


def test_the_call_ends_for_all_when_a_supervisor_releases_it() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        supervision.release(house.exchange, there.call.id, "all")
        await there.alice.ended()
        await there.bob.ended()
        await there.carol.ended()

    record = flow(scenario).record
    assert (record.result, record.reason, record.ended_by) == ("answered", "released", "supervisor")
    assert [watch.mode for watch in record.supervision] == ["listen", "release:all"]


def test_the_supervisor_takes_the_call_over() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        supervision.release(house.exchange, there.call.id, "takeover")
        await there.bob.ended()
        assert there.hears() == {"101": {"103"}, "103": {"101"}}
        await asyncio.sleep(5)
        there.carol.hang_up()
        await there.alice.ended()

    record = flow(scenario).record
    talks = [(segment.with_, segment.result) for segment in record.segments[1:]]
    assert talks == [("102", "transferred"), ("103", "ended")]
    assert record.ended_by == "called"


def test_the_customer_stays_when_the_agent_is_let_go_and_can_be_taken_over_later() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        supervision.release(house.exchange, there.call.id, "agent")
        await there.bob.ended()
        await asyncio.sleep(10)
        assert there.hears() == {"101": set(), "103": {"101"}}
        assert [play.sources for play in house.media.playing.values()] == [("music:hold.wav",)]
        supervision.release(house.exchange, there.call.id, "takeover")
        assert there.hears() == {"101": {"103"}, "103": {"101"}}
        await asyncio.sleep(1)
        assert not house.media.playing
        there.alice.hang_up()
        await there.carol.ended()

    record = flow(scenario).record
    assert record.ended_by == "caller"
    modes = [watch.mode for watch in record.supervision]
    assert modes == ["listen", "release:agent", "release:takeover"]


def test_a_customer_who_is_never_taken_over_is_let_go_in_the_end() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        supervision.release(house.exchange, there.call.id, "agent")
        await there.bob.ended()
        await there.alice.ended(within=400)

    record = flow(scenario).record
    assert (record.reason, record.ended_by) == ("released", "supervisor")


def test_what_cannot_be_done_is_refused_in_a_sentence() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        exchange, call_id = house.exchange, there.call.id
        with pytest.raises(NotFound, match="999 is in no call now; callpbx calls lists"):
            await supervision.supervise(exchange, "999", "103", "listen")
        with pytest.raises(NotFound, match="there is no extension 555"):
            await supervision.supervise(exchange, call_id, "555", "listen")
        with pytest.raises(Refused, match="101 is a party of call"):
            await supervision.supervise(exchange, call_id, "101", "listen")
        with pytest.raises(Refused, match="104 is not in call"):
            supervision.release(exchange, call_id, "takeover", "104")
        there.carol.hang_up()
        await asyncio.sleep(1)
        with pytest.raises(Refused, match="no supervisor is in call"):
            supervision.release(exchange, call_id, "takeover")
        there.alice.hang_up()
        await there.bob.ended()

    flow(scenario)


def test_whoever_takes_over_is_a_party_and_no_supervisor_any_more() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        exchange, call_id = house.exchange, there.call.id
        supervision.release(exchange, call_id, "takeover")
        await there.bob.ended()
        with pytest.raises(Refused, match="no supervisor is in call"):
            supervision.release(exchange, call_id, "takeover")
        with pytest.raises(Refused, match="103 is a party of call"):
            await supervision.supervise(exchange, call_id, "103", "listen")
        carol = there.leg("103").id
        assert house.media.sent(SetCodes, carol)[-1].codes == tuple(house.exchange.in_call)
        house.media.report(DigitHeard(carol, "1", 100))
        assert there.hears() == {"101": {"103"}, "103": {"101"}}, "keys switch nothing any more"
        supervision.release(exchange, call_id, "agent")
        await there.carol.ended()
        assert there.hears() == {"101": set()}
        there.alice.hang_up()
        await asyncio.sleep(1)

    flow(scenario)


def test_a_whisper_goes_to_whoever_took_the_call_over() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        (dave,) = await house.registered("104")
        await supervision.supervise(house.exchange, there.call.id, "104", "whisper")
        own = await dave.rung()
        own.answer()
        await asyncio.sleep(1)
        supervision.release(house.exchange, there.call.id, "takeover", "103")
        await there.bob.ended()
        assert there.heard_by("103") == {"101", "104"}
        assert there.heard_by("101") == {"103"}
        there.alice.hang_up()
        await own.ended()

    flow(scenario)


def test_music_plays_on_for_a_customer_whose_new_agent_holds() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        there.leg("102").held = True  # the agent held when it was let go
        there.leg("103").held = True
        supervision.release(house.exchange, there.call.id, "takeover")
        await there.bob.ended()
        assert [play.sources for play in house.media.playing.values()] == [("music:hold.wav",)]
        there.alice.hang_up()
        await there.carol.ended()

    flow(scenario)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.05])
def test_a_call_may_end_while_the_supervisor_answers(seconds: float) -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol = await house.registered("101", "102", "103")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        await supervision.supervise(house.exchange, "101", "103", "barge")
        own = await carol.rung()
        own.answer()
        await asyncio.sleep(seconds)
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_supervisor_may_hang_up_at_once() -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol = await house.registered("101", "102", "103")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        await supervision.supervise(house.exchange, "101", "103", "barge")
        own = await carol.rung()
        with pytest.raises(Refused, match="103 is being rung"):
            await supervision.supervise(house.exchange, "101", "103", "barge")
        (live,) = house.exchange.calls.values()
        (leg,) = (leg for leg in live.legs.values() if leg.number == "103")
        told = leg._on_news
        assert told is not None

        def answer_and_leave(leg: Leg, news: News) -> None:
            told(leg, news)
            leg.close(reason="enough")

        leg.watch(answer_and_leave)
        own.answer()
        await asyncio.sleep(1)
        assert not live.supervisors
        call.hang_up()
        await rung.ended()

    assert flow(scenario).record.supervision == ()


def test_an_agent_who_called_out_is_let_go_and_the_customer_kept_for_a_while() -> None:
    async def scenario(house: House) -> None:
        there = await watched(house)
        there.call.who = replace(there.call.who, direction="outbound")
        supervision.release(house.exchange, there.call.id, "agent")
        await there.alice.ended()
        assert house.recordings.begin(there.call).bridge is there.call.bridge
        await there.bob.ended(within=400)

    record = flow(scenario).record
    assert (record.reason, record.ended_by) == ("released", "supervisor")


def test_a_call_that_is_no_talk_of_two_is_not_supervised() -> None:
    async def scenario(house: House) -> None:
        (alice, _carol) = await house.registered("101", "103")
        call = alice.call("*43")
        await call.answered()
        with pytest.raises(Refused, match="is no talk of two"):
            await supervision.supervise(house.exchange, "101", "103", "listen")
        (live,) = house.exchange.calls.values()
        with pytest.raises(Refused, match="nobody talks"):
            house.recordings.begin(live)
        call.hang_up()

    flow(scenario)
