"""Callers in order: those of a queue, and those among them who want the same.

A caller's key says where it stands: who was put at the head, then by `joined_at` less 60 s for each
step of priority. A key never changes while somebody waits, so waiting wins over priority in time.

`Group` holds callers of one queue with one requirement who could be offered to somebody now: not
those who are being offered, who wait for a certain agent, or who are to be called back later.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from pbx.acd.agent import NEVER
from pbx.acd.estimate import HandleTime
from pbx.acd.model import DeclineReason, Waiting

if TYPE_CHECKING:
    from pbx.acd.agent import Agent
    from pbx.acd.requirement import Requirement, Rung
    from pbx.plan.model import Queue

STEP_S: Final = 60.0
"""One step of priority is worth so many seconds of waiting."""

AT_HEAD: Final = -1
"""The rank of who came back; whoever a supervisor puts before everybody gets lesser ones."""

Key = tuple[int, float, int]
"""Rank at the head (0: none), the moment the wait counts from, and who came first."""


class Declined(NamedTuple):
    """An agent did not take the caller, and is not asked again before `until`."""

    until: float
    at: float
    reason: DeclineReason


class Caller:
    """Somebody who waits. `timer` is when time alone changes something."""

    __slots__ = (
        "agent",
        "call",
        "declined",
        "entered",
        "group",
        "key",
        "ladder",
        "line",
        "offered",
        "ready",
        "rung",
        "since",
        "timer",
        "tried",
        "waiting",
    )

    def __init__(
        self, waiting: Waiting, line: Line, ladder: tuple[Rung, ...], key: Key, now: float
    ) -> None:
        self.call = waiting.call
        self.waiting = waiting
        self.line = line
        self.ladder = ladder
        self.key = key
        self.entered = now
        """When it joined, whatever the wait counts from."""
        self.rung = 0
        self.ready = True
        self.agent: Agent | None = None
        """Who alone is tried, until `since` + its `agent_s`."""
        self.since = now
        self.offered: dict[Agent, None] = {}
        """Those who are asked now."""
        self.tried: dict[Agent, int] = {}
        """How often each was asked without success."""
        self.declined: dict[Agent, Declined] = {}
        self.group: Row | None = None
        self.timer: float | None = None

    @property
    def requirement(self) -> Requirement:
        """What it needs by now."""
        return self.ladder[self.rung].requirement

    @property
    def final(self) -> Requirement:
        """What it will need when it has waited long."""
        return self.ladder[-1].requirement

    def refuses(self, agent: Agent, now: float) -> bool:
        """Tell whether the agent declined it just now."""
        found = self.declined.get(agent)
        return found is not None and found.until > now

    def climb(self, now: float) -> bool:
        """Take the rungs that its wait has reached; tell whether there was one."""
        before = self.rung
        while self._next_rung() <= now:
            self.rung += 1
        return self.rung > before

    def _next_rung(self) -> float:
        if self.rung + 1 == len(self.ladder):
            return NEVER
        return self.waiting.joined_at + self.ladder[self.rung + 1].after_s

    def due(self, now: float) -> float:
        """Return when time alone changes something; NEVER for not at all."""
        due = self._next_rung()
        if self.agent is not None:
            due = min(due, self.since + self.waiting.agent_s)
        if self.offered:
            return due
        for declined in self.declined.values():
            if declined.until > now:
                due = min(due, declined.until)
        longest = self.line.queue.max_wait_s
        if longest is not None and not self.waiting.callback:
            due = min(due, self.entered + longest)
        return due

    def too_long(self, now: float) -> bool:
        """Tell whether it has waited longer than its queue allows."""
        longest = self.line.queue.max_wait_s
        return longest is not None and not self.waiting.callback and now >= self.entered + longest


class Row:
    """Callers by key."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: list[tuple[Key, Caller]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Caller]:
        return (caller for _, caller in self._rows)

    def first(self) -> Caller:
        """Return the foremost of those there are."""
        return self._rows[0][1]

    def add(self, caller: Caller) -> None:
        """Let a caller stand where its key says."""
        insort(self._rows, (caller.key, caller))

    def remove(self, caller: Caller) -> None:
        """Let a caller go who stands here."""
        del self._rows[self.before(caller)]

    def before(self, caller: Caller) -> int:
        """Return how many stand before the caller."""
        return bisect_left(self._rows, (caller.key,))


class Group(Row):
    """Callers of one queue who need the same and could be offered now."""

    __slots__ = ("line", "requirement")

    def __init__(self, line: Line, requirement: Requirement) -> None:
        super().__init__()
        self.line = line
        self.requirement = requirement


class Line:
    """A queue with all who wait in it. `turn` is its place in the round of weighted queues."""

    __slots__ = ("handle", "kept", "ladder", "last", "live", "open", "queue", "row", "turn")

    def __init__(self, queue: Queue, ladder: tuple[Rung, ...]) -> None:
        self.queue = queue
        self.ladder = ladder
        self.row = Row()
        self.live = 0
        """Callers on the line, those to be called back not counted."""
        self.open = True
        self.kept = True
        """False for one that the dialplan has no more, until the last caller has left."""
        self.turn = 0.0
        self.last: Agent | None = None
        """Whom the round-robin asked last."""
        self.handle = HandleTime()

    def add(self, caller: Caller) -> None:
        """Let a caller in."""
        self.row.add(caller)
        self.live += not caller.waiting.callback

    def remove(self, caller: Caller) -> None:
        """Let a caller out."""
        self.row.remove(caller)
        self.live -= not caller.waiting.callback
