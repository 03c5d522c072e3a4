"""One heap for all timers of a user agent, with lazy deletion.

Whatever waits for a time (a transaction, an INVITE, a request with another destination) has at most
one live entry in the heap. A deadline that moves to later costs nothing: the entry comes up at its
old time, is asked again, and is put back. A deadline that moves to earlier makes a second entry,
and the first one is skipped when it comes up.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import Protocol

NEVER = float("inf")
"""The deadline of something that waits for no time."""


class Sleeper(Protocol):
    """Something that waits for a time. `armed_at` belongs to `Deadlines`; it begins as `NEVER`."""

    armed_at: float

    def wakes_at(self) -> float:
        """Return the earliest deadline, `NEVER` for none."""

    def wake(self, now: float) -> None:
        """Do what is due at `now`; afterwards `wakes_at` must be later than `now`."""


class Deadlines:
    """The heap. Times are seconds of the injected clock."""

    __slots__ = ("_heap", "_order")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Sleeper]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._heap)

    def arm(self, sleeper: Sleeper, at: float) -> None:
        """See to it that `sleeper` is asked at `at` or before."""
        if at < sleeper.armed_at:
            sleeper.armed_at = at
            heappush(self._heap, (at, next(self._order), sleeper))

    def advance(self, now: float) -> None:
        """Wake everything that is due."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, sleeper = heappop(heap)
            if at != sleeper.armed_at:
                continue
            sleeper.armed_at = NEVER
            if sleeper.wakes_at() <= now:
                sleeper.wake(now)
            self.arm(sleeper, sleeper.wakes_at())

    def next_at(self) -> float | None:
        """Return the time of the first entry, or None; nothing is due before it."""
        return self._heap[0][0] if self._heap else None
