"""`async with Unless(leg.ended):` — do something unless, or until, one of some futures is done.

The block is left where it stands, as by a timeout; `happened` tells afterwards. So a coroutine that
asks one party for something can be left when another party goes, without a task of its own.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any


class Unless:
    """A block that ends early once one of `futures` is done."""

    def __init__(self, *futures: asyncio.Future[Any]) -> None:
        self._futures = futures
        self._limit = asyncio.timeout(None)
        self._left = False

    @property
    def happened(self) -> bool:
        """Tell whether one of the futures is done."""
        return any(future.done() for future in self._futures)

    async def __aenter__(self) -> Unless:
        await self._limit.__aenter__()
        for future in self._futures:
            future.add_done_callback(self._leave)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        for future in self._futures:
            future.remove_done_callback(self._leave)
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError:
            return True
        return False

    def _leave(self, _future: asyncio.Future[Any]) -> None:
        if not self._left:
            self._left = True
            self._limit.reschedule(asyncio.get_running_loop().time())
