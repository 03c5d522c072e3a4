"""The floor: inputs one after the other, orders to whom they concern, phones heard on the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random

from pbx.acd import commands, inputs
from pbx.acd.engine import Engine
from pbx.acd.floor import Floor
from pbx.acd.keeping import BookedCallback, Duty, Place, Stretch
from pbx.acd.model import AgentState, AgentView, RandomSource, Waiting
from pbx.events import (
    AgentStateChanged,
    AnyEvent,
    HoldEnded,
    HoldStarted,
    LegAnswered,
    LegEnded,
    LegInvited,
    WrapUpEnded,
)
from pbx.events.bus import Bus
from tests.kit.clock import VirtualClock
from tests.kit.loop import run


class Scripted(Engine):
    """An engine that notes what it is told and says what the test wants."""

    def __init__(self) -> None:
        self.told: list[inputs.AnyInput] = []
        self.answers: dict[type, list[commands.Command]] = {}
        self.timer: float | None = None
        self.broken: type | None = None
        self.view = AgentView(number="102", name=None, state=AgentState.AVAILABLE, since=0.0)

    def step(self, event: inputs.AnyInput, now: float, rng: RandomSource) -> list[commands.Command]:
        self.told.append(event)
        if self.broken is not None and isinstance(event, self.broken):
            raise ValueError("a defect")
        if isinstance(event, inputs.TimePassed):
            self.timer = None
        return self.answers.get(type(event), [])

    def next_timer(self) -> float | None:
        return self.timer

    def agent(self, number: str) -> AgentView | None:
        return self.view if number == "102" else None


class Kept:
    """Keeps everything in lists."""

    def __init__(self) -> None:
        self.duties: list[Duty] = []
        self.stretches: list[Stretch] = []

    def keep_duty(self, duty: Duty) -> None:
        self.duties.append(duty)

    def keep_stretch(self, stretch: Stretch) -> None:
        self.stretches.append(stretch)

    def keep_place(self, place: Place) -> None:
        raise AssertionError("the floor keeps no places")

    def forget_place(self, call: str) -> None:
        raise AssertionError("the floor keeps no places")

    def keep_callback(self, callback: BookedCallback) -> None:
        raise AssertionError("the floor keeps no call-backs")


class Hall:
    """A floor with all that it needs."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.bus = Bus(self.clock)
        self.engine = Scripted()
        self.kept = Kept()
        self.alarms: list[str] = []
        self.floor = Floor(
            self.engine,
            bus=self.bus,
            clock=self.clock,
            rng=Random(1),
            keeping=self.kept,
            alarm=self.alarms.append,
        )
        self.emitted: list[AnyEvent] = []
        self.bus.attach(lambda stamped: self.emitted.append(stamped.event))
        self.bus.attach(self.floor.take)


def on_the_floor(scenario: Callable[[Hall], Awaitable[None]]) -> Hall:
    """Run a scenario and return its hall."""
    hall = Hall()

    async def main() -> None:
        await scenario(hall)
        hall.floor.close()

    run(main(), clock=hall.clock)
    return hall


def waiting(call: str = "c1") -> Waiting:
    return Waiting(call=call, queue="sales", joined_at=0.0)


def invited(leg: int, number: str = "102", trunk: str | None = None) -> LegInvited:
    return LegInvited(
        call="c1",
        leg=leg,
        role="called",
        number=number,
        sip_call_id="x",
        remote="192.0.2.9:5060",
        trunk=trunk,
    )


def test_an_order_reaches_the_caller_whom_it_concerns() -> None:
    async def scenario(hall: Hall) -> None:
        offer = commands.Offer("c2", "sales", ("102",), 15.0)
        hall.engine.answers[inputs.LoggedIn] = [offer]
        first, second = hall.floor.join(waiting("c1")), hall.floor.join(waiting("c2"))
        hall.floor.tell(inputs.LoggedIn("102"))
        assert await second.orders.get() == offer
        assert first.orders.empty()

    on_the_floor(scenario)


def test_a_caller_who_left_is_told_of_once_and_gets_no_orders() -> None:
    async def scenario(hall: Hall) -> None:
        place = hall.floor.join(waiting())
        hall.floor.leave("c1")
        hall.floor.leave("c1")
        hall.engine.answers[inputs.LoggedIn] = [commands.SendAway("c1", "sales", "timeout")]
        hall.floor.tell(inputs.LoggedIn("102"))
        assert hall.engine.told.count(inputs.CallerGone("c1")) == 1
        assert place.orders.empty()

    on_the_floor(scenario)


def test_each_leg_of_an_agents_phone_is_heard_whatever_the_call() -> None:
    async def scenario(hall: Hall) -> None:
        for event in (
            invited(7),
            LegAnswered(call="c1", leg=7),
            HoldStarted(call="c1", leg=7),
            HoldEnded(call="c1", leg=7),
            LegEnded(call="c1", leg=7, by="remote", reason="bye", sip_status=200, cause=16),
        ):
            hall.bus.emit(event)
        assert hall.engine.told == [], "sinks do not emit: the work waits for its turn"

    hall = on_the_floor(_settled(scenario))
    assert hall.engine.told == [
        inputs.PhoneRings("102", "c1", 7),
        inputs.PhoneTalks("102", "c1", 7),
        inputs.PhoneHolds("102", "c1", 7, on=True),
        inputs.PhoneHolds("102", "c1", 7, on=False),
        inputs.PhoneFree("102", "c1", 7),
    ]


