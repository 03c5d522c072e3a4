"""The columns of the matrix: a leg's voice, and a sound that is played.

A `VoiceColumn` joins a leg's `LegVoice`, which turns its packets into frames, with what listens to
it and the gate of its room. A `SoundColumn` is a playback: one more voice where it is heard over
others, payloads where it is all that a leg hears. Neither knows who hears it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.array_codec import ArrayCodec
from pbx.media.mixing.voice import LegVoice
from pbx.media.sounds.playback import Playback

_UNHEARD_RATE: Final = 8000

log = logging.getLogger(__name__)

Frame = NDArray[np.int16]


class Listening(Protocol):
    """What hears a voice to tell something about it."""

    @property
    def open(self) -> bool:
        """Return whether the voice is to pass the gate of its room."""

    def feed(self, frame: Frame, now: float) -> None:
        """Take 20 ms of the voice, as it came."""


class VoiceColumn:
    """One leg's voice. `rate` is that of its frames, Hz."""

    __slots__ = ("_gate", "gated", "lifting", "listening", "rate", "voice")

    def __init__(self, voice: LegVoice, rate: int) -> None:
        self.voice = voice
        self.rate = rate
        self.listening: Listening | None = None
        self.gated = False
        """Whether the voice passes only while it talks."""
        self.lifting: NDArray[np.int16] | None = None
        """The filter's memory where the voice is heard in a bridge wider than its codec."""
        self._gate = 0.0
        """How far the gate was open at the end of the last frame."""

    def pass_gate(self, frame: Frame) -> None:
        """Silence a frame in place unless the gate is open; it opens and shuts without a click."""
        goal = 1.0 if self.listening is None or self.listening.open else 0.0
        if goal == self._gate == 0.0:
            frame[:] = 0
        elif goal != self._gate:
            frame[:] = frame * np.linspace(self._gate, goal, len(frame), dtype=np.float32)
        self._gate = goal


class SoundColumn:
    """One playback, to a leg or a bridge.

    `spoken` says that it is heard in recordings too: words, not music or tones. `on_end(error)` is
    called once when nothing more comes; the error is a sentence, or None.
    """

    __slots__ = ("_heard", "_on_end", "_playback", "number", "others", "spoken", "stops_on_key")

    def __init__(
        self,
        playback: Playback,
        on_end: Callable[[SoundColumn, str | None], None],
        *,
        spoken: bool,
        stops_on_key: bool = False,
    ) -> None:
        self.number = playback.number
        self.others = playback.others
        self.spoken = spoken
        self.stops_on_key = stops_on_key
        self._playback: Playback | None = playback
        self._on_end = on_end
        self._heard = False
        """Whether somebody took sound since the last `pass_by`."""

    def write(self, frame: Frame) -> None:
        """Write the next 20 ms, int16 (rate / 50,), zeros after the end.

        The fence: a sound that fails ends alone.
        """
        self._heard = True
        sound = None
        if self._playback is not None:
            try:
                sound = self._playback.next_frame(len(frame) * 50)
            except Exception:  # the fence: this playback alone ends
                self._fail()
            else:
                self._take_note(sound is None)
        frame[:] = 0 if sound is None else sound

    def next_payload(self, codec: ArrayCodec, ptime: int) -> bytes | None:
        """Return the next packet for who hears nothing else; None after the end.

        The same fence.
        """
        self._heard = True
        if self._playback is None:
            return None
        try:
            payload = self._playback.next_payload(codec, ptime)
        except Exception:  # the fence: this playback alone ends
            self._fail()
            return None
        if payload is None:
            self._take_note(True)
        return payload

    def pass_by(self) -> None:
        """Let 20 ms go by unless somebody heard them: time does not wait for a held leg."""
        if not self._heard:
            self.write(np.empty(_UNHEARD_RATE // 50, dtype=np.int16))
        self._heard = False

    def _take_note(self, ended: bool) -> None:
        playback = self._playback
        if ended and playback is not None:
            self._playback = None
            self._on_end(self, playback.error)

    def _fail(self) -> None:
        log.exception("a playback failed")
        self._playback = None
        self._on_end(self, "the file cannot be played")
