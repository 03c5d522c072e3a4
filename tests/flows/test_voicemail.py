"""Voicemail as callers and owners live through it: leaving, the door, hearing, greetings, ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from pbx.events import DigitReceived, VoicemailEntered, VoicemailLeft
from pbx.media.protocol import DigitHeard, Record, StopRecording, Talking
from pbx.plan.destination import Destination
from pbx.plan.model import Defaults, Mailbox, NumberRoute, Plan, Prompt, PromptFile
from tests.kit.exchange import House, flow
from tests.kit.loop import VirtualLoop, cancel_everywhere
from tests.kit.mailboxes import MemoryMailboxes, with_mailboxes
from tests.kit.softphone import PhoneCall

BEEP = "tone:beep"
GREETING = "say:zh:voicemail-greeting"


def to_box(*boxes: str, prompts: tuple[Prompt, ...] = (), **office: Mailbox) -> Plan:
    """Return a plan in which 800, 801… lead to these boxes; `office` are boxes of the office."""
    return Plan(
        "test",
        numbers={
            f"80{place}": NumberRoute(f"80{place}", Destination("voicemail", box))
            for place, box in enumerate(boxes)
        },
        prompts={prompt.name: prompt for prompt in prompts},
        voicemail=office,
    )


class Line:
    """One caller's call: what it hears, and what it keys."""

    def __init__(self, house: House, number: str, call: PhoneCall) -> None:
        self.house = house
        self.number = number
        self.call = call
        self.heard: list[str] = []

    @property
    def leg(self) -> int:
        """Return the caller's leg."""
        (call,) = (c for c in self.house.exchange.calls.values() if c.who.number == self.number)
        return call.caller.id

    def hears(self) -> list[str]:
        """Return what is played to the caller now."""
        plays = [play for key, play in self.house.media.playing.items() if key[0] == self.leg]
        return [source for play in plays for source in play.sources]

    async def listen(self) -> list[str]:
        """Hear what is played to its end, and all that follows by itself; return it."""
        said: list[str] = []
        while now := self.hears():
            said += now
            self.house.media.finish_playing(self.leg)
            await asyncio.sleep(0.01)
        self.heard += said
        return said

    async def key(self, keys: str) -> list[str]:
        """Press keys while something is played; return what is played then."""
        for pressed in keys:
            self.house.media.report(DigitHeard(self.leg, pressed, 100))
            await asyncio.sleep(0.01)
        return self.hears()

    async def speak(self, seconds: float) -> None:
        """Talk for so long."""
        self.house.media.report(Talking(self.leg, True))
        await asyncio.sleep(seconds)
        self.house.media.report(Talking(self.leg, False))
        self.house.media.recorded_s = seconds

    async def hang_up(self) -> None:
        """Hang up, and wait until the exchange knows."""
        self.call.hang_up()
        await asyncio.sleep(0.5)


async def dialled(house: House, dialled: str, number: str = "101") -> Line:
    """Let a phone call; return when it is answered."""
    (phone,) = await house.registered(number)
    call = phone.call(dialled)
    await call.answered()
    await asyncio.sleep(0.1)
    return Line(house, number, call)


async def at_the_beep(house: House) -> Line:
    """Let 101 come as far as speaking into a box."""
    house.add("102")
    house.exchange.plan = to_box("102")
    line = await dialled(house, "800")
    await line.listen()
    assert house.media.recording, "nobody is recorded"
    return line


# -- leaving a message -----------------------------------------------------------------------


def test_a_message_is_left_and_kept() -> None:
    kept: list[MemoryMailboxes] = []

    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        kept.append(boxes)
        line = await at_the_beep(house)
        assert line.heard == [GREETING, BEEP]
        (record,) = house.media.sent(Record)
        await line.speak(7.0)
        await line.key("#")
        assert await line.listen() == ["say:zh:message-saved", "say:zh:goodbye"]
        (message,) = boxes.messages("102")
        assert record.path == f"/voicemail/{message.id}.wav"
        assert (message.caller, message.seconds, message.new) == ("101", 7.0, True)
        assert boxes.lit == [("102", 1, 0)]
        assert boxes.received == [message.id]

    house = flow(scenario)
    (message,) = kept[0].messages("102")
    assert house.happened(VoicemailEntered) == [VoicemailEntered(call=message.call, box="102")]
    (left,) = house.happened(VoicemailLeft)
    assert left == VoicemailLeft(call=message.call, box="102", message=message.id, seconds=7.0)
    assert (house.record.result, house.record.reason) == ("voicemail", "message")


