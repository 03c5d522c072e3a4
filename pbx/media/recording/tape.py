"""A recording as two more ears of its bridge.

What a tape hears is mixed like anything else, so it follows joins, gains and fades. It is written
once each tick, silence too: sound stays aligned with the clock on the wall, whoever comes and goes.
The recording itself, its file and its thread are `record.py`'s.
"""

from __future__ import annotations

import logging
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.array_codec import Frames
from pbx.media.codecs.resample import DOWN, UP

log = logging.getLogger(__name__)

Frame = NDArray[np.int16]


class Recorder(Protocol):
    """What takes down the sound. `rate` is 8000 or 16000 Hz."""

    @property
    def rate(self) -> int:
        """Return the samples a second that it takes."""

    def write(self, left: Frame, right: Frame | None) -> None:
        """Take 20 ms of both sides; mono has no right."""


class Side:
    """One ear of a tape; it is known by its identity."""

    __slots__ = ()


class Tape:
    """One recording of a bridge. `left` is the leg on the left side, None for mono."""

    def __init__(self, recorder: Recorder, left: int | None) -> None:
        self.left = left
        self.ears = (Side(), Side())
        """Left and right; in mono, all voices and nobody."""
        self._recorder: Recorder | None = recorder
        self._filter = np.concatenate([UP.state(0), UP.state(2)])
        self._lowering = DOWN.state(2)

    def write(self, heard: Frames, rate: int) -> None:
        """Record 20 ms, (2, samples) at `rate`. The fence: a recording that fails ends alone."""
        recorder = self._recorder
        if recorder is None:
            return
        try:
            if recorder.rate > rate:
                heard = UP.apply(self._filter, heard)
            elif recorder.rate < rate:
                heard = DOWN.apply(self._lowering, heard)
            recorder.write(heard[0], None if self.left is None else heard[1])
        except Exception:  # the fence: this recording alone ends
            log.exception("a recording failed")
            self._recorder = None
