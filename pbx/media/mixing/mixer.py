"""Who hears whom, evaluated: frames of voices and a gain matrix give what each ear hears.

`mix` is the truth: the dense product of gains (ears, voices) and frames (voices, samples), and a
limiter. `MixPlan` gives the same without the matrix, because nearly all ears hear everybody but
themselves: the total of a bridge's voices, less their own; single gains that are neither 0 nor 1
where the plan says otherwise are a few terms more. All bridges are summed in one pass.

The limiter stands in place of wrap-around and leaves alone what needs none: up to −3 dBFS a sum
passes as it is, above that it bends towards full scale (`bend`). A single voice never needs it, so
one talker passes bit by bit however loud. Pure; one call, one frame.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.int16]
"""Linear samples: (n, samples), int16 full scale."""

Totals = NDArray[np.int32]
"""Sums of frames before they are limited: (n, samples)."""

Gains = NDArray[np.float32]
"""How loud each voice is to each ear: (ears, voices), 1 is unchanged."""

TOP: Final = 32_767
"""Full scale."""

KNEE: Final = 23_197
"""Where the limiter begins: −3 dBFS."""

_LOWEST, _HIGHEST = -32_768, 32_767


def mix(frames: Frames, gains: Gains) -> Frames:
    """Return what each ear hears, (ears, samples): the dense product, limited.

    `frames` is (voices, samples), `gains` (ears, voices).
    """
    totals = np.rint(gains.astype(np.float64) @ frames).astype(np.int32)
    return limit(totals, lambda rows: _crowded(frames, gains[rows]))


def limit(totals: Totals, crowded: Callable[[NDArray[np.intp]], NDArray[np.bool_]]) -> Frames:
    """Return sums as int16, bent where they are loud; `totals` may be written over.

    `crowded` tells of row numbers which of them are the sum of several voices: others are clipped
    only, which changes nothing unless they were amplified.
    """
    if totals.size == 0 or (totals.max() <= KNEE and totals.min() >= -KNEE):
        return totals.astype(np.int16)
    loud = np.flatnonzero(np.maximum(totals.max(axis=1), -totals.min(axis=1)) > KNEE)
    bent = loud[crowded(loud)]
    if len(bent) == len(totals):
        bend(totals)
    elif len(bent):
        rows = totals[bent]
        bend(rows)
        totals[bent] = rows
    if len(bent) < len(loud):
        np.clip(totals, _LOWEST, _HIGHEST, out=totals)
    return totals.astype(np.int16)


def bend(totals: Totals) -> None:
    """Bend those samples that are beyond the knee towards full scale, in place; none exceeds it.

    Value, slope and curvature are continuous at the knee: there is no corner to be heard.
    """
    flat = totals.reshape(-1)
    over = np.flatnonzero(np.abs(flat) > KNEE)
    flat[over] = np.take(_BENT, flat[over] + _REACH, mode="clip")


def _bends() -> NDArray[np.int16]:
    """Return what each sum from −_REACH to _REACH is bent to."""
    sums = np.arange(-_REACH, _REACH + 1)
    room = TOP - KNEE
    bent = KNEE + room * np.tanh((np.abs(sums) - KNEE) / room)
    limited = np.where(np.abs(sums) > KNEE, np.copysign(np.rint(bent), sums), sums)
    return limited.astype(np.int16)


_REACH: Final = 0x20000  # a sum of four at full scale; beyond all is full scale
_BENT: Final = _bends()


def _crowded(frames: Frames, gains: Gains) -> NDArray[np.bool_]:
    """Tell which rows of gains make a sum that is more than one voice as it is."""
    heard = (gains != 0) & np.any(frames, axis=1)
    amplified = (heard & (np.abs(gains) > 1)).any(axis=1)
    crowded: NDArray[np.bool_] = (heard.sum(axis=1) > 1) | amplified
    return crowded


class EarRow(NamedTuple):
    """What one ear hears, by column numbers.

    `bridge` is the place among the plan's bridges of that which it hears, −1 for none; `own` its
    own voice there, −1 for none, which it does not hear. `gains` names voices of the bridge that
    are not as loud to it as they are; `others` is the gain of the bridge as a whole; `extra` names
    columns that only this ear hears besides.
    """

    bridge: int
    own: int = -1
    others: float = 1.0
    gains: Mapping[int, float] = MappingProxyType({})
    extra: tuple[int, ...] = ()


class MixPlan:
    """Bridges and ears, compiled once and run on each frame.

    `bridges` lists the columns that are voices of each bridge; a column is in one at most. `ears`
    are the rows of what `run` returns.
    """

    def __init__(self, bridges: Sequence[Sequence[int]], ears: Sequence[EarRow]) -> None:
        self._bridges = bridges
        self._ears = ears
        filled = sorted(
            (n for n, members in enumerate(bridges) if members), key=lambda n: len(bridges[n])
        )
        columns = [column for n in filled for column in bridges[n]]
        in_order = columns == list(range(len(columns)))
        self._columns = len(columns)
        self._order = None if in_order else np.array(columns, dtype=np.intp)
        self._sizes = Counter(len(bridges[n]) for n in filled)
        """How many bridges there are of each size, the smallest first."""
        self._special = [n for n, ear in enumerate(ears) if ear.gains or ear.extra]
        """Ears of which the count of voices is not total less own."""
        place = {bridge: n for n, bridge in enumerate(filled)}
        self._silent = len(filled)
        """The place of the total that is nobody's: zeros."""
        self._bridge_of = np.array(
            [place.get(ear.bridge, self._silent) for ear in ears], dtype=np.intp
        )
        listening = [n for n, ear in enumerate(ears) if ear.own >= 0]
        owns = [ears[n].own for n in listening]
        self._own_rows = _index(listening)
        self._own_columns = _index(owns)
        self._scaled = np.array(
            [n for n, ear in enumerate(ears) if ear.others != 1.0], dtype=np.intp
        )
        self._others = np.array([[ears[n].others] for n in self._scaled], dtype=np.float32).reshape(
            -1, 1
        )
        self._collect_terms()

    def __len__(self) -> int:
        """Return how many ears there are."""
        return len(self._ears)

    def run(self, frames: Frames) -> Frames:
        """Return what each ear hears, (ears, samples); `frames` is (columns, samples)."""
        totals = np.take(self._totals(frames), self._bridge_of, axis=0, mode="clip")
        if self._own_rows is not None and self._own_columns is not None:
            totals[self._own_rows] -= frames[self._own_columns]
        if len(self._scaled):
            totals[self._scaled] = np.rint(totals[self._scaled] * self._others)
        if len(self._term_columns):
            terms = frames[self._term_columns] * self._term_gains
            totals[self._term_ears] += np.rint(
                np.add.reduceat(terms, self._term_starts, axis=0)
            ).astype(np.int32)
        return limit(totals, lambda rows: self._crowded(frames)[rows])

    def gains(self, columns: int, rows: NDArray[np.intp] | None = None) -> Gains:
        """Return the plan as a matrix: (those ears or all, columns)."""
        chosen = range(len(self._ears)) if rows is None else rows.tolist()
        gains = np.zeros((len(chosen), columns), dtype=np.float32)
        for row, ear in zip(gains, (self._ears[n] for n in chosen), strict=True):
            if ear.bridge >= 0:
                row[list(self._bridges[ear.bridge])] = ear.others
            for column, gain in ear.gains.items():
                row[column] = gain * ear.others
            if ear.own >= 0:
                row[ear.own] = 0.0
            row[list(ear.extra)] = 1.0
        return gains

    def _crowded(self, frames: Frames) -> NDArray[np.bool_]:
        """Tell which ears hear more than one voice as it is: the count, total less own."""
        active = np.any(frames, axis=1)
        counts = self._totals(active.astype(np.int16).reshape(-1, 1))[:, 0]
        crowd = np.take(counts, self._bridge_of)
        if self._own_rows is not None and self._own_columns is not None:
            crowd[self._own_rows] -= active[self._own_columns]
        crowded = crowd > 1
        for n in self._special:
            rows = np.array([n], dtype=np.intp)
            crowded[n] = _crowded(frames, self.gains(len(frames), rows))[0]
        return crowded

    def _totals(self, frames: Frames) -> Totals:
        """Return the sum of each bridge that has voices, and a row of zeros after them."""
        voices = frames[: self._columns] if self._order is None else frames[self._order]
        samples = frames.shape[1]
        totals = np.zeros((self._silent + 1, samples), dtype=np.int32)
        first = bridge = 0
        for size, count in self._sizes.items():  # reduceat would take twenty times as long
            block = voices[first : first + size * count].reshape(count, size, samples)
            block.sum(axis=1, dtype=np.int32, out=totals[bridge : bridge + count])
            first += size * count
            bridge += count
        return totals

    def _collect_terms(self) -> None:
        """Note what must be added to total less own, sorted by ear."""
        terms = [
            (n, column, gain)
            for n, ear in enumerate(self._ears)
            if ear.gains or ear.extra
            for column, gain in _terms(ear)
        ]
        ears = [n for n, _, _ in terms]
        self._term_starts = np.array(
            [n for n, ear in enumerate(ears) if not n or ear != ears[n - 1]], dtype=np.intp
        )
        self._term_ears = np.array(ears, dtype=np.intp)[self._term_starts]
        self._term_columns = np.array([column for _, column, _ in terms], dtype=np.intp)
        self._term_gains = np.array([gain for _, _, gain in terms], dtype=np.float32)[:, None]


def _terms(ear: EarRow) -> list[tuple[int, float]]:
    terms = [
        (column, (gain - 1.0) * ear.others)
        for column, gain in ear.gains.items()
        if column != ear.own and gain != 1.0
    ]
    return terms + [(column, 1.0) for column in ear.extra]


def _index(numbers: list[int]) -> slice | NDArray[np.intp] | None:
    """Return numbers as what indexes fastest: a slice where they follow one another."""
    if not numbers:
        return None
    if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return slice(numbers[0], numbers[0] + len(numbers))
    return np.array(numbers, dtype=np.intp)


def cross_fade(before: Frames, after: Frames) -> Frames:
    """Return frames that begin as `before` and end as `after`: no gain switches with a click.

    What is the same in both passes as it is.
    """
    changed = np.flatnonzero((before != after).any(axis=1))
    samples = before.shape[1]
    ramp = np.arange(1, samples + 1, dtype=np.float32) / np.float32(samples)
    earlier, later = before[changed], after[changed]
    change = (later.astype(np.float32) - earlier) * ramp
    faded = after.copy()
    faded[changed] = (earlier + np.rint(change)).astype(np.int16)
    return faded
