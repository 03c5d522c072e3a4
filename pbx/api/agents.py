"""What the API needs of agents: Protocols, satisfied by `pbx.directory.agents` and `pbx.acd.desk`.

`Agents` is the directory: who is an agent, and with what skills; with and without a server.
`LiveAgents` is what they do now, and what they ask for; in the process that serves calls only. Its
answers are sentences for people. As in office.py, `NotFound` and `Refused` carry one sentence each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pbx.acd.model import AgentView


class AgentEntry(Protocol):
    """An agent's entry in the directory."""

    @property
    def number(self) -> str:
        """Return the number of the extension it sits at."""

    @property
    def name(self) -> str | None:
        """Return its name, which is the extension's where it has none of its own."""

    @property
    def skills(self) -> Mapping[str, int]:
        """Return its skills and their levels, 1 to 10."""

    @property
    def capacity(self) -> int:
        """Return how many calls it takes at once."""

    @property
    def weight(self) -> int:
        """Return its share with the strategy `weighted`."""


class Agents(Protocol):
    """The agents of the office. Writes are durable when they return."""

    async def agents(self) -> Sequence[AgentEntry]:
        """Return all agents, sorted by number."""

    async def agent(self, number: str) -> AgentEntry:
        """Return one agent; NotFound where there is none."""

    async def add(
        self,
        number: str,
        *,
        name: str | None,
        skills: Mapping[str, int],
        capacity: int,
        weight: int,
        at: float,
    ) -> None:
        """Add an agent at `at` (wall), logged out.

        Refused where there is no such extension, or an agent already.
        """

    async def change(
        self,
        number: str,
        *,
        name: str | None = None,
        skills: Mapping[str, int] | None = None,
        capacity: int | None = None,
        weight: int | None = None,
    ) -> None:
        """Change some of an agent; None leaves a field as it is, an empty name is the extension's.

        Skills that are not named stay; level 0 takes one away. NotFound where there is no agent.
        """

    async def remove(self, number: str) -> None:
        """Forget an agent; NotFound where there is none. Its extension stays."""


class AgentNow(Protocol):
    """What an agent does, since `since` (wall) and for `seconds`."""

    @property
    def view(self) -> AgentView:
        """Return the agent as the queue engine knows it."""

    @property
    def since(self) -> float:
        """Return when it began to do what it does, seconds since the epoch."""

    @property
    def seconds(self) -> float:
        """Return for how long it has done so."""

    @property
    def ends_in_s(self) -> float | None:
        """Return after how many seconds its break, or its work after a call, ends by itself."""


class LiveAgents(Protocol):
    """Agents at work. What is asked for holds at once, or after the call that is up."""

    def agents(self) -> Sequence[AgentNow]:
        """Return all agents as they are now, by number."""

    def agent(self, number: str) -> AgentNow:
        """Return an agent as it is now."""

    def log_in(self, number: str) -> str:
        """Let an agent take calls; one that does already goes on."""

    def log_out(self, number: str) -> str:
        """Let an agent take no calls any more; one that is up goes on."""

    def pause(self, number: str, reason: str, for_s: float | None = None) -> str:
        """Let an agent take a break, for so many seconds where they are given."""

    def recover(self, number: str) -> str:
        """Let an agent take a short break after a hard call, which ends by itself."""

    def resume(self, number: str) -> str:
        """End an agent's break, or its work after a call."""

    def extend(self, number: str, seconds: float) -> str:
        """Give an agent more time for the work after a call."""
