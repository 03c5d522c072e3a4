"""Erlang's formulas, against which the queue engine is proved, and means with their confidence.

Calls come at a rate λ, talk exponentially with mean 1/μ, and n agents take them in their order:
M/M/n (Erlang C, A. K. Erlang 1917). With exponential patience of rate θ it is M/M/n+M (Erlang A,
C. Palm 1946). Times are seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import expm

BATCHES: Final = 30

STUDENT: Final = 2.7564
"""The 99.5 % quantile of Student's t with 29 degrees of freedom."""

DEEPEST: Final = 400
"""So many waiting callers are reckoned with."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a queue does in the long run: ASA (mean wait of those answered), the share of all
    callers answered within the service level's seconds, occupancy, and the share who leave."""

    asa_s: float
    service_level: float
    occupancy: float
    abandoned: float = 0.0


def erlang_c(agents: int, calls_per_s: float, talk_s: float, within_s: float) -> Expected:
    """Return what M/M/n does."""
    load = calls_per_s * talk_s
    blocked = 1.0
    for n in range(1, agents + 1):  # Erlang B, recursively
        blocked = load * blocked / (n + load * blocked)
    waits = blocked / (1 - load / agents * (1 - blocked))
    spare = agents / talk_s - calls_per_s
    return Expected(
        asa_s=waits / spare,
        service_level=1 - waits * math.exp(-spare * within_s),
        occupancy=load / agents,
    )


def erlang_a(
    agents: int, calls_per_s: float, talk_s: float, patience_s: float, within_s: float
) -> Expected:
    """Return what M/M/n+M does, by the equilibrium of its birth-death chain."""
    serve, leave = 1 / talk_s, 1 / patience_s
    weights = [1.0]
    for state in range(1, agents + DEEPEST):
        out = min(state, agents) * serve + max(0, state - agents) * leave
        weights.append(weights[-1] * calls_per_s / out)
    chance = np.array(weights) / sum(weights)
    served, waited = _from_each_place(agents * serve, leave)
    at_once, queued = chance[:agents].sum(), chance[agents:]
    answered = at_once + queued @ served
    in_time = at_once + queued @ _in_time(agents * serve, leave, within_s)
    busy = sum(min(state, agents) * share for state, share in enumerate(chance))
    return Expected(
        asa_s=float(queued @ waited / answered),
        service_level=float(in_time),
        occupancy=float(busy / agents),
        abandoned=float(1 - answered),
    )


def _from_each_place(serve: float, leave: float) -> tuple[np.ndarray, np.ndarray]:
    """Return, by the number of those before a caller, the chance to be served, and the mean of the
    wait where it is (0 elsewhere). Each step forward races against the caller's own patience."""
    served, waited = [], []
    before_served, before_waited = 1.0, 0.0
    for ahead in range(DEEPEST):
        forward = serve + ahead * leave
        rate = forward + leave
        before_waited = forward / rate * (before_waited + before_served / rate)
        before_served *= forward / rate
        served.append(before_served)
        waited.append(before_waited)
    return np.array(served), np.array(waited)


def _in_time(serve: float, leave: float, within_s: float) -> np.ndarray:
    """Return, by the number of those before a caller, the chance to be served in time."""
    moves = np.zeros((DEEPEST + 1, DEEPEST + 1))  # state 0: served; state k: k - 1 are before
    for state in range(1, DEEPEST + 1):
        forward = serve + (state - 1) * leave
        moves[state, state - 1] = forward
        moves[state, state] = -forward - leave
    return np.asarray(expm(moves * within_s)[1:, 0])


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with the half-width of its 99 % confidence interval."""

    value: float
    half_width: float

    def holds(self, expected: float) -> bool:
        """Tell whether a value lies in the interval."""
        return abs(expected - self.value) <= self.half_width

    @property
    def relative(self) -> float:
        """Return the half-width as a share of the mean."""
        return self.half_width / self.value if self.value else math.inf


def batch_mean(values: np.ndarray, weights: np.ndarray | None = None) -> Mean:
    """Return the mean by batch means: of ratios values / weights, or of values; what is left over
    beyond 30 equal batches at the beginning is not counted (the queue was empty then)."""
    size = len(values) // BATCHES
    array = np.array(values[len(values) - size * BATCHES :], dtype=float).reshape(BATCHES, size)
    if weights is None:
        means = array.mean(axis=1)
    else:
        base = np.array(weights[len(values) - size * BATCHES :], dtype=float)
        means = array.sum(axis=1) / base.reshape(BATCHES, size).sum(axis=1)
    return Mean(float(means.mean()), STUDENT * float(means.std(ddof=1)) / math.sqrt(BATCHES))