def test_who_hangs_up_has_left_what_was_said() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line = await at_the_beep(house)
        await line.speak(5.0)
        await line.hang_up()
        (message,) = boxes.messages("102")
        assert message.seconds == 5.0

    house = flow(scenario)
    assert len(house.happened(VoicemailLeft)) == 1
    assert (house.record.result, house.record.ended_by) == ("voicemail", "caller")


def test_less_than_three_seconds_are_no_message() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line = await at_the_beep(house)
        await line.speak(2.9)
        await line.hang_up()
        assert boxes.messages("102") == ()
        assert boxes.lit == []

    house = flow(scenario)
    (left,) = house.happened(VoicemailLeft)
    assert isinstance(left, VoicemailLeft)
    assert (left.message, left.seconds) == (None, None)


def test_who_ends_too_soon_may_try_once_more() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line = await at_the_beep(house)
        await line.key("#")
        assert await line.listen() == ["say:zh:message-too-short", BEEP]
        house.media.recorded_s = 8.0
        await line.key("#")
        assert await line.listen() == ["say:zh:message-saved", "say:zh:goodbye"]
        assert len(boxes.messages("102")) == 1

    house = flow(scenario)
    assert len(house.happened(VoicemailLeft)) == 1


def test_a_second_too_short_one_ends_the_call() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line = await at_the_beep(house)
        await line.key("#")
        await line.listen()
        await line.key("#")
        said = await line.listen()
        assert said == ["say:zh:message-too-short", "say:zh:goodbye"]
        assert boxes.messages("102") == ()

    assert flow(scenario).record.reason == "no_message"


def test_silence_ends_a_message_and_is_no_part_of_it() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line = await at_the_beep(house)
        await line.speak(20.0)
        house.media.recorded_s = 30.0
        await asyncio.sleep(9.9)
        assert not house.media.sent(StopRecording)
        await asyncio.sleep(0.2)
        assert (await line.listen())[0] == "say:zh:message-saved"
        assert boxes.messages("102")[0].seconds == 20.0
        assert boxes.silences == [10.0]

    flow(scenario)


def test_who_says_nothing_leaves_nothing() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line = await at_the_beep(house)
        house.media.recorded_s = 10.0
        await asyncio.sleep(10.1)
        assert await line.listen() == ["say:zh:goodbye"]
        assert boxes.messages("102") == ()

    assert flow(scenario).record.result == "voicemail"


def test_a_message_lasts_three_minutes_at_most() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line = await at_the_beep(house)
        house.media.report(Talking(line.leg, True))
        house.media.recorded_s = 180.0
        await asyncio.sleep(179.9)
        assert not house.media.sent(StopRecording)
        await asyncio.sleep(0.2)
        assert (await line.listen())[0] == "say:zh:message-saved"
        assert boxes.messages("102")[0].seconds == 180.0

    flow(scenario)


def test_a_call_that_is_recorded_goes_on_to_be() -> None:
    async def scenario(house: House) -> None:
        with_mailboxes(house)
        house.add("102")
        house.exchange.plan = to_box("102")
        line = await dialled(house, "800")
        (call,) = house.exchange.calls.values()
        call.bridge.add(call.caller)
        house.recordings.begin(call)
        await line.listen()
        assert len(house.media.recording) == 2
        await line.speak(5.0)
        await line.key("#")
        assert len(house.media.recording) == 1
        assert house.media.bridges
        await line.hang_up()

    flow(scenario)


def test_a_key_skips_the_greeting_and_ends_nothing() -> None:
    async def scenario(house: House) -> None:
        with_mailboxes(house)
        house.add("102")
        house.exchange.plan = to_box("102")
        line = await dialled(house, "800")
        assert line.hears() == [GREETING]
        assert await line.key("#") == [BEEP]
        await line.listen()
        await asyncio.sleep(1)
        assert house.media.recording
        await line.hang_up()

    flow(scenario)


def test_a_full_box_says_so_politely() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        boxes.fill("102", *["103"] * 100)
        house.add("102")
        house.exchange.plan = to_box("102")
        line = await dialled(house, "800")
        assert await line.listen() == ["say:zh:mailbox-full", "say:zh:goodbye"]
        assert not house.media.sent(Record)

    assert flow(scenario).record.reason == "mailbox_full"


def test_no_message_is_taken_while_the_disk_is_full() -> None:
    async def scenario(house: House) -> None:
        with_mailboxes(house)
        house.recordings.refused = "no recording begins"
        house.add("102")
        house.exchange.plan = to_box("102")
        line = await dialled(house, "800")
        assert (await line.listen())[0] == "say:zh:mailbox-full"

    flow(scenario)


