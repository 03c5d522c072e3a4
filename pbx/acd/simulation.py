"""Days of calls on a clock of their own, against the engine that serves real ones.

Callers come at random (a Poisson stream whose rate may change from hour to hour), talk for
exponential times and leave when their patience, exponential too, is over. Agents pick up after
`pick_up_s` and always take the call. Without wrap-up and with `pick_up_s` 0 that is the system
M/M/n (+M) whose figures Erlang's formulas give, which is how the engine is proved.

Nothing waits: a day of some hundred calls takes a hundredth of a second.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from pbx.acd import inputs
from pbx.acd.commands import Command, Offer, SendAway, StateChanged, Withdraw
from pbx.acd.engine import Engine
from pbx.acd.model import AgentState, Profile, RandomSource, Waiting
from pbx.plan.model import Queue

HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Who calls a queue: calls an hour (one figure for each hour of the day in turn, the last one
    goes on), mean talk and mean patience in seconds (None: they never leave). Talks are exponential
    if `varies`, else all of one length."""

    queue: Queue
    calls_per_hour: Sequence[float]
    talk_s: float
    patience_s: float | None = None
    varies: bool = True


@dataclass(slots=True)
class Seen:
    """What became of the callers of one queue, in the order in which they waited no longer.

    Of each who was answered or left: `waits` in seconds, whether `answered` (1 or 0), for how long
    it `talks` (0.0 for who left), and the moment `at` which. `away` counts those who were sent
    away, by reason.
    """

    joined: int = 0
    waits: array[float] = field(default_factory=lambda: array("d"))
    answered: array[int] = field(default_factory=lambda: array("b"))
    talks: array[float] = field(default_factory=lambda: array("d"))
    at: array[float] = field(default_factory=lambda: array("d"))
    away: dict[str, int] = field(default_factory=dict)
    changed_at: array[float] = field(default_factory=lambda: array("d"))
    """When the number of waiting callers changed, and to what (`waiting`)."""
    waiting: array[int] = field(default_factory=lambda: array("l"))

    def answered_waits(self) -> list[float]:
        """Return how long those waited who were answered."""
        return [wait for wait, answered in zip(self.waits, self.answered, strict=True) if answered]

    def ended(self, wait_s: float, talk_s: float, now: float, *, answered: bool) -> None:
        """Note that somebody was answered, or left."""
        self.waits.append(wait_s)
        self.answered.append(answered)
        self.talks.append(talk_s)
        self.at.append(now)


@dataclass(slots=True)
class _Call:
    number: str
    demand: Demand
    seen: Seen
    joined_at: float
    talk_s: float
    agent: str = ""


@dataclass(slots=True)
class Worked:
    """What one agent did."""

    calls: int = 0
    busy_s: float = 0.0
    """In calls, and in the work after them."""


