"""When time alone changes something: one heap of whoever waits for a moment.

Everybody has one moment at most, in its attribute `timer`. Setting another leaves the old entry in
the heap, where it is skipped: nothing is ever searched for.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Generic, Protocol, TypeVar

from pbx.acd.agent import NEVER


class Waits(Protocol):
    """Whoever waits for a moment, in seconds of the monotonic clock; None: for none."""

    timer: float | None


W = TypeVar("W", bound=Waits)


class Timers(Generic[W]):
    """Who waits for when."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, W]] = []
        self._count = 0

    def set(self, who: W, due: float) -> None:
        """Wake `who` at `due` and at no other time; NEVER: not at all."""
        if due == NEVER:
            who.timer = None
        elif who.timer != due:
            who.timer = due
            self._count += 1
            heappush(self._heap, (due, self._count, who))

    def next(self) -> float | None:
        """Return the next moment."""
        heap = self._heap
        while heap and heap[0][2].timer != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def pop(self, now: float) -> W | None:
        """Return somebody whose moment has come, and forget that moment."""
        due = self.next()
        if due is None or due > now:
            return None
        who = heappop(self._heap)[2]
        who.timer = None
        return who
