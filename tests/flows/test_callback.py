"""Call-backs: booked from within a queue, tried by an agent or the customer first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pbx.acd import supervisor
from pbx.cdr.record import CallRecord
from pbx.errors import NotFound
from pbx.events import CallbackEnded, CallbackTried
from pbx.ivr.verbs import VOCABULARY
from pbx.media.protocol import DigitHeard
from pbx.plan.destination import CALLBACK, Destination
from pbx.plan.hours import Schedule, Span
from pbx.plan.model import Callback, NumberRoute, Plan, Queue
from pbx.sip import events as sip
from tests.kit.clock import MORNING
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall, Softphone

assert VOCABULARY.verbs


def tech(**fields: Any) -> Queue:
    """Return a queue in which 1 books a call-back."""
    return Queue("tech", **{"keys": {"1": CALLBACK}, "whisper": False, "wrap_up_s": 0.0, **fields})


def plan(queue: Queue, **sections: Any) -> Plan:
    numbers = {"400": NumberRoute("400", Destination("queue", queue.name))}
    return Plan("test", numbers, queues={queue.name: queue}, **sections)


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


async def press(house: House, number: str, keys: str) -> None:
    """Let a party hear the end of what is played, and press keys."""
    for key in keys:
        leg = leg_of(house, number)
        house.media.finish_playing(leg)
        house.media.report(DigitHeard(leg, key, 100))
        await asyncio.sleep(0.1)


async def hears_out(house: House, number: str) -> None:
    """Let a party hear all that is said to it."""
    await asyncio.sleep(0.1)
    house.media.finish_playing(leg_of(house, number))
    await asyncio.sleep(0.1)


async def books(house: House, phone: Softphone, *, wait: float = 30.0) -> None:
    """Let a caller wait, and book a call-back to its own number."""
    call = phone.call("400")
    await call.answered()
    await asyncio.sleep(wait)
    await press(house, phone.number, "11")
    await hears_out(house, phone.number)
    await call.ended()


class Office:
    """A queue whose only agent, 102, is in another call until `free`; 101 is a customer."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def open(
        self, queue: Queue | None = None, *, tech_skill: int = 1, **sections: Any
    ) -> None:
        """Open the office."""
        house = self.house
        house.open(plan(queue or tech(), **sections))
        self.alice, self.bob = await house.registered("101", "102")
        house.agent("102", tech=tech_skill)
        self._other = self.bob.call("*43")
        await self._other.answered()

    def free(self) -> None:
        """Let the agent be free."""
        self._other.hang_up()

    async def agent(self, *, answers: bool = True, within: float = 100.0) -> PhoneCall:
        """Return the agent's next ringing phone, or answered."""
        rung = await self.bob.rung(within)
        rung.ring()
        await asyncio.sleep(1)
        if answers:
            rung.answer()
        return rung


def tries(house: House) -> list[tuple[str, int]]:
    """Return what became of each try, and how many it was."""
    return [
        (event.result, event.tries)
        for event in house.happened(CallbackTried)
        if isinstance(event, CallbackTried)
    ]


def ends(house: House) -> list[str]:
    """Return how call-backs ended."""
    return [
        event.result for event in house.happened(CallbackEnded) if isinstance(event, CallbackEnded)
    ]


def in_call(house: House, called: str, direction: str) -> list[CallRecord]:
    """Return the records of calls to a number in one direction."""
    return [
        record
        for record in house.records.values()
        if record.called.number == called and record.direction == direction
    ]


# -- an agent first ----------------------------------------------------------------------------


def test_an_agent_is_rung_first_and_then_the_customer_and_both_talk() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open()
        await books(house, office.alice)
        await asyncio.sleep(10)
        assert not office.alice.was_rung
        office.free()
        agent = await office.agent()
        assert agent.request is not None
        assert agent.request.from_.uri.number == "101"
        customer = await office.alice.rung()
        customer.ring()
        await asyncio.sleep(3)
        customer.answer()
        await asyncio.sleep(0.1)
        alice, bob = leg_of(house, "101"), leg_of(house, "102")
        assert house.media.joined == {alice: bob, bob: alice}
        await asyncio.sleep(20)
        customer.hang_up()
        await agent.ended()

    house = flow(scenario)
    (booked,) = in_call(house, "400", "internal")
    assert (booked.result, booked.reason, booked.queue) == ("answered", "callback_booked", "tech")
    assert [(each.kind, each.result) for each in booked.segments] == [("queue", "callback")]
    assert booked.callback is not None
    assert (booked.callback.result, booked.callback.agent) == ("answered", "102")
    assert booked.callback.waited_s == pytest.approx(44.4, abs=0.5)
    (back,) = in_call(house, "101", "outbound")
    assert (back.caller.number, back.queue, back.agent) == ("102", "tech", "102")
    assert (back.result, back.ended_by, back.path) == ("answered", "called", ("callback:tech",))
    assert back.talk_s == pytest.approx(20.1, abs=0.1)
    assert all(each.kind != "queue" for each in back.segments), "it would count twice"
    assert tries(house) == [("answered", 1)]
    (kept,) = house.keeping.callbacks.values()
    assert (kept.state, kept.tries, kept.agent) == ("answered", 1, "102")


