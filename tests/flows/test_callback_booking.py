"""How callers agree on a number to be called back at, in a queue and elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pbx.events import CallbackBooked
from pbx.ivr.verbs import VOCABULARY
from pbx.media.protocol import DigitHeard
from pbx.plan.destination import CALLBACK, OPERATOR, Destination
from pbx.plan.hours import Schedule
from pbx.plan.model import (
    Callback,
    Defaults,
    Flow,
    Menu,
    NumberRoute,
    OutboundRule,
    Plan,
    Queue,
)
from pbx.plan.step import Step
from pbx.plan.text import parse_text as text
from pbx.sip.headers import NameAddr
from tests.kit.exchange import House, Trunk, flow
from tests.kit.softphone import PhoneCall, Softphone

assert VOCABULARY.verbs

CUSTOMER = "13800138000"
CARRIER = "198.51.100.7"

OUT = {"out": OutboundRule("out", ("0", "1"), ("carrier",))}


def tech(**fields: Any) -> Queue:
    return Queue("tech", **{"keys": {"1": CALLBACK}, "whisper": False, "wrap_up_s": 0.0, **fields})


class Line:
    """A carrier's customer who calls, and hears what it is told."""

    def __init__(self, house: House) -> None:
        self.house = house
        house.trunk(Trunk("carrier", CARRIER))
        self.phone: Softphone = house.phone(CUSTOMER, host=CARRIER)
        del house.directory.extensions[CUSTOMER]
        self.call: PhoneCall

    async def calls(self, number: str = "400", *, shows: str = CUSTOMER) -> None:
        """Call, and wait a moment."""
        sender = NameAddr.parse(f"<sip:{shows}@{CARRIER}>")
        self.call = self.phone.call(number, from_=sender)
        await self.call.answered()
        await asyncio.sleep(0.1)

    @property
    def leg(self) -> int:
        """Return the media's number of its leg."""
        (leg,) = (
            leg.id
            for call in self.house.exchange.calls.values()
            for leg in call.legs.values()
            if leg.trunk is not None and leg.ending is None
        )
        return leg

    async def hears_out(self) -> None:
        """Hear what is said to its end; music goes on."""
        self.house.media.finish_playing(self.leg)
        await asyncio.sleep(0.05)

    async def keys(self, keys: str) -> None:
        """Hear what is said, and press keys."""
        await self.hears_out()
        for key in keys:
            self.house.media.report(DigitHeard(self.leg, key, 100))
            await asyncio.sleep(0.05)


def booked(house: House) -> list[tuple[str, str]]:
    """Return the queue and number of each call-back that was booked."""
    return [
        (event.queue, event.number)
        for event in house.happened(CallbackBooked)
        if isinstance(event, CallbackBooked)
    ]


def cancel_all(house: House) -> None:
    """Call nobody back."""
    for waiting in house.callbacks.waiting():
        house.callbacks.cancel(waiting.id)


Play = Callable[[House, Line], Awaitable[None]]


def in_the_queue(play: Play, *, shows: str = CUSTOMER, **fields: Any) -> House:
    """Let a carrier's customer wait in a queue, press 1 after half a minute, and do `play`."""

    async def scenario(house: House) -> None:
        route = NumberRoute("400", Destination("queue", "tech"))
        house.open(Plan("test", {"400": route}, queues={"tech": tech(**fields)}, outbound=OUT))
        (bob,) = await house.registered("102")
        house.agent("102")
        other = bob.call("*43")
        await other.answered()
        line = Line(house)
        await line.calls(shows=shows)
        await asyncio.sleep(30)
        await line.keys("1")
        await play(house, line)
        cancel_all(house)
        other.hang_up()
        await asyncio.sleep(1)

    return flow(scenario)


async def _confirms(house: House, line: Line) -> None:
    await line.keys("1")
    await line.hears_out()
    await line.call.ended()


