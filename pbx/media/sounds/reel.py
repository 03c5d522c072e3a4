"""Clips behind each other, and the place reached in them.

A `Reel` gives the next milliseconds in whichever form is asked for, samples or coded, and goes on
when told to, so that the form may change at any place. Where a clip ends within a frame, the next
one begins within it: what is read out word by word has no gaps. Only after the last clip a frame is
filled up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import numpy as np

from pbx.media.codecs.array_codec import ArrayCodec
from pbx.media.sounds.clip import PER_MS, Clip, Frame

FRAME_MS: Final = 20
"""Milliseconds of a frame: a tick."""

FRAME: Final = FRAME_MS * PER_MS
"""Places of a frame."""


class Reel:
    """Plays what `clips` yields, to which clips of no length do not count."""

    def __init__(self, clips: Iterator[Clip]) -> None:
        self._more = clips
        self._clips: deque[Clip] = deque()
        """The one that is played, and those behind it that were looked at already."""
        self._at = 0
        self._ahead(0)

    @property
    def ended(self) -> bool:
        """Return whether all has been played."""
        return not self._clips

    def frame(self, rate: int) -> Frame | None:
        """Return the next 20 ms at `rate` Hz, int16 (rate / 50,), shared; None after the end."""
        if not self._clips:
            return None
        clip, at = self._clips[0], self._at
        if at + FRAME <= clip.length:
            return clip.samples(rate).cut(at, at + FRAME)
        pieces = [clip.samples(rate).cut(*place) for clip, *place in self._places(FRAME)]
        frame = np.zeros(rate // 50, np.int16)
        filled = np.concatenate(pieces)[: len(frame)]
        frame[: len(filled)] = filled
        return frame

    def payload(self, codec: ArrayCodec, ptime: int) -> bytes | None:
        """Return the next `ptime` milliseconds coded; None after the end."""
        if not self._clips:
            return None
        clip, at = self._clips[0], self._at
        duration = ptime * PER_MS
        if at + duration <= clip.length or not codec.octets_per_ms:
            return clip.coded(codec, ptime).cut(at, at + duration)
        payload = b"".join(
            clip.coded(codec, ptime).cut(*place) for clip, *place in self._places(duration)
        )
        return payload.ljust(ptime * codec.octets_per_ms, bytes((codec.silence,)))

    def move(self, duration: int, *, whole: bool = False) -> None:
        """Go on by so many places; with `whole`, what reaches beyond a clip's end stays unheard.

        That is for packets that cannot be cut: a clip's last one is filled up with silence.
        """
        self._at += duration
        while self._clips and self._at >= self._clips[0].length:
            self._at = 0 if whole else self._at - self._clips[0].length
            self._clips.popleft()
            self._ahead(0)

    def skip(self) -> None:
        """Go on with the next clip."""
        if self._clips:
            self._clips.popleft()
        self._at = 0
        self._ahead(0)

    def _places(self, duration: int) -> Iterator[tuple[Clip, int, int]]:
        """Yield the clips that the next places fall into, each with its start and stop."""
        at = self._at
        number = 0
        while duration > 0 and self._ahead(number):
            clip = self._clips[number]
            stop = min(at + duration, clip.length)
            yield clip, at, stop
            duration -= stop - at
            at = 0
            number += 1

    def _ahead(self, number: int) -> bool:
        """Return whether there is a clip so many behind the present one; look for it if needed."""
        while len(self._clips) <= number:
            clip = next(self._more, None)
            if clip is None:
                return False
            if clip.length:
                self._clips.append(clip)
        return True
