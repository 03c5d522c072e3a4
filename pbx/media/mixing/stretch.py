"""Sound made shorter or longer without being heard: the place is chosen, then faded across.

To shorten, a stretch of sound goes over into what comes some samples later, to lengthen, into what
came some samples before; always where the two resemble each other most. In speech the number of
samples is a pitch period, so that the two are nearly the same; in a silence any number will do.
Frames are int16 (n,).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.array_codec import Frames
from pbx.media.mixing.conceal import LONGEST_MS, SHORTEST_MS, find_period

QUIET: Final = 200
"""Peak below which sound counts as a silence, about −44 dBFS."""

_FADE_MS: Final = 5


def is_quiet(sound: Frames) -> bool:
    """Tell whether nobody speaks in `sound`."""
    return bool(sound.max(initial=0) < QUIET and sound.min(initial=0) > -QUIET)


def are_quiet(frames: Frames) -> list[bool]:
    """Tell the same of each row of int16 (n, samples)."""
    quiet: list[bool] = ((frames.max(axis=1) < QUIET) & (frames.min(axis=1) > -QUIET)).tolist()
    return quiet


def period_of(sound: Frames, rate: int) -> int:
    """Return the pitch period at the end of `sound` in samples; of noise, some length that fits.

    Wants 35 ms of sound.
    """
    shortest, longest = (int(ms * rate / 1000) for ms in (SHORTEST_MS, LONGEST_MS))
    return find_period(sound.astype(np.float32), shortest, longest, len(sound) - longest)


def shorten(sound: Frames, by: int, rate: int) -> Frames:
    """Return `sound` less `by` samples; it must be longer than that by 5 ms at least."""
    fade = _FADE_MS * rate // 1000
    at = _most_alike(sound, by, fade)
    joint = _fade(sound[at : at + fade], sound[at + by : at + by + fade])
    return np.concatenate((sound[:at], joint, sound[at + by + fade :]))


def lengthen(before: Frames, sound: Frames, by: int, rate: int) -> Frames:
    """Return `sound` and `by` samples more. `before` was heard before it and is left as it is.

    Both together must be longer than `by` by 5 ms at least, `sound` longer than 5 ms.
    """
    fade = _FADE_MS * rate // 1000
    whole = np.concatenate((before, sound))
    first = max(0, len(before) - by)
    at = first + _most_alike(whole[first:], by, fade)
    joint = _fade(whole[at + by : at + by + fade], whole[at : at + fade])
    return np.concatenate((whole[len(before) : at + by], joint, whole[at + fade :]))


def _most_alike(sound: Frames, lag: int, length: int) -> int:
    """Return where `length` samples differ least from those `lag` later."""
    signal = sound.astype(np.float32)
    differences = (signal[:-lag] - signal[lag:]) ** 2
    sums = np.concatenate(([0.0], np.cumsum(differences.astype(np.float64))))
    return int(np.argmin(sums[length:] - sums[:-length]))


def _fade(leaving: Frames, coming: Frames) -> Frames:
    ramp = (np.arange(len(coming), dtype=np.float32) + 0.5) / np.float32(len(coming))
    mixed: NDArray[np.float32] = leaving * (1 - ramp) + coming * ramp
    return np.rint(mixed).astype(np.int16)
