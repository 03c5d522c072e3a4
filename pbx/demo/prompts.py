"""What a caller hears of a dialplan: each prompt is a tone of its own, in each language another.

`marked_prompts` puts a WAV file for each prompt and language into an office's sounds, in place of
what the dialplan says; `said` tells which of them are in what a phone heard, in order.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pbx.demo.driver import RECORDED_HZ, SoftCall
from pbx.demo.tones import Sound, samples_so_far, tone, write_wav

FIRST_HZ, STEP_HZ, LAST_HZ = 420, 45, 3_350
SECONDS = 0.8
"""How long a prompt is, where nothing else is said."""

FRAME_S = 0.1
"""How long a piece of sound is that is judged by itself: 10 Hz between two lines of its FFT."""

LOUD = 600.0
"""RMS from which a frame is more than noise."""

PATIENCE_S = 5.0
"""Seconds in which prompts must have been heard, where nothing else is said."""

LOOK_S = 0.1
"""Seconds between two looks at what was heard."""

Marks = Mapping[int, str]
"""Tone in Hz → `LANGUAGE/NAME`."""


def marked_prompts(office: Path, names: Iterable[str], *, seconds: float = SECONDS) -> Marks:
    """Write a tone for each `LANGUAGE/NAME`; return which is which."""
    marks = dict(zip(_tones(), names, strict=False))
    for hz, name in marks.items():
        path = office / "sounds" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, _followed_by_silence(tone(hz, seconds)))
    return marks


def _followed_by_silence(sound: Sound) -> Sound:
    """Return a sound with an end, so that two of a kind are two."""
    quiet = np.zeros(round(sound.rate * 3 * FRAME_S), np.int16)
    return Sound(np.concatenate([sound.samples, quiet]), sound.rate)


def _tones() -> Iterator[int]:
    yield from range(FIRST_HZ, LAST_HZ, STEP_HZ)


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


def find_in_order(found: Sequence[Said], names: Sequence[str]) -> Said | None:
    """Return the last of `names` where all of them were heard, one right after the other."""
    heard = [each.name for each in found]
    for last in range(len(names), len(heard) + 1):
        if heard[last - len(names) : last] == list(names):
            return found[last - 1]
    return None


class PromptEar:
    """An open ear at a phone's call, for prompts.

    Each is heard once: `hears` begins where it ended the last time.
    """

    def __init__(self, call: SoftCall, marks: Marks) -> None:
        call.wait_media()
        self._call = call
        self._file = call.listen()
        self._marks = marks
        self._from = 0.0

    def close(self) -> None:
        """Let somebody else listen; a call has one ear."""
        self._call.stop_listening(self._file)

    def hears(self, *names: str, within: float = PATIENCE_S) -> list[str]:
        """Wait until these prompts were heard, one right after the other, and return them.

        After `within` seconds, return what was heard instead.
        """
        deadline = time.monotonic() + within
        while True:
            found = said(self._sound().part(self._from), self._marks)
            last = find_in_order(found, names)
            if last is not None:
                self._from += last.end_s
                return list(names)
            if time.monotonic() > deadline:
                return [each.name for each in found]
            time.sleep(LOOK_S)

    def _sound(self) -> Sound:
        samples = samples_so_far(self._file) if self._file.exists() else np.zeros(0, np.int16)
        return Sound(samples, RECORDED_HZ)
