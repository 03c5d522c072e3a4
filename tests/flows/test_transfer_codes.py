"""Transfers by codes on any phone: `*2` asks first, `*3` brings three together, `##` asks none."""

from __future__ import annotations

import asyncio

import pytest

from pbx.events import HoldEnded, HoldStarted
from pbx.plan.model import Conference, Defaults, Plan
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall
from tests.kit.transfers import Talk, results, segments, talking

TOGETHER = {"101": {"102"}, "102": {"101"}}


def sides(talk: Talk, by: str) -> tuple[PhoneCall, PhoneCall]:
    """Return the call of the phone that transfers, and that of the other."""
    return (talk.bob, talk.alice) if by == "102" else (talk.alice, talk.bob)


async def asked(talk: Talk, by: str, *, answer: bool = True) -> PhoneCall:
    """Let a party ask Carol by `*2`; return her call."""
    await talk.code(by, "*2")
    await talk.keys(by, "103#")
    rung = await talk.carol.rung()
    if answer:
        rung.answer()
        await asyncio.sleep(5)
    return rung


# -- ## -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["101", "102"])
def test_a_number_keyed_after_two_hashes_takes_the_other_party(by: str) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        mine, other = sides(talk, by)
        await talk.code(by, "##")
        assert talk.played_to(by) == ["tone:dial"]
        kept = other.phone.number
        assert talk.played_to(kept) == ["music:hold.wav"]
        assert talk.hears() == {"101": set(), "102": set()}
        await talk.keys(by, "103")
        await asyncio.sleep(4)
        await mine.ended()
        rung = await talk.carol.rung()
        rung.answer()
        await asyncio.sleep(3)
        assert talk.hears() == {kept: {"103"}, "103": {kept}}
        rung.hang_up()
        await other.ended()

    house = flow(scenario)
    assert results(house) == ["completed"]
    assert ("transfer", "103", "completed") in segments(house.record)
    assert ("hold", by, "transferred") in segments(house.record)


@pytest.mark.parametrize(
    ("keys", "tone"), [("999#", "special_information"), ("#", "leave"), ("", "leave")]
)
def test_no_such_number_joins_the_two_again(keys: str, tone: str) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        await talk.code("102", "##")
        await talk.keys("102", keys)
        await asyncio.sleep(0 if keys else 11)
        assert talk.played_to("102") == [f"tone:{tone}"]
        assert talk.played_to("101") == []
        assert talk.hears() == TOGETHER
        talk.bob.hang_up()
        await talk.alice.ended()

    house = flow(scenario)
    assert len(house.happened(HoldStarted)) == len(house.happened(HoldEnded)) == 1


def test_nobody_there_rings_whoever_keyed_it_again() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        await talk.code("101", "##")
        await talk.keys("101", "103#")
        await talk.alice.ended()
        (await talk.carol.rung()).respond(486)
        again = await talk.phones["101"].rung()
        again.answer()
        await asyncio.sleep(2)
        assert talk.hears() == TOGETHER
        again.hang_up()
        await talk.bob.ended()

    assert results(flow(scenario)) == ["recalled"]


def test_hanging_up_while_keying_ends_the_call() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        await talk.code("101", "##")
        talk.alice.hang_up()
        await talk.bob.ended()

    assert flow(scenario).record.ended_by == "caller"


# -- *2 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["101", "102"])
def test_asking_first_and_hanging_up_joins_the_others(by: str) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        mine, other = sides(talk, by)
        kept = other.phone.number
        house.recordings.begin(talk.call)
        rung = await asked(talk, by)
        assert rung.request is not None
        assert rung.request.from_.uri.number == by, "who is asked sees who asks"
        assert talk.hears() == {kept: set(), by: {"103"}, "103": {by}}
        assert talk.played_to(kept) == ["music:hold.wav"]
        mine.hang_up()
        await asyncio.sleep(4)
        assert talk.hears() == {kept: {"103"}, "103": {kept}}
        assert talk.played_to(kept) == []
        assert rung.shown()[-1].endswith(f"<sip:{kept}@192.0.2.1>")
        assert len(house.media.recording) == 1
        rung.hang_up()
        await other.ended()

    house = flow(scenario)
    assert results(house) == ["completed"]
    record = house.record
    assert segments(record) == [
        ("ring", "102", "answered"),
        ("talk", "102", "held"),
        ("hold", by, "transferred"),
        ("transfer", "103", "completed"),
        ("talk", "103", "ended"),
    ]
    assert record.hold_s == pytest.approx(5.6, abs=0.3)
    assert record.duration_s == pytest.approx(
        record.ring_s + record.talk_s + record.hold_s, abs=0.2
    )


