"""The day/night key: what dialling it changes, what it says, and when it ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pbx.call.day_night import DayNight
from pbx.call.features import DAY_NIGHT
from pbx.db.engine import MemoryDatabase
from pbx.events import StepTaken
from pbx.media.protocol import Play
from pbx.plan.hours import Schedule, Span, State
from pbx.plan.model import Defaults, Plan
from pbx.speech.phrases import phrase
from pbx.speech.saying import Saying
from pbx.switches import DayNightSwitches
from tests.kit.exchange import House, flow

DAILY = Schedule(
    "office", "UTC", weekly=dict.fromkeys(range(7), (Span(480, 1080),)), override_key="*28"
)
"""Open from 08:00, which is when virtual days begin, to 18:00."""

MORNING = datetime(2026, 11, 21, 10, tzinfo=UTC)
EVENING = datetime(2026, 11, 21, 20, tzinfo=UTC)
NEXT_DAY = datetime(2026, 11, 22, 3, tzinfo=UTC)


class Words:
    """A speaker whose sources are the words."""

    async def sources(self, *sayings: Saying) -> tuple[str, ...]:
        """Return the words."""
        return tuple(saying.words for saying in sayings)


class Switched:
    """A house with the key, and the switches that it turns."""

    def __init__(self, house: House, language: str = "en") -> None:
        self.house = house
        self.switches = DayNightSwitches(MemoryDatabase(), alarm=house.alarms.append)
        house.features.register(DAY_NIGHT, "", DayNight(self.switches).turn)
        house.exchange.plan = Plan(
            "test", hours={"office": DAILY}, defaults=Defaults(language=language)
        )
        house.exchange.settings = replace(house.exchange.settings, speaker=Words())

    def state(self, at: datetime) -> State | None:
        return self.switches.state(DAILY, at)

    async def dial(self) -> str:
        """Dial the key; return what is heard."""
        phone = self.house.phones[0]
        call = phone.call("*28")
        await call.answered()
        await asyncio.sleep(0.1)
        play = self.house.media.sent(Play)[-1]
        self.house.media.finish_playing(play.leg)
        await call.ended()
        (words,) = play.sources
        return words


def test_the_key_closes_what_is_open_and_gives_it_back_to_the_schedule() -> None:
    async def scenario(house: House) -> None:
        office = Switched(house)
        await house.registered("101")
        assert await office.dial() == "We are now closed, until midnight."
        assert office.state(MORNING) == office.state(EVENING) == "closed"
        assert office.state(NEXT_DAY) is None
        assert await office.dial() == "We are back to the usual hours."
        assert office.state(MORNING) is None

    house = flow(scenario)
    texts = [event.text for event in house.happened(StepTaken) if isinstance(event, StepTaken)]
    assert texts == ["→ closed (switched by *28 until 00:00)", "→ open (mon-sun 08:00-18:00)"]
    assert [record.result for record in house.records.values()] == ["answered", "answered"]


def test_the_key_opens_what_is_closed() -> None:
    async def scenario(house: House) -> None:
        office = Switched(house)
        await house.registered("101")
        house.clock.set_wall(EVENING.timestamp())
        assert await office.dial() == "We are now open, until midnight."
        assert office.state(EVENING) == "open"

    flow(scenario)


def test_the_next_day_the_key_is_new() -> None:
    async def scenario(house: House) -> None:
        office = Switched(house)
        await house.registered("101")
        await office.dial()
        house.clock.set_wall(NEXT_DAY.timestamp())
        assert office.state(NEXT_DAY) is None
        assert await office.dial() == "We are now open, until midnight."

    flow(scenario)


@pytest.mark.parametrize("language", ["zh", "yue"])
def test_it_speaks_the_language_of_the_office(language: str) -> None:
    async def scenario(house: House) -> None:
        office = Switched(house, language)
        await house.registered("101")
        assert await office.dial() == phrase("now-closed", language).words

    flow(scenario)


def test_a_caller_who_hangs_up_at_once_has_turned_it() -> None:
    async def scenario(house: House) -> None:
        office = Switched(house)
        (phone,) = await house.registered("101")
        call = phone.call("*28")
        await call.answered()
        call.hang_up()
        await house.settle()
        assert office.state(MORNING) == "closed"

    flow(scenario)
