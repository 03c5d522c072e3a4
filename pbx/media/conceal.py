"""Packet-loss concealment by pitch-waveform substitution, for linear samples at 8000 and 16000 Hz.

What ITU-T G.711 Appendix I describes: the last pitch period is repeated, after 10 ms two of them
and after 20 ms three in turn so that it does not buzz, the sound fades out by 60 ms, and the first
good samples are faded in over what the repetition would have gone on with. Unlike the appendix it
holds nothing back while all is well: where the appendix overlaps the seam between speech and
repetition, and so needs 3.75 ms of delay, the step at the seam is spread over a quarter of a period
of the repetition.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.media.array_codec import Frames

Samples = NDArray[np.float32]

HISTORY_MS: Final = 60
"""Milliseconds of sound that `Concealer.fill` looks back on."""

SHORTEST_MS: Final = (
    5.0  # shortest period that is repeated: 200 Hz, higher voices several at a time
)
LONGEST_MS: Final = 15.0  # 66 Hz
_COMPARED_MS: Final = 20.0  # of the newest sound, compared with what was a period before
_STEADY_MS: Final = 10  # of full level, and of each number of periods
FADED_MS: Final = 60
"""Milliseconds after which a concealment is silent."""

_LONGEST_MERGE_MS: Final = 10
_SILENT: Final = 8  # below this, nothing is worth repeating


def find_period(history: Samples, shortest: int, longest: int, compared: int) -> int:
    """Return the lag, `shortest` to `longest` samples, at which the end of `history` repeats best.

    The last `compared` samples are correlated with those a lag before, normalised by the energy of
    the latter. `history` must hold `compared + longest` samples at least.
    """
    newest = history[-compared:]
    before = history[-compared - longest : -shortest]
    products = np.correlate(before, newest, "valid")
    squares = np.concatenate(([0.0], np.cumsum(before.astype(np.float64) ** 2)))
    energies = squares[compared:] - squares[:-compared]
    scores = products / np.sqrt(np.maximum(energies, 1.0))
    return longest - int(np.argmax(scores))


class Concealer:
    """One stream's concealment: `fill` for each stretch that is missing, then `merge`.

    `active` is true from the first `fill` to the next `merge`, `silent` once nothing is heard any
    more.
    """

    __slots__ = ("_cycles", "_period", "_position", "_rate", "_seam", "active")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._period = 0
        self._position = 0
        self._cycles: list[Samples] = []
        self._seam: Samples = np.zeros(0, np.float32)
        self.active = False

    @property
    def history(self) -> int:
        """Return how many samples `fill` looks back on."""
        return HISTORY_MS * self._rate // 1000

    @property
    def silent(self) -> bool:
        """Tell whether the concealment has faded out."""
        faded = self._position >= FADED_MS * self._rate // 1000
        return self.active and (faded or not self._cycles)

    def fill(self, history: Frames, samples: int) -> Frames:
        """Return int16 (samples,) in place of what is missing behind `history`, int16 (n,).

        `history` is looked at only when a gap begins; of less than its length, or none, silence is
        made.
        """
        if not self.active:
            self._begin(history)
        filled = self._take(samples)
        self._position += samples
        return np.clip(np.rint(filled), -32768, 32767).astype(np.int16)

    def merge(self, frame: Frames) -> Frames:
        """Return the first good `frame`, int16 (n,), faded in over the concealment, which ends."""
        quarter = max(self._period // 4, self._rate // 400)
        longer = max(0, self._position - self._rate // 100) * 2 // 5  # 4 ms for each 10 ms more
        overlap = min(quarter + longer, _LONGEST_MERGE_MS * self._rate // 1000, len(frame))
        ramp = (np.arange(overlap, dtype=np.float32) + 0.5) / np.float32(overlap)
        merged = frame.copy()
        mixed = self._take(overlap) * (1 - ramp) + frame[:overlap] * ramp
        merged[:overlap] = np.clip(np.rint(mixed), -32768, 32767)
        self.forget()
        return merged

    def forget(self) -> None:
        """End the concealment without a seam."""
        self.active = False
        self._cycles = []
        self._position = 0

    def _begin(self, history: Frames) -> None:
        self.active = True
        self._position = 0
        self._cycles = []
        self._period = 0
        if len(history) < self.history or np.abs(history).max() < _SILENT:
            return
        recent: Samples = history[-self.history :].astype(np.float32)
        shortest, longest = (int(ms * self._rate / 1000) for ms in (SHORTEST_MS, LONGEST_MS))
        period = find_period(recent, shortest, longest, int(_COMPARED_MS * self._rate / 1000))
        self._period = period
        self._cycles = [_cycle(recent, period, count) for count in (1, 2, 3)]
        quarter = period // 4
        step = recent[-1] - recent[-1 - period]
        self._seam = step * np.linspace(1, 0, quarter, endpoint=False, dtype=np.float32)

    def _take(self, samples: int) -> Samples:
        """Return float32 (samples,) of the repetition from the present position on."""
        if not self._cycles or self.silent:
            return np.zeros(samples, np.float32)
        position = self._position + np.arange(samples)
        block = _STEADY_MS * self._rate // 1000
        taken: Samples = self._cycles[0][position % self._period]
        for count in (1, 2):
            risen = (position - count * block) / (self._period / 4)
            weight: Samples = np.clip(risen, 0, 1).astype(np.float32)
            if weight[-1] > 0:
                cycle = self._cycles[count]
                taken = taken + (cycle[position % len(cycle)] - taken) * weight
        seam = self._seam[self._position : self._position + samples]
        taken[: len(seam)] += seam
        faded = FADED_MS * self._rate // 1000
        gain = np.clip((faded - position) / (faded - block), 0, 1)
        result: Samples = (taken * gain).astype(np.float32)
        return result


def _cycle(recent: Samples, period: int, count: int) -> Samples:
    """Return the last `count` periods, so that they can be repeated: the end, a quarter of a
    period, goes over into what came before their beginning."""
    length = count * period
    cycle = recent[-length:].copy()
    quarter = period // 4
    ramp = (np.arange(quarter, dtype=np.float32) + 0.5) / np.float32(quarter)
    before = recent[-length - quarter : -length]
    cycle[-quarter:] = cycle[-quarter:] * (1 - ramp) + before * ramp
    return cycle