@pytest.mark.parametrize("why", ["busy", "silent", "leaves", "back", "back while it rings"])
def test_a_consultation_that_fails_resumes_the_first_call(why: str) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        rung = await asked(talk, "102", answer=why in ("leaves", "back"))
        if why == "busy":
            rung.respond(486)
        elif why == "leaves":
            rung.hang_up()
        elif why == "silent":
            rung.ring()
            await asyncio.sleep(1)
            assert talk.played_to("102") == ["tone:ring"]
            await asyncio.sleep(20)
        else:
            await talk.code("102", "*2")
        await asyncio.sleep(0.5)
        assert talk.hears() == TOGETHER
        assert talk.played_to("102") == ["tone:leave"]
        assert talk.played_to("101") == []
        await asyncio.sleep(3)
        talk.alice.hang_up()
        await talk.bob.ended()

    house = flow(scenario)
    assert results(house) == [{"busy": "busy", "silent": "no_answer"}.get(why, "cancelled")]
    talks = [each for each in segments(house.record) if each[0] in ("talk", "hold")]
    assert talks == [("talk", "102", "held"), ("hold", "102", "resumed"), ("talk", "102", "ended")]


@pytest.mark.parametrize("answers", [True, False])
def test_hanging_up_while_it_rings_is_a_blind_transfer(answers: bool) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        rung = await asked(talk, "102", answer=False)
        rung.ring()
        await asyncio.sleep(2)
        talk.bob.hang_up()
        await asyncio.sleep(1)
        assert talk.played_to("101") == ["tone:ring"]
        if answers:
            rung.answer()
        else:
            rung.respond(486)
            rung = await talk.phones["102"].rung()
            rung.answer()
        await asyncio.sleep(2)
        number = rung.phone.number
        assert talk.hears() == {"101": {number}, number: {"101"}}
        assert talk.played_to("101") == []
        rung.hang_up()
        await talk.alice.ended()

    assert results(flow(scenario)) == ["completed" if answers else "recalled"]


@pytest.mark.parametrize("keys", ["999#", "7001#", "*43#", ""])
def test_only_phones_can_be_asked(keys: str) -> None:
    async def scenario(house: House) -> None:
        house.exchange.plan = Plan("test", conferences={"7001": Conference("7001")})
        talk = await talking(house)
        await talk.code("102", "*2")
        await talk.keys("102", keys)
        await asyncio.sleep(0 if keys else 11)
        assert talk.hears() == TOGETHER
        talk.bob.hang_up()
        await talk.alice.ended()

    assert results(flow(scenario)) == []


@pytest.mark.parametrize("stage", ["keying", "ringing", "talking"])
@pytest.mark.parametrize("by", ["101", "102"])
def test_the_first_party_may_leave_at_any_time(stage: str, by: str) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        mine, other = sides(talk, by)
        if stage == "keying":
            await talk.code(by, "*2")
        else:
            await asked(talk, by, answer=stage == "talking")
        other.hang_up()
        await mine.ended()
        await house.settle()

    house = flow(scenario)
    assert house.record.result == "answered"
    assert results(house) == ([] if stage == "keying" else ["cancelled"])


def test_who_asks_may_leave_before_keying() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        await talk.code("101", "*2")
        await talk.keys("101", "10")
        talk.alice.hang_up()
        await talk.bob.ended()

    assert flow(scenario).record.ended_by == "caller"


def test_codes_of_others_mean_nothing_meanwhile() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        rung = await asked(talk, "102")
        for number, code in (("103", "*2"), ("103", "##"), ("101", "*2"), ("101", "*3")):
            await talk.code(number, code)
        assert talk.hears() == {"101": set(), "102": {"103"}, "103": {"102"}}
        await talk.code("102", "##")
        assert talk.heard_by("102") == {"103"}
        talk.alice.hang_up()
        await rung.ended()

    flow(scenario)


def test_who_asks_is_reminded_of_who_waits() -> None:
    async def scenario(house: House) -> None:
        defaults = Defaults(hold_reminder_s=3.0)
        house.exchange.plan = Plan("test", defaults=defaults)
        talk = await talking(house)
        rung = await asked(talk, "102")
        assert talk.played_to("102") == ["tone:beep"]
        rung.hang_up()
        await asyncio.sleep(5)
        assert talk.played_to("102") == ["tone:leave"], "nobody waits any more"
        talk.alice.hang_up()
        await talk.bob.ended()

    flow(scenario)


# -- *3 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leaves", ["101", "102", "103"])
def test_three_hear_each_other_until_one_leaves(leaves: str) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        rung = await asked(talk, "102")
        await talk.code("102", "*3")
        everybody = {"101", "102", "103"}
        assert talk.hears() == {each: everybody - {each} for each in everybody}
        assert talk.played_to("101") == []
        await asyncio.sleep(4)
        calls = {"101": talk.alice, "102": talk.bob, "103": rung}
        calls.pop(leaves).hang_up()
        await asyncio.sleep(3)
        one, other = calls
        assert talk.hears() == {one: {other}, other: {one}}
        calls[one].hang_up()
        await calls[other].ended()

    house = flow(scenario)
    assert results(house) == ["three_way"]
    record = house.record
    assert record.duration_s == pytest.approx(
        record.ring_s + record.talk_s + record.hold_s, abs=0.2
    )
    assert record.talk_s == pytest.approx(17, abs=0.3)


def test_three_who_all_leave_at_once_leave_nothing() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        rung = await asked(talk, "101")
        await talk.code("101", "*3")
        for call in (talk.alice, talk.bob, rung):
            call.hang_up()
        await house.settle(3)

    assert len(flow(scenario).records) == 1
