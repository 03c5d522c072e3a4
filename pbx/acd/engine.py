"""The queue engine, pure: `step(input, now, rng) → commands`."""

from __future__ import annotations

from pbx.acd.commands import Command
from pbx.acd.inputs import AnyInput
from pbx.acd.model import AgentView, Estimate, QueueView, RandomSource, Waiting


class Engine:
    """Queues, callers and agents of one office, and who gets whom."""

    def step(self, event: AnyInput, now: float, rng: RandomSource) -> list[Command]:
        """Take one input and return what is to be done, in order."""
        raise NotImplementedError

    def next_timer(self) -> float | None:
        """Return when `TimePassed` is due next; None while nothing is."""
        raise NotImplementedError

    def agent(self, number: str) -> AgentView | None:
        """Return an agent as it is now."""
        raise NotImplementedError

    def agents(self) -> list[AgentView]:
        """Return all agents, by number."""
        raise NotImplementedError

    def queues(self, now: float) -> list[QueueView]:
        """Return all queues, by name."""
        raise NotImplementedError

    def waiting(self, call: str) -> Waiting | None:
        """Return a caller who waits."""
        raise NotImplementedError

    def ahead(self, call: str) -> int | None:
        """Return how many of its queue are served before the caller; None for one who waits not."""
        raise NotImplementedError

    def estimate(self, call: str, now: float) -> Estimate | None:
        """Return how long the caller has to wait yet; None while that is anybody's guess."""
        raise NotImplementedError
