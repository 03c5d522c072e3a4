"""Who has keyed so many wrong PINs that a conference room asks no more, and for how long.

Three wrong PINs end a call; `WRONG` of them from one caller, over however many calls, lock the room
to that caller for `LOCKED_FOR` after the last. A right PIN forgives nothing: whoever has the
members' could else guess the moderators' for ever. Callers of carriers are known by what their
carrier says. The table is bounded and forgets whoever was wrong longest ago. Nothing here reads a
clock.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

WRONG: Final = 10
"""Wrong PINs that lock a room to a caller."""

LOCKED_FOR: Final = 900.0
"""Seconds after the last wrong PIN until all are forgotten."""

MAX_CALLERS: Final = 10_000

Who = tuple[str, str, str]
"""The room, the trunk ("" for a phone of the office) and the caller's number."""


class PinLock:
    """Counts wrong PINs by room and caller."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[Who, tuple[int, float]] = OrderedDict()
        """How many, and when the last was; the oldest first."""

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._wrong)

    def wrong(self, who: Who, now: float) -> None:
        """Count a wrong PIN."""
        count = self._count(who, now) + 1
        self._wrong[who] = (count, now)
        self._wrong.move_to_end(who)
        if len(self._wrong) > MAX_CALLERS:
            self._wrong.popitem(last=False)

    def locked(self, who: Who, now: float) -> bool:
        """Tell whether the caller is asked no more."""
        return self._count(who, now) >= WRONG

    def _count(self, who: Who, now: float) -> int:
        count, last = self._wrong.get(who, (0, now))
        if now - last < LOCKED_FOR:
            return count
        del self._wrong[who]
        return 0
