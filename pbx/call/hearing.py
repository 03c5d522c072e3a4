"""Hearing somebody out: until `#`, a long silence, or long enough.

The party's talking is watched by the media worker. What is said is taken down by whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pbx.call.leg import Leg

END_KEY: Final = "#"

SILENCE: Final = 10.0
"""Seconds without a word after which nothing more is expected."""


class Stop(Enum):
    """What ended a take."""

    KEY = "key"
    SILENCE = "silence"
    FULL = "full"
    GONE = "gone"
    """The caller hung up, or the call was ended."""


class Ear:
    """Knows since when the party of a leg is silent; None while it talks. Made by `hearing`."""

    def __init__(self, leg: Leg, now: Callable[[], float]) -> None:
        self.silent_since: float | None = now()
        self._leg = leg
        self._now = now

    def talks(self, _leg: Leg, on: bool) -> None:
        """Note that the party begins or ends to talk."""
        self.silent_since = None if on else self._now()

    async def out(self, most: float, *, silence: float = SILENCE) -> Stop:
        """Wait for the key that ends it, for so many seconds of silence, or `most` in all."""
        now, keys = self._now, self._leg.keys
        full_at = now() + most
        while True:
            # Of somebody who talks now, no silence can be over before this.
            silent_at = (now() if self.silent_since is None else self.silent_since) + silence
            due = min(full_at, silent_at)
            if now() >= due:
                return Stop.FULL if now() >= full_at else Stop.SILENCE
            if await keys.next(max(due - now(), 0.001)) == END_KEY:
                return Stop.KEY


@contextmanager
def hearing(leg: Leg) -> Iterator[Ear]:
    """Watch the party of a leg, whose keys of before mean nothing, within the block."""
    leg.keys.clear()
    ear = Ear(leg, leg.call.exchange.now)
    leg.on_talking = ear.talks
    leg.media.watch(keys=True, talk=True)
    try:
        yield ear
    finally:
        leg.on_talking = None
        leg.media.watch(talk=False)
