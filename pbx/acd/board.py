"""What stands on a queue's board beside what the engine knows: today's figures, and the skills that
a caller wants by now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pbx.acd.model import Skills
from pbx.plan.model import Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueToday:
    """Figures of one queue since midnight; `service_level` is percent by the formula named
    `formula`, None before the first call that counts."""

    answered: int = 0
    abandoned: int = 0
    service_level: float | None = None
    formula: str = ""


class Today(Protocol):
    """Where today's figures come from."""

    def queue(self, name: str) -> QueueToday:
        """Return the figures of a queue; zeros for one without calls."""


def skills_wanted(queue: Queue, own: Skills, waited_s: float) -> dict[str, int]:
    """Return the skills that an agent needs for a caller who waited so long: the queue's, lesser
    ones once they suffice, and those that the caller wants (`own`)."""
    wanted = queue.skills
    for relaxation in queue.relax:
        if relaxation.after_s <= waited_s:
            wanted = relaxation.skills
    return {**wanted, **{name: max(level, wanted.get(name, 0)) for name, level in own.items()}}