def test_a_box_that_nobody_knows_is_404() -> None:
    async def scenario(house: House) -> None:
        with_mailboxes(house)
        house.exchange.plan = to_box("nobody")
        (phone,) = await house.registered("101")
        assert await phone.call("800").failed() == 404

    assert flow(scenario).record.reason == "unknown_mailbox"


def test_each_box_greets_in_its_own_words() -> None:
    spoken = {"zh": PromptFile("closed/zh.wav"), "en": PromptFile("closed/en.wav")}
    closed = Prompt("closed", spoken)

    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        house.add("102")
        service, other = Mailbox("service", greeting="closed"), Mailbox("other")
        house.exchange.plan = to_box(
            "service", "other", "102", prompts=(closed,), service=service, other=other
        )
        draft = boxes.begin_greeting()
        boxes.keep_greeting("102", draft.id)
        greetings = (
            ("800", "file:closed/zh.wav"),
            ("801", "say:zh:voicemail-greeting-office"),
            ("802", f"file:{draft.path}"),
        )
        for number, greeting in greetings:
            line = await dialled(house, number)
            assert line.hears() == [greeting]
            await line.hang_up()

    flow(scenario)


def test_an_extension_that_does_not_answer_takes_a_message() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        house.add("102")
        line = await dialled(house, "102")
        assert await line.listen() == [GREETING, BEEP]
        await line.speak(4.0)
        await line.hang_up()
        assert len(boxes.messages("102")) == 1

    flow(scenario)


def test_a_busy_one_says_that_somebody_talks() -> None:
    async def scenario(house: House) -> None:
        with_mailboxes(house)
        (bob,) = await house.registered("102")
        (alice,) = await house.registered("101")
        call = alice.call("102")
        (await bob.rung()).respond(486)
        await call.answered()
        await asyncio.sleep(0.1)
        line = Line(house, "101", call)
        assert line.hears() == ["say:zh:voicemail-greeting-busy"]
        await line.hang_up()

    flow(scenario)


def test_a_lost_worker_leaves_the_message_to_be_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    mended: list[str] = []

    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        monkeypatch.setattr(boxes, "mend", mended.append)
        line = await at_the_beep(house)
        await line.speak(30.0)
        house.media.lose_worker()
        await asyncio.sleep(1)

    house = flow(scenario)
    assert len(mended) == 1
    assert len(house.happened(VoicemailLeft)) == 1


# -- the door --------------------------------------------------------------------------------


def test_the_own_phone_is_let_in_where_no_pin_is_set() -> None:
    async def scenario(house: House) -> None:
        with_mailboxes(house)
        line = await dialled(house, "*97")
        assert line.hears() == ["say:zh:no-messages"]
        await line.listen()
        await line.key("#")
        assert await line.listen() == ["say:zh:goodbye"]

    assert flow(scenario).record.result == "answered"


def test_a_pin_is_asked_for_where_one_is_set() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        await boxes.set_pin("101", "4711")
        line = await dialled(house, "*97")
        assert line.hears() == ["say:zh:enter-pin"]
        await line.key("9999#")
        assert line.hears() == ["say:zh:wrong-pin", "say:zh:enter-pin"]
        await line.key("4711#")
        assert line.hears() == ["say:zh:no-messages"]
        await line.hang_up()

    house = flow(scenario)
    digits = [event.digit for event in house.happened(DigitReceived) if hasattr(event, "digit")]
    assert set(digits) == {"?"}


def test_three_wrong_pins_end_the_call() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        await boxes.set_pin("101", "4711")
        line = await dialled(house, "*97")
        for _ in range(3):
            await line.key("9999#")
        assert await line.listen() == ["say:zh:wrong-pin"]

    assert flow(scenario).record.reason == "wrong_pin"


def test_ten_wrong_pins_lock_the_box_to_the_caller() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        await boxes.set_pin("101", "4711")
        for _ in range(3):
            line = await dialled(house, "*97")
            for _ in range(3):
                await line.key("9999#")
            await line.listen()
        line = await dialled(house, "*97")
        await line.key("9999#")
        assert await line.listen() == ["say:zh:locked"]
        await asyncio.sleep(1)
        line = await dialled(house, "*97")
        assert await line.listen() == ["say:zh:locked"]
        await asyncio.sleep(901)
        line = await dialled(house, "*97")
        await line.key("4711#")
        assert line.hears() == ["say:zh:no-messages"]
        await line.hang_up()

    flow(scenario)