def test_a_caller_confirms_its_own_number_and_is_called_there() -> None:
    async def play(house: House, line: Line) -> None:
        await _confirms(house, line)
        (waiting,) = house.callbacks.waiting()
        assert house.clock.wall() - waiting.joined_at == pytest.approx(30.4, abs=0.5)

    house = in_the_queue(play)
    assert booked(house) == [("tech", CUSTOMER)]


def test_the_customer_is_called_back_by_a_line() -> None:
    async def scenario(house: House) -> None:
        route = NumberRoute("400", Destination("queue", "tech"))
        queue = tech(caller_id="02877776666")
        house.open(Plan("test", {"400": route}, queues={"tech": queue}, outbound=OUT))
        (bob,) = await house.registered("102")
        house.agent("102")
        other = bob.call("*43")
        await other.answered()
        line = Line(house)
        house.trunk(Trunk("carrier", CARRIER, numbers=("02866666666", "02877776666")))
        await line.calls(shows="+8613800138000")
        await line.keys("1")
        await _confirms(house, line)
        other.hang_up()
        agent = await bob.rung()
        agent.answer()
        back = await line.phone.rung()
        assert back.request is not None
        assert back.request.uri.user == CUSTOMER
        assert back.request.from_.uri.user == "02877776666", "the queue's number"
        back.answer()
        await asyncio.sleep(5)
        agent.hang_up()
        await back.ended()

    house = flow(scenario)
    (record,) = (each for each in house.records.values() if each.direction == "outbound")
    assert (record.result, record.agent, record.called.number) == (
        "answered",
        "102",
        CUSTOMER,
    )


def test_a_number_that_the_line_does_not_know_is_tried_once() -> None:
    async def scenario(house: House) -> None:
        route = NumberRoute("400", Destination("queue", "tech"))
        house.open(Plan("test", {"400": route}, queues={"tech": tech()}, outbound=OUT))
        (bob,) = await house.registered("102")
        house.agent("102")
        other = bob.call("*43")
        await other.answered()
        line = Line(house)
        await line.calls()
        await line.keys("1")
        await _confirms(house, line)
        other.hang_up()
        agent = await bob.rung()
        agent.answer()
        (await line.phone.rung()).respond(404)
        await asyncio.sleep(0.1)
        (leg,) = {leg for leg, _ in house.media.playing}
        house.media.finish_playing(leg)
        await agent.ended()

    house = flow(scenario)
    (kept,) = house.keeping.callbacks.values()
    assert (kept.state, kept.tries) == ("failed", 1)


def test_a_caller_enters_another_number() -> None:
    async def play(house: House, line: Line) -> None:
        await line.keys("2")
        await line.keys("01088886666#")
        await _confirms(house, line)

    assert booked(in_the_queue(play)) == [("tech", "01088886666")]


def test_what_cannot_be_called_is_asked_for_again() -> None:
    async def play(house: House, line: Line) -> None:
        await line.keys("2")
        for number in ("110#", "99999#"):
            await line.keys(number)
            await line.hears_out()
        await line.keys("13900139000#")
        await _confirms(house, line)

    assert booked(in_the_queue(play)) == [("tech", "13900139000")]


@pytest.mark.parametrize("shows", ["anonymous", "unavailable", "99999", "110", "12"])
def test_who_withholds_the_number_has_to_enter_one(shows: str) -> None:
    async def play(house: House, line: Line) -> None:
        await line.keys("13900139000#")
        await _confirms(house, line)

    assert booked(in_the_queue(play, shows=shows)) == [("tech", "13900139000")]


def test_a_number_abroad_is_called_only_where_the_caller_calls_from_it() -> None:
    async def play(house: House, line: Line) -> None:
        await line.keys("2")
        await line.keys("0085221234567#")
        await line.hears_out()
        await line.keys("13900139000#")
        await _confirms(house, line)

    assert booked(in_the_queue(play)) == [("tech", "13900139000")]

    async def own(house: House, line: Line) -> None:
        await _confirms(house, line)

    assert booked(in_the_queue(own, shows="+85221234567")) == [("tech", "0085221234567")]


