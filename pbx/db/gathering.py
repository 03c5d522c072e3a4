"""Writing what has changed, a moment later and in one transaction. [io]"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

INTERVAL: Final = 0.05
"""Seconds that changes gather for one transaction."""

RETRY: Final = 1.0
"""Seconds between attempts while the database takes nothing."""


async def keep_writing(
    wake: asyncio.Event, flush: Callable[[], Awaitable[bool]], waiting: Callable[[], int]
) -> NoReturn:
    """Flush shortly after each `wake`, and again for as long as something is `waiting`.

    `flush` returns False where the database does not take it.
    """
    while True:
        await wake.wait()
        wake.clear()
        await asyncio.sleep(INTERVAL)
        if not await flush():
            await asyncio.sleep(RETRY)
        if waiting():
            wake.set()