def test_an_agent_hears_for_whom_the_call_is() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(tech(whisper=True))
        await books(house, office.alice)
        office.free()
        agent = await office.agent()
        await asyncio.sleep(1)
        assert [leg for leg, _ in house.media.playing] == [leg_of(house, "102")]
        assert not office.alice.was_rung
        await hears_out(house, "102")
        customer = await office.alice.rung()
        customer.respond(486)
        await hears_out(house, "102")
        await agent.ended()

    assert tries(flow(scenario)) == [("busy", 1)]


def test_an_agent_who_rejects_is_not_asked_again_for_a_minute() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open()
        await books(house, office.alice)
        office.free()
        (await office.agent(answers=False)).respond(603)
        began = house.clock.monotonic()
        agent = await office.agent()
        assert house.clock.monotonic() - began == pytest.approx(61, abs=0.5)
        assert len(house.exchange.calls) == 1
        customer = await office.alice.rung()
        customer.answer()
        await asyncio.sleep(1)
        agent.hang_up()
        await customer.ended()

    house = flow(scenario)
    assert tries(house) == [("answered", 1)]
    (back,) = in_call(house, "101", "outbound")
    assert back.ended_by == "caller"


@pytest.mark.parametrize("whisper", [True, False])
def test_an_agent_who_hangs_up_before_the_customer_answers_costs_no_try(whisper: bool) -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(tech(whisper=whisper))
        await books(house, office.alice)
        office.free()
        agent = await office.agent()
        if not whisper:
            customer = await office.alice.rung()
            customer.ring()
        await asyncio.sleep(2)
        agent.hang_up()
        if not whisper:
            await customer.saw(sip.InviteCancelled)
        again = await office.agent()
        await asyncio.sleep(0.1)
        if whisper:
            await hears_out(house, "102")
        customer = await office.alice.rung()
        customer.answer()
        await asyncio.sleep(5)
        again.hang_up()
        await customer.ended()

    house = flow(scenario)
    counted = [("no_agent", 0 if whisper else 1), ("answered", 1)]
    assert tries(house) == counted
    assert ends(house) == ["answered"]


def test_an_agent_who_does_not_answer_is_paused_and_the_customer_waits_on() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(tech(missed=1))
        await books(house, office.alice)
        office.free()
        (await office.bob.rung()).ring()
        await asyncio.sleep(30)
        assert not office.alice.was_rung
        view = house.floor.engine.agent("102")
        assert view is not None
        assert view.state.value == "paused"
        assert len(house.callbacks) == 1
        house.callbacks.cancel("101")
        await asyncio.sleep(1)
        assert not house.exchange.calls

    house = flow(scenario)
    assert ends(house) == ["cancelled"]
    assert tries(house) == [("no_agent", 0)]


@pytest.mark.parametrize("first", ["102", "103"])
def test_of_several_agents_who_are_rung_the_first_to_answer_calls_back(first: str) -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(tech(strategy="ring_all"))
        await books(house, office.alice)
        (carol,) = await house.registered("103")
        house.callbacks.close()
        house.agent("103")
        office.free()
        await asyncio.sleep(1)
        house.callbacks.load(house.keeping.kept.callbacks)
        rung = {"102": await office.bob.rung(), "103": await carol.rung()}
        taken = rung.pop(first)
        taken.answer()
        (other,) = rung.values()
        cancelled = await other.saw(sip.InviteCancelled)
        assert [reason.cause for reason in cancelled.reasons] == [200]
        (await office.alice.rung()).answer()
        await asyncio.sleep(5)
        taken.hang_up()
        await asyncio.sleep(1)

    house = flow(scenario)
    (back,) = in_call(house, "101", "outbound")
    assert (back.agent, back.result, back.ended_by) == (first, "answered", "caller")
    assert back.talk_s == pytest.approx(5, abs=0.2)
    assert back.answered_at is not None
    parts = {part.agent: (part.result, round(part.talk_s)) for part in back.agents}
    assert parts == {first: ("answered", 5), other_of(first): ("withdrawn", 0)}


