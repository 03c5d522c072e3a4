"""Taking down what a caller says: from the beep until `#`, a long silence, or long enough.

The party's talking is watched by the media worker. Whatever ends it, the hang-up too, the file is
completed; what becomes of it is told to `then`, and the call's record waits for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from pbx.call.note import Dictated

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.call.leg import Leg

END_KEY: Final = "#"

SILENCE: Final = 10.0
"""Seconds without a word after which nothing more is expected."""

PATIENCE: Final = 2.0
"""Seconds that the file may take to be completed while its caller waits to hear of it."""


class Stop(Enum):
    """What ended a take."""

    KEY = "key"
    SILENCE = "silence"
    FULL = "full"
    GONE = "gone"
    """The caller hung up, or the call was ended."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a take came to. `seconds` are those of speech: without the silence that ended it."""

    stop: Stop
    seconds: float
    file: Dictated


class _Ear:
    """Knows since when the party is silent; None while it talks."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.silent_since: float | None = now()
        self._now = now

    def talks(self, _leg: Leg, on: bool) -> None:
        """Note that the party begins or ends to talk."""
        self.silent_since = None if on else self._now()


async def take(
    call: Call, path: str, *, most: float, then: Callable[[Taken], None]
) -> Taken | None:
    """Take down the caller's words into the file at `path`, for `most` seconds.

    `then` is told what it came to as soon as the file is complete. Return the same, or None where
    that takes too long.
    """
    caller, stop = call.caller, Stop.GONE
    told: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()

    def whole(file: Dictated) -> None:
        silence = SILENCE if stop is Stop.SILENCE else 0.0
        taken = Taken(stop, max(0.0, file.seconds - silence), file)
        then(taken)
        if not told.done():
            told.set_result(taken)

    alone = caller.bridge is None  # else the whole call is recorded, and goes on to be
    call.bridge.add(caller)
    caller.keys.clear()  # what was keyed before the beep is not meant for it
    ear = _Ear(call.exchange.now)
    caller.on_talking = ear.talks
    caller.media.watch(keys=True, talk=True)
    note = call.exchange.recordings.dictate(call, path, then=whole)
    try:
        stop = await _over(call, ear, most)
    finally:
        note.stop()
        caller.on_talking = None
        caller.media.watch(talk=False)
        if alone:
            call.bridge.remove(caller)
    try:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.shield(told)
    except TimeoutError:
        return None


async def _over(call: Call, ear: _Ear, most: float) -> Stop:
    """Wait for the key that ends a take, for a silence, or for its full length."""
    now, keys = call.exchange.now, call.caller.keys
    full_at = now() + most
    while True:
        # Of somebody who talks now, no silence can be over before this.
        silent_at = (now() if ear.silent_since is None else ear.silent_since) + SILENCE
        due = min(full_at, silent_at)
        if now() >= due:
            return Stop.FULL if now() >= full_at else Stop.SILENCE
        if await keys.next(max(due - now(), 0.001)) == END_KEY:
            return Stop.KEY
