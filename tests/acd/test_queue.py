"""Queues that nobody serves, and what their records say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from pbx.cdr.record import CallRecord
from pbx.events import QueueEntered, QueueLeft
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.destination import Destination
from pbx.plan.model import Flow, Menu, NumberRoute, Plan, Queue
from pbx.plan.step import Step
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall


def plan(to: Destination, **sections: Mapping[str, Any]) -> Plan:
    assert "queue" in VOCABULARY.verbs
    return Plan("test", {"400": NumberRoute("400", to)}, **sections)


async def dialled(house: House, to: Destination, **sections: Mapping[str, Any]) -> PhoneCall:
    """Let 101 call a number that leads there; return the answered call."""
    house.open(plan(to, **sections))
    (alice,) = await house.registered("101")
    call = alice.call("400")
    await call.answered()
    await asyncio.sleep(0.1)
    return call


async def listen(house: House) -> int:
    """Let the caller hear what is played to its end; return how much that was."""
    heard = 0
    while house.media.playing:
        heard += len(house.media.playing)
        for leg in {leg for leg, _ in house.media.playing}:
            house.media.finish_playing(leg)
        await asyncio.sleep(0.01)
    return heard


def segments(record: CallRecord) -> list[tuple[str, str, str]]:
    return [(segment.kind, segment.with_, segment.result) for segment in record.segments]


def test_a_caller_is_told_that_all_agents_are_busy_and_the_record_says_why() -> None:
    async def scenario(house: House) -> None:
        call = await dialled(house, Destination("queue", "tech"), queues={"tech": Queue("tech")})
        await asyncio.sleep(2)
        assert await listen(house)
        await call.ended()

    house = flow(scenario)
    record = house.record
    assert (record.result, record.reason, record.sip_status) == ("failed", "no_agents", 200)
    assert (record.queue, record.answered_at) == ("tech", None)
    assert record.path == ("numbers:400", "queue:tech")
    assert segments(record) == [("queue", "tech", "no_agents")]
    assert record.wait_s == 0.0  # what is said afterwards is no waiting
    assert len(house.happened(QueueEntered)) == len(house.happened(QueueLeft)) == 1


def test_the_dialplan_says_what_follows() -> None:
    async def scenario(house: House) -> None:
        elsewhere = Queue("tech", if_no_agents=Destination("ext", "102"))
        (bob,) = await house.registered("102")
        call = await dialled(house, Destination("queue", "tech"), queues={"tech": elsewhere})
        await listen(house)
        rung = await bob.rung()
        rung.answer()
        await asyncio.sleep(5)
        call.hang_up()
        await rung.ended()

    record = flow(scenario).record
    assert record.path == ("numbers:400", "queue:tech", "ext:102")
    assert (record.result, record.reason, round(record.talk_s)) == ("answered", "bye", 5)


def test_who_leaves_meanwhile_has_abandoned_the_queue() -> None:
    async def scenario(house: House) -> None:
        call = await dialled(house, Destination("queue", "tech"), queues={"tech": Queue("tech")})
        await asyncio.sleep(1)
        call.hang_up()
        await asyncio.sleep(1)

    record = flow(scenario).record
    assert (record.result, record.reason, record.ended_by) == ("abandoned", "abandoned", "caller")
    assert segments(record) == [("queue", "tech", "no_agents")]
    assert record.answered_at is None


def test_a_queue_that_there_is_not_is_unknown() -> None:
    async def scenario(house: House) -> None:
        house.open(plan(Destination("queue", "moon")))
        (alice,) = await house.registered("101")
        assert await alice.call("400").failed() == 404

    assert flow(scenario).record.reason == "unknown_number"


def test_wishes_change_nothing_where_there_is_no_agent() -> None:
    async def scenario(house: House) -> None:
        steps = (
            Step("priority", {"level": 5}),
            Step("queue", {"name": "tech"}, {"if_no_agents": Destination("hangup")}),
        )
        call = await dialled(
            house,
            Destination("flow", "go"),
            queues={"tech": Queue("tech")},
            flows={"go": Flow("go", steps)},
        )
        await listen(house)
        await call.ended()

    record = flow(scenario).record
    assert (record.result, record.reason) == ("answered", "hung_up_by_dialplan")


def test_a_caller_who_leaves_inside_a_menu_was_answered() -> None:
    async def scenario(house: House) -> None:
        menu = Menu("main", (), {"1": Destination("hangup")}, give_up=Destination("hangup"))
        call = await dialled(house, Destination("menu", "main"), menus={"main": menu})
        await asyncio.sleep(3)
        call.hang_up()
        await asyncio.sleep(1)

    record = flow(scenario).record
    assert (record.result, record.ended_by, record.reason) == ("answered", "caller", "bye")
    assert record.path == ("numbers:400", "menu:main")
    assert segments(record) == [("menu", "main", "ended")]
    assert record.answered_at is not None
