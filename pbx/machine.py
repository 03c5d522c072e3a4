"""What the server asks of the machine it runs on: clocks, descriptors, a punctual loop. [io]"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
import wave
from pathlib import Path

log = logging.getLogger(__name__)

MAX_LAG = 0.05
"""Seconds that the event loop may be late before it counts as late (architecture §2)."""

LOOK = 0.1
"""Seconds between two looks at the loop's lateness."""

PATIENCE = 0.5
"""Seconds that the loop must be late without a break before new calls get 503, and on time without
a break before they are let in again."""


class SystemClock:
    """The machine's two clocks; satisfies `pbx.events.Clock`."""

    def wall(self) -> float:
        """Return seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()


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


def raise_descriptor_limit() -> None:
    """Let this process and its workers open as many descriptors as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def write_sound(path: Path, samples: bytes, rate: int) -> None:
    """Write mono 16-bit samples as a WAV file unless it is there already."""
    if path.exists():
        return
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples)
