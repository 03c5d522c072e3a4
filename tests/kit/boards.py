"""A floor whose engine says what the test wants: for boards, alarms and supervisors."""

from __future__ import annotations

from random import Random

from pbx.acd import commands, inputs
from pbx.acd.engine import Engine
from pbx.acd.floor import Floor
from pbx.acd.model import AgentState, AgentView, QueueView, RandomSource, Waiting
from pbx.cdr.today import QueueToday
from pbx.events import AnyEvent
from pbx.events.bus import Bus
from pbx.plan.model import Queue
from tests.kit.clock import VirtualClock
from tests.kit.keeping import Memory


class Shown(Engine):
    """An engine that shows what it is given, and notes what it is told."""

    def __init__(self) -> None:
        self.told: list[inputs.AnyInput] = []
        self.shown_agents: list[AgentView] = []
        self.shown_queues: list[QueueView] = []
        self.callers: dict[str, Waiting] = {}

    def step(self, event: inputs.AnyInput, now: float, rng: RandomSource) -> list[commands.Command]:
        self.told.append(event)
        return []

    def next_timer(self) -> float | None:
        return None

    def agents(self) -> list[AgentView]:
        return self.shown_agents

    def queues(self, now: float) -> list[QueueView]:
        return self.shown_queues

    def waiting(self, call: str) -> Waiting | None:
        return self.callers.get(call)


class Today:
    """Today's figures, as the test says."""

    def __init__(self) -> None:
        self.queues: dict[str, QueueToday] = {}

    def queue(self, name: str) -> QueueToday:
        return self.queues.get(name, QueueToday())


class Wallboard:
    """A floor with two queues, `sales` and `tech`: c-anna and c-bert wait for sales, in that order;
    102 and 103 serve it, 104 serves both."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.bus = Bus(self.clock)
        self.engine = Shown()
        self.today = Today()
        self.alarms: list[str] = []
        self.emitted: list[AnyEvent] = []
        self.bus.attach(lambda stamped: self.emitted.append(stamped.event))
        self.floor = Floor(
            self.engine,
            bus=self.bus,
            clock=self.clock,
            rng=Random(1),
            keeping=Memory(),
            alarm=self.alarms.append,
        )
        self.rules = {name: Queue(name, skills={name: 3}) for name in ("sales", "tech")}
        now = self.clock.monotonic()
        self.engine.callers = {
            "c-anna": Waiting(call="c-anna", queue="sales", joined_at=now - 40, number="13800"),
            "c-bert": Waiting(
                call="c-bert", queue="sales", joined_at=now - 10, number="13900", skills={"en": 5}
            ),
        }
        self.engine.shown_queues = [
            QueueView(
                name="sales",
                waiting=("c-anna", "c-bert"),
                longest_wait_s=40.04,
                agents={"ringing": 1, "paused": 1, "available": 1},
            ),
            QueueView(name="tech", waiting=(), longest_wait_s=0.0, agents={"available": 1}),
        ]
        self.engine.shown_agents = [
            self.agent("102", AgentState.RINGING, "c-anna", queue="sales"),
            self.agent("103", AgentState.PAUSED, reason="lunch"),
            self.agent("104", AgentState.AVAILABLE, queues=("sales", "tech")),
        ]

    def agent(
        self,
        number: str,
        state: AgentState,
        call: str = "",
        *,
        reason: str = "",
        queue: str | None = None,
        queues: tuple[str, ...] = ("sales",),
    ) -> AgentView:
        """Return an agent who began this five seconds ago."""
        return AgentView(
            number=number,
            name=None,
            state=state,
            since=self.clock.monotonic() - 5,
            reason=reason,
            call=call,
            queue=queue,
            skills={"sales": 5},
            queues=queues,
        )
