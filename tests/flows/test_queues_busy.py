"""A busy hour in memory: many callers, two queues, agents who answer, decline, miss and hang up.

Whatever anybody does when: no caller talks to two, nobody is lost, and all are free at the end.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random

import pytest

from pbx.acd import inputs
from pbx.acd.model import AgentState
from pbx.events import AgentConnected, Bridged, CallEnded, QueueEntered, QueueLeft
from pbx.plan.destination import Destination
from tests.flows.test_queue_waiting import Names, said
from tests.flows.test_queues import plan, tech
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall, Softphone

CALLERS = 30
AGENTS = ("102", "103", "104", "105")


async def act(house: House, phone: Softphone, rng: Random) -> None:
    """Be an agent: mostly answer, at times decline, miss, hang up at once, or take a break."""
    while True:
        rung = await phone.rung(within=1_000_000)
        rung.ring()
        await asyncio.sleep(rng.uniform(0.0, 4.0))
        chance = rng.random()
        if chance < 0.1:
            rung.respond(rng.choice((486, 603, 480)))
        elif chance < 0.2:
            continue
        else:
            rung.answer()
            await asyncio.sleep(rng.choice((0.05, 0.5, 5.0, 30.0)))
            rung.hang_up()
        if rng.random() < 0.1:
            house.floor.tell(inputs.PauseAsked(phone.number, "tea", 20.0))
        if rng.random() < 0.05:
            house.floor.tell(inputs.LoggedOut(phone.number))
            await asyncio.sleep(30)
            house.floor.tell(inputs.LoggedIn(phone.number))


async def call(house: House, phone: Softphone, rng: Random) -> PhoneCall:
    """Be a caller: wait for so long, and hang up."""
    await asyncio.sleep(rng.uniform(0.0, 300.0))
    made = phone.call(rng.choice(("400", "401")))
    await asyncio.sleep(rng.choice((0.02, 0.1, 1.0, 20.0, 120.0, 240.0)))
    made.hang_up()
    return made


@pytest.mark.parametrize("seed", range(6))
def test_nobody_is_lost_served_twice_or_left_over(seed: int) -> None:
    rng = Random(seed)

    async def scenario(house: House) -> None:
        house.exchange.settings = replace(house.exchange.settings, speaker=Names())
        house.media.plays_through = True
        common = {"ring_s": 6.0, "wrap_up_s": 3.0, "position_every_s": 15.0, "whisper": True}
        common |= {"announce": "hold", "announce_every_s": 20.0, "say_agent_number": True}
        away = {"max_wait_s": 200.0, "if_timeout": Destination("hangup")}
        first = tech("tech", strategy="ring_all", skills={"a": 1}, **common, **away)
        house.open(plan(first, tech("sales", **common), prompts={"hold": said("hold")}))
        agents = await house.registered(*AGENTS)
        for number in AGENTS:
            house.agent(number, a=int(number) % 2)
        acting = [asyncio.create_task(act(house, phone, rng)) for phone in agents]
        callers = await house.registered(*(str(200 + index) for index in range(CALLERS)))
        await asyncio.gather(*(call(house, phone, rng) for phone in callers))
        await asyncio.sleep(60)
        for task in acting:
            task.cancel()

    house = flow(scenario)
    entered, left = house.happened(QueueEntered), house.happened(QueueLeft)
    assert len(entered) == len(left)
    assert len(house.happened(CallEnded)) == CALLERS
    connected = [event.call for event in house.happened(AgentConnected)]
    assert len(connected) == len(set(connected)) == len(house.happened(Bridged))
    assert connected
    assert house.alarms == []
    for view in house.floor.engine.agents():
        assert view.state not in (AgentState.RINGING, AgentState.RESERVED, AgentState.TALKING), view
