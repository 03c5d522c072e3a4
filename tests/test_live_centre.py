"""The running call centre as the API shows it."""

from __future__ import annotations

import asyncio

from pbx.acd.alarms import Watch
from pbx.acd.board import skills_wanted
from pbx.acd.commands import StateChanged
from pbx.acd.model import AgentState
from pbx.cdr.today import QueueToday
from pbx.events import QueueAlarmed
from pbx.live_centre import CallCentreLive
from pbx.plan.model import Queue, QueueAlarm, Relaxation
from tests.kit.boards import Wallboard
from tests.kit.loop import run


def live_of(wall: Wallboard, watch: Watch | None = None) -> CallCentreLive:
    watch = watch or watch_of(wall)
    return CallCentreLive(
        floor=wall.floor, today=wall.today, alarms=watch.alarms, rules=lambda: wall.rules
    )


def watch_of(wall: Wallboard) -> Watch:
    return Watch(wall.floor, wall.today, lambda: wall.rules, wall.alarms.append)


def test_a_queue_shows_who_waits_who_serves_and_how_the_day_goes() -> None:
    wall = Wallboard()
    wall.today.queues["sales"] = QueueToday(
        answered=41, abandoned=3, service_level=81.234, formula="SL1"
    )
    sales, tech = live_of(wall).queues()
    assert (sales.name, sales.waiting, sales.longest_wait_s) == ("sales", 2, 40.0)
    assert list(sales.agents.items()) == [("available", 1), ("ringing", 1), ("paused", 1)]
    assert (sales.service_level, sales.service_level_formula) == (81.2, "SL1")
    assert (sales.answered, sales.abandoned, sales.target) == (41, 3, (80, 20.0))
    assert (tech.waiting, tech.service_level, tech.answered) == (0, None, 0)


def test_callers_stand_in_order_with_what_they_want_and_whose_phone_rings() -> None:
    wall = Wallboard()
    anna, bert = live_of(wall).queue("sales").callers
    assert (anna.position, anna.call, anna.number, anna.waited_s) == (1, "c-anna", "13800", 40.0)
    assert (anna.skills, anna.offered_to) == ({"sales": 3}, ("102",))
    assert (bert.position, bert.skills, bert.offered_to) == (2, {"sales": 3, "en": 5}, ())


def test_lesser_skills_are_shown_once_they_suffice() -> None:
    wall = Wallboard()
    relax = (Relaxation(20.0, {"sales": 1}), Relaxation(60.0, {}))
    wall.rules["sales"] = Queue("sales", skills={"sales": 3}, relax=relax)
    anna, bert = live_of(wall).queue("sales").callers
    assert anna.skills == {"sales": 1}
    assert bert.skills == {"sales": 3, "en": 5}
    assert skills_wanted(wall.rules["sales"], {"en": 5}, 59.0) == {"sales": 1, "en": 5}
    assert skills_wanted(wall.rules["sales"], {"en": 5}, 60.0) == {}, "any agent will do"


def test_a_queue_shows_its_agents_and_what_each_does_since_when() -> None:
    wall = Wallboard()
    live = live_of(wall)
    first, second, _ = live.queue("sales").staff
    assert (first.number, first.state, first.call, first.seconds) == ("102", "ringing", "c-anna", 5)
    assert (second.state, second.reason, second.call) == ("paused", "lunch", None)
    assert [agent.number for agent in live.queue("tech").staff] == ["104"]
    assert [agent.number for agent in live.board().staff] == ["102", "103", "104"]


def test_a_caller_is_shown_by_its_number() -> None:
    found = live_of(Wallboard()).caller("13900")
    assert (found.call, found.queue, found.position) == ("c-bert", "sales", 2)


def test_alarms_stand_on_the_board_are_told_once_and_go_over_the_bus() -> None:
    wall = Wallboard()
    wall.rules["sales"] = Queue("sales", alarm=QueueAlarm(waiting=1))
    watch = watch_of(wall)

    async def scenario() -> None:
        watch.start()
        await asyncio.sleep(3.5)
        watch.close()

    run(scenario(), clock=wall.clock)
    text = "queue sales: more than 1 caller waits"
    assert wall.alarms == [text]
    assert wall.emitted == [QueueAlarmed(queue="sales", kind="waiting", on=True, text=text)]
    (alarm,) = live_of(wall, watch).queues()[0].alarms
    assert (alarm.kind, alarm.sentence) == ("waiting", text)


def test_an_agent_who_cannot_be_reached_is_an_alarm_with_its_cause() -> None:
    wall = Wallboard()
    watch = watch_of(wall)

    async def scenario() -> None:
        watch.start()
        for tell in wall.floor.on_state:
            for after in (AgentState.TALKING, AgentState.UNREACHABLE):
                tell(StateChanged("102", AgentState.AVAILABLE, after, "its phone is gone", 7.0))
        watch.close()
        assert wall.floor.on_state == []

    run(scenario(), clock=wall.clock)
    assert wall.alarms == ["agent 102 cannot be reached: its phone is gone"]


def test_what_agents_do_at_present_is_a_stretch_that_ends_now() -> None:
    wall = Wallboard()
    live = live_of(wall)
    (paused,) = live.doing("103")
    assert (paused.state, paused.reason) == ("paused", "lunch")
    assert (paused.until, paused.until - paused.since) == (wall.clock.wall(), 5.0)
    assert [each.agent for each in live.doing()] == ["102", "103", "104"]


def test_calls_in_queues_and_from_queues_are_told_apart() -> None:
    wall = Wallboard()
    wall.engine.shown_agents.append(
        wall.agent("105", AgentState.TALKING, "c-carl", queue="tech", queues=("tech",))
    )
    assert live_of(wall).places() == {
        "c-anna": ("sales", None),
        "c-bert": ("sales", None),
        "c-carl": ("tech", "105"),
    }
