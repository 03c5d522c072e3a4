"""The queue engine, pure: `step(input, now, rng) → commands`.

An input changes facts about agents (`staff.py`) or callers (`waiters.py`); then free agents and
callers are brought together (`offering.py`). What they share is the `Room`. Whatever time alone
changes is done before the input, so that nobody is ever found in a state that is over.

Nothing here waits, looks at a clock or draws a number: the same inputs give the same commands.
"""

from __future__ import annotations

from pbx.acd import inputs
from pbx.acd.agent import Agent
from pbx.acd.commands import Command
from pbx.acd.estimate import estimate
from pbx.acd.inputs import AnyInput
from pbx.acd.line import Caller, Line
from pbx.acd.model import (
    AgentState,
    AgentView,
    DeclineReason,
    Estimate,
    QueueView,
    RandomSource,
    Waiting,
)
from pbx.acd.offering import Offering
from pbx.acd.room import Room
from pbx.acd.staff import Staff
from pbx.acd.waiters import Waiters


class Engine:
    """Queues, callers and agents of one office, and who gets whom.

    `explains=False` leaves out the reasons of decisions (`Decided`), for simulations of many days.
    """

    def __init__(self, *, explains: bool = True) -> None:
        self._room = Room()
        self._waiters = Waiters(self._room)
        self._staff = Staff(self._room, self._unheard)
        self._offering = Offering(self._room, explains=explains)

    def step(self, event: AnyInput, now: float, rng: RandomSource) -> list[Command]:
        """Take one input and return what is to be done, in order."""
        room = self._room
        self._wake(now)
        self._take(event, now)
        self._offering.fill(now, rng)
        done, room.out = room.out, []
        return done

    def next_timer(self) -> float | None:
        """Return when `TimePassed` is due next; None while nothing is."""
        return self._room.timers.next()

    # -- inputs ------------------------------------------------------------------------------

    def _wake(self, now: float) -> None:
        timers = self._room.timers
        while (who := timers.pop(now)) is not None:
            if isinstance(who, Agent):
                self._staff.wake(who, now)
            elif isinstance(who, Caller):
                self._waiters.wake(who, now)
            else:
                self._waiters.nobody(who, now)

    def _take(self, event: AnyInput, now: float) -> None:
        match event:
            case inputs.TimePassed():
                pass
            case inputs.CallerJoined(waiting):
                self._waiters.join(waiting, now)
            case inputs.CallerGone(call):
                self._waiters.gone(call, now)
            case inputs.AgentTook() | inputs.AgentDeclined():
                self._answer(event, now)
            case inputs.CallerMoved() | inputs.SkillsWanted() | inputs.CallbackReady():
                caller = self._room.callers.get(event.call)
                if caller is not None:
                    self._caller(event, caller, now)
            case inputs.AgentsChanged(profiles):
                self._staff.change(profiles, now)
            case inputs.QueuesChanged(queues, between):
                self._offering.between = between
                self._waiters.change(queues, now)
            case inputs.QueueOpened(queue, is_open):
                if queue in self._room.lines:
                    self._room.lines[queue].open = is_open
            case inputs.DayBegan():
                self._staff.begin_day()
            case _:
                agent = self._room.agents.get(event.agent)
                if agent is not None:
                    self._agent(event, agent, now)

    def _agent(self, event: inputs.AgentInput, agent: Agent, now: float) -> None:
        staff = self._staff
        match event:
            case inputs.PhoneRings():
                staff.rings(agent, event.call, event.leg, event.outbound, now)
            case inputs.PhoneTalks():
                staff.talks(agent, event.call, event.leg, now)
            case inputs.PhoneHolds():
                staff.holds(agent, event.leg, event.on, now)
            case inputs.PhoneFree():
                staff.frees(agent, event.leg, now)
            case inputs.LoggedIn():
                staff.log_in(agent, now)
            case inputs.LoggedOut():
                staff.log_out(agent, now)
            case inputs.PauseAsked():
                staff.pause(agent, event.reason, event.for_s, now)
            case inputs.ResumeAsked():
                staff.resume(agent, now)
            case inputs.WrapUpExtended():
                staff.extend(agent, event.seconds, now)
            case inputs.PhoneReachable():
                staff.reachable(agent, now)
            case inputs.PhoneUnreachable():
                staff.unreachable(agent, event.cause, now)

    def _caller(
        self,
        event: inputs.CallerMoved | inputs.SkillsWanted | inputs.CallbackReady,
        caller: Caller,
        now: float,
    ) -> None:
        waiters = self._waiters
        match event:
            case inputs.CallerMoved(queue=None):
                waiters.move_up(caller, now)
            case inputs.CallerMoved(queue=name):
                line = self._room.lines.get(name or "")
                if line is not None:
                    waiters.move_to(caller, line, now)
            case inputs.SkillsWanted():
                waiters.want(caller, event.skills, now)
            case inputs.CallbackReady():
                waiters.ready(caller, event.ready, now)

    def _answer(self, event: inputs.AgentTook | inputs.AgentDeclined, now: float) -> None:
        """An agent answered an offer, or has the caller without one (which a race may bring)."""
        caller, agent = self._room.callers.get(event.call), self._room.agents.get(event.agent)
        if caller is None or agent is None:
            return
        if isinstance(event, inputs.AgentDeclined):
            if agent in caller.offered:
                self._declined(caller, agent, event.reason, now)
            return
        caller.offered.pop(agent, None)
        self._waiters.gone(event.call, now, "taken")
        self._staff.takes(agent, event.call, caller.line.queue, now)

    def _declined(self, caller: Caller, agent: Agent, reason: DeclineReason, now: float) -> None:
        self._waiters.declined(caller, agent, reason, now)
        self._staff.declines(agent, caller.call, caller.line.queue, reason, now)

    def _unheard(self, call: str, agent: Agent, reason: DeclineReason, now: float) -> None:
        """Nothing was heard of an offer: stop what may still ring."""
        caller = self._room.callers[call]
        self._room.withdraw_unheard(caller, agent)
        self._declined(caller, agent, reason, now)

    # -- what is so --------------------------------------------------------------------------

    def agent(self, number: str) -> AgentView | None:
        """Return an agent as it is now."""
        agent = self._room.agents.get(number)
        return None if agent is None else self._view(agent)

    def agents(self) -> list[AgentView]:
        """Return all agents, by number."""
        return [self._view(agent) for agent in self._room.by_number]

    def _view(self, agent: Agent) -> AgentView:
        call, queue = agent.about()
        lines = self._room.lines.items()
        serves = {name for name, line in lines if agent in line.ladder[0].requirement.agents}
        could = {name for name, line in lines if agent in line.ladder[-1].requirement.agents}
        return AgentView(
            number=agent.number,
            name=agent.profile.name,
            state=agent.state,
            since=agent.since,
            logged_in=agent.logged_in,
            pause=agent.pause,
            until=agent.ends_at(),
            reason=agent.reason(),
            call=call,
            queue=queue,
            skills=agent.profile.skills,
            queues=tuple(sorted(serves)),
            queues_later=tuple(sorted(could - serves)),
        )

    def queues(self, now: float) -> list[QueueView]:
        """Return all queues, by name."""
        return [self._queue(line, now) for _, line in sorted(self._room.lines.items())]

    def _queue(self, line: Line, now: float) -> QueueView:
        able = line.ladder[-1].requirement.agents
        by_state = self._room.by_state
        counts = {state.value: len(by_state[state].keys() & able) for state in AgentState}
        return QueueView(
            name=line.queue.name,
            waiting=tuple(caller.call for caller in line.row),
            longest_wait_s=max(
                (now - caller.waiting.joined_at for caller in line.row), default=0.0
            ),
            agents={state: count for state, count in counts.items() if count},
            open=line.open,
        )

    def waiting(self, call: str) -> Waiting | None:
        """Return a caller who waits."""
        caller = self._room.callers.get(call)
        return None if caller is None else caller.waiting

    def ahead(self, call: str) -> int | None:
        """Return how many of its queue are served before the caller; None for one who waits not."""
        caller = self._room.callers.get(call)
        return None if caller is None else caller.line.row.before(caller)

    def estimate(self, call: str, now: float) -> Estimate | None:
        """Return how long the caller has to wait yet; None while that is anybody's guess."""
        caller = self._room.callers.get(call)
        if caller is None:
            return None
        able = caller.requirement.agents
        active = sum(agent.present() and agent.pause is None for agent in able)
        line = caller.line
        return estimate(line.row.before(caller) + 1, line.handle, active)
