"""Keys pressed as tones in a leg's sound: a detector within the limits of ITU-T Q.24.

Two steps. *Screening* takes a whole frame of 20 ms: how much of its energy lies in the best of four
low and the best of four high frequencies? Nearly every frame of speech ends there, after one small
product. Where a pair stands out, its *tracking* begins: sound is fitted, 5 ms at a time, with the
pair alone (least squares, so that neighbours in so short a time do not disturb), and the phase that
each tone gains from one piece to the next tells its frequency to a few hertz. A *link* is two such
pieces in a row that both fit and whose frequencies stay near the key's.

A key is at least `LINKS` links, that is somewhat over 30 ms, with both mean frequencies within
2.2 %, the tones' levels not too far apart, and hardly anything else to be heard. It is told when
25 ms without it have passed, or another key begins. Dial tone (350 to 450 Hz) is taken out of all
of this: a caller may key over it.
"""

from __future__ import annotations

import cmath
from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.media.keys.key_tones import HIGH, KEYPAD, LOW, ZERO_DBM0

RATE: Final = 8000
"""Samples a second of the frames, Hz."""

FRAME: Final = 160
"""Samples of a frame, 20 ms."""

PIECE: Final = 40
"""Samples of a piece in tracking, 5 ms."""

PIECES: Final = FRAME // PIECE

TOLERANCE: Final = 0.022
"""Relative deviation of a mean frequency: Q.24 takes 1.5 % and refuses 3.5 %."""

LINK_TOLERANCE: Final = 0.06
"""The same between two single pieces, where noise weighs more."""

LINKS: Final = 6
"""Links of a key: 40 ms hold six in any position, 23 ms at most four."""

ENDS_AFTER: Final = 5
"""Pieces without the key that end it: 25 ms, longer than a break of 10, shorter than a gap of
40."""

WEAKEST: Final = ZERO_DBM0 * 10 ** (-38 / 20)
"""Peak of a tone that counts: −38 dBm0, between Q.24's −25 − 8 and −55."""

TWIST: Final = 10 ** (10 / 20)
"""Ratio of the tones' peaks, either way; Q.24 asks for 8 and 4 dB."""

PIECE_SHARE: Final = 0.55
"""Share of a piece's energy that the pair must make."""

KEY_SHARE: Final = 0.90
"""Share that it makes of all pieces of a key together: speech leaves more aside."""

SCREEN_SHARE: Final = 0.30
"""Share of a frame's energy that starts tracking: a key shows that fills a third of the frame."""

_DIAL_TONE = (350.0, 440.0)
_PIECE_SECONDS = PIECE / RATE


def _waves(frequencies: Sequence[float], samples: int) -> NDArray[np.float64]:
    """Return cosine and sine of each frequency as columns, (samples, 2 n)."""
    phase = 2 * pi / RATE * np.outer(np.arange(samples), frequencies)
    waves = np.stack([np.cos(phase), np.sin(phase)], axis=2)
    return waves.reshape(samples, 2 * len(frequencies))


