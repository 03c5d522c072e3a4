"""Callers in queues: who waits, who rings, who talks, and what is left of it in the record."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pbx.acd import inputs
from pbx.cdr.record import CallRecord
from pbx.events import (
    AgentDeclined,
    AgentOffered,
    PastCall,
    QueueEntered,
    QueueLeft,
    RequirementRelaxed,
)
from pbx.ivr.verbs import VOCABULARY
from pbx.media.protocol import DigitHeard
from pbx.plan.destination import Destination
from pbx.plan.model import Flow, Menu, NumberRoute, Plan, Queue, Relaxation
from pbx.plan.step import Step
from pbx.plan.text import parse_text as text
from pbx.sip import events as sip
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall

assert VOCABULARY.verbs


def tech(name: str = "tech", **fields: Any) -> Queue:
    """Return a queue of which callers and agents hear nothing but music."""
    return Queue(name, **{"whisper": False, "wrap_up_s": 0.0, **fields})


def plan(*queues: Queue, **sections: Any) -> Plan:
    """Return a plan in which 400 leads to the first of these queues, 401 to the next."""
    numbers = {
        str(400 + index): NumberRoute(str(400 + index), Destination("queue", queue.name))
        for index, queue in enumerate(queues)
    }
    return Plan("test", numbers, queues={queue.name: queue for queue in queues}, **sections)


def leg_of(house: House, number: str) -> int:
    """Return the media's number of a party's leg."""
    legs = [
        leg.id
        for call in house.exchange.calls.values()
        for leg in call.legs.values()
        if leg.number == number and leg.ending is None
    ]
    assert len(legs) == 1, legs
    return legs[0]


def heard_by(house: House, number: str) -> list[str]:
    """Return what is played to a party now."""
    leg = leg_of(house, number)
    return [
        source
        for key, play in house.media.playing.items()
        if key[0] == leg
        for source in play.sources
    ]


async def press(house: House, number: str, key: str) -> None:
    house.media.report(DigitHeard(leg_of(house, number), key, 100))
    await asyncio.sleep(0.1)


async def waits(house: House, number: str = "400", caller: str = "101") -> PhoneCall:
    """Let somebody call a queue; return the answered call, a moment later."""
    (alice,) = await house.registered(caller)
    call = alice.call(number)
    await call.answered()
    await asyncio.sleep(0.2)
    return call


def segments(record: CallRecord) -> list[tuple[str, str, str]]:
    return [(segment.kind, segment.with_, segment.result) for segment in record.segments]


def left(house: House) -> list[tuple[str, str]]:
    """Return which queues were left, and how."""
    return [
        (event.queue, event.result)
        for event in house.happened(QueueLeft)
        if isinstance(event, QueueLeft)
    ]


def declined(house: House) -> list[tuple[str, str]]:
    """Return which agents did not take a call, and why."""
    return [
        (event.agent, event.reason)
        for event in house.happened(AgentDeclined)
        if isinstance(event, AgentDeclined)
    ]


def the_record(house: House) -> CallRecord:
    """Return the record of the only call that was in a queue."""
    (record,) = (record for record in house.records.values() if record.queue)
    return record


def test_a_caller_hears_music_until_an_agent_is_free_and_then_the_agent() -> None:
    async def scenario(house: House) -> None:
        house.open(plan(tech(music="jazz")))
        (bob,) = await house.registered("102")
        house.agent("102")
        other = bob.call("*43")
        await other.answered()
        call = await waits(house)
        assert heard_by(house, "101") == ["music:jazz"]
        assert not bob.was_rung
        await asyncio.sleep(20)
        other.hang_up()
        rung = await bob.rung()
        rung.ring()
        await asyncio.sleep(3)
        assert heard_by(house, "101") == ["music:jazz"]
        assert call.progress() == []
        rung.answer()
        await asyncio.sleep(0.1)
        alice, agent = leg_of(house, "101"), leg_of(house, "102")
        assert house.media.joined == {alice: agent, agent: alice}
        assert heard_by(house, "101") == []
        await asyncio.sleep(5)
        rung.hang_up()
        await call.ended()

    house = flow(scenario)
    record = the_record(house)
    assert (record.result, record.queue, record.agent) == ("answered", "tech", "102")
    assert left(house) == [("tech", "answered")]
    assert (round(record.wait_s + record.ring_s), round(record.talk_s)) == (23, 5)


# -- who rings ---------------------------------------------------------------------------------


async def two_agents(house: House, queue: Queue, **skills: int) -> Any:
    house.open(plan(queue))
    phones = await house.registered("102", "103")
    for phone in phones:
        house.agent(phone.number, **skills)
    return phones


def test_all_ring_where_the_queue_says_so_and_losers_list_no_missed_call() -> None:
    async def scenario(house: House) -> None:
        bob, carol = await two_agents(house, tech(strategy="ring_all"))
        call = await waits(house)
        first, second = await bob.rung(), await carol.rung()
        first.ring()
        second.ring()
        await asyncio.sleep(2)
        second.answer()
        cancelled = await first.saw(sip.InviteCancelled)
        assert [(reason.protocol, reason.cause) for reason in cancelled.reasons] == [("SIP", 200)]
        await asyncio.sleep(4)
        call.hang_up()
        await second.ended()

    house = flow(scenario)
    assert declined(house) == [("102", "withdrawn")]
    assert the_record(house).agent == "103"


@pytest.mark.parametrize(
    ("status", "rings", "reason"),
    [
        (486, True, "rejected"),
        (486, False, "busy"),
        (600, True, "rejected"),
        (603, False, "rejected"),
        (607, True, "rejected"),
        (480, True, "no_answer"),
        (480, False, "unreachable"),
        (503, False, "unreachable"),
        (500, False, "failed"),
    ],
)
def test_who_does_not_take_a_call_is_asked_no_more_and_the_next_one_is(
    status: int, rings: bool, reason: str
) -> None:
    async def scenario(house: House) -> None:
        bob, carol = await two_agents(house, tech())
        call = await waits(house)
        first = await bob.rung()
        if rings:
            first.ring()
        await asyncio.sleep(1)
        first.respond(status)
        second = await carol.rung(within=1)
        second.answer()
        await asyncio.sleep(2)
        second.hang_up()
        await call.ended()

    house = flow(scenario)
    assert declined(house) == [("102", reason)]


def test_who_does_not_answer_within_the_time_is_passed_over() -> None:
    async def scenario(house: House) -> None:
        bob, carol = await two_agents(house, tech(ring_s=12.0))
        call = await waits(house)
        (await bob.rung()).ring()
        second = await carol.rung(within=13)
        second.answer()
        await asyncio.sleep(2)
        second.hang_up()
        await call.ended()

    house = flow(scenario)
    assert declined(house) == [("102", "no_answer")]
    rung = [event for event in house.happened(AgentOffered) if isinstance(event, AgentOffered)]
    assert [event.agent for event in rung] == ["102", "103"]


def test_an_agent_of_two_queues_takes_them_one_after_the_other() -> None:
    async def scenario(house: House) -> None:
        house.open(plan(tech("tech", skills={"a": 1}), tech("sales", skills={"b": 1})))
        (bob,) = await house.registered("102")
        house.agent("102", a=1, b=1)
        first = await waits(house, "401", "201")
        second = await waits(house, "400", "202")
        served = await bob.rung()
        assert str(served.request.uri.number) == "102"
        served.answer()
        await asyncio.sleep(5)
        assert not bob.was_rung
        assert heard_by(house, "202") == ["music:hold.wav"]
        served.hang_up()
        await first.ended()
        again = await bob.rung(within=1)
        again.answer()
        await asyncio.sleep(5)
        second.hang_up()
        await again.ended()

    house = flow(scenario)
    assert left(house) == [("sales", "answered"), ("tech", "answered")]


def test_lesser_skills_suffice_after_a_while_and_the_record_says_so() -> None:
    async def scenario(house: House) -> None:
        relax = (Relaxation(30.0, {}),)
        house.open(plan(tech(skills={"en": 5}, relax=relax)))
        (bob,) = await house.registered("102")
        house.agent("102", en=1)
        call = await waits(house)
        with pytest.raises(TimeoutError):
            await bob.rung(within=29)
        rung = await bob.rung(within=1)
        rung.answer()
        await asyncio.sleep(1)
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    (relaxed,) = house.happened(RequirementRelaxed)
    assert isinstance(relaxed, RequirementRelaxed)
    assert (relaxed.queue, relaxed.waited_s, relaxed.skills) == ("tech", 30.0, {})


# -- what a screen shows -----------------------------------------------------------------------


def test_an_agents_screen_shows_who_calls_before_the_phone_rings() -> None:
    async def scenario(house: House) -> None:
        steps = (
            Step("note", {"text": text("wants a refund")}),
            Step("set", {"values": {"customer.level": text("gold")}}),
            Step("queue", {"name": "tech", "priority": 3}),
        )
        lines = {"400": NumberRoute("400", Destination("flow", "go"))}
        house.open(Plan("t", lines, queues={"tech": tech()}, flows={"go": Flow("go", steps)}))
        house.add("101", name="Alice")
        house.history.calls["101"] = (PastCall("c0", "2026-11-01T08:00:00Z", "answered"),)
        (bob,) = await house.registered("102")
        house.agent("102")
        call = await waits(house)
        rung = await bob.rung()
        assert str(rung.request.from_.uri.number) == "101"
        assert rung.request.from_.display_name == "Alice"
        rung.answer()
        await asyncio.sleep(1)
        call.hang_up()

    house = flow(scenario)
    (shown,) = house.happened(AgentOffered)
    assert isinstance(shown, AgentOffered)
    assert (shown.agent, shown.queue, shown.caller, shown.caller_name) == (
        "102",
        "tech",
        "101",
        "Alice",
    )
    assert (shown.called, shown.priority, shown.waited_s) == ("400", 3, 0.0)
    assert shown.path == ("numbers:400", "queue:tech")
    assert shown.notes == ("wants a refund",)
    assert shown.fields == {"customer.level": "gold"}
    assert [past.call for past in shown.history] == ["c0"]


def test_a_slow_history_is_left_out_and_delays_no_phone_by_more_than_a_tenth_of_a_second() -> None:
    async def scenario(house: House) -> None:
        house.open(plan(tech()))
        house.history.delay = 5.0
        (bob,) = await house.registered("102")
        house.agent("102")
        (alice,) = await house.registered("101")
        began = house.clock.monotonic()
        call = alice.call("400")
        await bob.rung()
        assert house.clock.monotonic() - began < 0.2
        call.hang_up()

    house = flow(scenario)
    (shown,) = house.happened(AgentOffered)
    assert isinstance(shown, AgentOffered)
    assert shown.history == ()


@pytest.mark.parametrize(
    ("began", "last", "rung"),
    [
        ("2026-11-20T08:00:00Z", "103", "103"),
        ("2026-11-13T08:00:00Z", "103", "102"),  # eight days ago
        ("2026-11-20T08:00:00Z", "109", "102"),  # no agent any more
    ],
)
def test_whoever_talked_to_the_caller_last_is_asked_first(began: str, last: str, rung: str) -> None:
    async def scenario(house: House) -> None:
        phones = await two_agents(house, tech(last_agent_s=20.0))
        house.history.calls["101"] = (
            PastCall("c1", "2026-11-20T09:00:00Z", "abandoned"),
            PastCall("c0", began, "answered", "tech", last),
        )
        call = await waits(house)
        (phone,) = (phone for phone in phones if phone.number == rung)
        await phone.rung(within=1)
        call.hang_up()

    flow(scenario)


# -- sent away ---------------------------------------------------------------------------------


async def to_its_end(house: House) -> None:
    """Let everything that is said be heard to its end."""
    while house.media.playing:
        for leg in {leg for leg, _ in house.media.playing}:
            house.media.finish_playing(leg)
        await asyncio.sleep(0.01)


def directly(house: House, queue: str) -> None:
    """Let 499 lead to a queue past the dialplan, as a transfer does."""
    house.destinations.register("wish", lambda call, name: call.go(Destination("queue", name)))
    house.features.register("wish", "*99", lambda call: call.go(Destination("wish", queue)))


@pytest.mark.parametrize("dialled", ["400", "*99"])
def test_without_agents_the_caller_goes_where_the_queue_says(dialled: str) -> None:
    async def scenario(house: House) -> None:
        house.open(plan(tech(if_no_agents=Destination("ext", "109"))))
        directly(house, "tech")
        (desk,) = await house.registered("109")
        call = await waits(house, dialled)
        await to_its_end(house)
        rung = await desk.rung(within=1)
        rung.answer()
        await asyncio.sleep(2)
        call.hang_up()

    house = flow(scenario)
    assert left(house) == [("tech", "no_agents")]
    assert the_record(house).path[-2:] == ("queue:tech", "ext:109")


@pytest.mark.parametrize("dialled", ["400", "*99"])
def test_who_waits_too_long_goes_where_the_queue_says(dialled: str) -> None:
    async def scenario(house: House) -> None:
        to = Destination("menu", "later")
        menu = Menu("later", (), {"1": Destination("ext", "109")}, give_up=Destination("hangup"))
        queue = tech(max_wait_s=60.0, if_timeout=to)
        house.open(plan(queue, menus={"later": menu}))
        directly(house, "tech")
        house.add("109")
        (desk,) = await house.registered("109")
        house.agent("102")
        call = await waits(house, dialled)
        assert left(house) == []
        await asyncio.sleep(61)
        assert left(house) == [("tech", "timeout")]
        await press(house, "101", "1")
        rung = await desk.rung(within=1)
        rung.answer()
        await asyncio.sleep(2)
        call.hang_up()

    assert "menu:later:1" in the_record(flow(scenario)).path


@pytest.mark.parametrize("dialled", ["400", "*99"])
def test_a_full_queue_sends_the_next_caller_away(dialled: str) -> None:
    async def scenario(house: House) -> None:
        queue = tech(max_callers=1, if_full=Destination("ext", "109"))
        house.open(plan(queue))
        directly(house, "tech")
        (desk,) = await house.registered("109")
        house.agent("102")
        first = await waits(house, "400", "201")
        second = await waits(house, dialled, "202")
        await asyncio.sleep(1)
        await to_its_end(house)
        (await desk.rung(within=1)).answer()
        await asyncio.sleep(2)
        second.hang_up()
        first.hang_up()

    assert left(flow(scenario)) == [("tech", "full"), ("tech", "abandoned")]


def test_the_last_agent_who_goes_takes_hope_along() -> None:
    async def scenario(house: House) -> None:
        house.open(plan(tech(if_no_agents=Destination("hangup"))))
        house.agent("102")
        call = await waits(house)
        await asyncio.sleep(10)
        assert left(house) == []
        house.floor.tell(inputs.LoggedOut("102"))
        await asyncio.sleep(5.1)
        assert left(house) == [("tech", "no_agents")]
        await to_its_end(house)
        await call.ended()

    flow(scenario)


def test_a_queue_that_there_is_not_is_unknown() -> None:
    async def scenario(house: House) -> None:
        house.open(Plan("t", {"400": NumberRoute("400", Destination("queue", "moon"))}))
        (alice,) = await house.registered("101")
        assert await alice.call("400").failed() == 404

    assert flow(scenario).record.reason == "unknown_number"


# -- leaving -----------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.05, 3.0, 10.0])
def test_a_caller_who_hangs_up_stops_the_phones_and_has_abandoned(after: float) -> None:
    async def scenario(house: House) -> None:
        bob, carol = await two_agents(house, tech(strategy="ring_all", ring_s=5.0))
        (alice,) = await house.registered("101")
        call = alice.call("400")
        await call.answered()
        await asyncio.sleep(after)
        call.hang_up()
        await asyncio.sleep(1)
        for phone in (bob, carol):
            while phone.was_rung:
                await (await phone.rung()).saw(sip.InviteCancelled)

    house = flow(scenario)
    record = the_record(house)
    assert (record.result, record.reason, record.ended_by) == ("abandoned", "abandoned", "caller")
    assert left(house) == [("tech", "abandoned")]
    assert house.floor.engine.waiting(record.id) is None


def test_who_lost_the_line_gets_the_old_place() -> None:
    async def scenario(house: House) -> None:
        house.open(plan(tech()))
        (bob,) = await house.registered("102")
        house.agent("102")
        busy = bob.call("*43")
        await busy.answered()
        alice, carol = await house.registered("201", "202")
        first = alice.call("400")
        await first.answered()
        await asyncio.sleep(30)
        second = carol.call("400")
        await second.answered()
        await asyncio.sleep(30)
        first.hang_up()
        await asyncio.sleep(60)
        again = alice.call("400")
        await again.answered()
        await asyncio.sleep(1)
        busy.hang_up()
        rung = await bob.rung()
        assert str(rung.request.from_.uri.number) == "201"
        second.hang_up()
        again.hang_up()

    house = flow(scenario)
    entered = [event for event in house.happened(QueueEntered) if isinstance(event, QueueEntered)]
    assert [round(event.waited_s) for event in entered] == [0, 0, 120]


# -- moved -------------------------------------------------------------------------------------


def test_a_supervisor_moves_a_caller_to_another_queue_with_the_wait() -> None:
    async def scenario(house: House) -> None:
        house.open(plan(tech(skills={"a": 1}), tech("sales", skills={"b": 1}, music="jazz")))
        house.agent("103", a=1)
        (bob,) = await house.registered("102")
        house.agent("102", b=1)
        call = await waits(house)
        await asyncio.sleep(20)
        (name,) = house.exchange.calls
        house.floor.tell(inputs.CallerMoved(name, "sales"))
        rung = await bob.rung()
        await asyncio.sleep(0.1)
        assert heard_by(house, "101") == ["music:jazz"]
        rung.answer()
        await asyncio.sleep(1)
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert left(house) == [("tech", "moved"), ("sales", "answered")]
    entered = [event for event in house.happened(QueueEntered) if isinstance(event, QueueEntered)]
    assert [(event.queue, round(event.waited_s)) for event in entered] == [
        ("tech", 0),
        ("sales", 20),
    ]