class Simulation:
    """Agents, demands and a clock. `seen` tells of each queue by name, `work` of each agent."""

    def __init__(
        self,
        demands: Sequence[Demand],
        agents: Sequence[Profile],
        rng: RandomSource,
        *,
        pick_up_s: float = 0.0,
    ) -> None:
        self.now = 0.0
        self.engine = Engine(explains=False)
        self.seen = {demand.queue.name: Seen() for demand in demands}
        self.work = {agent.number: Worked() for agent in agents}
        self._rng = rng
        self._pick_up_s = pick_up_s
        self._coming: list[tuple[float, int, Callable[[_Call], None], _Call]] = []
        self._count = 0
        self._count_events = 0
        self._waiting: dict[str, _Call] = {}
        self._told: deque[Command] = deque()
        self._tell(inputs.QueuesChanged({one.queue.name: one.queue for one in demands}))
        self._tell(inputs.AgentsChanged(tuple(agents)))
        for agent in agents:
            self._tell(inputs.LoggedIn(agent.number))
        for demand in demands:
            self._next_call(demand)

    def run(self, until: float, *, calls: int | None = None) -> None:
        """Go on until a moment, in seconds of the day, or until so many calls have come."""
        coming = self._coming
        while coming and (calls is None or self._count < calls):
            due, timer = coming[0][0], self.engine.next_timer()
            if timer is not None and timer <= due:
                if timer > until:
                    break
                self.now = timer
                self._tell(_TIME)
                continue
            if due > until:
                break
            self.now, _, then, call = heappop(coming)
            then(call)
        self.now = max(self.now, until) if until < math.inf else self.now

    def busy_s(self) -> float:
        """Return for how many seconds agents were busy until now, all of them together."""
        unended = (self.now - view.since for view in self.engine.agents() if view.state in _BUSY)
        return sum(unended) + sum(work.busy_s for work in self.work.values())

    # -- callers -----------------------------------------------------------------------------

    def _next_call(self, demand: Demand) -> None:
        """Draw when the next caller of a queue comes, and how long the call will be."""
        at = self._arrival(demand)
        if at is None:
            return
        seen = self.seen[demand.queue.name]
        self._count += 1
        talk_s = self._drawn(demand.talk_s) if demand.varies else demand.talk_s
        call = _Call(f"{self._count}", demand, seen, at, talk_s)
        self._at(at, self._joins, call)

    def _arrival(self, demand: Demand) -> float | None:
        """Return when the next caller comes, None for never: by the rate of each hour in turn."""
        rates = demand.calls_per_hour
        at, work = self.now, -math.log1p(-self._rng.random())
        while True:
            hour = int(at // HOUR)
            last = hour >= len(rates) - 1
            rate = rates[-1 if last else hour] / HOUR
            if last:
                return at + work / rate if rate else None
            left = (hour + 1) * HOUR - at
            if work < rate * left:
                return at + work / rate
            work -= rate * left
            at = (hour + 1) * HOUR

    def _joins(self, call: _Call) -> None:
        demand = call.demand
        self._next_call(demand)
        call.seen.joined += 1
        self._waiting[call.number] = call
        self._changed(call.seen, 1)
        if demand.patience_s is not None:
            self._at(self.now + self._drawn(demand.patience_s), self._leaves, call)
        waiting = Waiting(call=call.number, queue=demand.queue.name, joined_at=self.now)
        self._tell(inputs.CallerJoined(waiting))

    def _leaves(self, call: _Call) -> None:
        if self._waiting.pop(call.number, None) is not None:
            call.seen.ended(self.now - call.joined_at, 0.0, self.now, answered=False)
            self._changed(call.seen, -1)
            self._tell(inputs.CallerGone(call.number))

    def _changed(self, seen: Seen, by: int) -> None:
        seen.changed_at.append(self.now)
        seen.waiting.append((seen.waiting[-1] if seen.waiting else 0) + by)

    # -- agents ------------------------------------------------------------------------------

    def _offered(self, offer: Offer) -> None:
        """Let the first of those who are asked pick up."""
        call = self._waiting[offer.call]
        call.agent = offer.agents[0]
        if not self._pick_up_s:
            self._takes(call)
            return
        for agent in offer.agents:
            self._tell(inputs.PhoneRings(agent, call.number, int(agent)))
        self._at(self.now + self._pick_up_s, self._takes, call)

    def _withdrawn(self, withdrawn: Withdraw) -> None:
        if self._pick_up_s:
            agent = withdrawn.agent
            self._tell(inputs.PhoneFree(agent, withdrawn.call, int(agent)))

    def _takes(self, call: _Call) -> None:
        if self._waiting.pop(call.number, None) is None:
            return
        agent, seen = call.agent, call.seen
        seen.ended(self.now - call.joined_at, call.talk_s, self.now, answered=True)
        self._changed(seen, -1)
        self.work[agent].calls += 1
        self._at(self.now + call.talk_s, self._ends, call)
        self._tell(inputs.PhoneTalks(agent, call.number, int(agent)))
        self._tell(inputs.AgentTook(call.number, agent))

    def _ends(self, call: _Call) -> None:
        self._tell(inputs.PhoneFree(call.agent, call.number, int(call.agent)))

    # -- the engine --------------------------------------------------------------------------

    def _tell(self, event: inputs.AnyInput) -> None:
        """Tell the engine, and let happen what it wants, one after the other."""
        told = self._told
        idle = not told
        told.extend(self.engine.step(event, self.now, self._rng))
        while idle and told:
            command = told[0]
            if isinstance(command, Offer):
                self._offered(command)
            elif isinstance(command, StateChanged):
                if command.before in _BUSY:
                    self.work[command.agent].busy_s += command.seconds
            elif isinstance(command, Withdraw):
                self._withdrawn(command)
            elif isinstance(command, SendAway):
                self._sent_away(command)
            told.popleft()

    def _sent_away(self, command: SendAway) -> None:
        call = self._waiting.pop(command.call)
        away = call.seen.away
        away[command.reason] = away.get(command.reason, 0) + 1
        self._changed(call.seen, -1)

    def _at(self, moment: float, then: Callable[[_Call], None], call: _Call) -> None:
        self._count_events += 1
        heappush(self._coming, (moment, self._count_events, then, call))

    def _drawn(self, mean: float) -> float:
        return -math.log1p(-self._rng.random()) * mean


_BUSY: Final = (AgentState.TALKING, AgentState.HOLD, AgentState.WRAP_UP)
_TIME: Final = inputs.TimePassed()