def test_any_box_is_heard_by_number_and_pin() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        house.add("102")
        boxes.fill("102", "13800138000")
        await boxes.set_pin("102", "4711")
        line = await dialled(house, "*98")
        assert line.hears() == ["say:zh:enter-mailbox"]
        await line.key("555#")
        assert line.hears() == ["say:zh:mailbox-unknown", "say:zh:enter-mailbox"]
        await line.key("102#")
        assert line.hears() == ["say:zh:enter-pin"]
        await line.key("4711#")
        assert line.hears() == ["say:zh:you-have"]
        await line.hang_up()

    flow(scenario)


def test_an_office_box_is_keyed_as_it_is_spelt() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        await boxes.set_pin("service", "4711")
        house.exchange.plan = to_box(service=Mailbox("service"))
        line = await dialled(house, "*98")
        await line.key("7378423#")
        await line.key("4711#")
        assert line.hears() == ["say:zh:no-messages"]
        await line.hang_up()

    flow(scenario)


def test_a_box_without_a_pin_is_not_heard_from_another_phone() -> None:
    async def scenario(house: House) -> None:
        with_mailboxes(house)
        house.add("102")
        line = await dialled(house, "*98")
        await line.key("102#")
        assert await line.listen() == ["say:zh:mailbox-without-pin"]

    assert flow(scenario).record.reason == "no_pin"


def test_who_keys_no_box_is_sent_away_in_the_end() -> None:
    async def scenario(house: House) -> None:
        with_mailboxes(house)
        line = await dialled(house, "*98")
        for _ in range(3):
            assert await line.listen() == ["say:zh:enter-mailbox"]
            await asyncio.sleep(10.1)
        assert await line.listen() == ["say:zh:goodbye"]

    flow(scenario)


# -- hearing messages ------------------------------------------------------------------------


async def owner(house: House, boxes: MemoryMailboxes, *callers: str) -> tuple[Line, list[str]]:
    """Let 101 hear its box with messages of these callers; return the files too."""
    ids = boxes.fill("101", *callers)
    line = await dialled(house, "*97")
    return line, [f"file:/voicemail/{id}.wav" for id in ids]


MENU = "say:zh:message-menu"
HEADING = "say:zh:message-heading"


def test_messages_are_heard_one_after_the_other() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line, (first, second) = await owner(house, boxes, "13800138000", "")
        assert await line.listen() == ["say:zh:you-have", HEADING, first, MENU]
        assert boxes.counts("101") == (1, 1)
        await line.key("6")
        assert await line.listen() == ["say:zh:message-heading-unknown", second, MENU]
        assert boxes.counts("101") == (0, 2)
        assert boxes.lit == [("101", 1, 1), ("101", 0, 2)]
        await line.key("6")
        assert await line.listen() == ["say:zh:no-more-messages", "say:zh:greeting-offer", MENU]
        await line.key("4")
        assert (await line.listen())[1] == first
        await line.key("5")
        assert (await line.listen())[1] == first
        await line.key("*")
        assert await line.listen() == ["say:zh:goodbye"]

    flow(scenario)


def test_new_messages_come_first() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        ids = boxes.fill("101", "102", "103", "104")
        boxes.mark_heard(ids[0])
        line = await dialled(house, "*97")
        assert f"file:/voicemail/{ids[1]}.wav" in await line.listen()
        await line.key("4")
        assert f"file:/voicemail/{ids[1]}.wav" in await line.listen()
        await line.hang_up()

    flow(scenario)


def test_a_key_in_the_heading_leaves_the_message_new() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line, (_, second) = await owner(house, boxes, "102", "103")
        house.media.finish_playing(line.leg)
        await asyncio.sleep(0.01)
        assert line.hears() == [HEADING]
        assert await line.key("6") == [HEADING]
        assert boxes.counts("101") == (2, 0)
        house.media.finish_playing(line.leg)
        await asyncio.sleep(0.01)
        assert line.hears() == [second]
        await line.key("6")
        assert boxes.counts("101") == (1, 1)
        await line.hang_up()

    flow(scenario)


def test_type_ahead_goes_through_all_prompts() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line, _ = await owner(house, boxes, "102", "103")
        await line.key("77#")
        assert await line.listen() == ["say:zh:goodbye"]
        assert len(boxes.messages("101")) == 2

    flow(scenario)


def test_what_is_marked_goes_when_the_owner_does() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line, _ = await owner(house, boxes, "102", "103", "104")
        await line.listen()
        assert await line.key("7") == ["say:zh:message-deleted"]
        await line.key("67")
        await line.listen()
        assert await line.key("7") == ["say:zh:message-undeleted"]
        assert len(boxes.messages("101")) == 3
        await line.hang_up()
        assert [message.caller for message in boxes.messages("101")] == ["103", "104"]

    flow(scenario)