def other_of(agent: str) -> str:
    return "103" if agent == "102" else "102"


# -- tries -------------------------------------------------------------------------------------


def test_a_customer_who_is_not_reached_is_tried_again_after_five_and_thirty_minutes() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open()
        await books(house, office.alice)
        office.free()
        times = []
        for answer in ("busy", "nobody", "busy"):
            agent = await office.agent(within=4000)
            times.append(house.clock.monotonic())
            customer = await office.alice.rung()
            customer.ring()
            if answer == "busy":
                customer.respond(486)
            else:
                await customer.saw(sip.InviteCancelled)
            await hears_out(house, "102")
            await agent.ended()
        assert times[1] - times[0] == pytest.approx(301, abs=1)
        assert times[2] - times[1] == pytest.approx(1801, abs=1)
        await asyncio.sleep(4000)
        assert not office.bob.was_rung

    house = flow(scenario)
    assert tries(house) == [("busy", 1), ("no_answer", 2), ("busy", 3)]
    assert ends(house) == ["failed"]
    (booked,) = in_call(house, "400", "internal")
    assert booked.callback is not None
    assert booked.callback.result == "failed"
    assert [record.result for record in in_call(house, "101", "outbound")] == [
        "busy",
        "no_answer",
        "busy",
    ]


@pytest.mark.parametrize("status", [404, 410, 484, 604])
def test_a_wrong_number_is_tried_once(status: int) -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open()
        await books(house, office.alice)
        office.free()
        agent = await office.agent()
        (await office.alice.rung()).respond(status)
        await hears_out(house, "102")
        await agent.ended()
        await asyncio.sleep(4000)
        assert not office.bob.was_rung

    house = flow(scenario)
    assert tries(house) == [("failed", 1)]
    assert ends(house) == ["failed"]


def test_a_customer_without_a_phone_is_tried_again() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(tech(callback=Callback(tries=2, again_s=(0.0, 60.0))))
        await books(house, office.alice)
        await office.alice.register(expires=0)
        office.free()
        for _ in range(2):
            agent = await office.agent(within=100)
            await asyncio.sleep(1)
            await hears_out(house, "102")
            await agent.ended()

    house = flow(scenario)
    assert tries(house) == [("no_answer", 1), ("no_answer", 2)]
    assert ends(house) == ["failed"]


# -- the customer first ------------------------------------------------------------------------


def first(**fields: Any) -> Queue:
    return tech(callback=Callback(first="customer"), **fields)


def test_the_customer_is_called_first_and_hears_music_until_the_agent_answers() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(first(music="jazz"))
        await books(house, office.alice)
        office.free()
        customer = await office.alice.rung()
        customer.ring()
        await asyncio.sleep(25)
        assert not office.bob.was_rung
        view = house.floor.engine.agent("102")
        assert view is not None
        assert view.state.value == "reserved"
        customer.answer()
        rung = await office.bob.rung(within=1)
        (heard,) = house.media.playing.values()
        assert heard.sources == ("music:jazz",)
        rung.answer()
        await asyncio.sleep(0.1)
        alice, bob = leg_of(house, "101"), leg_of(house, "102")
        assert house.media.joined == {alice: bob, bob: alice}
        assert not house.media.playing
        await asyncio.sleep(10)
        rung.hang_up()
        await customer.ended()

    house = flow(scenario)
    assert tries(house) == [("answered", 1)]
    (back,) = in_call(house, "101", "outbound")
    assert (back.result, back.agent, back.queue) == ("answered", "102", "tech")
    assert back.talk_s == pytest.approx(10.1, abs=0.1)


def test_a_customer_who_does_not_answer_lets_the_reserved_agent_go() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(first())
        await books(house, office.alice)
        office.free()
        (await office.alice.rung()).respond(486)
        await asyncio.sleep(1)
        view = house.floor.engine.agent("102")
        assert view is not None
        assert view.state.value == "available"

    house = flow(scenario)
    assert tries(house) == [("busy", 1)]
    assert not house.alarms


def test_a_customer_on_the_line_is_before_everybody_when_the_agent_does_not_take_it() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(first())
        house.agent("103")
        carol, dave = await house.registered("103", "104")
        busy = carol.call("*43")
        await busy.answered()
        live = dave.call("400")
        await live.answered()
        await asyncio.sleep(5)
        await books(house, office.alice)
        office.free()
        early = await office.agent()
        await asyncio.sleep(1)
        early.hang_up()
        await live.ended()
        customer = await office.alice.rung()
        waiting = dave.call("400")
        await waiting.answered()
        customer.answer()
        (await office.agent(answers=False)).respond(603)
        await asyncio.sleep(1)
        busy.hang_up()
        rung = await carol.rung()
        assert rung.request is not None
        assert rung.request.from_.uri.number == "101"
        rung.answer()
        await asyncio.sleep(3)
        customer.hang_up()
        await rung.ended()
        waiting.hang_up()

    house = flow(scenario)
    assert tries(house) == [("answered", 1)]
    (back,) = in_call(house, "101", "outbound")
    assert back.agent == "103"


