"""A caller's way through a queue, with its script cancelled at each await in turn."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from pbx.acd.model import AgentState
from pbx.call import supervision
from pbx.errors import NotFound, Refused
from pbx.events import CallEnded, QueueEntered, QueueLeft
from pbx.plan.destination import Destination
from pbx.plan.model import Flow, Menu, Prompt, PromptText, Queue, Survey
from pbx.plan.text import parse_text as text
from tests.flows.test_cancelled_everywhere import act_when_rung, answer_soon, press
from tests.flows.test_queue_waiting import NEWS, OFFER, Names
from tests.flows.test_queues import plan
from tests.kit.exchange import House
from tests.kit.loop import VirtualLoop, cancel_everywhere
from tests.kit.softphone import PhoneCall

Act = Callable[[PhoneCall], Awaitable[None]]

QUEUE = Queue(
    "tech",
    strategy="ring_all",
    say_agent_number=True,
    wrap_up_s=0.0,
    ring_s=5.0,
    position_every_s=15.0,
    offer_after_s=20.0,
    offer_menu="offer",
    keys={"0": Destination("ext", "109")},
    announce="hold",
    announce_every_s=12.0,
    record_who="all",
    survey="happy",
    max_wait_s=50.0,
    if_timeout=Destination("hangup"),
)


async def decline(call: PhoneCall) -> None:
    call.ring()
    await asyncio.sleep(1)
    call.respond(603)


async def only_ring(call: PhoneCall) -> None:
    call.ring()


async def hang_up_at_once(call: PhoneCall) -> None:
    call.ring()
    await asyncio.sleep(0.3)
    call.answer()
    await asyncio.sleep(0.1)
    call.hang_up()


async def talk_briefly(call: PhoneCall) -> None:
    await answer_soon(call)
    await asyncio.sleep(4)
    call.hang_up()


async def visit(
    house: House, first: Act, second: Act, keys: tuple[tuple[float, str], ...] = ()
) -> None:
    """Let 101 wait for 102 and 103, who act so, and press keys after some seconds."""
    house.exchange.settings = replace(house.exchange.settings, speaker=Names())
    house.media.plays_through = True
    said = {name: Prompt(name, {"zh": PromptText(text(name))}) for name in ("wait_on", "news")}
    said |= {name: Prompt(name, {"zh": PromptText(text(name))}) for name in ("hold", "rate")}
    surveys = {"happy": Survey("happy", "rate", {"1": "yes"})}
    menus: dict[str, Menu] = {"offer": OFFER}
    flows: dict[str, Flow] = {"news": NEWS}
    house.open(plan(QUEUE, prompts=said, surveys=surveys, menus=menus, flows=flows))
    alice, bob, carol, desk = await house.registered("101", "102", "103", "109")
    house.agent("102")
    house.agent("103")
    actors = [
        asyncio.create_task(act_when_rung(phone, act))
        for phone, act in ((bob, first), (carol, second), (desk, talk_briefly))
    ]
    call = alice.call("400")
    for seconds, key in keys:
        await asyncio.sleep(seconds)
        if key == "release":
            release(house)
        else:
            await press(house, key)
    await asyncio.sleep(60)
    call.hang_up()
    for phone in (bob, carol, desk):
        for other in list(phone.calls.values()):
            other.hang_up()
    await asyncio.sleep(40)
    for actor in actors:
        actor.cancel()


def release(house: House) -> None:
    """Take the agent off the call, if there is one."""
    for call in list(house.exchange.calls.values()):
        with contextlib.suppress(NotFound, Refused):
            supervision.release(house.exchange, call.id, "agent")


SCENARIOS: dict[str, Callable[[House], Awaitable[None]]] = {
    "answered": lambda house: visit(house, answer_soon, only_ring, ((9.0, "1"),)),
    "surveyed": lambda house: visit(house, talk_briefly, decline, ((8.0, "1"),)),
    "declined": lambda house: visit(house, decline, decline, ((26.0, "4"),)),
    "cut short": lambda house: visit(house, hang_up_at_once, answer_soon),
    "left": lambda house: visit(house, only_ring, decline, ((7.0, "0"),)),
    "released": lambda house: visit(house, answer_soon, only_ring, ((8.0, "release"),)),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_left_wherever_the_script_is_cancelled(name: str) -> None:
    houses: list[House] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        house = House(loop.clock)
        houses.append(house)
        try:
            await SCENARIOS[name](house)
            await house.settle()
        finally:
            house.close()

    def check() -> None:
        house = houses[-1]
        assert house.leaks() == []
        ends = house.happened(CallEnded)
        assert len({event.call for event in ends}) == len(ends)
        assert len(house.happened(QueueEntered)) == len(house.happened(QueueLeft))
        assert [view.waiting for view in house.floor.engine.queues(0.0)] == [()]
        for view in house.floor.engine.agents():
            assert view.state in (AgentState.AVAILABLE, AgentState.PAUSED), view

    tried = cancel_everywhere(scenario, tasks="call *", check=check)
    assert tried >= 5
