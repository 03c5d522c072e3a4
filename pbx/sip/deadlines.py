"""All timers of a user agent: a heap with lazy deletion, and queues that keep the heap small.

Whatever waits for a time (a transaction, an INVITE, a request with another destination) has at most
one live entry. A deadline that moves to later costs nothing: the entry comes up at its old time, is
asked again, and is put back. A deadline that moves to earlier makes a second entry, and the first
one is skipped when it comes up.

Nearly all deadlines are one of a few fixed times away: T1, T4 or 64·T1. Entries of one such length
come in the order of their times, so they stand in a queue of their own; only what fits behind no
queue goes to the heap. At 700 calls a second 90,000 entries are kept, and to pop each from a heap
of that size would cost more than all else that a transaction does.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from itertools import count
from operator import itemgetter
from typing import Protocol

NEVER = float("inf")
"""The deadline of something that waits for no time."""

QUEUES = 6
"""How many queues there are: the lengths in use, and room for two more."""

GAP = 1.0
"""Seconds by which an entry may be later than the one before it in its queue."""


class Sleeper(Protocol):
    """Something that waits for a time. `armed_at` belongs to `Deadlines`; it begins as `NEVER`."""

    armed_at: float

    def wakes_at(self) -> float:
        """Return the earliest deadline, `NEVER` for none."""

    def wake(self, now: float) -> None:
        """Do what is due at `now`; afterwards `wakes_at` must be later than `now`."""


Entry = tuple[float, int, Sleeper]

_time_of = itemgetter(0)


class Deadlines:
    """The timers. Times are seconds of the injected clock.

    No entry is more than `horizon` seconds ahead of the last `advance`: whoever waits longer is
    asked again until the time has come. So nothing that is over is kept longer than that.
    """

    __slots__ = ("_heap", "_horizon", "_now", "_order", "_queues")

    def __init__(self, *, horizon: float = NEVER) -> None:
        self._horizon = horizon
        self._heap: list[Entry] = []
        self._queues: tuple[deque[Entry], ...] = tuple(deque() for _ in range(QUEUES))
        self._order = count()
        self._now = 0.0

    def __len__(self) -> int:
        return len(self._heap) + sum(map(len, self._queues))

    def arm(self, sleeper: Sleeper, at: float) -> None:
        """See to it that `sleeper` is asked at `at` or before."""
        if at >= sleeper.armed_at:
            return
        at = min(at, self._now + self._horizon)
        if at >= sleeper.armed_at:
            return
        sleeper.armed_at = at
        entry = (at, next(self._order), sleeper)
        empty: deque[Entry] | None = None
        for queue in self._queues:
            if not queue:
                empty = queue
            elif 0.0 <= at - queue[-1][0] <= GAP:
                queue.append(entry)
                return
        if empty is None:
            heappush(self._heap, entry)
        else:
            empty.append(entry)

    def advance(self, now: float) -> None:
        """Wake everything that is due, in the order of the times."""
        self._now = now
        while due := self._take_due(now):
            for at, _, sleeper in due:
                if at == sleeper.armed_at:
                    sleeper.armed_at = NEVER
                    if sleeper.wakes_at() <= now:
                        sleeper.wake(now)
                    self.arm(sleeper, sleeper.wakes_at())

    def _take_due(self, now: float) -> list[Entry]:
        due = []
        for queue in self._queues:
            while queue and queue[0][0] <= now:
                due.append(queue.popleft())
        heap = self._heap
        while heap and heap[0][0] <= now:
            due.append(heappop(heap))
        due.sort(key=_time_of)
        return due

    def next_at(self) -> float | None:
        """Return the time of the first entry, or None; nothing is due before it."""
        heads = [queue[0][0] for queue in self._queues if queue]
        if self._heap:
            heads.append(self._heap[0][0])
        return min(heads, default=None)
