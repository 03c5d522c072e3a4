"""Who is heard: every party speaks a tone of its own, and a Fourier transform of what one hears
names the speakers. `tone` and `write_wav` make what is spoken.

A tone is a number of hertz. The tones of `TONES` lie inside the telephone band, 130 Hz apart, and
no one is close to a multiple of another, so that neither a codec's distortion nor a resampler
invents a speaker.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TONES = (430, 560, 690, 820, 950, 1080, 1210, 1470)
"""Hz, one a party."""

NEAR_HZ = 12.0
"""A peak within this distance of a tone is that tone: phones' clocks differ, buffers stretch."""

QUIET_DBFS = -50.0
"""What is softer than this, against full scale, is not heard."""

BELOW_LOUDEST_DB = 25.0
"""What is softer than the loudest tone by more than this is its distortion, not a speaker."""


@dataclass(frozen=True)
class Sound:
    """Recorded audio: `samples` int16 of shape (n,), `rate` in Hz."""

    samples: NDArray[np.int16]
    rate: int

    @property
    def seconds(self) -> float:
        """Return how long it lasts."""
        return len(self.samples) / self.rate

    def part(self, start: float, end: float | None = None) -> Sound:
        """Return the seconds from `start` to `end`."""
        stop = None if end is None else int(end * self.rate)
        return Sound(self.samples[int(start * self.rate) : stop], self.rate)


WAV_HEADER = 44
"""Octets before the samples, as every program here writes them."""


def tone(hz: float, seconds: float, *, rate: int = 8000, level_dbfs: float = -10.0) -> Sound:
    """Return a sine of `hz`, starting at phase 0."""
    amplitude = 32767 * 10 ** (level_dbfs / 20)
    phase = 2 * np.pi * hz * np.arange(round(seconds * rate)) / rate
    return Sound(np.round(amplitude * np.sin(phase)).astype(np.int16), rate)


def write_wav(file: Path, sound: Sound) -> Path:
    """Write a mono 16-bit WAV file and return its path."""
    with wave.open(str(file), "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(sound.rate)
        opened.writeframes(sound.samples.astype("<i2").tobytes())
    return file


def samples_so_far(file: Path) -> NDArray[np.int16]:
    """Read a 16-bit WAV file that is still being written, whose header is not finished yet."""
    octets = np.frombuffer(file.read_bytes()[WAV_HEADER:], dtype=np.uint8)
    return octets[: len(octets) // 4 * 4].view("<i2")


def read_wav(file: Path) -> Sound:
    """Read a 16-bit WAV file; of several channels, the first."""
    with wave.open(str(file)) as opened:
        frames = np.frombuffer(opened.readframes(opened.getnframes()), "<i2")
        return Sound(frames[:: opened.getnchannels()], opened.getframerate())


def level_of(sound: Sound, hz: float) -> float:
    """Return how loud the tone `hz` is, in dB against a full-scale sine; −inf in silence.

    The strongest line within NEAR_HZ counts. The sound should last half a second or more.
    """
    spectrum = np.abs(np.fft.rfft(sound.samples * np.hanning(len(sound.samples))))
    frequencies = np.fft.rfftfreq(len(sound.samples), 1 / sound.rate)
    near = spectrum[np.abs(frequencies - hz) <= NEAR_HZ]
    full_scale = 32768 * len(sound.samples) / 4  # a full-scale sine through a Hann window
    peak = float(near.max(initial=0.0)) / full_scale
    return float(20 * np.log10(peak)) if peak > 0 else float("-inf")


def heard(sound: Sound, tones: Iterable[int] = TONES) -> set[int]:
    """Return which of the tones are in the sound; the empty set is silence."""
    levels = {hz: level_of(sound, hz) for hz in tones}
    floor = max(QUIET_DBFS, max(levels.values()) - BELOW_LOUDEST_DB)
    return {hz for hz, level in levels.items() if level > floor}
