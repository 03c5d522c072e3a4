"""What the parts of the engine share: agents, callers, and who of them is free for whom.

`settle` is the only way in which an agent's state changes; `place` and `displace` the only ones in
which a caller becomes, or ceases to be, somebody who can be offered. Both note what is new
(`freed`, `stirred`), so that the matching looks at that alone: of everybody else it is known that
no free agent fits a caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pbx.acd.agent import AIMS, MOVES, NEVER, Agent
from pbx.acd.commands import Command, Healed, StateChanged, Withdraw
from pbx.acd.line import Caller, Group, Line, Row
from pbx.acd.model import AgentState
from pbx.acd.requirement import Requirement, Requirements
from pbx.acd.timers import Timers

NO_AGENTS_GRACE: Final = 5.0
"""So many seconds callers stay whom nobody could serve any more: phones register again, shifts
change."""

_TELLING: Final = (AgentState.PAUSED, AgentState.UNREACHABLE)
"""States whose reason may change while they last."""


class Room:
    """Everything that the engine knows. `out` are the commands of the step at hand."""

    def __init__(self) -> None:
        self.out: list[Command] = []
        self.agents: dict[str, Agent] = {}
        self.by_number: tuple[Agent, ...] = ()
        self.by_state: Mapping[AgentState, dict[Agent, None]] = {state: {} for state in AgentState}
        self.free: dict[Agent, None] = {}
        self.freed: list[Agent] = []
        self.lines: dict[str, Line] = {}
        self.callers: dict[str, Caller] = {}
        self.groups: dict[tuple[Line, Requirement], Group] = {}
        """Those in which somebody stands."""
        self.held: dict[Agent, Row] = {}
        """Callers who wait for one agent alone."""
        self.stirred: dict[Caller, None] = {}
        self.requirements = Requirements()
        self.timers: Timers[Agent | Caller | Requirement] = Timers()
        self._present: set[Agent] = set()
        self._said: dict[Agent, str] = {}

    # -- agents ------------------------------------------------------------------------------

    def settle(self, agent: Agent, now: float) -> None:
        """Let the table say what an agent does now that its facts changed."""
        happening = agent.happening()
        before = agent.state
        after = MOVES.get((before, happening))
        if after is None:
            after = AIMS[happening]
            sentence = f"{happening.value}, which cannot be of one who is {before.value}"
            self.out.append(Healed(agent.number, sentence))
        if after is not before or (after in _TELLING and self._said.get(agent) != agent.reason()):
            self._change(agent, before, after, now)
        self._count(agent, now)
        self.timers.set(agent, agent.due())

    def _change(self, agent: Agent, before: AgentState, after: AgentState, now: float) -> None:
        seconds = now - agent.since
        agent.move(after, now)
        del self.by_state[before][agent]
        self.by_state[after][agent] = None
        reason = agent.reason()
        if after in _TELLING:
            self._said[agent] = reason
        call, queue = agent.about()
        self.out.append(StateChanged(agent.number, before, after, reason, seconds, call, queue))

    def _count(self, agent: Agent, now: float) -> None:
        """Keep the sets of who is free and who is there."""
        if agent.free():
            if agent not in self.free:
                self.free[agent] = None
                self.freed.append(agent)
        else:
            self.free.pop(agent, None)
        present = agent.present()
        if present is not (agent in self._present):
            self._came_or_went(agent, present, now)
        if agent in self.held and not (present and agent.pause is None):
            for caller in tuple(self.held[agent]):
                self.let_go(caller, now)

    def _came_or_went(self, agent: Agent, present: bool, now: float) -> None:
        if present:
            self._present.add(agent)
        else:
            self._present.discard(agent)
        for requirement in self.requirements:
            if agent in requirement.agents:
                requirement.present += 1 if present else -1
                self.watch(requirement, now)

    def watch(self, requirement: Requirement, now: float) -> None:
        """Set, or unset, when callers are sent away because nobody could serve them."""
        if requirement.present:
            self.timers.set(requirement, NEVER)
        elif requirement.timer is None:
            self.timers.set(requirement, now + NO_AGENTS_GRACE)

    def enter(self, agent: Agent) -> None:
        """Take in a new agent."""
        self.agents[agent.number] = agent
        self.by_state[agent.state][agent] = None

    def dismiss(self, agent: Agent) -> None:
        """Forget an agent, who is logged out."""
        del self.agents[agent.number], self.by_state[agent.state][agent]
        self._said.pop(agent, None)
        self.timers.set(agent, NEVER)

    # -- callers -----------------------------------------------------------------------------

    def place(self, caller: Caller, now: float) -> None:
        """Let a caller stand where whoever gets free looks, if it may be offered at all."""
        if caller.group is not None:
            self.displace(caller)
        if caller.ready and not caller.offered:
            row = self._row(caller)
            row.add(caller)
            caller.group = row
            self.stirred[caller] = None
        if not caller.final.present:
            self.watch(caller.final, now)
        self.timers.set(caller, caller.due(now))

    def _row(self, caller: Caller) -> Row:
        if caller.agent is not None:
            return self.held.setdefault(caller.agent, Row())
        key = (caller.line, caller.requirement)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(*key)
        return group

    def displace(self, caller: Caller) -> None:
        """Take a caller away from where it could be offered."""
        row, caller.group = caller.group, None
        if row is None:
            return
        row.remove(caller)
        if not row:
            if isinstance(row, Group):
                del self.groups[row.line, row.requirement]
            elif caller.agent is not None:
                del self.held[caller.agent]

    def let_go(self, caller: Caller, now: float) -> None:
        """Let a caller wait for anybody who waited for one agent alone."""
        self.displace(caller)
        caller.agent = None
        self.place(caller, now)

    def remove(self, caller: Caller, now: float, reason: str) -> None:
        """Forget a caller; whoever is asked for it, is withdrawn for `reason`."""
        self.displace(caller)
        self.stirred.pop(caller, None)
        self.timers.set(caller, NEVER)
        del self.callers[caller.call]
        line = caller.line
        line.remove(caller)
        self.drop(line)
        self.withdraw(caller, tuple(caller.offered), reason, now)

    def drop(self, line: Line) -> None:
        """Forget a queue that the dialplan has no more, once it is empty."""
        if not line.kept and not line.row:
            self.lines.pop(line.queue.name, None)

    # -- offers ------------------------------------------------------------------------------

    def withdraw(self, caller: Caller, agents: Iterable[Agent], reason: str, now: float) -> None:
        """Ask these agents no more for a caller."""
        for agent in agents:
            del caller.offered[agent]
            del agent.offers[caller.call]
            self.out.append(Withdraw(caller.call, agent.number, reason))
            self.settle(agent, now)

    def withdraw_unheard(self, caller: Caller, agent: Agent) -> None:
        """Stop whatever may still ring for an offer that is over without a word."""
        self.out.append(Withdraw(caller.call, agent.number, "no_answer"))

    def withdraw_all(self, agent: Agent, reason: str, now: float) -> None:
        """Ask an agent for nobody any more; those callers are for others."""
        for call in tuple(agent.offers):
            caller = self.callers[call]
            self.withdraw(caller, (agent,), reason, now)
            if not caller.offered:
                self.place(caller, now)
