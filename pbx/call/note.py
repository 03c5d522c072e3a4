"""Notes: what is taken down outside the index of recordings; a caller's name, a message, a prompt.

A note is a file of a worker as a recording is (recording.py begins and ends both), but nobody lists
it: whoever asked for it decides what becomes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from pbx.media.protocol import RecordingDone, StopRecording

if TYPE_CHECKING:
    from pbx.call.bridge import Bridge
    from pbx.call.call import Call

PATIENCE: Final = 2.0
"""Seconds that a file of a few seconds may take to be completed."""


class Dictated(NamedTuple):
    """What a file holds that was taken down: seconds of sound, octets of file.

    `sha256` is None where the file was not completed, `error` a sentence where it is not whole.
    """

    seconds: float
    octets: int
    sha256: str | None
    error: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Note:
    """Something taken down outside the index: a name, a message. `done` tells when the file at
    `path` is whole; `then` is called with the same, before the record of `call` closes."""

    number: int
    bridge: Bridge
    path: str
    call: Call | None = None
    then: Callable[[Dictated], None] | None = None
    done: asyncio.Future[RecordingDone] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def stop(self) -> None:
        """Complete the file: a bridge of the worker lives as long as it is recorded."""
        self.bridge.send(StopRecording(self.number))

    async def taken(self) -> str | None:
        """Wait for the file; return the source that plays it, None where nothing came of it."""
        try:
            async with asyncio.timeout(PATIENCE):
                done = await self.done
        except TimeoutError:
            return None
        return f"file:{self.path}" if done.error is None and done.seconds > 0 else None

    def over(self, event: RecordingDone) -> None:
        """Note what became of the file."""
        if not self.done.done():
            self.done.set_result(event)
        if self.then is not None:
            self.then(Dictated(event.seconds, event.octets, event.sha256 or None, event.error))
        if self.call is not None:
            self.call.figures_in()
