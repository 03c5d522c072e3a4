"""Alarms of queues: too many wait, somebody too long, the service level falls, nobody is there.

Each is raised once when its threshold (`alarm:` of the queue) is crossed and is over only when the
figure is well on the good side again, below 80 % of the threshold, so one that hovers alarms
nobody twice. A service level counts by what is missing to 100 %: raised below 80, over from 84.
Without agents a queue is alarmed when somebody waits, and it is over when an agent is there.

Which are on stands on the board; each goes to the bus, and its sentence to `alarm`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pbx.acd.board import QueueToday, Today
from pbx.acd.commands import StateChanged
from pbx.acd.floor import Floor
from pbx.acd.model import AgentState, QueueView
from pbx.events import QueueAlarmed
from pbx.plan.model import Queue

AlarmKind = Literal["waiting", "longest_wait", "service_level", "no_agents"]

CLEARED_BELOW: Final = 0.8
"""Part of a threshold below which an alarm is over."""

CALLS_FOR_LEVEL: Final = 10
"""Calls of today before a service level says anything."""

LOOK_EVERY: Final = 1.0  # seconds

ABSENT: Final = frozenset({AgentState.LOGGED_OUT.value, AgentState.UNREACHABLE.value})


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that is on since `since`, monotonic seconds."""

    queue: str
    kind: AlarmKind
    sentence: str
    since: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure against its threshold: beyond it, well on the good side, or neither."""

    kind: AlarmKind
    crossed: bool
    cleared: bool
    sentence: str


def readings(view: QueueView, rules: Queue, today: QueueToday) -> Iterator[Reading]:
    """Yield what can be alarming about a queue, as it is now."""
    limits, name = rules.alarm, view.name
    if limits.waiting is not None:
        sentence = f"queue {name}: more than {_callers_wait(limits.waiting)}"
        yield _against("waiting", len(view.waiting), limits.waiting, sentence)
    if limits.longest_wait_s is not None:
        sentence = f"queue {name}: somebody waits longer than {limits.longest_wait_s:g} s"
        yield _against("longest_wait", view.longest_wait_s, limits.longest_wait_s, sentence)
    if limits.service_level is not None:
        sentence = f"queue {name}: the service level of today is below {limits.service_level} %"
        calls, level = today.answered + today.abandoned, today.service_level
        if level is not None and calls >= CALLS_FOR_LEVEL:
            missing, allowed = 100 - level, 100 - limits.service_level
            yield _against("service_level", missing, allowed, sentence)
    present = any(count for state, count in view.agents.items() if state not in ABSENT)
    sentence = f"queue {name}: callers wait and no agent is there; log one in"
    yield Reading("no_agents", bool(view.waiting) and not present, present, sentence)


def _callers_wait(count: int) -> str:
    return "1 caller waits" if count == 1 else f"{count} callers wait"


def _against(kind: AlarmKind, value: float, limit: float, sentence: str) -> Reading:
    return Reading(kind, value > limit, value <= CLEARED_BELOW * limit, sentence)


class QueueAlarms:
    """Which alarms are on; `look` finds out what changed."""

    def __init__(self) -> None:
        self._on: dict[tuple[str, AlarmKind], Alarm] = {}

    def of(self, queue: str) -> list[Alarm]:
        """Return the alarms of a queue that are on, the oldest first."""
        return [alarm for alarm in self._on.values() if alarm.queue == queue]

    def look(
        self, views: list[QueueView], rules: Mapping[str, Queue], today: Today, now: float
    ) -> tuple[list[Alarm], list[Alarm]]:
        """Look at all queues, and return which alarms came on and which are over."""
        raised, stays = [], set()
        for view in views:
            queue = rules.get(view.name)
            if queue is None:
                continue
            for reading in readings(view, queue, today.queue(view.name)):
                key = view.name, reading.kind
                if key in self._on:
                    if not reading.cleared:
                        stays.add(key)
                elif reading.crossed:
                    self._on[key] = Alarm(view.name, reading.kind, reading.sentence, now)
                    raised.append(self._on[key])
                    stays.add(key)
        over = [self._on.pop(key) for key in [key for key in self._on if key not in stays]]
        return raised, over


class Watch:
    """Looks at the queues of a floor each second, and tells what it finds."""

    def __init__(
        self,
        floor: Floor,
        today: Today,
        rules: Callable[[], Mapping[str, Queue]],
        alarm: Callable[[str], None],
    ) -> None:
        self.alarms = QueueAlarms()
        self._floor = floor
        self._today = today
        self._rules = rules
        self._alarm = alarm
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look."""
        self._floor.on_state.append(self._state_changed)
        self._wind()

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._state_changed in self._floor.on_state:
            self._floor.on_state.remove(self._state_changed)

    def look(self) -> None:
        """Look at the queues now."""
        now = self._floor.clock.monotonic()
        views = self._floor.engine.queues(now)
        raised, over = self.alarms.look(views, self._rules(), self._today, now)
        for alarm in raised:
            self._alarm(alarm.sentence)
        for alarm in (*raised, *over):
            self._floor.bus.emit(
                QueueAlarmed(
                    queue=alarm.queue, kind=alarm.kind, on=alarm in raised, text=alarm.sentence
                )
            )

    def _wind(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look_again)

    def _look_again(self) -> None:
        self._wind()
        self.look()

    def _state_changed(self, command: StateChanged) -> None:
        if command.after is AgentState.UNREACHABLE:
            cause = command.reason or "no phone of it answers"
            self._alarm(f"agent {command.agent} cannot be reached: {cause}")
