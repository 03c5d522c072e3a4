"""What stands on a queue's board beside what the engine knows: today's figures, and the skills that
a caller wants by now."""

from __future__ import annotations

from typing import Protocol

from pbx.acd.model import Skills
from pbx.plan.model import Queue


class QueueToday(Protocol):
    """Figures of one queue since midnight."""

    @property
    def answered(self) -> int:
        """Return how many callers talked to an agent."""

    @property
    def abandoned(self) -> int:
        """Return how many left while they waited, without those who had no fair chance."""

    @property
    def service_level(self) -> float | None:
        """Return percent by the formula; None before the first call that counts."""

    @property
    def formula(self) -> str:
        """Return the name of that formula."""


class Today(Protocol):
    """Where today's figures come from."""

    def queue(self, name: str) -> QueueToday:
        """Return the figures of a queue; zeros for one without calls."""


def skills_wanted(queue: Queue, own: Skills, waited_s: float) -> dict[str, int]:
    """Return the skills that an agent needs for a caller who waited so long: the queue's, lesser
    ones once they suffice, and those that the caller wants (`own`), until any agent will do."""
    wanted = queue.skills
    for relaxation in queue.relax:
        if relaxation.after_s <= waited_s:
            wanted = relaxation.skills
            own = own if wanted else {}
    return {**wanted, **{name: max(level, wanted.get(name, 0)) for name, level in own.items()}}
