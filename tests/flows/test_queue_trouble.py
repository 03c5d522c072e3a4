"""Trouble amid waiting: workers die, the server stops, queues and agents are taken away."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pbx.acd import inputs
from pbx.acd.model import AgentState
from pbx.plan.destination import Destination
from tests.flows.test_queues import heard_by, left, plan, press, tech, waits
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall

MANY = 20


async def many_wait(house: House) -> list[PhoneCall]:
    """Let callers wait for one agent who is on a break."""
    house.open(plan(tech()))
    house.agent("300")
    house.floor.tell(inputs.PauseAsked("300", "lunch"))
    return [await waits(house, caller=str(200 + each)) for each in range(MANY)]


def test_callers_whose_media_worker_dies_get_their_places_back() -> None:
    async def scenario(house: House) -> None:
        calls = await many_wait(house)
        await asyncio.sleep(60)
        house.media.lose_worker()
        for call in calls:
            await call.ended()
        assert house.floor.engine.queues(house.clock.monotonic())[0].waiting == ()
        again = await waits(house, caller="219")
        (name,) = house.exchange.calls
        place = house.floor.engine.waiting(name)
        assert place is not None
        assert house.clock.monotonic() - place.joined_at > 60
        again.hang_up()

    house = flow(scenario)
    lost = [each for each in house.records.values() if each.reason == "media_worker_lost"]
    assert len(lost) == MANY
    assert {each.result for each in lost} == {"failed"}


def test_a_server_that_stops_keeps_the_places_of_who_waits() -> None:
    async def scenario(house: House) -> None:
        calls = await many_wait(house)
        await asyncio.sleep(10)
        await house.exchange.drain(5.0)
        for call in calls:
            await call.ended()
        kept = [place for place in house.keeping.places.values() if place is not None]
        assert len(kept) == MANY
        assert all(place.left_at is not None for place in kept)
        assert house.floor.engine.queues(house.clock.monotonic())[0].waiting == ()

    house = flow(scenario)
    assert {each.reason for each in house.records.values()} == {"shutdown"}


def test_who_waits_in_a_queue_that_the_dialplan_has_no_more_is_served_there() -> None:
    async def scenario(house: House) -> None:
        keys = {"0": Destination("hangup")}
        house.open(plan(tech(skills={"a": 1}, position_every_s=30.0, keys=keys)))
        (bob,) = await house.registered("102")
        house.agent("102", a=1)
        house.floor.tell(inputs.PauseAsked("102", "lunch"))
        call = await waits(house)
        house.open(replace(plan(), queues={}))
        await asyncio.sleep(100)
        assert heard_by(house, "101")
        assert [view.name for view in house.floor.engine.queues(0.0)] == ["tech"]
        house.floor.tell(inputs.ResumeAsked("102"))
        rung = await bob.rung(within=1)
        rung.answer()
        await asyncio.sleep(1)
        assert house.floor.engine.queues(0.0) == []
        call.hang_up()
        await rung.ended()
        await asyncio.sleep(1)
        assert bob.calls
        view = house.floor.engine.agent("102")
        assert view is not None
        assert view.state is AgentState.AVAILABLE

    house = flow(scenario)
    assert left(house) == [("tech", "answered")]


def test_skills_that_a_new_dialplan_wants_are_wanted_of_those_who_wait() -> None:
    async def scenario(house: House) -> None:
        house.open(plan(tech(skills={"a": 1})))
        (bob,) = await house.registered("102")
        house.agent("102", b=1)
        house.agent("103", a=1)
        house.floor.tell(inputs.PauseAsked("103", "lunch"))
        call = await waits(house)
        await asyncio.sleep(5)
        house.open(plan(tech(skills={"b": 1})))
        rung = await bob.rung(within=1)
        house.open(plan(tech(skills={"c": 1})))
        rung.answer()
        await asyncio.sleep(1)
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert left(house) == [("tech", "answered")]


@pytest.mark.parametrize("when", ["ringing", "answered", "talking"])
def test_an_agent_who_is_taken_away_leaves_nobody_stuck(when: str) -> None:
    async def scenario(house: House) -> None:
        house.open(plan(tech(wrap_up_s=30.0)))
        (bob, carol) = await house.registered("102", "103")
        house.agent("102")
        call = await waits(house)
        rung = await bob.rung()
        if when == "talking":
            rung.answer()
            await asyncio.sleep(1)
        elif when == "answered":
            rung.answer()
        house.agent("103")
        del house._profiles["102"]
        house.floor.tell(inputs.AgentsChanged(tuple(house._profiles.values())))
        house.directory.extensions.pop("102")
        await asyncio.sleep(1)
        assert house.floor.engine.agent("102") is None
        if when != "talking":  # removed before the answer is here
            other = await carol.rung(within=1)
            other.answer()
            await asyncio.sleep(1)
            assert house.floor.engine.agents()[0].state is AgentState.TALKING
        (name,) = house.exchange.calls
        other_leg = house.exchange.calls[name].caller.other
        assert other_leg is not None, "it talks to somebody"
        assert house.floor.engine.waiting(name) is None
        await press(house, "101", "9")
        call.hang_up()
        await asyncio.sleep(1)
        assert house.floor.engine.agents()[0].number == "103"

    flow(scenario)