@pytest.mark.parametrize("inputs", [("9", "8", "7"), ("2", "1#", "#", "4#")])
def test_after_three_useless_inputs_the_caller_waits_on_in_its_place(
    inputs: tuple[str, ...],
) -> None:
    async def play(house: House, line: Line) -> None:
        (call,) = [call for call in house.exchange.calls.values() if call.who.trunk]
        before = house.floor.engine.waiting(call.id)
        for keys in inputs:
            await line.keys(keys)
            await line.hears_out()
        await line.hears_out()
        assert before is not None
        assert house.floor.engine.waiting(call.id) == before
        assert not line.call.events or line.call.phone.calls
        await line.keys("1")
        await _confirms(house, line)

    house = in_the_queue(play)
    assert booked(house) == [("tech", CUSTOMER)]


def test_silence_is_a_useless_input() -> None:
    async def play(house: House, line: Line) -> None:
        for _ in range(3):
            await line.hears_out()
            await asyncio.sleep(9)
            await line.hears_out()
        await line.hears_out()
        line.call.hang_up()
        await asyncio.sleep(1)

    house = in_the_queue(play)
    assert booked(house) == []
    (record,) = (each for each in house.records.values() if each.direction == "inbound")
    assert record.result == "abandoned"


def test_an_agent_who_answers_meanwhile_ends_the_conversation_about_it() -> None:
    async def scenario(house: House) -> None:
        route = NumberRoute("400", Destination("queue", "tech"))
        house.open(Plan("test", {"400": route}, queues={"tech": tech()}, outbound=OUT))
        (bob,) = await house.registered("102")
        house.agent("102")
        other = bob.call("*43")
        await other.answered()
        line = Line(house)
        await line.calls()
        await line.keys("1")
        other.hang_up()
        rung = await bob.rung()
        rung.answer()
        await asyncio.sleep(1)
        await line.keys("1")
        rung.hang_up()
        await line.call.ended()

    assert booked(flow(scenario)) == []


def test_who_hangs_up_before_confirming_has_abandoned_and_after_it_has_not() -> None:
    async def early(house: House, line: Line) -> None:
        line.call.hang_up()
        await asyncio.sleep(1)

    async def late(house: House, line: Line) -> None:
        await line.keys("1")
        line.call.hang_up()
        await asyncio.sleep(1)
        house.callbacks.cancel(CUSTOMER)

    results = []
    for play in (early, late):
        house = in_the_queue(play)
        (record,) = (each for each in house.records.values() if each.direction == "inbound")
        results.append((record.result, [each.result for each in record.segments]))
    assert results == [("abandoned", ["abandoned"]), ("answered", ["callback"])]


def test_the_language_and_the_wishes_of_the_caller_stay() -> None:
    async def scenario(house: House) -> None:
        steps = (
            Step("language", {"language": text("en")}),
            Step("priority", {"level": 5}),
            Step("queue", {"name": "tech"}),
        )
        house.open(
            Plan(
                "test",
                {"400": NumberRoute("400", Destination("flow", "f"))},
                flows={"f": Flow("f", steps)},
                queues={"tech": tech(callback=Callback(again_s=(600.0,)))},
                outbound=OUT,
            )
        )
        (bob,) = await house.registered("102")
        house.agent("102")
        other = bob.call("*43")
        await other.answered()
        line = Line(house)
        await line.calls()
        await line.keys("1")
        await _confirms(house, line)
        (waiting,) = house.callbacks.waiting()
        assert (waiting.language, waiting.priority) == ("en", 5)
        assert waiting.next_at == pytest.approx(house.clock.wall() + 600, abs=1)
        other.hang_up()

    flow(scenario)


