"""`*60` and `*65`: the time and the caller's own number, in words, twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pbx.media.protocol import Play
from pbx.plan.model import Defaults, Plan
from pbx.speech.saying import Saying
from tests.kit.exchange import House, flow


class Voice:
    """A speaker that notes what it is asked for, and names the sources after the words."""

    def __init__(self, *, mute: bool = False) -> None:
        self.said: list[Saying] = []
        self.mute = mute

    async def sources(self, *sayings: Saying) -> tuple[str, ...]:
        """Return a source for each saying."""
        self.said.extend(sayings)
        return () if self.mute else tuple(f"file:{saying.words}" for saying in sayings)


def give(house: House, voice: Voice, *, language: str = "zh", timezone: str = "UTC") -> None:
    """Let the exchange speak with a voice, in an office of this language and time zone."""
    house.exchange.settings = replace(house.exchange.settings, speaker=voice)
    house.exchange.plan = Plan("test", defaults=Defaults(language, timezone))


@pytest.mark.parametrize(
    ("language", "timezone", "words"),
    [
        ("zh", "Asia/Shanghai", "现在是下午四点。"),
        ("yue", "Asia/Hong_Kong", "而家係下晝四點。"),
        ("en", "Europe/London", "The time is eight a.m."),
    ],
)
def test_the_time_is_said_twice_and_the_call_ends(language: str, timezone: str, words: str) -> None:
    voice = Voice()

    async def scenario(house: House) -> None:
        give(house, voice, language=language, timezone=timezone)
        (phone,) = await house.registered("101")
        call = phone.call("*60")
        await call.answered()
        (played,) = house.media.sent(Play)
        assert played.sources == (f"file:{words}", "silence:500", f"file:{words}")
        house.media.finish_playing(played.leg)
        await call.ended()

    record = flow(scenario).record
    assert (record.result, record.ended_by) == ("answered", "system")
    assert record.path == ("feature:time",)
    (said,) = voice.said
    assert (said.language, said.name, said.phrase) == (language, "time-is", True)


def test_the_own_number_is_said_digit_by_digit() -> None:
    voice = Voice()

    async def scenario(house: House) -> None:
        give(house, voice)
        (phone,) = await house.registered("101")
        call = phone.call("*65")
        await call.answered()
        (played,) = house.media.sent(Play)
        house.media.finish_playing(played.leg)
        await call.ended()

    assert flow(scenario).record.path == ("feature:own_number",)
    assert [said.words for said in voice.said] == ["您的号码是幺零幺。"]


def test_who_cannot_be_spoken_to_is_not_kept() -> None:
    async def scenario(house: House) -> None:
        give(house, Voice(mute=True))
        (phone,) = await house.registered("101")
        call = phone.call("*60")
        await call.ended()
        assert not house.media.sent(Play)

    assert flow(scenario).record.result == "answered"
