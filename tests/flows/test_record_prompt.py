"""`*77`: a prompt is recorded by phone, and nothing is changed until its key for keeping."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pbx.call.record_prompt import CODE, NAME, record_prompt
from pbx.errors import Refused
from pbx.media.protocol import DigitHeard
from pbx.plan.model import Plan, Prompt, PromptText
from pbx.plan.text import parse_text
from tests.flows.test_clock_codes import Voice
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall


class Shelf:
    """Notes what is kept."""

    def __init__(self, refused: str = "") -> None:
        self.kept: list[tuple[str, str, str]] = []
        self._refused = refused

    async def keep_prompt(self, source: str, language: str, name: str) -> None:
        """Keep a prompt, or refuse to."""
        if self._refused:
            raise Refused(self._refused)
        self.kept.append((source, language, name))


class Caller:
    """Somebody who dials `*77` and hears each thing to its end."""

    def __init__(self, house: House, shelf: Shelf) -> None:
        self.house = house
        self.voice = Voice()
        house.features.register(NAME, CODE, record_prompt(shelf))
        house.exchange.settings = replace(house.exchange.settings, speaker=self.voice)
        order = PromptText(parse_text("Your order is ${order}."))
        prompts = {name: Prompt(name, {}) for name in ("welcome", "main_menu")}
        prompts["order_is"] = Prompt("order_is", {"en": order})
        house.exchange.plan = Plan("test", prompts=prompts)
        self.call: PhoneCall

    async def dial(self) -> None:
        """Call `*77`."""
        (phone,) = await self.house.registered("101")
        self.call = phone.call(CODE)
        await self.call.answered()

    @property
    def leg(self) -> int:
        """Return the caller's leg."""
        (leg,) = self.house.media.legs
        return leg

    @property
    def hearing(self) -> str:
        """Return the name of what was said last."""
        return self.voice.said[-1].name

    async def listen(self) -> None:
        """Hear what is played now to its end, and what follows begin."""
        self.house.media.finish_playing(self.leg)
        await asyncio.sleep(0.01)

    async def press(self, keys: str) -> None:
        """Press keys, a second apart."""
        for key in keys:
            await asyncio.sleep(1)
            self.house.media.report(DigitHeard(self.leg, key, 100))
        await asyncio.sleep(0.01)

    async def choose(self, keys: str = "2#") -> None:
        """Key the number of a prompt, English, and hear the tone."""
        assert self.hearing == "enter-prompt-number"
        await self.press(keys)
        assert self.hearing == "choose-language"
        await self.press("3")
        assert self.hearing == "record-after-tone"
        await self.listen()
        await self.listen()


def test_what_is_recorded_is_heard_and_kept() -> None:
    shelf = Shelf()

    async def scenario(house: House) -> None:
        caller = Caller(house, shelf)
        await caller.dial()
        await caller.choose()
        (note,) = house.media.recording.values()
        await caller.press("1#")
        assert not house.media.recording, "any other key is no end"
        assert caller.hearing == "prompt-menu"
        (play,) = house.media.playing.values()
        assert play.sources[0] == f"file:{note.path}"
        await caller.press("9")
        assert caller.hearing == "prompt-saved"
        assert shelf.kept == [(f"file:{note.path}", "en", "main_menu")]
        await caller.listen()
        await caller.call.ended()

    record = flow(scenario).record
    assert record.path == ("feature:record_prompt",)
    assert record.ended_by == "system"


def test_it_can_be_heard_again_and_recorded_again() -> None:
    shelf = Shelf()

    async def scenario(house: House) -> None:
        caller = Caller(house, shelf)
        await caller.dial()
        await caller.choose()
        await caller.press("#")
        await caller.press("5")
        assert caller.hearing == "prompt-menu"
        await caller.press("3")
        assert caller.hearing == "record-after-tone"
        await caller.listen()
        await caller.listen()
        (second,) = house.media.recording.values()
        await caller.press("#")
        await caller.press("9")
        assert shelf.kept == [(f"file:{second.path}", "en", "main_menu")]
        assert second.path.endswith("-prompt-2.wav")
        await caller.listen()
        await caller.call.ended()

    flow(scenario)


def test_it_can_be_discarded_and_a_hang_up_keeps_nothing() -> None:
    shelf = Shelf()

    async def discarded(house: House) -> None:
        caller = Caller(house, shelf)
        await caller.dial()
        await caller.choose()
        await caller.press("#7")
        assert caller.hearing == "prompt-discarded"
        await caller.listen()
        await caller.call.ended()

    async def hung_up(house: House) -> None:
        caller = Caller(house, shelf)
        await caller.dial()
        await caller.choose()
        caller.call.hang_up()
        await asyncio.sleep(1)

    flow(discarded)
    flow(hung_up)
    assert shelf.kept == []


def test_two_minutes_are_the_most() -> None:
    async def scenario(house: House) -> None:
        caller = Caller(house, Shelf())
        await caller.dial()
        await caller.choose()
        await asyncio.sleep(119)
        assert house.media.recording
        await asyncio.sleep(1.1)
        assert not house.media.recording
        assert caller.hearing == "prompt-menu"
        caller.call.hang_up()
        await asyncio.sleep(1)

    flow(scenario)


def test_a_prompt_that_there_is_not_is_asked_for_three_times() -> None:
    async def scenario(house: House) -> None:
        caller = Caller(house, Shelf())
        await caller.dial()
        for keys in ("0#", "4#", "99#"):
            await caller.press(keys)
            assert caller.hearing == "invalid-key"
            await caller.listen()
        assert caller.hearing == "goodbye"
        await caller.listen()
        await caller.call.ended()

    flow(scenario)


def test_a_prompt_that_cannot_be_kept_is_told() -> None:
    async def scenario(house: House) -> None:
        caller = Caller(house, Shelf("the disk is full"))
        await caller.dial()
        await caller.choose("1#")
        await caller.press("#9")
        assert caller.hearing == "technical-problem"
        await caller.listen()
        await caller.call.ended()

    flow(scenario)


def test_a_text_with_values_cannot_be_recorded() -> None:
    async def scenario(house: House) -> None:
        caller = Caller(house, Shelf())
        await caller.dial()
        await caller.press("3#")
        await caller.press("3")
        assert caller.hearing == "prompt-with-values"
        await caller.listen()
        await caller.call.ended()

    flow(scenario)
