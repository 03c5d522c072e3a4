"""All that is mixed at one sample rate, 8000 or 16000 Hz: one tick from packets to what ears hear.

The frames of a band are one array. First come the voices that are decoded at this rate, room by
room; then, in the wide band, those that were decoded at 8000 Hz and are lifted; then sounds. A
change of who is where makes a new layout. In the tick after it the plan before and the plan after
are both run over the same frames and faded, so voices that have left stay for one frame.

The fence: a voice that cannot be decoded is silent from then on, alone.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.array_codec import Frames
from pbx.media.codecs.resample import UP
from pbx.media.mixing.column import SoundColumn, VoiceColumn
from pbx.media.mixing.mixer import MixPlan, cross_fade
from pbx.media.mixing.scene import Layout, Room, Scene
from pbx.media.mixing.voice import LegVoice, decode_tick

PATIENCE: Final = 50
"""Ticks that voices are decoded though they have faded away."""

log = logging.getLogger(__name__)


class Before:
    """A plan as it was before a change, over the frames and for the ears that there are now."""

    def __init__(
        self,
        plan: MixPlan,
        columns: tuple[Layout, Layout],
        ears: tuple[Sequence[Hashable], Sequence[Hashable]],
    ) -> None:
        """Take the plan, and what was there and is there now, both in this order."""
        (layout_then, layout), (ears_then, ears_now) = columns, ears
        row_then = {ear: row for row, ear in enumerate(ears_then)}
        self._plan = plan
        self._columns = np.array([layout.get(voice, -1) for voice in layout_then], dtype=np.intp)
        self._rows = np.array([row_then.get(ear, -1) for ear in ears_now], dtype=np.intp)
        self.new: list[int] = np.flatnonzero(self._rows < 0).tolist()
        """Rows of ears that were not there then."""

    def run(self, frames: Frames) -> Frames:
        """Return what the ears of now would hear, zeros for those that are new."""
        then = _pick(frames, self._columns)
        return _pick(self._plan.run(then), self._rows)


def _pick(rows: Frames, numbers: NDArray[np.intp]) -> Frames:
    """Return these rows, zeros for −1."""
    picked = np.zeros((len(numbers), rows.shape[1]), dtype=np.int16)
    there = numbers >= 0
    picked[there] = rows[numbers[there]]
    return picked


class Band:
    """The rooms of one rate. `narrow` is the band whose voices may be lifted into this one."""

    def __init__(self, rate: int, narrow: Band | None = None) -> None:
        self.rate = rate
        self.lifted: list[VoiceColumn] = []
        """Voices of the narrow band that are heard in this one."""
        self._leavers = 0
        """Ticks for which voices that have faded away will still be decoded."""
        self._narrow = narrow
        self._samples = rate // 50
        self._scene = Scene(())
        self._fading = False
        self._decoded: list[VoiceColumn] = []
        self._voices: list[LegVoice] = []
        self._gated: list[VoiceColumn] = []
        self._listened: list[VoiceColumn] = []
        self._sounds: list[SoundColumn] = []
        self._broken: list[VoiceColumn] = []
        self._layout: dict[Hashable, int] = {}
        self._frames: Frames = np.zeros((0, self._samples), dtype=np.int16)
        self._ears: list[Hashable] = []
        self._plan = MixPlan((), ())
        self._before = Before(self._plan, ({}, {}), ((), ()))
        self._at_once: list[int] = []
        """Rows of new ears that are not faded in."""
        self._lifting = UP.state(0)

    def arrange(
        self, rooms: Sequence[Room], taps: Sequence[VoiceColumn], ears: Sequence[Hashable]
    ) -> None:
        """Mix these rooms for these ears from now on; decode the `taps` besides."""
        before, self._scene = self._scene, Scene(rooms)
        self._fading = not self._scene.is_like(before)
        voices = dict.fromkeys(self._scene.voices)
        known = len(voices)
        for voice in before.voices:
            voices.setdefault(voice)
        self._leavers = PATIENCE if len(voices) > known else 0
        spoken = [voice for voice in voices if isinstance(voice, VoiceColumn)]
        native = [voice for voice in spoken if voice.rate == self.rate]
        self._decoded = [
            voice for voice in dict.fromkeys([*native, *taps]) if voice not in self._broken
        ]
        self._voices = [column.voice for column in self._decoded]
        self._keep_lifting()
        self.lifted = [voice for voice in spoken if voice.rate != self.rate]
        self._lifting = np.concatenate([UP.state(0), *map(self._lifting_of, self.lifted)])
        self._sounds = [voice for voice in voices if isinstance(voice, SoundColumn)]
        columns: list[Hashable] = [*self._decoded, *self.lifted, *self._sounds]
        layout_before, self._layout = self._layout, {c: n for n, c in enumerate(columns)}
        ears_before, self._ears = self._ears, list(ears)
        self._frames = np.zeros((len(columns), self._samples), dtype=np.int16)
        self._gated = [voice for voice in self._decoded if voice.gated]
        self._listened = [voice for voice in self._decoded if voice.listening is not None]
        if self._fading:
            self._before = Before(
                self._plan, (layout_before, self._layout), (ears_before, self._ears)
            )
            self._at_once = [n for n in self._before.new if self._scene.begins_at_once(ears[n])]
        self._plan = self._scene.compile(self._layout, ears)

    def outdated(self) -> bool:
        """Let a tick pass; return whether `arrange` has voices to leave out.

        They are few, and most often something else changes first: there is no hurry.
        """
        if self._leavers:
            self._leavers -= 1
            return self._leavers == 0
        return False

    def decode(self, now: float) -> None:
        """Take the next 20 ms of all voices and sounds."""
        count = len(self._decoded)
        if count:
            self._decode(self._frames[:count], now)
        for voice in self._listened:
            self._listen(voice, now)
        for voice in self._gated:
            voice.pass_gate(self._frames[self._layout[voice]])
        for sound in self._sounds:
            sound.write(self._frames[self._layout[sound]])
        if self._narrow is not None and self.lifted:
            rows = self._narrow.frames_of(self.lifted)
            self._frames[count : count + len(rows)] = UP.apply(self._lifting, rows)

    def run(self) -> Frames:
        """Return what the ears hear, (ears, samples)."""
        heard = self._plan.run(self._frames)
        if self._fading:
            self._fading = False
            earlier = self._before.run(self._frames)
            earlier[self._at_once] = heard[self._at_once]
            heard = cross_fade(earlier, heard)
            self._leave_sounds_out()
        return heard

    def frames_of(self, voices: Sequence[VoiceColumn]) -> Frames:
        """Return this tick's frames of some voices, zeros for those that are not here."""
        frames = np.zeros((len(voices), self._samples), dtype=np.int16)
        for row, voice in zip(frames, voices, strict=True):
            if voice in self._layout:
                row[:] = self._frames[self._layout[voice]]
        return frames

    def _decode(self, frames: Frames, now: float) -> None:
        try:
            decode_tick(self._voices, frames, now)
        except Exception:  # the fence: one by one, to find the one that fails
            for n, column in enumerate(self._decoded):
                self._decode_alone(column, frames[n : n + 1], now)

    def _decode_alone(self, column: VoiceColumn, frame: Frames, now: float) -> None:
        """Decode one voice, to find the one that fails among many."""
        try:
            decode_tick([column.voice], frame, now)
        except Exception:  # the fence: this voice alone ends
            log.exception("a voice cannot be decoded; it is silent from now on")
            frame[:] = 0
            self._broken.append(column)
            self._leavers = 1

    def _listen(self, voice: VoiceColumn, now: float) -> None:
        if voice.listening is None:
            return
        try:
            voice.listening.feed(self._frames[self._layout[voice]], now)
        except Exception:  # the fence: the voice itself goes on
            log.exception("a voice cannot be watched any more")
            voice.listening = None

    def _leave_sounds_out(self) -> None:
        """Take nothing more of sounds that have faded away: somebody else may hear them now."""
        heard = set(self._scene.voices)
        for sound in [sound for sound in self._sounds if sound not in heard]:
            self._sounds.remove(sound)

    def _keep_lifting(self) -> None:
        """Leave the filter's memory with the voices."""
        for n, voice in enumerate(self.lifted):
            voice.lifting = self._lifting[n : n + 1].copy()

    def _lifting_of(self, voice: VoiceColumn) -> Frames:
        """Return the filter's memory: at first the sound that was heard in the narrow band."""
        if voice.lifting is not None:
            return voice.lifting
        if self._narrow is None:
            return UP.state(1)
        return self._narrow.frames_of([voice])[:, -UP.history :]