def test_a_number_beyond_a_line_is_no_agent_nor_is_a_phone_of_nobody() -> None:
    async def scenario(hall: Hall) -> None:
        hall.bus.emit(invited(7, trunk="main"))
        hall.bus.emit(invited(8, number="150"))

    hall = on_the_floor(_settled(scenario))
    assert hall.engine.told == []


def _settled(scenario: Callable[[Hall], Awaitable[None]]) -> Callable[[Hall], Awaitable[None]]:
    """Return the scenario, and the turns of the loop that its work takes."""

    async def both(hall: Hall) -> None:
        await scenario(hall)
        await asyncio.sleep(0.1)

    return both


def test_a_timer_wakes_the_engine_when_it_wants_to_be() -> None:
    async def scenario(hall: Hall) -> None:
        hall.engine.timer = hall.clock.monotonic() + 0.05
        hall.floor.tell(inputs.LoggedIn("102"))

    hall = on_the_floor(_settled(scenario))
    assert hall.engine.told == [inputs.LoggedIn("102"), inputs.TimePassed()]


def test_what_a_state_leads_to_is_told_after_the_step_not_within() -> None:
    async def scenario(hall: Hall) -> None:
        changed = commands.StateChanged(
            "102", AgentState.LOGGED_OUT, AgentState.AVAILABLE, "", 60.0
        )
        hall.engine.answers[inputs.LoggedIn] = [changed, changed]
        hall.floor.on_state.append(lambda _: hall.floor.tell(inputs.ResumeAsked("102")))
        hall.floor.tell(inputs.LoggedIn("102"))
        assert hall.engine.told == [
            inputs.LoggedIn("102"),
            inputs.ResumeAsked("102"),
            inputs.ResumeAsked("102"),
        ]

    on_the_floor(scenario)


def test_states_are_kept_with_their_reason_and_told() -> None:
    async def scenario(hall: Hall) -> None:
        paused = commands.StateChanged("102", AgentState.AVAILABLE, AgentState.PAUSED, "tea", 30.0)
        hall.engine.answers[inputs.PauseAsked] = [paused]
        hall.floor.tell(inputs.PauseAsked("102", "tea"))
        hall.clock.advance(120.0)
        back = commands.StateChanged("102", AgentState.PAUSED, AgentState.AVAILABLE, "", 120.0)
        hall.engine.answers[inputs.ResumeAsked] = [back]
        hall.floor.tell(inputs.ResumeAsked("102"))

    hall = on_the_floor(scenario)
    assert [(each.state, each.reason) for each in hall.kept.stretches] == [
        ("available", ""),
        ("paused", "tea"),
    ]
    assert hall.kept.stretches[1].until - hall.kept.stretches[1].since == 120.0
    assert [e.state for e in hall.emitted if isinstance(e, AgentStateChanged)] == [
        "paused",
        "available",
    ]


def test_duty_is_kept_whenever_it_changes_also_amid_a_call() -> None:
    async def scenario(hall: Hall) -> None:
        view = replace(hall.engine.view, state=AgentState.TALKING, logged_in=True)
        hall.engine.view = view
        hall.floor.tell(inputs.LoggedIn("102"))
        hall.floor.tell(inputs.LoggedIn("102"))  # nothing new
        hall.engine.view = replace(view, pause="tea")
        hall.floor.tell(inputs.PauseAsked("102", "tea", 60.0))
        hall.engine.view = replace(view, state=AgentState.PAUSED, pause="tea", until=160.0)
        over = commands.StateChanged("102", AgentState.TALKING, AgentState.PAUSED, "tea", 30.0)
        hall.engine.answers[inputs.TimePassed] = [over]
        hall.floor.tell(inputs.TimePassed())
        hall.engine.view = replace(view, logged_in=False)
        hall.floor.tell(inputs.LoggedOut("102"))

    hall = on_the_floor(scenario)
    epoch = hall.clock.wall() - hall.clock.monotonic()
    assert [(each.logged_in, each.pause, each.until) for each in hall.kept.duties] == [
        (True, None, None),
        (True, "tea", hall.clock.wall() + 60.0),  # as if it had begun when it was asked for
        (True, "tea", 160.0 + epoch),
        (False, None, None),
    ]


def test_wrap_up_is_told_for_the_record() -> None:
    async def scenario(hall: Hall) -> None:
        done = commands.WrapUpDone("102", "c1", "sales", 12.0)
        hall.engine.answers[inputs.ResumeAsked] = [done]
        hall.floor.tell(inputs.ResumeAsked("102"))

    hall = on_the_floor(scenario)
    assert hall.emitted == [WrapUpEnded(call="c1", agent="102", seconds=12.0, queue="sales")]


def test_a_defect_of_the_engine_stops_nobody_else_and_a_caller_is_sent_on() -> None:
    async def scenario(hall: Hall) -> None:
        hall.engine.broken = inputs.CallerJoined
        place = hall.floor.join(waiting())
        assert await place.orders.get() == commands.SendAway("c1", "sales", "no_agents")
        hall.floor.tell(inputs.LoggedIn("102"))
        assert hall.engine.told[-1] == inputs.LoggedIn("102")

    hall = on_the_floor(scenario)
    assert hall.floor.defects == 1
    assert len(hall.alarms) == 1


def test_what_the_watchdog_heals_is_an_alarm() -> None:
    async def scenario(hall: Hall) -> None:
        hall.engine.answers[inputs.LoggedIn] = [commands.Healed("102", "was reserved for nobody")]
        hall.floor.tell(inputs.LoggedIn("102"))

    hall = on_the_floor(scenario)
    assert hall.floor.healed == 1
    assert hall.alarms == ["agent 102: was reserved for nobody"]
