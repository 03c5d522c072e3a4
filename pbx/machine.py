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
"""Seconds that the event loop may be late before new calls get 503 (architecture §2)."""

LOOK = 0.1
"""Seconds between two looks at the loop's lateness."""

CALM = 5
"""Looks on time after which the loop counts as on time again."""


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

    One late look may be a pause of the machine; `late` is true from the second one in a row.
    """

    def __init__(self) -> None:
        self.lag = 0.0
        """Seconds that the last look came too late."""
        self._late_looks = 0
        self._calm_looks = CALM

    @property
    def late(self) -> bool:
        """Tell whether new work should be refused."""
        return self._calm_looks < CALM

    async def sleep(self, seconds: float) -> None:
        """Sleep, looking at the clock meanwhile."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (now := loop.time()) < end:
            await asyncio.sleep(min(LOOK, end - now))
            self._look(loop.time() - now - min(LOOK, end - now))

    def _look(self, lag: float) -> None:
        self.lag = max(lag, 0.0)
        if self.lag <= MAX_LAG:
            self._late_looks = 0
            self._calm_looks = min(self._calm_looks + 1, CALM)
            return
        self._late_looks += 1
        if self._late_looks > 1:
            self._calm_looks = 0


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