def test_a_customer_who_leaves_before_an_agent_comes_is_tried_again() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(first())
        await books(house, office.alice)
        office.free()
        customer = await office.alice.rung()
        customer.answer()
        agent = await office.agent(answers=False)
        customer.hang_up()
        await agent.saw(sip.InviteCancelled)
        await asyncio.sleep(1)
        (waiting,) = house.callbacks.waiting()
        assert waiting.tries == 1

    house = flow(scenario)
    assert tries(house) == [("no_agent", 1)]
    assert [record.reason for record in in_call(house, "101", "outbound")] == ["customer_left"]


# -- fairness ----------------------------------------------------------------------------------


def test_callers_and_call_backs_are_served_in_the_order_in_which_they_came() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open()
        dave, eve, fay = await house.registered("104", "105", "106")
        numbers = []
        before = dave.call("400")
        await before.answered()
        await asyncio.sleep(5)
        booking = asyncio.create_task(books(house, office.alice, wait=20))
        await asyncio.sleep(5)
        after = eve.call("400")
        await after.answered()
        await booking
        await asyncio.sleep(20)
        last = asyncio.create_task(books(house, fay, wait=1))
        await last
        office.free()
        customers = {"101": office.alice, "106": fay}
        for _ in range(4):
            agent = await office.agent()
            assert agent.request is not None
            number = agent.request.from_.uri.number
            numbers.append(number)
            if number in customers:
                (await customers[number].rung()).answer()
            await asyncio.sleep(10)
            agent.hang_up()
            await asyncio.sleep(1)
        assert numbers == ["104", "101", "105", "106"]

    house = flow(scenario)
    assert ends(house) == ["answered", "answered"]


# -- who needs none ----------------------------------------------------------------------------


def test_who_rings_again_and_waits_goes_on_with_the_place() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open()
        await books(house, office.alice)
        await asyncio.sleep(100)
        again = office.alice.call("400")
        await again.answered()
        (call,) = [call.id for call in house.exchange.calls.values() if call.called == "400"]
        waiting = house.floor.engine.waiting(call)
        assert waiting is not None
        assert house.clock.monotonic() - waiting.joined_at == pytest.approx(130.4, abs=1)
        assert len(house.callbacks) == 0
        again.hang_up()
        office.free()
        await asyncio.sleep(1)

    assert ends(flow(scenario)) == ["cancelled"]


def test_one_who_is_in_a_menu_of_ours_is_called_back_later() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open()
        await books(house, office.alice)
        echo = office.alice.call("*43")
        await echo.answered()
        office.free()
        await asyncio.sleep(20)
        assert not office.bob.was_rung
        echo.hang_up()
        agent = await office.agent()
        (await office.alice.rung()).answer()
        await asyncio.sleep(1)
        agent.hang_up()
        await asyncio.sleep(1)

    assert ends(flow(scenario)) == ["answered"]


@pytest.mark.parametrize("stage", ["resting", "in line", "agent rings", "customer rings"])
def test_a_call_back_can_be_cancelled_at_any_time(stage: str) -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        rest = 60.0 if stage == "resting" else 0.0
        await office.open(tech(callback=Callback(again_s=(rest,))))
        await books(house, office.alice)
        await asyncio.sleep(1)
        if stage in ("agent rings", "customer rings"):
            office.free()
            agent = await office.agent(answers=stage == "customer rings")
        if stage == "customer rings":
            customer = await office.alice.rung()
            customer.ring()
        (waiting,) = house.callbacks.waiting()
        assert house.callbacks.cancel(waiting.id[:6]).number == "101"
        if stage == "agent rings":
            await agent.saw(sip.InviteCancelled)
        if stage == "customer rings":
            await customer.saw(sip.InviteCancelled)
            await agent.ended()
        if stage in ("resting", "in line"):
            office.free()
        await asyncio.sleep(100)
        assert not office.bob.was_rung
        with pytest.raises(NotFound):
            house.callbacks.cancel("101")

    house = flow(scenario)
    assert ends(house) == ["cancelled"]
    assert next(iter(house.keeping.callbacks.values())).state == "cancelled"


# -- rests and hours ---------------------------------------------------------------------------


