"""Attended transfers by phones' own keys, REFER with Replaces; another phone that takes over."""

from __future__ import annotations

import asyncio

import pytest

from pbx.call.call import Call
from pbx.events import CallJoined, LegBrought
from pbx.sip import events as sip
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall
from tests.kit.transfers import Talk, results, segments, talking


async def consulted(talk: Talk, by: PhoneCall) -> tuple[PhoneCall, PhoneCall]:
    """Let the phone of a call hold it and call Carol; return both ends of the second call."""
    phone = by.phone
    by.reinvite(phone.describe(direction="sendonly"))
    await asyncio.sleep(1)
    second = phone.call("103")
    rung = await talk.carol.rung()
    rung.answer()
    await second.answered()
    await asyncio.sleep(5)
    return second, rung


def heard(house: House, call: Call) -> dict[str, set[str]]:
    """Return who hears whom in a call."""
    legs = {leg.id: leg.number for leg in call.legs.values() if leg.up}
    return {n: {legs[x] for x in house.media.hears(i) if x in legs} for i, n in legs.items()}


@pytest.mark.parametrize("side", ["called", "caller"])
def test_both_parties_of_a_phone_talk_to_each_other(side: str) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        by, stays = (talk.bob, talk.alice) if side == "called" else (talk.alice, talk.bob)
        second, carol = await consulted(talk, by)
        by.refer_to(second)
        await by.ended()
        await second.ended()
        assert by.noticed() == [100, 200]
        await asyncio.sleep(4)
        kept = stays.phone.number
        assert heard(house, talk.call) == {kept: {"103"}, "103": {kept}}
        name = {"101": "Alice", "102": "Bob"}[kept]
        assert carol.shown() == [f'"{name}" <sip:{kept}@192.0.2.1>']
        assert stays.shown() == ['"Carol" <sip:103@192.0.2.1>']
        assert list(house.exchange.calls) == [talk.call.id]
        carol.hang_up()
        await stays.ended()

    house = flow(scenario)
    record = house.record
    assert (record.caller.number, record.called.number) == ("101", "102")
    assert segments(record) == [
        ("ring", "102", "answered"),
        ("talk", "102", "held"),
        ("hold", "102" if side == "called" else "101", "transferred"),
        ("transfer", "103", "completed"),
        ("talk", "103", "ended"),
    ]
    assert record.talk_s == pytest.approx(14, abs=0.2)
    assert record.hold_s == pytest.approx(6, abs=0.2)
    assert len(house.happened(CallJoined)) == len(house.happened(LegBrought)) == 1


def test_somebody_elses_call_to_the_phone_ends_with_a_record_of_its_own() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        talk.bob.reinvite(talk.phones["102"].describe(direction="sendonly"))
        second = talk.carol.call("102")
        rung = await talk.phones["102"].rung()
        rung.answer()
        await second.answered()
        await asyncio.sleep(3)
        rung.to = "103"
        talk.bob.refer_to(rung)
        await talk.bob.ended()
        await rung.ended()
        await asyncio.sleep(2)
        assert heard(house, talk.call) == {"101": {"103"}, "103": {"101"}}
        talk.alice.hang_up()
        await second.ended()

    house = flow(scenario)
    first, other = (house.records[key] for key in sorted(house.records, key=len))
    by_caller = {each.caller.number: each for each in (first, other)}
    assert (by_caller["103"].result, by_caller["103"].reason) == ("answered", "transferred")
    assert ("talk", "103", "ended") in segments(by_caller["101"])


@pytest.mark.parametrize("answers", [True, False])
def test_a_second_call_that_only_rings_is_followed_blind(answers: bool) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        second = talk.phones["102"].call("103")
        first = await talk.carol.rung()
        first.ring()
        await asyncio.sleep(3)
        talk.bob.refer_to(second)
        assert await second.failed() == 487
        rung = await talk.carol.rung()
        if answers:
            rung.answer()
            await talk.bob.ended()
            assert heard(house, talk.call) == {"101": {"103"}, "103": {"101"}}
        else:
            rung.respond(486)
            await asyncio.sleep(2)
            assert talk.bob.noticed() == [100, 486]
            assert heard(house, talk.call) == {"101": {"102"}, "102": {"101"}}
        talk.alice.hang_up()
        await (rung if answers else talk.bob).ended()

    house = flow(scenario)
    assert results(house) == ["completed" if answers else "busy"]
    assert house.record.called.number == "102"


@pytest.mark.parametrize("case", ["unknown", "strangers", "itself"])
def test_only_dialogs_of_the_same_extension_are_taken(case: str) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        dave = house.phone("104")
        await dave.register()
        other = dave.call("103")
        rung = await talk.carol.rung()
        rung.answer()
        await other.answered()
        if case == "unknown":
            talk.bob.refer("<sip:103@h?Replaces=x%3Bto-tag%3Dy%3Bfrom-tag%3Dz>")
        elif case == "strangers":
            talk.bob.refer_to(other)
        else:
            talk.bob.refer_to(talk.bob)
        status = (await talk.bob.saw(sip.RequestAnswered)).response.status
        assert status == {"unknown": 481, "strangers": 403, "itself": 481}[case]
        assert talk.hears() == {"101": {"102"}, "102": {"101"}}
        other.hang_up()
        talk.bob.hang_up()
        await talk.alice.ended()
        await rung.ended()

    assert results(flow(scenario)) == []


def test_a_party_that_leaves_in_the_same_moment_leaves_nothing_behind() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        second, carol = await consulted(talk, talk.bob)
        talk.bob.refer_to(second)
        carol.hang_up()
        talk.alice.hang_up()
        await talk.bob.ended()
        await second.ended()
        await house.settle()

    flow(scenario)


def test_codes_and_recording_work_for_who_was_brought() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        house.recordings.begin(talk.call)
        second, carol = await consulted(talk, talk.bob)
        talk.bob.refer_to(second)
        await second.ended()
        assert len(house.media.recording) == 1
        await talk.code("103", "*1")
        await asyncio.sleep(1)
        assert len(house.media.recording) == 0
        carol.hang_up()
        await talk.alice.ended()

    flow(scenario)


# -- another phone of a party ---------------------------------------------------------------------


@pytest.mark.parametrize("side", ["caller", "called"])
def test_another_phone_of_the_extension_takes_the_call_over(side: str) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        by, stays = (talk.bob, talk.alice) if side == "called" else (talk.alice, talk.bob)
        desk = house.phone(by.phone.number)
        await desk.register()
        moved = desk.call(stays.phone.number, headers=[("Replaces", by.dialog)])
        await moved.answered()
        await by.ended()
        await asyncio.sleep(2)
        pair = {"101": {"102"}, "102": {"101"}}
        assert talk.hears() == pair
        moved.hang_up()
        await stays.ended()

    house = flow(scenario)
    assert house.record.talk_s == pytest.approx(12, abs=0.2)


@pytest.mark.parametrize(
    ("who", "suffix", "status"), [("103", "", 403), ("102", ";early-only", 486), ("102", "x", 481)]
)
def test_nobody_else_and_nothing_else_is_replaced(who: str, suffix: str, status: int) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        phone = talk.phones[who]
        moved = phone.call("101", headers=[("Replaces", talk.bob.dialog + suffix)])
        assert await moved.failed() == status
        assert talk.hears() == {"101": {"102"}, "102": {"101"}}
        talk.bob.hang_up()
        await talk.alice.ended()

    assert len(flow(scenario).records) == 1
