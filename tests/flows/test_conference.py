"""Conference rooms: who comes in and how, who hears whom, who is put out; the record."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace as changed

from pbx.call.conference import Room
from pbx.errors import NotFound, Refused
from pbx.events import ConferenceLeft, ConferenceTalking, DigitReceived
from pbx.media.protocol import Announce, DigitHeard, Talking, Watch
from pbx.plan.model import Conference, Plan
from tests.kit.exchange import House, RoomPins, flow
from tests.kit.softphone import PhoneCall, description

PINS = RoomPins("1234", "9999")


def plan(house: House, rules: Conference) -> None:
    """Put one room into the dialplan."""
    house.exchange.plan = Plan("test", conferences={rules.room: rules})
    house.directory.pins["7001"] = PINS


async def dialled(house: House, number: str) -> PhoneCall:
    """Let one more phone call the room; return when it is answered."""
    (phone,) = await house.registered(number)
    call = phone.call("7001")
    await call.answered()
    await asyncio.sleep(0.1)
    return call


async def key(house: House, number: str, keys: str) -> None:
    """Let the party of a number press keys, once its prompt is over."""
    leg = leg_of(house, number)
    house.media.finish_playing(leg)
    await asyncio.sleep(0.1)
    for pressed in keys:
        house.media.report(DigitHeard(leg, pressed, 100))
        await asyncio.sleep(0.1)


def leg_of(house: House, number: str) -> int:
    """Return the open leg of a number."""
    (call,) = (call for call in house.exchange.calls.values() if call.who.number == number)
    return call.caller.id


def heard_by(house: House, number: str) -> set[str]:
    """Return the numbers that a party hears."""
    numbers = {call.caller.id: call.who.number for call in house.exchange.calls.values()}
    return {numbers[leg] for leg in house.media.hears(leg_of(house, number))}


def room(house: House) -> Room:
    """Return the room."""
    return house.exchange.conferences.find("7001")


def test_all_hear_each_other_and_the_empty_room_closes() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001"))
        numbers = ("101", "102", "103", "104", "105")
        calls = [await dialled(house, number) for number in numbers]
        for number in numbers:
            assert heard_by(house, number) == set(numbers) - {number}
        assert {watch.leg for watch in house.media.sent(Watch) if watch.talk} == house.media.legs
        await asyncio.sleep(10)
        for call in calls:
            call.hang_up()
            await asyncio.sleep(0.5)
        with pytest.raises(NotFound, match="nobody is in conference 7001"):
            room(house)

    house = flow(scenario)
    assert len(house.records) == 5
    for record in house.records.values():
        assert (record.result, record.ended_by) == ("answered", "caller")
        (segment,) = record.segments
        assert (segment.kind, segment.with_) == ("conference", "7001")
        assert record.talk_s > 10
    assert [event.reason for event in house.happened(ConferenceLeft)] == ["left"] * 5
    tones = [announced.sources for announced in house.media.sent(Announce)]
    assert tones.count(("tone:join",)) == 5


def test_the_pin_lets_in_and_is_told_to_nobody() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", pin=True))
        call = await dialled(house, "101")
        await key(house, "101", "1234#")
        await asyncio.sleep(1)
        (member,) = room(house).members.values()
        assert not member.moderator
        chief = await dialled(house, "102")
        await key(house, "102", "9999#")
        await asyncio.sleep(1)
        assert [member.moderator for member in room(house).members.values()] == [False, True]
        call.hang_up()
        chief.hang_up()
        await asyncio.sleep(1)

    shown = [event.digit for event in flow(scenario).happened(DigitReceived)]
    assert set(shown) == {"?"}


def test_a_phone_without_telephone_event_may_key_the_pin_as_tones() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", pin=True))
        plain, modern = await house.registered("101", "102")
        calls = []
        for phone, event in ((plain, None), (modern, 101)):
            body = description(phone.address[0], 42_000, event=event)
            calls.append(phone.call("7001", body=body))
            await calls[-1].answered()
            await key(house, phone.number, "1234#")
        await asyncio.sleep(1)
        watched = [house.media.sent(Watch, leg_of(house, number)) for number in ("101", "102")]
        listens = [[(each.keys, each.talk) for each in watches] for watches in watched]
        assert listens[0] == [(True, False), (False, False), (True, True)]
        assert listens[1] == [(False, True)]
        for call in calls:
            call.hang_up()
        await asyncio.sleep(1)

    flow(scenario)


def test_a_recording_of_the_call_is_silent_while_the_pin_is_keyed() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", pin=True))
        (phone,) = await house.registered("101")
        phone.call("7001")
        await asyncio.sleep(0.1)
        (call,) = house.exchange.calls.values()
        call.bridge.add(call.caller)
        recording = house.recordings.begin(call)
        await key(house, "101", "1")
        assert not recording.paused, "it began after the PIN was asked for"
        await asyncio.sleep(20)
        house.media.finish_playing(call.caller.id)
        await asyncio.sleep(0.1)
        assert recording.paused, "the next try"
        await key(house, "101", "1234#")
        await asyncio.sleep(1)
        assert not recording.paused
        call.hang_up("enough")
        await asyncio.sleep(1)

    flow(scenario)


def test_three_wrong_pins_end_the_call() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", pin=True))
        call = await dialled(house, "101")
        for wrong in ("1111#", "2222#", "12345#"):
            await key(house, "101", wrong)
            await asyncio.sleep(0.5)
        house.media.finish_playing(leg_of(house, "101"))
        await call.ended()

    record = flow(scenario).record
    assert (record.result, record.reason) == ("rejected", "wrong_pin")


def test_what_is_keyed_while_a_pin_is_called_wrong_is_told_to_nobody() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", pin=True))
        call = await dialled(house, "101")
        await key(house, "101", "5555#")
        for digit in "1234#":
            house.media.report(DigitHeard(leg_of(house, "101"), digit, 100))
        await asyncio.sleep(1)
        assert room(house).member("101"), "the next try may begin during the prompt"
        call.hang_up()
        last = await dialled(house, "102")
        for _ in range(3):
            await key(house, "102", "5555#")
        for digit in "1234#":
            house.media.report(DigitHeard(leg_of(house, "102"), digit, 100))
        house.media.finish_playing(leg_of(house, "102"))
        await last.ended()

    assert {event.digit for event in flow(scenario).happened(DigitReceived)} == {"?"}


def test_ten_wrong_pins_over_four_calls_lock_the_room_to_their_caller() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", pin=True))
        for tries in (3, 3, 3, 1):
            call = await dialled(house, "103")
            for _ in range(tries):
                await key(house, "103", "5555#")
            house.media.finish_playing(leg_of(house, "103"))
            await call.ended()
        locked = await dialled(house, "103")
        house.media.finish_playing(leg_of(house, "103"))
        await locked.ended()
        member = await dialled(house, "101")
        await key(house, "101", "1234#")
        assert room(house).member("101"), "the room is open to all others"
        member.hang_up()
        await asyncio.sleep(900)
        again = await dialled(house, "103")
        await key(house, "103", "1234#")
        assert room(house).member("103")
        again.hang_up()

    reasons = [record.reason for record in flow(scenario).records.values()]
    assert reasons[:5] == ["wrong_pin"] * 3 + ["pin_locked"] * 2


def test_many_calls_at_once_have_no_more_tries_than_one_after_the_other() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", pin=True))
        (phone,) = await house.registered("103")
        calls = [phone.call("7001") for _ in range(11)]
        for call in calls:
            await call.answered()
        legs = [call.caller.id for call in house.exchange.calls.values()]
        for leg, pin in zip(legs, ["5555#"] * 10 + ["1234#"], strict=True):
            for digit in pin:
                house.media.report(DigitHeard(leg, digit, 100))
            await asyncio.sleep(0.1)
        assert not house.exchange.conferences
        for call in calls:
            call.hang_up()
        await asyncio.sleep(1)

    flow(scenario)


def test_a_room_that_asks_for_a_pin_but_has_none_lets_nobody_in() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", pin=True))
        house.directory.pins.clear()
        call = await dialled(house, "101")
        for _ in range(3):
            await key(house, "101", "1#")
            await asyncio.sleep(0.5)
        house.media.finish_playing(leg_of(house, "101"))
        await call.ended()

    assert flow(scenario).record.reason == "wrong_pin"


def test_members_wait_with_music_until_a_moderator_is_there() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", pin=True, wait_for_moderator=True, end_with_moderator=True))
        calls = []
        for number in ("101", "102"):
            calls.append(await dialled(house, number))
            await key(house, number, "1234#")
        await asyncio.sleep(1)
        assert heard_by(house, "101") == set()
        assert [play.sources for play in house.media.playing.values()] == [("music:hold.wav",)] * 2
        chief = await dialled(house, "103")
        await key(house, "103", "9999#")
        await asyncio.sleep(1)
        assert heard_by(house, "101") == {"102", "103"}
        assert not house.media.playing
        chief.hang_up()
        await asyncio.sleep(1)
        for number in ("101", "102"):
            house.media.finish_playing(leg_of(house, number))
        for call in calls:
            await call.ended()

    house = flow(scenario)
    reasons = sorted(record.reason for record in house.records.values())
    assert reasons == ["bye", "moderator_left", "moderator_left"]


def test_a_full_and_a_locked_room_take_nobody_in() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", most=2))
        calls = [await dialled(house, number) for number in ("101", "102")]
        third = await dialled(house, "103")
        house.media.finish_playing(leg_of(house, "103"))
        await third.ended()
        calls[0].hang_up()
        await asyncio.sleep(1)
        room(house).locked = True
        fourth = await dialled(house, "104")
        house.media.finish_playing(leg_of(house, "104"))
        await fourth.ended()
        calls[1].hang_up()
        await asyncio.sleep(1)

    reasons = [record.reason for record in flow(scenario).records.values()]
    assert reasons.count("conference_full") == reasons.count("conference_locked") == 1


def test_a_member_is_muted_by_key_and_by_others_and_is_put_out() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001"))
        calls = [await dialled(house, number) for number in ("101", "102")]
        await key(house, "101", "*6")
        assert heard_by(house, "102") == set()
        assert heard_by(house, "101") == {"102"}
        await key(house, "101", "*6")
        assert heard_by(house, "102") == {"101"}
        member = room(house).member("101")
        room(house).mute(member, True)
        assert heard_by(house, "102") == set()
        room(house).mute(member, False)
        await key(house, "101", "*5")
        assert not room(house).locked, "only moderators lock"
        member.put_out("kicked")
        await asyncio.sleep(0.1)
        house.media.finish_playing(leg_of(house, "101"))
        await calls[0].ended()
        with pytest.raises(NotFound, match="101 is not in conference 7001"):
            room(house).member("101")
        calls[1].hang_up()
        await asyncio.sleep(1)

    reasons = {record.reason for record in flow(scenario).records.values()}
    assert reasons == {"kicked", "bye"}


def test_who_talks_is_told_and_the_end_of_it_when_somebody_leaves() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001"))
        calls = [await dialled(house, number) for number in ("101", "102")]
        house.media.report(Talking(leg_of(house, "101"), True))
        assert room(house).member("101").talking
        calls[0].hang_up()
        await asyncio.sleep(1)
        calls[1].hang_up()
        await asyncio.sleep(1)

    told = [(event.room, event.on) for event in flow(scenario).happened(ConferenceTalking)]
    assert told == [("7001", True), ("7001", False)]


def test_one_number_twice_in_a_room_is_named_by_its_leg() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001"))
        (phone,) = await house.registered("101")
        calls = [phone.call("7001"), phone.call("7001")]
        for call in calls:
            await call.answered()
        await asyncio.sleep(0.1)
        with pytest.raises(Refused, match="101 is in conference 7001 twice; name a leg"):
            room(house).member("101")
        leg = next(iter(room(house).members))
        assert room(house).member(str(leg.id)).leg is leg
        for call in calls:
            call.hang_up()
        await asyncio.sleep(1)

    flow(scenario)


def test_the_record_of_a_conference_adds_up() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001"))
        call = await dialled(house, "101")
        await asyncio.sleep(20)
        call.hang_up()
        await asyncio.sleep(1)

    record = flow(scenario).record
    assert abs(record.talk_s - 20) < 0.5
    assert record.path == ("conference:7001",)
    assert changed(record, segments=()).answered_at is not None


def test_a_recorded_room_is_one_file_that_the_records_of_all_name() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", record=True))
        calls = [await dialled(house, number) for number in ("101", "102")]
        (record,) = house.media.recording.values()
        assert (record.bridge, record.left) == (room(house).bridge.number, None)
        calls[0].hang_up()
        await asyncio.sleep(1)
        assert house.media.recording, "the room goes on"
        calls[1].hang_up()
        await asyncio.sleep(1)
        assert not house.media.recording

    recordings = {record.recording for record in flow(scenario).records.values()}
    assert len(recordings) == 1
    assert None not in recordings


def test_names_are_asked_for_at_the_door_and_told_to_all() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", announce_names=True))
        call = await dialled(house, "101")
        house.media.finish_playing(leg_of(house, "101"))
        await asyncio.sleep(1)
        (note,) = house.media.recording.values()
        house.media.report(DigitHeard(leg_of(house, "101"), "#", 100))
        await asyncio.sleep(1)
        assert not house.media.recording
        (greeting,) = house.media.sent(Announce)
        assert greeting.sources == ("tone:join", f"file:{note.path}")
        call.hang_up()
        await asyncio.sleep(1)

    flow(scenario)


def test_who_hangs_up_at_the_door_leaves_neither_a_room_nor_a_note() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", announce_names=True))
        call = await dialled(house, "101")
        house.media.finish_playing(leg_of(house, "101"))
        await asyncio.sleep(1)
        assert house.media.recording
        call.hang_up()
        await asyncio.sleep(1)
        assert not house.media.recording
        assert not house.exchange.conferences

    flow(scenario)


def test_two_at_the_door_of_an_empty_room_come_into_one() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", announce_names=True))
        slow, first = await dialled(house, "101"), await dialled(house, "102")
        for number in ("102", "101"):
            house.media.finish_playing(leg_of(house, number))
            await asyncio.sleep(0.1)
            house.media.report(DigitHeard(leg_of(house, number), "#", 100))
            await asyncio.sleep(0.1)
        assert heard_by(house, "101") == {"102"}
        first.hang_up()
        slow.hang_up()
        await asyncio.sleep(1)

    flow(scenario)


def test_a_room_that_fills_up_while_names_are_said_is_full() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", most=2, announce_names=True))
        numbers = ("101", "102", "103")
        calls = [await dialled(house, number) for number in numbers]
        for number in numbers:
            house.media.finish_playing(leg_of(house, number))
        await asyncio.sleep(5)
        assert len(room(house).members) == 2
        for call, number in zip(calls, numbers, strict=True):
            house.media.finish_playing(leg_of(house, number))
            call.hang_up()
        await asyncio.sleep(1)

    reasons = [record.reason for record in flow(scenario).records.values()]
    assert reasons.count("conference_full") == 1


def test_nobody_is_told_that_somebody_left_who_never_came_in() -> None:
    async def scenario(house: House) -> None:
        plan(house, Conference("7001", pin=True, wait_for_moderator=True))
        chief = await dialled(house, "103")
        await key(house, "103", "9999#")
        inside = await dialled(house, "101")
        await key(house, "101", "1234#")
        chief.hang_up()
        await asyncio.sleep(1)
        waiting = await dialled(house, "102")
        await key(house, "102", "1234#")
        told = len(house.media.sent(Announce))
        waiting.hang_up()
        await asyncio.sleep(1)
        assert len(house.media.sent(Announce)) == told
        inside.hang_up()
        await asyncio.sleep(1)

    assert len(flow(scenario).happened(ConferenceLeft)) == 2
