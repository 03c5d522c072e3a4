"""The running call centre as the API sees it: `LiveCentre` made of the floor and what is around it.

Everything is read from memory and copied into views; what supervisors want is `acd.supervisor`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pbx.acd import supervisor
from pbx.acd.alarms import QueueAlarms
from pbx.acd.board import Today, skills_wanted
from pbx.acd.callbacks import Callbacks
from pbx.acd.floor import Floor
from pbx.acd.keeping import BookedCallback, Stretch
from pbx.acd.model import AgentState, AgentView, QueueView
from pbx.api.centre_views import (
    Board,
    QueueAgent,
    QueueAlarmView,
    QueueDetail,
    QueueRow,
    WaitingCallback,
    WaitingCaller,
)
from pbx.api.views import utc_text
from pbx.errors import NotRunning
from pbx.plan.model import Queue

RINGS = frozenset({AgentState.RESERVED, AgentState.RINGING})
TALKS = frozenset({AgentState.TALKING, AgentState.HOLD})


class CallCentreLive:
    """A running call centre's answers; satisfies `pbx.api.centre.LiveCentre`.

    `rules` returns the queues of the dialplan in force, `callbacks` whoever calls back; None
    before the start.
    """

    def __init__(
        self,
        *,
        floor: Floor,
        today: Today,
        alarms: QueueAlarms,
        rules: Callable[[], Mapping[str, Queue]],
        callbacks: Callable[[], Callbacks | None] = lambda: None,
    ) -> None:
        self._floor = floor
        self._alarms = alarms
        self._today = today
        self._rules = rules
        self._callbacks = callbacks

    # -- queues ------------------------------------------------------------------------------

    def board(self) -> Board:
        """Return all queues and all agents."""
        return Board(
            at=utc_text(self._floor.clock.wall()),
            queues=tuple(self.queues()),
            staff=tuple(self._agent(agent) for agent in self._floor.engine.agents()),
        )

    def queues(self) -> Sequence[QueueRow]:
        """Return the queues of the dialplan in force, by name."""
        return [self._row(view) for view in self._floor.engine.queues(self._now())]

    def queue(self, name: str) -> QueueDetail:
        """Return one queue with its callers and agents."""
        view = supervisor.find_queue(self._floor, name)
        shown = self._row(view)
        return QueueDetail(
            **{field: getattr(shown, field) for field in QueueRow.__struct_fields__},
            callers=tuple(self._callers(view)),
            staff=tuple(
                self._agent(agent)
                for agent in self._floor.engine.agents()
                if name in agent.queues or agent.queue == name
            ),
        )

    def switch_queue(self, name: str, on: bool, by: str) -> None:
        """Open a queue to new callers, or close it."""
        supervisor.switch(self._floor, name, on, by)

    def places(self) -> Mapping[str, tuple[str, str | None]]:
        """Return the queue of each call that waits in one or came from one, and who has it."""
        found: dict[str, tuple[str, str | None]] = {
            call: (view.name, None)
            for view in self._floor.engine.queues(self._now())
            for call in view.waiting
        }
        for agent in self._floor.engine.agents():
            if agent.queue is not None and agent.call and agent.state in TALKS:
                found[agent.call] = (agent.queue, agent.number)
        return found

    # -- agents ------------------------------------------------------------------------------

    def doing(self, agent: str | None = None) -> Sequence[Stretch]:
        """Return what an agent, or each, does at present, from when it began until now."""
        wall, now = self._floor.clock.wall(), self._now()
        return [
            Stretch(
                agent=view.number,
                state=view.state.value,
                since=wall - max(0.0, now - view.since),
                until=wall,
                reason=view.reason,
                call=view.call,
                queue=view.queue,
            )
            for view in self._floor.engine.agents()
            if agent in (None, view.number)
        ]

    # -- callers -----------------------------------------------------------------------------

    def caller(self, name: str) -> WaitingCaller:
        """Return who waits under this id of a call, its beginning, or the caller's number."""
        waiting = supervisor.find_caller(self._floor, name)
        view = supervisor.find_queue(self._floor, waiting.queue)
        (found,) = (each for each in self._callers(view) if each.call == waiting.call)
        return found

    def raise_caller(self, queue: str, call: str, by: str) -> None:
        """Put a caller before all others of the queue."""
        supervisor.put_first(self._floor, queue, call, by)

    def move_caller(self, queue: str, call: str, to: str, by: str) -> None:
        """Let a caller go on waiting in another queue."""
        supervisor.move(self._floor, queue, call, to, by)

    # -- call-backs --------------------------------------------------------------------------

    def callbacks(self) -> Sequence[WaitingCallback]:
        """Return who waits to be called back."""
        callbacks = self._callbacks()
        return [] if callbacks is None else [self._callback(each) for each in callbacks.waiting()]

    def cancel_callback(self, name: str) -> None:
        """Call somebody back no more."""
        self._calling_back().cancel(name)

    def hurry_callback(self, name: str) -> WaitingCallback:
        """Let a call-back wait in its line now."""
        return self._callback(self._calling_back().hurry(name))

    def _calling_back(self) -> Callbacks:
        callbacks = self._callbacks()
        if callbacks is None:
            raise NotRunning
        return callbacks

    def _callback(self, booked: BookedCallback) -> WaitingCallback:
        callbacks = self._calling_back()
        rules = self._rules().get(booked.queue, Queue(booked.queue))
        return WaitingCallback(
            id=booked.id,
            queue=booked.queue,
            number=booked.number,
            call=booked.call,
            since=utc_text(booked.joined_at),
            waited_s=round(max(0.0, self._floor.clock.wall() - booked.joined_at), 1),
            doing=callbacks.doing(booked.id),
            tries=booked.tries,
            most_tries=rules.callback.tries,
            next_at=utc_text(booked.next_at),
            priority=booked.priority,
            language=booked.language,
            hours=booked.hours,
        )

    # -- views -------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._floor.clock.monotonic()

    def _wall(self, moment: float) -> str:
        """Return a monotonic time as UTC text."""
        return utc_text(self._floor.clock.wall() - (self._now() - moment))

    def _row(self, view: QueueView) -> QueueRow:
        rules, today = self._rules().get(view.name, Queue(view.name)), self._today.queue(view.name)
        return QueueRow(
            name=view.name,
            open=view.open,
            waiting=len(view.waiting),
            longest_wait_s=round(view.longest_wait_s, 1),
            agents={
                state.value: view.agents[state.value]
                for state in AgentState
                if view.agents.get(state.value)
            },
            service_level=None if today.service_level is None else round(today.service_level, 1),
            service_level_formula=today.formula,
            target=rules.service_level,
            answered=today.answered,
            abandoned=today.abandoned,
            alarms=tuple(
                QueueAlarmView(
                    kind=alarm.kind, sentence=alarm.sentence, since=self._wall(alarm.since)
                )
                for alarm in self._alarms.of(view.name)
            ),
        )

    def _callers(self, view: QueueView) -> list[WaitingCaller]:
        rules, now = self._rules().get(view.name, Queue(view.name)), self._now()
        rung: dict[str, list[str]] = {}
        for agent in self._floor.engine.agents():
            if agent.state in RINGS:
                rung.setdefault(agent.call, []).append(agent.number)
        found = []
        for position, call in enumerate(view.waiting, start=1):
            waiting = self._floor.engine.waiting(call)
            if waiting is None:
                continue
            waited = max(0.0, now - waiting.joined_at)
            found.append(
                WaitingCaller(
                    call=call,
                    queue=view.name,
                    position=position,
                    number=waiting.number,
                    waited_s=round(waited, 1),
                    priority=waiting.priority,
                    skills=skills_wanted(rules, waiting.skills, waited),
                    agent=waiting.agent,
                    callback=waiting.callback,
                    offered_to=tuple(rung.get(call, ())),
                )
            )
        return found

    def _agent(self, agent: AgentView) -> QueueAgent:
        return QueueAgent(
            number=agent.number,
            name=agent.name,
            state=agent.state.value,
            since=self._wall(agent.since),
            seconds=round(max(0.0, self._now() - agent.since), 1),
            reason=agent.reason,
            call=agent.call or None,
            queue=agent.queue,
            skills=dict(agent.skills),
        )
