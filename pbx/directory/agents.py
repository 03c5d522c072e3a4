"""The agents of an office as the API changes them, on the store; satisfies `pbx.api.agents.Agents`.

Whether an agent is on duty is not here: that is the roster's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pbx.directory.model import Agent
from pbx.directory.store import DirectoryStore
from pbx.errors import NotFound


class OfficeAgents:
    """The agents in the directory."""

    def __init__(self, store: DirectoryStore) -> None:
        self._store = store

    async def agents(self) -> Sequence[Agent]:
        """Return all agents, sorted by number."""
        return self._store.directory.agents()

    async def agent(self, number: str) -> Agent:
        """Return one agent."""
        found = self._store.directory.agent(number)
        if found is None:
            raise NotFound(f"there is no agent {number}; callpbx agent add {number} makes one")
        return found

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
        """Add an agent, logged out."""
        await self._store.add_agent(
            Agent(
                number=number,
                created_at=at,
                name=name,
                skills=dict(skills),
                capacity=capacity,
                weight=weight,
            )
        )

    async def change(
        self,
        number: str,
        *,
        name: str | None = None,
        skills: Mapping[str, int] | None = None,
        capacity: int | None = None,
        weight: int | None = None,
    ) -> None:
        """Change some of an agent; level 0 takes a skill away."""

        def changed(before: Agent) -> Agent:
            levels = {**before.skills, **(skills or {})}
            return replace(
                before,
                name=before.name if name is None else name or None,
                skills={skill: level for skill, level in levels.items() if level != 0},
                capacity=before.capacity if capacity is None else capacity,
                weight=before.weight if weight is None else weight,
            )

        await self._store.change_agent(number, changed)

    async def remove(self, number: str) -> None:
        """Forget an agent."""
        await self._store.remove_agent(number)
