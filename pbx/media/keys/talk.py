"""Whether somebody talks: for talker events in conferences, and for the gate before a room's mix.

Two steps: a frame that is quiet, or hardly louder than the noise behind it, is no voice, and costs
one product; a louder one is put before WebRTC's voice detector, which takes a loud fan for a voice.
The noise is the quietest of late: any quieter frame is it, and else it rises by 4 dB a second, so
that a fan stops being a voice within seconds, while a talker's pauses keep it down.

What is reported is slower than what the gate does. The gate opens with the first frame of voice, so
that no word loses its beginning, and closes 800 ms after the last. The event needs 200 ms of voice,
so that a cough is no talking, and ends when the gate closes.

Whoever leaves while talking has ended talking: `stop` says so once. Times are monotonic seconds.
"""

from __future__ import annotations

from math import inf
from typing import Final

import numpy as np
import webrtcvad
from numpy.typing import NDArray

BEGINS_AFTER: Final = 0.2
"""Seconds of voice that are talking."""

ENDS_AFTER: Final = 0.8
"""Seconds without voice after which talking has ended and the gate is closed."""

PAUSE: Final = 0.1
"""Seconds without voice that the first 200 ms may have between two sounds of a word."""

QUIET: Final = 100.0
"""RMS, in units of int16, below which nothing is voice: −50 dB of full scale."""

ABOVE_NOISE: Final = 4.0
"""Ratio of a voice's power to the noise behind it, at least: 6 dB."""

RISE: Final = 1.02
"""By how much the noise may have grown from one frame to the next, as power: 4.3 dB a second."""

AGGRESSIVENESS: Final = 2
"""WebRTC's mode, 0–3: 2 takes one frame of noise in eighty for voice, and 88 % of voice."""

FRAME: Final = 0.02
"""Seconds of one frame."""


class TalkDetector:
    """Listens to one voice. `rate` is 8000 or 16000 samples a second."""

    __slots__ = ("_began", "_detect", "_heard", "_least", "_noise", "_rate", "open", "talking")

    def __init__(self, rate: int) -> None:
        self.open = False
        """Whether the voice is to be heard: true from its first frame until 800 ms after it."""
        self.talking = False
        """What was reported last."""
        self._rate = rate
        self._detect = webrtcvad.Vad(AGGRESSIVENESS).is_speech
        self._least = QUIET * QUIET * rate * FRAME / ABOVE_NOISE
        self._noise = self._least
        """Energy of a frame of the noise behind the voice."""
        self._began = inf
        self._heard = -inf

    def feed(self, frame: NDArray[np.int16], now: float) -> bool | None:
        """Take 20 ms of samples, shape (rate / 50,); return True when talking begins by it, False
        when it ends, None when nothing changes."""
        if not self._is_loud(frame) or not self._detect(frame.tobytes(), self._rate):
            return self.feed_silence(now)
        if now - self._heard > (ENDS_AFTER if self.talking else PAUSE) + FRAME:
            self._began = now
        self._heard = now
        self.open = True
        if self.talking or now - self._began < BEGINS_AFTER - FRAME - 1e-6:
            return None
        self.talking = True
        return True

    def feed_silence(self, now: float) -> bool | None:
        """Take 20 ms in which the voice is silent, or nothing came; return as `feed` does."""
        if not self.open or now - self._heard < ENDS_AFTER - 1e-6:
            return None
        self.open = False
        return self.stop()

    def stop(self) -> bool | None:
        """End the watch: return False when talking had begun and no end was told, else None."""
        self.open = False
        self._began = inf
        self._heard = -inf
        if not self.talking:
            return None
        self.talking = False
        return False

    def _is_loud(self, frame: NDArray[np.int16]) -> bool:
        samples = frame.astype(np.float32)
        energy = float(samples @ samples)
        loud = energy >= ABOVE_NOISE * self._noise
        self._noise = max(min(energy, self._noise * RISE), self._least)
        return loud
