"""[io] The worker's loop: epoll for packets, timers, and the 20 ms tick while something plays.

Two kinds of descriptors. A *route* is a leg whose packets go straight on: receive, rewrite the
header in place, send; system calls are nearly all of its cost, so the loop around them is flat and
makes no object per packet. A *reader* is a function that is called when its descriptor has
something. A descriptor may have both: the route is used while there is one.

One packet is taken per ready descriptor and turn: epoll tells again about those that have more, so
nobody who floods one port keeps the others waiting, and no call is spent on finding a queue empty.

Routes that end in the matrix have time until the next tick. They are looked at every few
milliseconds, all at once: to wake up for each of their packets would cost more than the packet.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import select
import time
from collections.abc import Callable
from math import inf
from typing import Final

from pbx.media.packets.relay import MAX_PACKET

TICK: Final = 0.020
"""Seconds between two ticks."""

MAX_LATE_TICKS: Final = 5
"""Ticks run at most at once when the loop was held up; those beyond are skipped."""

MAX_EVENTS: Final = 256
"""Descriptors told by one call of epoll."""

LOOK: Final = 0.005
"""Seconds between two looks at the routes that have time."""

MAX_LOOKS: Final = 4
"""Packets taken at most of one such route in a look."""

Route = tuple[
    Callable[[bytearray], int],
    Callable[[bytearray, int, float], bool],
    Callable[[memoryview], object],
]
"""(receive into the buffer → octets, rewrite → whether to send, send)."""

Reader = Callable[[float], None]
"""Called with the time when a descriptor can be read, or written where that was asked for."""

OnFailure = Callable[[OSError, int], None]
"""Called with what went wrong and how many octets of the buffer were not sent, 0 in receiving."""

log = logging.getLogger(__name__)


class Timer:
    """A call that is due at a time; `cancel` forgets it."""

    __slots__ = ("call",)

    def __init__(self, call: Reader) -> None:
        self.call: Reader | None = call

    def cancel(self) -> None:
        """Never call it."""
        self.call = None


class TickLoop:
    """One worker's loop. Times are `clock`'s, monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.buffer = bytearray(MAX_PACKET)
        """Where every packet is received."""
        view = memoryview(self.buffer)
        self.views = tuple(view[:size] for size in range(MAX_PACKET + 1))
        """Views of the buffer's beginning, by length."""
        self.ticks = 0
        self.late_ticks = 0
        self._tick_failed = False
        self.skipped_ticks = 0
        """Those of the late ones that were never run."""
        self.on_tick: Reader | None = None
        self._epoll = select.epoll()
        self._readers: dict[int, Reader] = {}
        self._routes: list[Route | None] = []
        """By descriptor: descriptors are small numbers, and indexing beats hashing."""
        self._failures: dict[int, OnFailure] = {}
        self._calm_epoll = select.epoll()
        self._calm: set[int] = set()
        """Descriptors of routes that have time."""
        self._next_look = inf
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._next_tick = inf
        self._resume_at = -inf
        """When the next tick would have been, had they not ended."""
        self._running = False

    def watch(self, descriptor: int, reader: Reader) -> None:
        """Call `reader` whenever the descriptor can be read."""
        self._readers[descriptor] = reader
        self._routes.extend([None] * (descriptor + 1 - len(self._routes)))
        self._epoll.register(descriptor, select.EPOLLIN)

    def watch_writing(self, descriptor: int, wanted: bool) -> None:
        """Call the reader too when the descriptor can be written, or no longer."""
        self._epoll.modify(descriptor, select.EPOLLIN | (select.EPOLLOUT if wanted else 0))

    def route(
        self, descriptor: int, route: Route, on_failure: OnFailure, *, hurry: bool = True
    ) -> None:
        """Send on what a watched descriptor receives, in place of calling its reader.

        Without `hurry` it may be received some milliseconds later, but before the next tick.
        """
        self._routes[descriptor] = route
        self._failures[descriptor] = on_failure
        self._calm_down(descriptor, not hurry)

    def unroute(self, descriptor: int) -> None:
        """Call the descriptor's reader again."""
        self._routes[descriptor] = None
        self._failures.pop(descriptor, None)
        self._calm_down(descriptor, False)

    def _calm_down(self, descriptor: int, calm: bool) -> None:
        """Look at a descriptor from time to time only, or be woken up by it again."""
        if (descriptor in self._calm) == calm:
            return
        if calm:
            self._epoll.unregister(descriptor)
            self._calm_epoll.register(descriptor, select.EPOLLIN)
            self._calm.add(descriptor)
            self._next_look = min(self._next_look, self.clock() + LOOK)
        else:
            self._calm.remove(descriptor)
            self._calm_epoll.unregister(descriptor)
            self._epoll.register(descriptor, select.EPOLLIN)

    def forget(self, descriptor: int) -> None:
        """Watch the descriptor no longer."""
        self.unroute(descriptor)
        if self._readers.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def call_at(self, when: float, call: Reader) -> Timer:
        """Call `call` at the time `when`, or at once when that is past."""
        timer = Timer(call)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def tick_while(self, wanted: bool, *, at_once: bool = False) -> None:
        """Run `on_tick` every 20 ms from now on, or no longer.

        The first one comes in 20 ms, or, where somebody waits for it, `at_once`; but no earlier
        than 20 ms after the last one there was.
        """
        if wanted and self._next_tick == inf:
            now = self.clock()
            self._next_tick = max(now, self._resume_at) if at_once else now + TICK
        elif not wanted and self._next_tick != inf:
            self._resume_at, self._next_tick = self._next_tick, inf

    def run(self) -> None:
        """Serve until `stop`."""
        self._running = True
        while self._running:
            self.turn()

    def close(self) -> None:
        """Close what the loop itself has opened."""
        self._epoll.close()
        self._calm_epoll.close()

    def stop(self) -> None:
        """End `run` after the present turn."""
        self._running = False

    def turn(self, *, wait: bool = True) -> int:
        """Serve the descriptors that are ready and what is due; return how many were ready.

        Where `wait` is true, wait first until there is something; else look everywhere now.
        """
        clock = self.clock
        timers = self._timers
        look_due = min(self._next_tick, self._next_look)
        due = min(look_due, timers[0][0] if timers else inf)
        patience = 0.0 if not wait else None if due == inf else max(0.0, due - clock())
        ready = self._epoll.poll(patience, MAX_EVENTS)
        now = clock()
        self._serve(ready, now)
        count = len(ready)
        if now >= look_due or not wait:
            count += self._look(now)
        if now >= due:
            self._run_timers(now)
            self._run_ticks(now)
        return count

    def _look(self, now: float) -> int:
        """Serve the routes that have time; return how many packets there were."""
        if not self._calm:
            self._next_look = inf
            return 0
        self._next_look = now + LOOK
        count = 0
        for _ in range(MAX_LOOKS):
            ready = self._calm_epoll.poll(0, max(1, len(self._calm)))
            if not ready:
                break
            self._serve(ready, now)
            count += len(ready)
        return count

    def _serve(self, ready: list[tuple[int, int]], now: float) -> None:
        """Take one packet of each of these descriptors."""
        buffer, views = self.buffer, self.views
        routes = self._routes
        for descriptor, _ in ready:
            route = routes[descriptor]
            if route is None:
                self._read(descriptor, now)
                continue
            receive, rewrite, send = route
            try:
                size = receive(buffer)
            except OSError as error:
                self._failures[descriptor](error, 0)
                continue
            try:
                if rewrite(buffer, size, now):
                    send(views[size])
            except OSError as error:
                self._failures[descriptor](error, size)
            except Exception:  # the fence: a defect met in one leg must not end the others
                self._give_up(descriptor)

    def _read(self, descriptor: int, now: float) -> None:
        """Call a reader, with the same fence."""
        reader = self._readers.get(descriptor)
        if reader is None:
            return  # forgotten earlier in this turn
        try:
            reader(now)
        except Exception:
            self._give_up(descriptor)

    def _give_up(self, descriptor: int) -> None:
        log.exception("descriptor %d is watched no longer", descriptor)
        self.forget(descriptor)

    def _run_timers(self, now: float) -> None:
        timers = self._timers
        while timers and timers[0][0] <= now:
            call = heapq.heappop(timers)[2].call
            if call is None:
                continue
            try:
                call(now)
            except Exception:  # the same fence, for what a timer calls
                log.exception("a timer failed")

    def _run_ticks(self, now: float) -> None:
        if now < self._next_tick or self.on_tick is None:
            return
        missed = int((now - self._next_tick) / TICK)
        self.late_ticks += missed
        self._next_tick += (missed + 1) * TICK
        run = min(missed, MAX_LATE_TICKS - 1) + 1
        self.skipped_ticks += missed + 1 - run
        for _ in range(run):
            self.ticks += 1
            try:
                self.on_tick(now)
            except Exception:  # the same fence once more; told once, as there are 50 a second
                if not self._tick_failed:
                    self._tick_failed = True
                    log.exception("a tick failed; further ones are not told")