def _screening() -> NDArray[np.float32]:
    """Return (160, 16 + 4): what projects a frame on the eight tones, and on dial tone.

    Each column has length 1, so that squares are energies.
    """
    tones = _waves((*LOW, *HIGH), FRAME)
    tones /= np.sqrt((tones**2).sum(axis=0))
    dial, _ = np.linalg.qr(_waves(_DIAL_TONE, FRAME))
    return np.concatenate([tones, dial], axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Pair:
    """What tracking one key needs."""

    digit: str
    projection: NDArray[np.float32]
    """(40, 8): an orthonormal basis of dial tone, then of the pair apart from it."""
    amplitudes: NDArray[np.complex64]
    """(4, 2): from the pair's part of a projection to its two complex amplitudes."""
    turns: tuple[complex, complex]
    """What a tone of the exact frequency turns by from one piece to the next, taken back."""
    limits: tuple[float, float]
    """The largest deviation of each mean frequency, as radians a piece."""
    link_limits: tuple[float, float]
    """The same of a single link."""

    @classmethod
    def of(cls, row: int, column: int) -> _Pair:
        """Work out the numbers of one key."""
        tones = (LOW[row], HIGH[column])
        basis, mix = np.linalg.qr(_waves((*_DIAL_TONE, *tones), PIECE))
        solve = np.linalg.inv(mix[4:, 4:]).T  # coefficients of cosine and sine, as rows
        step = 2 * pi * _PIECE_SECONDS
        turns = [cmath.exp(-1j * step * tone) for tone in tones]
        low, high = (step * tone * TOLERANCE for tone in tones)
        link_low, link_high = (step * tone * LINK_TOLERANCE for tone in tones)
        return cls(
            KEYPAD[row][column],
            basis.astype(np.float32),
            (solve[:, 0::2] - 1j * solve[:, 1::2]).astype(np.complex64),
            (turns[0], turns[1]),
            (low, high),
            (link_low, link_high),
        )


_SCREENING: Final = _screening()
_PAIRS: Final = tuple(tuple(_Pair.of(row, column) for column in range(4)) for row in range(4))
_SCREEN_FLOOR: Final = WEAKEST * WEAKEST * FRAME / 2


class _Track:
    """One key that is, or may be, going on."""

    __slots__ = ("_energy", "_fitted", "_high", "_last", "_links", "_low", "_off", "_on", "pair")

    def __init__(self, pair: _Pair) -> None:
        self.pair = pair
        self._on = 0
        self._off = -PIECES  # in the frame before the first that stood out it may not be there yet
        self._links = 0
        self._energy = 0.0
        self._fitted = 0.0
        self._low = 0j
        self._high = 0j
        self._last: tuple[complex, complex] | None = None

    def follow(self, pieces: NDArray[np.float32]) -> bool:
        """Take pieces (n, 40); return False when the key is over by them."""
        pair = self.pair
        parts = pieces @ pair.projection
        squares = parts * parts
        energies = (pieces * pieces).sum(axis=1) - squares[:, :4].sum(axis=1)
        fitted = squares[:, 4:].sum(axis=1)
        amplitudes = parts[:, 4:] @ pair.amplitudes
        for energy, fit, (low, high) in zip(
            energies.tolist(), fitted.tolist(), amplitudes.tolist(), strict=True
        ):
            if fit < PIECE_SHARE * energy or min(abs(low), abs(high)) < WEAKEST / 2:
                self._last = None
                self._off += 1
                if self._off >= ENDS_AFTER:
                    return False
                continue
            self._link(low, high, energy, fit)
        return True

    @property
    def is_key(self) -> bool:
        """Return whether what was heard so far is a key."""
        if self._links < LINKS or self._fitted < KEY_SHARE * self._energy:
            return False
        low, high = abs(self._low), abs(self._high)
        weakest = self._links * WEAKEST * WEAKEST
        if min(low, high) < weakest or max(low, high) > TWIST * TWIST * min(low, high):
            return False
        limits = self.pair.limits
        return (
            abs(cmath.phase(self._low)) <= limits[0] and abs(cmath.phase(self._high)) <= limits[1]
        )

    @property
    def duration_ms(self) -> int:
        """Return how long the key was heard, milliseconds, to 5."""
        return self._on * PIECE * 1000 // RATE

    def _link(self, low: complex, high: complex, energy: float, fit: float) -> None:
        """Take a piece that fits: count it, and its link to the piece before."""
        last, self._last = self._last, (low, high)
        if last is not None:
            low_turn = low * last[0].conjugate() * self.pair.turns[0]
            high_turn = high * last[1].conjugate() * self.pair.turns[1]
            limits = self.pair.link_limits
            if abs(cmath.phase(low_turn)) > limits[0] or abs(cmath.phase(high_turn)) > limits[1]:
                self._off += 1
                return
            self._links += 1
            self._low += low_turn
            self._high += high_turn
            self._energy += energy
            self._fitted += fit
        self._on += 1
        self._off = 0


class KeyDetector:
    """Hears the keys in one voice."""

    __slots__ = ("_before", "_rival", "_track")

    def __init__(self) -> None:
        self._before: NDArray[np.float32] = np.zeros(FRAME, dtype=np.float32)
        self._track: _Track | None = None
        self._rival: _Track | None = None
        """Another key that may have begun: the frame in which a tone begins or ends, or has a
        break, often looks like one."""

    @property
    def down(self) -> bool:
        """Return whether a key is heard right now, which will be told when it ends."""
        return self._track is not None and self._track.is_key

    def feed(self, frame: NDArray[np.int16]) -> list[tuple[str, int]]:
        """Take 20 ms of sound, int16 (160,) at 8000 Hz; return the keys that ended by it.

        Each with its duration in milliseconds.
        """
        samples = frame.astype(np.float32)
        pair = _screen(samples)
        before, self._before = self._before, samples
        if pair is None and self._track is None:
            return []
        keys = self._follow(samples.reshape(PIECES, PIECE))
        if pair is not None and not self._tracks(pair):
            track = _Track(pair)
            track.follow(np.concatenate((before, samples)).reshape(2 * PIECES, PIECE))
            if self._track is None:
                self._track = track
            else:
                self._rival = track
        return keys

    def finish(self) -> list[tuple[str, int]]:
        """Return the key that is down when the sound ends, if there is one."""
        keys = self._told(self._track)
        self._track = self._rival = None
        return keys

    def _follow(self, pieces: NDArray[np.float32]) -> list[tuple[str, int]]:
        """Take pieces into what is tracked; return the key that is over by them."""
        track, rival = self._track, self._rival
        if track is None:
            return []
        goes_on = track.follow(pieces)
        if rival is not None:
            if not rival.follow(pieces) and not rival.is_key:
                self._rival = rival = None
            elif rival.is_key:
                goes_on = False
        if goes_on:
            return []
        self._track, self._rival = rival, None
        return self._told(track)

    def _tracks(self, pair: _Pair) -> bool:
        return any(track and track.pair is pair for track in (self._track, self._rival))

    @staticmethod
    def _told(track: _Track | None) -> list[tuple[str, int]]:
        return [(track.pair.digit, track.duration_ms)] if track and track.is_key else []


def _screen(samples: NDArray[np.float32]) -> _Pair | None:
    """Return the key whose pair stands out in a frame, if one does."""
    energy = float(samples @ samples)
    if energy < _SCREEN_FLOOR:
        return None
    squares = samples @ _SCREENING
    squares *= squares
    c = squares.tolist()
    low = [c[0] + c[1], c[2] + c[3], c[4] + c[5], c[6] + c[7]]
    high = [c[8] + c[9], c[10] + c[11], c[12] + c[13], c[14] + c[15]]
    best_low, best_high = max(low), max(high)
    rest = energy - c[16] - c[17] - c[18] - c[19]
    if best_low + best_high < SCREEN_SHARE * rest:
        return None
    return _PAIRS[low.index(best_low)][high.index(best_high)]
