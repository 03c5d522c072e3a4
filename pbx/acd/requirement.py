"""What a caller needs, and who has it.

A requirement is a set of skills with least levels. Each is made once and remembers which agents
satisfy it, so that "may this agent serve that caller" is one look into a set.

`ladder` gives what a caller needs at first and after each step of its queue's relaxation. A step
stands in place of the queue's own skills; what the caller wished besides remains, except at the
step `any`, where any agent will do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from pbx.acd.agent import Agent
from pbx.acd.model import Skills
from pbx.events import Candidate
from pbx.plan.model import Queue

LISTED: Final = 20
"""Of how many agents that lack a skill it is known which."""

UNUSED: Final = 200
"""So many requirements are kept that nobody has at present."""


class Requirement:
    """Skills with least levels, and the agents who have them all.

    `present` counts those who are logged in and reachable; `timer` is when callers are sent away
    because nobody is.
    """

    __slots__ = ("agents", "by_number", "lacking", "lacks", "present", "skills", "timer")

    def __init__(self, skills: Skills) -> None:
        self.skills = dict(skills)
        self.agents: set[Agent] = set()
        self.by_number: list[Agent] = []
        """The same, by number."""
        self.present = 0
        self.lacking: tuple[Candidate, ...] = ()
        self.lacks = 0
        self.timer: float | None = None

    def lack(self, skills: Skills) -> str:
        """Return the first skill that does not suffice, as `en 3 < 5`; empty where all do."""
        for name, least in self.skills.items():
            level = skills.get(name, 0)
            if level < least:
                return f"{name} {level} < {least}" if level else f"no {name}"
        return ""

    def survey(self, agents: Sequence[Agent]) -> None:
        """Find out who satisfies it. `agents` are all there are, by number."""
        self.agents.clear()
        self.by_number.clear()
        self.present = self.lacks = 0
        lacking: list[Candidate] = []
        for agent in agents:
            lack = self.lack(agent.profile.skills)
            if not lack:
                self.agents.add(agent)
                self.by_number.append(agent)
                self.present += agent.present()
                continue
            self.lacks += 1
            if len(lacking) < LISTED:
                lacking.append(Candidate(agent=agent.number, failed="skill", text=lack))
        self.lacking = tuple(lacking)


class Rung(NamedTuple):
    """From `after_s` seconds of waiting on, `requirement` suffices."""

    after_s: float
    requirement: Requirement


class Requirements:
    """All requirements that anybody has, each once."""

    def __init__(self) -> None:
        self._all: dict[tuple[tuple[str, int], ...], Requirement] = {}
        self._agents: Sequence[Agent] = ()

    def __iter__(self) -> Iterator[Requirement]:
        return iter(self._all.values())

    def of(self, skills: Skills) -> Requirement:
        """Return the requirement of these skills."""
        key = tuple(sorted(skills.items()))
        found = self._all.get(key)
        if found is None:
            found = self._all[key] = Requirement(dict(key))
            found.survey(self._agents)
        return found

    def survey(self, agents: Sequence[Agent]) -> None:
        """Find out anew who satisfies what. `agents` are all there are, by number."""
        self._agents = agents
        for requirement in self._all.values():
            requirement.survey(agents)

    def prune(self, used: Collection[Requirement]) -> None:
        """Forget those that are not `used`, once there are many."""
        if len(self._all) > len(used) + UNUSED:
            self._all = {key: one for key, one in self._all.items() if one in used}

    def ladder(self, queue: Queue, wishes: Skills) -> tuple[Rung, ...]:
        """Return what a caller with such wishes needs, by time waited; the first at once."""
        rungs = [Rung(0.0, self._both(queue.skills, wishes))]
        for step in queue.relax:
            needed = self._both(step.skills, wishes) if step.skills else self.of({})
            rungs.append(Rung(step.after_s, needed))
        return tuple(rungs)

    def _both(self, skills: Skills, wishes: Skills) -> Requirement:
        if not wishes:
            return self.of(skills)
        names = {**skills, **wishes}
        return self.of({name: max(skills.get(name, 0), wishes.get(name, 0)) for name in names})
