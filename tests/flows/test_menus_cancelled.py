"""Callers in menus and flows, each await of their scripts cancelled in turn; see
test_cancelled_everywhere.py."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pbx.call.day_night import DayNight
from pbx.call.features import DAY_NIGHT
from pbx.db.engine import MemoryDatabase
from pbx.events import (
    Bridged,
    Event,
    LookupFinished,
    MenuLeft,
    QueueLeft,
    RecordingResumed,
    StepTaken,
    SurveyAnswered,
    VoicemailLeft,
)
from pbx.ivr.world import Found
from pbx.media.protocol import DigitHeard, Talking
from pbx.switches import DayNightSwitches
from tests.flows.test_cancelled_everywhere import act_when_rung, answer_soon, everywhere, press
from tests.kit.exchange import House
from tests.kit.mailboxes import with_mailboxes
from tests.kit.plans import plan_of
from tests.kit.softphone import PhoneCall

PIN = "8989"
"""Keys that mean a secret, and nothing else, in these scenarios."""

PLAN = """
defaults: {operator: ext:102, language: en, menu: {timeout: 3s}}
numbers:
  "400": flow:asks
  "401": flow:rings
  "402": menu:main
  "403": flow:early
hours: {office: {weekly: {mon-sun: "00:00-24:00"}, override_key: "*28"}}
lookups: {one: {sql: shop, query: "SELECT 1", if_error: hangup}}
flows:
  asks:
    - record: {action: start, beep: yes}
    - ask: {prompt: number_please, save: pin, digits: 4, secret: yes, give_up: hangup}
    - record: pause
    - lookup: one
    - record: resume
    - music: {for: 3s}
    - survey: kind
    - record: stop
    - {queue: service, if_no_agents: hangup}
  rings:
    - say: hello
    - ring: {to: ["ext:102", "ext:103"], each: 8s, confirm_key: "6", announce: hello}
      no_answer: menu:main
  early:
    - answer: {early: yes}
    - say: hello
    - pause: 2s
    - hangup: busy
menus:
  main:
    prompt: choose
    keys: {1: ext:103, 2: "voicemail:104", 3: menu:main}
    no_input: repeat
    give_up: {say: bye, then: "voicemail:104"}
queues: {service: {if_no_agents: hangup}}
surveys: {kind: {prompt: hello, keys: {5: good}}}
voicemail: {"104": {}}
"""


def furnished(house: House) -> None:
    """Give a house all that menus lead to."""
    with_mailboxes(house)
    switches = DayNightSwitches(MemoryDatabase(), alarm=house.alarms.append)
    house.features.register(DAY_NIGHT, "", DayNight(switches).turn)
    house.enquiries.answers["one"] = Found({"level": "gold"})
    house.enquiries.delay = 4.0
    house.media.plays_through = True
    house.open(plan_of(PLAN))


async def only_ring(call: PhoneCall) -> None:
    """Let it ring."""
    call.ring()


async def visit(house: House, dialled: str, *keys: tuple[float, str]) -> None:
    """Let 101 call and press keys, each after some seconds, while 102 and 103 answer."""
    furnished(house)
    alice, bob, carol = await house.registered("101", "102", "103")
    actors = [
        asyncio.create_task(act_when_rung(bob, answer_soon)),
        asyncio.create_task(act_when_rung(carol, only_ring)),
    ]
    call = alice.call(dialled)
    for seconds, pressed in keys:
        await asyncio.sleep(seconds)
        await press(house, pressed)
    await asyncio.sleep(5)
    for live in list(house.exchange.calls.values()):
        for leg in [leg for leg in live.legs.values() if leg.up]:
            house.media.report(DigitHeard(leg.id, "6", 100))
            house.media.report(Talking(leg.id, True))
    house.media.recorded_s = 5.0
    await asyncio.sleep(45)
    for phone in (alice, bob, carol):
        for other in list(phone.calls.values()):
            other.hang_up()
    call.hang_up()
    await asyncio.sleep(40)
    for actor in actors:
        actor.cancel()


Scenario = Callable[[House], Awaitable[None]]

SCENARIOS: dict[str, tuple[Scenario, tuple[type[Event], ...]]] = {
    "a secret, a slow lookup, music, a survey, a queue": (
        lambda house: visit(house, "400", (2.0, PIN), (8.0, "5")),
        (RecordingResumed, LookupFinished, SurveyAnswered, QueueLeft),
    ),
    "phones that must confirm": (lambda house: visit(house, "401", (1.0, "3")), (Bridged,)),
    "an extension behind a menu, and its mailbox": (
        lambda house: visit(house, "402", (1.0, "31")),
        (MenuLeft, VoicemailLeft),
    ),
    "a menu given up for a mailbox": (
        lambda house: visit(house, "402"),
        (MenuLeft, VoicemailLeft),
    ),
    "early media": (lambda house: visit(house, "403"), (StepTaken,)),
    "the day and night code": (lambda house: visit(house, "*28"), (StepTaken,)),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_visit_leaves_nothing_wherever_it_is_cancelled(name: str) -> None:
    play, reached = SCENARIOS[name]
    houses = everywhere(play)
    for house in houses:
        assert len(house.records) == 1
        assert not house.media.playing
        told = "".join(str(stamped.event) for stamped in house.events)
        assert f"digit='{PIN[0]}'" not in told
    assert all(houses[0].happened(kind) for kind in reached)
