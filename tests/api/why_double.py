"""Answers to "why" that the test gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from pbx.api.views import utc_text
from pbx.api.why_views import AgentWhy, CallWhy
from pbx.errors import NotFound


@dataclass
class WhyDouble:
    """Answers by the id of a call and by the number of an agent; others get no calls."""

    calls: dict[str, CallWhy] = field(default_factory=dict)
    agents: dict[str, AgentWhy] = field(default_factory=dict)
    asked: list[tuple[str, float, float]] = field(default_factory=list)

    async def call(self, name: str) -> CallWhy:
        if name not in self.calls:
            raise NotFound(f"there is no record of a call {name}")
        return self.calls[name]

    async def agent(self, agent: str, since: float, until: float) -> AgentWhy:
        self.asked.append((agent, since, until))
        nothing = AgentWhy(
            agent=agent, since=utc_text(since), until=utc_text(until), summary="Nothing."
        )
        return self.agents.get(agent, nothing)
