"""What the server asks of the machine it runs on: clocks, descriptors, a punctual loop. [io]"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import time

log = logging.getLogger(__name__)

MAX_LAG = 0.05
"""Seconds that the event loop may be late before it counts as late (architecture §2)."""

LOOK = 0.1
"""Seconds between two looks at the loop's lateness."""

PATIENCE = 0.5
"""Seconds that the loop must be late without a break before new calls get 503, and on time without
a break before they are let in again."""

TOKEN_BYTES = 12
"""Random bytes of one token."""

TOKENS_AT_ONCE = 256
"""Tokens in stock after the system was asked for random bytes."""

YOUNG_OBJECTS = 20_000
"""New objects after which the garbage collector looks at the youngest. With Python's 700, a call's
objects are looked at several times while its transactions wait for their timers: 7 % of all CPU."""


class SystemClock:
    """The machine's two clocks; satisfies `pbx.events.Clock`."""

    wall = staticmethod(time.time)
    """Return seconds since the epoch, UTC."""
    monotonic = staticmethod(time.monotonic)
    """Return seconds that never jump."""


class Tokens:
    """Random texts of 24 hexadecimal digits, for tags, branches, Call-IDs and the like.

    The system is asked for many at once: a call needs nine, and each system call is 1 µs.
    """

    def __init__(self) -> None:
        self._stock: list[str] = []

    def __call__(self) -> str:
        """Return a token that nobody has seen."""
        if not self._stock:
            text = os.urandom(TOKEN_BYTES * TOKENS_AT_ONCE).hex()
            width = 2 * TOKEN_BYTES
            self._stock = [text[at : at + width] for at in range(0, len(text), width)]
        return self._stock.pop()


class LoopWatch:
    """Notices an event loop that has more to do than time.

    One late look, however late, may be a pause of the machine: only looks that are late one after
    the other, for `PATIENCE` seconds, make it `late`.
    """

    def __init__(self) -> None:
        self.lag = 0.0
        """Seconds that the last look came too late."""
        self.late = False
        """Whether new work should be refused."""
        self._against_since: float | None = None  # since when looks speak against `late` as it is

    async def sleep(self, seconds: float) -> None:
        """Sleep, looking at the clock meanwhile."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (now := loop.time()) < end:
            due = min(now + LOOK, end)
            await asyncio.sleep(due - now)
            self.look(loop.time() - due, loop.time())

    def look(self, lag: float, now: float) -> None:
        """Note that what was due at `now - lag` ran at `now`, in seconds."""
        self.lag = max(lag, 0.0)
        if (self.lag > MAX_LAG) is self.late:
            self._against_since = None
        elif self._against_since is None:
            self._against_since = now
        elif now - self._against_since >= PATIENCE:
            self.late = not self.late
            self._against_since = None


def calm_collector() -> None:
    """Let the garbage collector forget what start-up made, and look at new objects less often.

    Calls leave no cycles behind, so there is little for it to find.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


def raise_descriptor_limit() -> None:
    """Let this process and its workers open as many descriptors as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
