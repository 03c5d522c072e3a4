"""What a caller hears of a dialplan: each prompt is a tone of its own, in each language another.

`marked_prompts` puts a WAV file for each prompt and language into the office's sounds, in place of
what the dialplan says; `Caller` is a phone in a call that tells which it heard, in order.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pbx.demo.tones import Sound, heard
from tests.kit.phones.pjsua import SoftCall
from tests.kit.phones.talker import Talker
from tests.kit.tones import tone, write_wav

FIRST_HZ, STEP_HZ = 420, 45
SECONDS = 0.8
FRAME_S = 0.1
"""How long a piece of sound is that is judged by itself: 10 Hz between two lines of its FFT."""

LOUD = 600.0
"""RMS from which a frame is more than noise."""

Marks = Mapping[int, str]
"""Tone in Hz → `LANGUAGE/NAME`."""


def marked_prompts(office: Path, names: Iterable[str]) -> Marks:
    """Write a tone for each `LANGUAGE/NAME`; return which is which."""
    marks = dict(zip(_tones(), names, strict=False))
    for hz, name in marks.items():
        path = office / "sounds" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, _followed_by_silence(tone(hz, SECONDS)))
    return marks


def _followed_by_silence(sound: Sound) -> Sound:
    """Return a sound with an end, so that two of a kind are two."""
    quiet = np.zeros(round(sound.rate * 3 * FRAME_S), np.int16)
    return Sound(np.concatenate([sound.samples, quiet]), sound.rate)


def _tones() -> Iterator[int]:
    hz = FIRST_HZ
    while hz < 3_350:
        yield hz
        hz += STEP_HZ


@dataclass(frozen=True)
class Said:
    """A prompt that was heard, and when it ended: seconds since the sound began."""

    name: str
    end_s: float


def said(sound: Sound, marks: Marks) -> list[Said]:
    """Return which prompts are in a sound, in order; what is no tone of theirs is left out.

    One that still goes on is not in it.
    """
    size = round(sound.rate * FRAME_S)
    frames = sound.samples[: len(sound.samples) // size * size].reshape(-1, size).astype(float)
    window = np.hanning(size)
    found: list[Said] = []
    before = ""
    for number, frame in enumerate(frames):
        now = ""
        if np.sqrt(np.mean(frame**2)) > LOUD:
            spectrum = np.abs(np.fft.rfft(frame * window))
            hz = float(np.argmax(spectrum)) * sound.rate / size
            near = min(marks, key=lambda mark: abs(mark - hz))
            now = marks[near] if abs(near - hz) <= STEP_HZ / 3 else ""
        if before and now != before:
            found.append(Said(before, number * FRAME_S))
        before = now
    return found


class Caller:
    """A phone in a call to the office, listening for prompts."""

    def __init__(self, call: SoftCall, marks: Marks, *, hz: int = 0) -> None:
        self.call = call
        self._marks = marks
        self._ear = Talker(call, hz)
        self._from = 0.0

    def hears(self, *names: str, within: float = 8.0) -> None:
        """Wait until these prompts were heard, one right after the other, since the last ones."""
        deadline = time.monotonic() + within
        while True:
            found = said(self._ear.since(self._from), self._marks)
            heard = [each.name for each in found]
            for place in range(len(heard)):
                if tuple(heard[place : place + len(names)]) == names:
                    self._from += found[place + len(names) - 1].end_s
                    return
            assert time.monotonic() < deadline, f"heard {heard} instead of {list(names)}"
            time.sleep(0.1)

    def hears_tone(self, hz: int, *, within: float = 8.0) -> None:
        """Wait until a tone that is no prompt was heard for half a second."""
        deadline = time.monotonic() + within
        while True:
            sound = self._ear.since(self._from)
            last = sound.part(max(0.0, sound.seconds - 0.5))
            if sound.seconds > 0.5 and heard(last, (hz, hz + 200)) == {hz}:
                return
            assert time.monotonic() < deadline, f"{hz} Hz was not heard"
            time.sleep(0.1)

    def presses(self, keys: str, *, method: str = "rfc4733") -> None:
        """Press keys; what was said before does not count any more."""
        self._from = self._ear.mark()
        if method == "info":
            for key in keys:
                self.call.press(key, method="info")
                time.sleep(0.15)
        else:
            self.call.press(keys, method=method)
