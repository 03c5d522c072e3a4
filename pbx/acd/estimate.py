"""How long a caller has to wait: a range, or nothing where it would be a guess.

A caller at position p waits for p calls to end, and n agents end one every AHT / n seconds. AHT,
the average handle time (talk and work after it), follows what is, by an exponentially weighted
mean over the latest calls of the queue.
"""

from __future__ import annotations

import math
from typing import Final

from pbx.acd.model import Estimate

ENOUGH: Final = 5
"""Calls handled before anything is said."""

NEWEST: Final = 0.1
"""How much the latest call counts: about the last twenty matter."""

SPREAD: Final = 0.25
"""The range is so much to both sides."""

FINE: Final = 180.0
"""Seconds below which the steps are half minutes; above they are minutes."""


class HandleTime:
    """The mean handle time of a queue's calls, in seconds."""

    __slots__ = ("calls", "mean_s")

    def __init__(self) -> None:
        self.calls = 0
        self.mean_s = 0.0

    def handled(self, seconds: float) -> None:
        """Count a call in. The first ones count alike."""
        self.calls += 1
        self.mean_s += (seconds - self.mean_s) * max(NEWEST, 1 / self.calls)


def estimate(position: int, handle: HandleTime, agents: int) -> Estimate | None:
    """Return how long the caller at `position` (1: next) waits with so many `agents` at work."""
    if handle.calls < ENOUGH or agents < 1:
        return None
    seconds = position * handle.mean_s / agents
    return Estimate(_sensible(seconds * (1 - SPREAD)), _sensible(seconds * (1 + SPREAD)))


def _sensible(seconds: float) -> float:
    step = 30.0 if seconds < FINE else 60.0
    return math.ceil(seconds / step) * step
