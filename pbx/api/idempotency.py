"""One call for one key: a repeated POST with the same Idempotency-Key gets the first one's result.

An integrator whose connection broke cannot know whether its request was carried out; with a key it
simply asks again. Keys live in memory, the newest `MAX_KEYS` of them: a restarted server has ended
the calls anyway.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pbx.errors import Refused

MAX_KEYS = 1000


@dataclass(frozen=True, slots=True)
class _Entry:
    asked: object
    result: asyncio.Future[str]


class Idempotency:
    """Remembers what became of keys."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    async def once(
        self, key: tuple[str, str], asked: object, act: Callable[[], Awaitable[str]]
    ) -> tuple[str, bool]:
        """Return the result of `act` for `key`, and whether it was there already.

        `key` is the caller's name and what it chose. A repetition while the first is under way
        waits for it. Raises Refused where the key was used for something else; an `act` that raised
        is forgotten.
        """
        entry = self._entries.get(key)
        if entry is not None:
            if entry.asked != asked:
                raise Refused(f'the key "{key[1]}" was used for another request')
            return await asyncio.shield(entry.result), True
        entry = _Entry(asked, asyncio.get_running_loop().create_future())
        self._entries[key] = entry
        self._forget_oldest()
        try:
            result = await act()
        except BaseException as error:
            self._entries.pop(key, None)
            _fail(entry.result, error)
            raise
        entry.result.set_result(result)
        return result, False

    def _forget_oldest(self) -> None:
        while len(self._entries) > MAX_KEYS:
            self._entries.popitem(last=False)


def _fail(future: asyncio.Future[str], error: BaseException) -> None:
    """Hand `error` to those who wait; a cancelled first request cancels them too."""
    if isinstance(error, asyncio.CancelledError):
        future.cancel()
        return
    future.set_exception(error)
    future.exception()  # retrieved: nobody may be waiting
