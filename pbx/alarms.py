"""What an administrator should know: one sentence each, kept by `status`, logged once.

A repeat of the same sentence counts up and moves the time; it writes no second log line.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

KEPT = 50
"""How many different sentences are remembered."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One sentence with what to do; `at` is when it last came, seconds since the epoch."""

    sentence: str
    at: float
    count: int


class Alarms:
    """The newest alarms, each sentence once."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._alarms: OrderedDict[str, Alarm] = OrderedDict()

    def raise_(self, sentence: str) -> None:
        """Note an alarm."""
        before = self._alarms.pop(sentence, None)
        if before is None:
            log.warning("%s", sentence)
        count = 1 if before is None else before.count + 1
        self._alarms[sentence] = Alarm(sentence, self._wall(), count)
        if len(self._alarms) > KEPT:
            self._alarms.popitem(last=False)

    def newest(self) -> list[Alarm]:
        """Return all remembered alarms, the newest first."""
        return list(reversed(self._alarms.values()))
