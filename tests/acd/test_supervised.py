"""A supervisor at work, on whole calls: the queue, who waits in it, and who talks."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from pbx.acd import inputs, supervisor
from pbx.acd.alarms import Watch
from pbx.acd.model import Profile
from pbx.call.supervision import release, supervise
from pbx.errors import NotFound, Refused
from pbx.events import (
    AgentConnected,
    OfferDecided,
    PartyReleased,
    QueueEntered,
    QueueLeft,
    QueueSwitched,
    SupervisorJoined,
)
from pbx.events.bus import Stamped
from pbx.live_centre import CallCentreLive
from pbx.media.protocol import SetGains
from pbx.plan.destination import Destination
from pbx.plan.model import NumberRoute, Plan, Queue
from pbx.why.call import explain_call
from tests.kit.boards import Today
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall

QUEUES = {name: Queue(name, skills={name: 3}, whisper=False) for name in ("sales", "tech")}
PLAN = Plan(
    "test",
    {"400": NumberRoute("400", Destination("queue", "sales"))},
    queues=QUEUES,
)


def live_of(house: House) -> CallCentreLive:
    today = Today()
    alarms = Watch(house.floor, today, lambda: QUEUES, house.alarms.append).alarms
    return CallCentreLive(floor=house.floor, today=today, alarms=alarms, rules=lambda: QUEUES)


async def callers(house: House, *numbers: str) -> list[PhoneCall]:
    """Let phones call the queue, a second apart."""
    calls = []
    for phone in await house.registered(*numbers):
        calls.append(phone.call("400"))
        await asyncio.sleep(1)
    return calls


def test_callers_are_seen_raised_and_moved() -> None:
    async def scenario(house: House) -> None:
        house.open(PLAN)
        house.agent("102", sales=5)
        house.agent("103", tech=5)
        bob, carl = await house.registered("102", "103")
        talk = bob.call("*43")
        await talk.answered()
        carls = carl.call("*43")
        await carls.answered()
        first, second, third = await callers(house, "201", "202", "203")
        live = live_of(house)
        assert [each.number for each in live.queue("sales").callers] == ["201", "202", "203"]
        assert live.queue("sales").callers[0].waited_s >= 2
        assert set(live.places().values()) == {("sales", None)}
        supervisor.put_first(house.floor, "sales", live.caller("203").call, "socket")
        assert [each.number for each in live.queue("sales").callers] == ["203", "201", "202"]
        supervisor.move(house.floor, "sales", live.caller("202").call, "tech", "socket")
        await asyncio.sleep(0.1)
        (moved,) = live.queue("tech").callers
        assert moved.number == "202"
        assert moved.waited_s >= 1
        carls.hang_up()
        rung = await carl.rung()
        rung.answer()
        await asyncio.sleep(3)
        assert live.queue("tech").callers == ()
        for call in (first, second, third, talk):
            call.hang_up()
        await asyncio.sleep(2)

    house = flow(scenario)
    assert [event.agent for event in house.happened(AgentConnected)] == ["103"]
    assert sorted(event.result for event in house.happened(QueueLeft)) == [
        "abandoned",
        "abandoned",
        "answered",
        "moved",
    ]


def test_a_closed_queue_takes_no_new_callers_and_keeps_those_who_wait() -> None:
    async def scenario(house: House) -> None:
        house.open(PLAN)
        house.agent("102", sales=5)
        (bob,) = await house.registered("102")
        talk = bob.call("*43")
        await talk.answered()
        (first,) = await callers(house, "201")
        live = live_of(house)
        live.switch_queue("sales", False, "crm")
        assert not live.queue("sales").open
        (second,) = await callers(house, "202")
        await asyncio.sleep(5)
        assert [each.number for each in live.queue("sales").callers] == ["201"]
        live.switch_queue("sales", True, "crm")
        (third,) = await callers(house, "203")
        assert [each.number for each in live.queue("sales").callers] == ["201", "203"]
        for call in (first, second, third, talk):
            call.hang_up()
        await asyncio.sleep(2)

    house = flow(scenario)
    assert [(event.open, event.by) for event in house.happened(QueueSwitched)] == [
        (False, "crm"),
        (True, "crm"),
    ]
    assert "no_agents" in [event.result for event in house.happened(QueueLeft)]


def test_an_agents_number_names_its_call_to_supervisors() -> None:
    async def scenario(house: House) -> None:
        house.open(PLAN)
        house.agent("102", sales=5)
        bob, boss = await house.registered("102", "900")
        (caller,) = await callers(house, "201")
        rung = await bob.rung()
        with pytest.raises(Refused, match="nobody talks in call"):
            await supervise(house.exchange, "102", "900", "whisper")
        rung.answer()
        await asyncio.sleep(3)
        with pytest.raises(NotFound, match="103 is in no call now"):
            await supervise(house.exchange, "103", "900", "whisper")
        await supervise(house.exchange, "102", "900", "whisper", asked_by="crm")
        listening = await boss.rung()
        listening.answer()
        await asyncio.sleep(1)
        (call,) = house.exchange.calls.values()
        assert live_of(house).places() == {call.id: ("sales", "102")}
        (leg,) = (each for each in call.legs.values() if each.role == "supervisor")
        assert call.agent is not None
        assert call.agent.number == "102"
        assert call.caller_leg is not None
        silent = [command for command in house.media.commands if isinstance(command, SetGains)]
        assert silent[-1].gains == ((call.caller_leg.id, leg.id, 0.0),)
        release(house.exchange, "102", "all", asked_by="crm")
        await asyncio.sleep(2)
        await caller.ended()

    house = flow(scenario)
    (joined,), (released,) = house.happened(SupervisorJoined), house.happened(PartyReleased)
    assert (joined.supervisor, joined.mode, joined.asked_by) == ("900", "whisper", "crm")
    assert (released.by, released.asked_by) == ("900", "crm")
    assert house.record.ended_by == "supervisor"


def test_whom_a_supervisor_takes_the_agent_from_waits_again_at_the_head() -> None:
    async def scenario(house: House) -> None:
        house.open(PLAN)
        house.agent("102", sales=5)
        (bob,) = await house.registered("102")
        first, second = await callers(house, "201", "202")
        rung = await bob.rung()
        rung.answer()
        await asyncio.sleep(3)
        release(house.exchange, "102", "agent", None)
        await asyncio.sleep(1)
        live = live_of(house)
        assert [each.number for each in live.queue("sales").callers] == ["201", "202"]
        first.hang_up()
        second.hang_up()
        await asyncio.sleep(2)

    house = flow(scenario)
    assert len(house.happened(QueueEntered)) == 3


def test_a_call_tells_why_it_went_as_it_did() -> None:
    story: list[Stamped] = []

    async def scenario(house: House) -> None:
        house.bus.attach(lambda stamped: story.append(stamped) if stamped.event.call else None)
        house.open(PLAN)
        house.agent("102", sales=5)
        house.agent("103", sales=2)
        house.agent("104", sales=5, logged_in=False)
        (bob,) = await house.registered("102")
        (caller,) = await callers(house, "201")
        (await bob.rung()).answer()
        await asyncio.sleep(5)
        caller.hang_up()
        await asyncio.sleep(2)

    flow(scenario)
    why = explain_call(story)
    (decision,) = (step.decision for step in why.steps if step.decision)
    assert decision.outcome == {"102": "took it"}
    assert [(each.agent, each.failed) for each in decision.candidates] == [
        ("102", ""),
        ("104", "logged_out"),
        ("103", "skill"),
    ]
    assert "offered to 102, who took it" in why.summary


def test_a_decision_among_a_thousand_agents_stays_below_two_kilobytes() -> None:
    async def scenario(house: House) -> None:
        house.open(PLAN)
        (bob,) = await house.registered("102")
        numbers = ["102", *map(str, range(1000, 2000))]
        profiles = (Profile(number=each, name=None, skills={"sales": 5}) for each in numbers)
        house.floor.tell(inputs.AgentsChanged(tuple(profiles)))
        for each in numbers[:500]:
            house.floor.tell(inputs.LoggedIn(each))
            house.floor.tell(inputs.PhoneUnreachable(each, "its network is down, 断网了"))
        house.floor.tell(inputs.PhoneReachable("102"))
        talk = bob.call("*43")
        await talk.answered()
        (caller,) = await callers(house, "201")
        talk.hang_up()
        (await bob.rung()).answer()
        await asyncio.sleep(1)
        caller.hang_up()
        await asyncio.sleep(2)

    house = flow(scenario)
    decided = house.happened(OfferDecided)
    assert decided
    for event in decided:
        assert 5 < len(event.candidates) <= 20  # fewer where their reasons are long
        assert len(event.candidates) + sum(event.others.values()) == 1001
        assert len(msgspec.json.encode(event)) <= 2000