def test_a_menu_that_the_queue_offers_may_lead_there() -> None:
    async def scenario(house: House) -> None:
        offer = Menu("offer", (), {"2": CALLBACK}, give_up=Destination("stay"))
        queue = tech(keys={}, offer_after_s=20.0, offer_menu="offer")
        route = NumberRoute("400", Destination("queue", "tech"))
        house.open(
            Plan(
                "test",
                {"400": route},
                queues={"tech": queue},
                menus={"offer": offer},
                outbound=OUT,
            )
        )
        (bob,) = await house.registered("102")
        house.agent("102")
        other = bob.call("*43")
        await other.answered()
        line = Line(house)
        await line.calls()
        await asyncio.sleep(21)
        await line.keys("2")
        await _confirms(house, line)
        cancel_all(house)
        other.hang_up()
        await asyncio.sleep(1)

    assert booked(flow(scenario)) == [("tech", CUSTOMER)]


# -- outside a queue ---------------------------------------------------------------------------


def elsewhere(*steps: Step, **fields: Any) -> Plan:
    return Plan(
        "test",
        {"400": NumberRoute("400", Destination("flow", "f"))},
        flows={"f": Flow("f", steps)},
        queues={"tech": tech()},
        **{"outbound": OUT, **fields},
    )


def out_of_hours(plan: Plan, play: Play) -> House:
    """Let a carrier's customer call where nobody waits."""

    async def scenario(house: House) -> None:
        house.open(plan)
        line = Line(house)
        await line.calls()
        await play(house, line)

    return flow(scenario)


def test_a_flow_books_one_with_the_operators_queue() -> None:
    plan = elsewhere(
        Step("callback", {"window": "office"}),
        defaults=Defaults(operator=Destination("queue", "tech")),
        hours={"office": Schedule("office", "Asia/Shanghai")},
    )

    async def play(house: House, line: Line) -> None:
        await _confirms(house, line)
        (waiting,) = house.callbacks.waiting()
        assert waiting.hours == "office"
        await line.calls()
        await _confirms(house, line)
        assert house.callbacks.waiting() == [waiting]

    house = out_of_hours(plan, play)
    assert booked(house) == [("tech", CUSTOMER)]
    assert {record.reason for record in house.records.values()} == {"callback_booked"}


@pytest.mark.parametrize(
    "plan",
    [
        elsewhere(Step("callback", {}, {"refused": Destination("ext", "102")})),
        elsewhere(
            Step("callback", {}, {"refused": Destination("ext", "102")}),
            defaults=Defaults(operator=Destination("queue", "tech")),
            outbound={},
        ),
        elsewhere(
            Step("callback", {}, {"refused": Destination("ext", "102")}),
            defaults=Defaults(operator=Destination("ext", "102")),
        ),
    ],
    ids=["no operator", "no line", "the operator is no queue"],
)
def test_where_nobody_can_call_back_the_step_is_refused(plan: Plan) -> None:
    async def play(house: House, line: Line) -> None:
        await line.hears_out()
        await asyncio.sleep(0.1)
        await line.hears_out()
        await line.call.ended()

    house = out_of_hours(plan, play)
    assert booked(house) == []
    assert house.record.path == ("numbers:400", "callback", "ext:102")


def test_the_word_stands_for_it_behind_any_key() -> None:
    menu = Menu("main", (), {"5": CALLBACK, "0": OPERATOR}, give_up=Destination("hangup"))
    plan = Plan(
        "test",
        {"400": NumberRoute("400", Destination("menu", "main"))},
        menus={"main": menu},
        queues={"tech": tech()},
        defaults=Defaults(operator=Destination("queue", "tech")),
        outbound=OUT,
    )

    async def play(house: House, line: Line) -> None:
        await line.keys("5")
        await _confirms(house, line)

    assert booked(out_of_hours(plan, play)) == [("tech", CUSTOMER)]