def office_hours() -> Schedule:
    """Return hours from 16:30 on, in Shanghai; the scenarios begin at 16:00 there."""
    return Schedule("evening", "Asia/Shanghai", {day: (Span(990, 1320),) for day in range(7)})


def test_nobody_is_called_back_outside_the_hours_unless_somebody_wants_it_now() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        queue = tech(callback=Callback(hours="evening"))
        await office.open(queue, hours={"evening": office_hours()})
        dave = house.phone("104")
        await dave.register()
        await books(house, office.alice)
        await books(house, dave)
        office.free()
        await asyncio.sleep(600)
        assert not office.bob.was_rung
        house.callbacks.hurry("104")
        agent = await office.agent()
        (await dave.rung()).answer()
        await asyncio.sleep(5)
        agent.hang_up()
        agent = await office.agent(within=2000)
        assert house.clock.wall() == pytest.approx(MORNING + 1800, abs=61)
        (await office.alice.rung()).answer()
        await asyncio.sleep(5)
        agent.hang_up()
        await asyncio.sleep(1)

    house = flow(scenario)
    assert ends(house) == ["answered", "answered"]


def test_to_hurry_one_that_is_tried_already_shortens_no_later_rest() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open()
        await books(house, office.alice)
        house.callbacks.hurry("101")
        office.free()
        agent = await office.agent()
        house.callbacks.hurry("101")
        (await office.alice.rung()).respond(486)
        await hears_out(house, "102")
        await agent.ended()
        await asyncio.sleep(200)
        assert not office.bob.was_rung
        house.callbacks.hurry("101")
        agent = await office.agent(within=1)
        (await office.alice.rung()).answer()
        await asyncio.sleep(1)
        agent.hang_up()
        await asyncio.sleep(1)

    assert tries(flow(scenario)) == [("busy", 1), ("answered", 2)]


def test_a_queue_that_the_dialplan_no_longer_has_is_waited_for() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open()
        await books(house, office.alice)
        queues = house.exchange.plan
        house.open(Plan("test"))
        office.free()
        await asyncio.sleep(300)
        house.open(queues)
        agent = await office.agent(within=200)
        (await office.alice.rung()).answer()
        await asyncio.sleep(1)
        agent.hang_up()
        await asyncio.sleep(1)

    assert ends(flow(scenario)) == ["answered"]


def test_a_supervisor_moves_a_call_back_to_another_queue() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(tech(skills={"tech": 1}), tech_skill=5)
        other = Queue("sales", skills={"sales": 1}, whisper=False)
        house.open(replace(house.plan, queues={**house.plan.queues, "sales": other}))
        house.agent("103", sales=5)
        (carol,) = await house.registered("103")
        await books(house, office.alice)
        (view,) = [view for view in house.floor.engine.queues(0.0) if view.name == "tech"]
        supervisor.move(house.floor, "tech", view.waiting[0], "sales", "socket")
        rung = await carol.rung()
        rung.answer()
        (await office.alice.rung()).answer()
        await asyncio.sleep(1)
        rung.hang_up()
        await asyncio.sleep(1)
        office.free()

    house = flow(scenario)
    (back,) = in_call(house, "101", "outbound")
    assert (back.queue, back.agent) == ("sales", "103")


def test_a_call_back_waits_however_long_the_queue_lets_callers_wait() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(tech(max_wait_s=60.0, if_timeout=Destination("hangup")))
        await books(house, office.alice)
        await asyncio.sleep(300)
        office.free()
        agent = await office.agent()
        (await office.alice.rung()).answer()
        await asyncio.sleep(1)
        agent.hang_up()
        await asyncio.sleep(1)

    assert ends(flow(scenario)) == ["answered"]


def test_a_server_that_drains_calls_nobody_back() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open()
        await books(house, office.alice)
        draining = asyncio.create_task(house.exchange.drain(30))
        await asyncio.sleep(1)
        office.free()
        await draining
        assert not office.bob.was_rung
        assert [each.state for each in house.keeping.callbacks.values()] == ["waiting"]

    assert ends(flow(scenario)) == []


def test_a_try_that_the_server_breaks_off_by_stopping_costs_none() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        await office.open(tech(callback=Callback(first="customer", tries=1)))
        await books(house, office.alice)
        office.free()
        customer = await office.alice.rung()
        customer.answer()
        await office.agent(answers=False)
        await house.exchange.drain(1)
        await customer.ended()
        await asyncio.sleep(1)
        (kept,) = house.keeping.callbacks.values()
        assert (kept.state, kept.tries) == ("waiting", 0)

    assert ends(flow(scenario)) == []
