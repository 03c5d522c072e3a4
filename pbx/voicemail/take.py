"""Taking down what a caller says: from the beep until `#`, a long silence, or long enough.

The party's talking is watched by the media worker. Whatever ends it, the hang-up too, the file is
completed; what becomes of it is told to `then`, and the call's record waits for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pbx.call.hearing import SILENCE, Stop, hearing
from pbx.call.note import Dictated

if TYPE_CHECKING:
    from pbx.call.call import Call

PATIENCE: Final = 2.0
"""Seconds that the file may take to be completed while its caller waits to hear of it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a take came to. `seconds` are those of speech: without the silence that ended it."""

    stop: Stop
    seconds: float
    file: Dictated


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
    with hearing(caller) as ear:
        note = call.exchange.recordings.dictate(call, path, then=whole)
        try:
            stop = await ear.out(most)
        finally:
            note.stop()
            if alone:
                call.bridge.remove(caller)
    try:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.shield(told)
    except TimeoutError:
        return None
