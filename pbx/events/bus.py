"""The bus: gives every event its number and its two times, and hands it to every sink in order."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

import msgspec

from pbx.events import AnyEvent

log = logging.getLogger(__name__)


class Stamped(msgspec.Struct, frozen=True, gc=False):
    """An event with its place in the order of all events and its two times.

    `at` is wall-clock seconds since the epoch (UTC), `monotonic` seconds of the server's monotonic
    clock.
    """

    seq: int
    at: float
    monotonic: float
    event: AnyEvent


class Clock(Protocol):
    """The two times that a server needs; injected everywhere."""

    def wall(self) -> float:
        """Return seconds since the epoch, UTC."""

    def monotonic(self) -> float:
        """Return seconds that never jump."""


Sink = Callable[[Stamped], None]


class Bus:
    """Give each event its number and times, and hand it to every sink in order.

    A sink that raises is fenced: it is logged once and counted in `failures`, the others still get
    the event. The newest `keep` events stay in memory for `since`. A sink must not emit, or the
    sinks behind it would see two events in the wrong order.
    """

    def __init__(self, clock: Clock, *, keep: int = 10_000, first_seq: int = 1) -> None:
        self._clock = clock
        self._next = first_seq
        self._recent: deque[Stamped] = deque(maxlen=keep)
        self._sinks: tuple[Sink, ...] = ()
        self.failures: dict[str, int] = {}

    def attach(self, sink: Sink) -> Callable[[], None]:
        """Add a sink behind the others; the returned function takes it off again."""
        self._sinks = (*self._sinks, sink)
        return lambda: self._detach(sink)

    def emit(self, event: AnyEvent) -> Stamped:
        """Stamp `event` and give it to every sink."""
        stamped = Stamped(self._next, self._clock.wall(), self._clock.monotonic(), event)
        self._next += 1
        self._recent.append(stamped)
        for sink in self._sinks:
            try:
                sink(stamped)
            except Exception:  # the fence: a sink that fails costs no other its event
                self._count_failure(sink, stamped)
        return stamped

    def since(self, seq: int) -> Iterator[Stamped]:
        """Yield the remembered events with a number greater than `seq`, oldest first.

        Events that are emitted while the caller iterates are not among them.
        """
        return iter(tuple(islice(self._recent, max(0, seq + 1 - self.oldest_seq), None)))

    @property
    def oldest_seq(self) -> int:
        """Return the number of the oldest remembered event, or of the next one if there is none.

        `since(seq)` left something out if `seq + 1` is smaller.
        """
        return self._recent[0].seq if self._recent else self._next

    @property
    def last_seq(self) -> int:
        """Return the number of the newest event; before the first, one less than it will get."""
        return self._next - 1

    def _detach(self, sink: Sink) -> None:
        self._sinks = tuple(attached for attached in self._sinks if attached is not sink)

    def _count_failure(self, sink: Sink, stamped: Stamped) -> None:
        name = getattr(sink, "__qualname__", type(sink).__name__)
        first = name not in self.failures
        self.failures[name] = self.failures.get(name, 0) + 1
        if first:
            log.exception("call %s: sink %s failed; counted from now on", stamped.event.call, name)
