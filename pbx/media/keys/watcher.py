"""What is told of a leg's voice: keys pressed as tones, beginnings and ends of talking.

One watcher hears one voice, frame by frame, before its gate; the gate of a room is its talk
detector too. A leg that leaves or is watched no longer has ended talking.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.resample import DOWN
from pbx.media.keys.detect import KeyDetector
from pbx.media.keys.talk import TalkDetector
from pbx.media.protocol import AnyWorkerEvent, Talking

KEY_RATE: Final = 8000
"""Samples a second that keys are sought in, Hz."""


class Watcher:
    """Listens to one leg's voice of `rate` Hz and reports.

    `hear_key(digit, milliseconds, now)` is called with each key, `key_down` when one has begun;
    what becomes of it is for the leg's keypad to say.
    With `gate` it knows whether the voice is to pass, though nobody asked to be told of talking.
    """

    def __init__(
        self,
        leg: int,
        rate: int,
        report: Callable[[AnyWorkerEvent], None],
        hear_key: Callable[[str, int, float], None],
        key_down: Callable[[], None],
        *,
        keys: bool,
        talk: bool,
        gate: bool = False,
    ) -> None:
        self._leg = leg
        self._report = report
        self._hear_key = hear_key
        self._key_down = key_down
        self._down = False
        self._tells_talk = talk
        self._keys = KeyDetector() if keys else None
        self._lowering = DOWN.state(1) if keys and rate > KEY_RATE else None
        self._talk = TalkDetector(rate) if talk or gate else None

    @property
    def open(self) -> bool:
        """Return whether the voice is to pass the gate."""
        return self._talk is None or self._talk.open

    def feed(self, frame: NDArray[np.int16], now: float) -> None:
        """Take 20 ms of the voice, int16 (rate / 50,)."""
        if self._talk is not None:
            self._tell(self._talk.feed(frame, now))
        if self._keys is None:
            return
        if self._lowering is not None:
            frame = DOWN.apply(self._lowering, frame.reshape(1, -1))[0]
        for digit, duration_ms in self._keys.feed(frame):
            self._hear_key(digit, duration_ms, now)
        down = self._keys.down
        if down and not self._down:
            self._key_down()
        self._down = down

    def stop(self) -> None:
        """End the watch."""
        if self._talk is not None:
            self._tell(self._talk.stop())

    def _tell(self, talking: bool | None) -> None:
        if talking is not None and self._tells_talk:
            self._report(Talking(self._leg, talking))