def test_saving_takes_the_mark_off_and_goes_on() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line, (_, second) = await owner(house, boxes, "102", "103")
        await line.listen()
        await line.key("7")
        await line.listen()
        await line.key("9")
        assert await line.listen() == ["say:zh:message-kept", HEADING, second, MENU]
        await line.key("#")
        await line.listen()
        assert len(boxes.messages("101")) == 2

    flow(scenario)


def test_a_message_that_is_gone_meanwhile_is_passed_over() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line, _ = await owner(house, boxes, "102")
        boxes.delete(boxes.messages("101")[0].id)
        assert await line.listen() == [
            *("say:zh:you-have", HEADING, "say:zh:message-missing", MENU),
        ]
        await line.key("7#")
        await line.listen()

    flow(scenario)


def test_who_keys_nothing_three_times_is_sent_away() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line, _ = await owner(house, boxes, "102")
        await line.listen()
        await asyncio.sleep(5.1)
        assert await line.listen() == [MENU]
        await line.key("8")
        assert await line.listen() == ["say:zh:invalid-key", MENU]
        await asyncio.sleep(5.1)
        assert await line.listen() == ["say:zh:goodbye"]

    flow(scenario)


def test_prompts_are_in_the_callers_language() -> None:
    async def scenario(house: House) -> None:
        with_mailboxes(house)
        house.exchange.plan = Plan("test", defaults=Defaults(language="en"))
        line = await dialled(house, "*97")
        assert line.hears() == ["say:en:no-messages"]
        await line.hang_up()

    flow(scenario)


# -- greetings -------------------------------------------------------------------------------


def test_an_owner_records_a_greeting() -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line = await dialled(house, "*97")
        await line.listen()
        await line.key("0")
        assert await line.listen() == ["say:zh:greeting-record", BEEP]
        await line.speak(6.0)
        await line.key("#")
        recorded = boxes.greeting("101")
        assert (await line.listen())[:2] == ["say:zh:greeting-saved", f"file:{recorded}"]
        await line.hang_up()

    flow(scenario)


@pytest.mark.parametrize("end", ["#", "hang up"])
def test_a_greeting_that_was_not_ended_well_changes_nothing(end: str) -> None:
    async def scenario(house: House) -> None:
        boxes = with_mailboxes(house)
        line = await dialled(house, "*97")
        await line.listen()
        await line.key("0")
        await line.listen()
        house.media.recorded_s = 0.5 if end == "#" else 20.0
        if end == "#":
            await line.key("#")
            assert (await line.listen())[0] == "say:zh:greeting-too-short"
        await line.hang_up()
        assert boxes.greeting("101") is None

    flow(scenario)


# -- ends ------------------------------------------------------------------------------------


async def _leave_and_hear(house: House) -> None:
    """One leaves a message and a short one, hears both and the greeting; all by itself."""
    boxes = with_mailboxes(house)
    house.media.recorded_s = 9.0
    await boxes.set_pin("101", "4711")
    (phone,) = await house.registered("101")
    house.exchange.plan = to_box("101")
    for number, keys in (("800", "##"), ("*97", "1234#4711#77560#9#")):
        call = phone.call(number)
        await asyncio.sleep(0.1)
        for key in keys:
            for each in list(house.exchange.calls.values()):
                if each.caller_leg is not None and each.caller_leg.media.open:
                    house.media.finish_playing(each.caller_leg.id)
                    await asyncio.sleep(0.1)
            for each in list(house.exchange.calls.values()):
                if each.caller_leg is not None and each.caller_leg.media.open:
                    house.media.report(DigitHeard(each.caller_leg.id, key, 100))
            await asyncio.sleep(0.3)
        with suppress(AssertionError):
            call.hang_up()
        await asyncio.sleep(40)


def test_nothing_is_left_wherever_it_is_cancelled() -> None:
    houses: list[House] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        house = House(loop.clock)
        houses.append(house)
        try:
            await _leave_and_hear(house)
        finally:
            house.close()

    def check() -> None:
        house = houses[-1]
        assert not house.leaks(), f"{house.leaks()}\n{house.network.ladder()}"
        entered, left = house.happened(VoicemailEntered), house.happened(VoicemailLeft)
        assert len(entered) == len(left)

    assert cancel_everywhere(scenario, tasks="call *", check=check) > 20
