"""Alarms of queues: raised once, over when all is well, quiet in between."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pbx.acd.alarms import Alarm, QueueAlarms
from pbx.acd.model import QueueView
from pbx.cdr.today import QueueToday
from pbx.plan.model import Queue, QueueAlarm

NOTHING = QueueToday()
THERE = {"available": 1, "logged_out": 2}


class Figures:
    """Today's figures, as the test says."""

    def __init__(self, **queues: QueueToday) -> None:
        self.queues = queues

    def queue(self, name: str) -> QueueToday:
        return self.queues.get(name, QueueToday())


class Wall:
    """One queue `sales`, looked at again and again."""

    def __init__(self, limits: QueueAlarm) -> None:
        self.rules = {"sales": Queue("sales", alarm=limits)}
        self.alarms = QueueAlarms()
        self.now = 100.0

    def look(
        self,
        *,
        waiting: int = 0,
        longest: float = 0.0,
        agents: Mapping[str, int] = THERE,
        today: QueueToday = NOTHING,
    ) -> tuple[list[str], list[str]]:
        """Return the kinds that came on and those that are over."""
        self.now += 1
        calls = tuple(f"c{number}" for number in range(waiting))
        view = QueueView(name="sales", waiting=calls, longest_wait_s=longest, agents=agents)
        raised, over = self.alarms.look([view], self.rules, Figures(sales=today), self.now)
        return [alarm.kind for alarm in raised], [alarm.kind for alarm in over]


def test_an_alarm_is_raised_once_and_hovering_raises_no_other() -> None:
    wall = Wall(QueueAlarm(waiting=10))
    assert wall.look(waiting=10) == ([], [])
    assert wall.look(waiting=11) == (["waiting"], [])
    for waiting in (12, 10, 9, 11, 9):
        assert wall.look(waiting=waiting) == ([], [])
    assert wall.look(waiting=8) == ([], ["waiting"])
    assert wall.look(waiting=11) == (["waiting"], [])


def test_an_alarm_that_is_on_says_since_when() -> None:
    wall = Wall(QueueAlarm(waiting=1))
    wall.look(waiting=2)
    wall.look(waiting=3)
    assert wall.alarms.of("sales") == [
        Alarm("sales", "waiting", "queue sales: more than 1 caller waits", 101.0)
    ]
    assert wall.alarms.of("tech") == []


def test_who_waits_too_long_alarms_until_the_longest_wait_is_short_again() -> None:
    wall = Wall(QueueAlarm(longest_wait_s=60.0))
    assert wall.look(waiting=1, longest=60.5) == (["longest_wait"], [])
    assert wall.look(waiting=1, longest=50.0) == ([], [])
    assert wall.look() == ([], ["longest_wait"])


def level(percent: float | None, calls: int = 10) -> QueueToday:
    return QueueToday(answered=calls, service_level=percent)


def test_the_service_level_alarms_after_ten_calls() -> None:
    wall = Wall(QueueAlarm(service_level=80))
    assert wall.look(today=level(None, 0)) == ([], [])
    assert wall.look(today=level(50, 9)) == ([], [])
    assert wall.look(today=level(79.9)) == (["service_level"], [])
    assert wall.look(today=level(83.9)) == ([], [])
    assert wall.look(today=level(84)) == ([], ["service_level"])


@pytest.mark.parametrize("agents", [{}, {"logged_out": 3}, {"unreachable": 1}])
def test_callers_without_agents_alarm_until_an_agent_is_there(agents: dict[str, int]) -> None:
    wall = Wall(QueueAlarm())
    assert wall.look(agents=agents) == ([], [])
    assert wall.look(waiting=1, agents=agents) == (["no_agents"], [])
    assert wall.look(agents=agents) == ([], [])
    assert wall.look(waiting=2, agents=agents) == ([], [])
    assert wall.look(agents={"paused": 1}) == ([], ["no_agents"])


def test_a_threshold_that_the_dialplan_drops_is_no_alarm_any_more() -> None:
    wall = Wall(QueueAlarm(waiting=1))
    wall.look(waiting=5)
    wall.rules = {"sales": Queue("sales")}
    assert wall.look(waiting=5) == ([], ["waiting"])
    wall.rules = {}
    assert wall.look(waiting=5) == ([], [])
