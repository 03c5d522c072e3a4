"""Tones in tests: each party speaks its own, `heard` tells who is heard (see pbx/demo/tones.py).

`tone` and `write_wav` make what a party speaks: as samples for media tests, as a file for phones
that play one.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from pbx.demo.tones import TONES, Sound, heard, level_of, read_wav

__all__ = ["TONES", "Sound", "heard", "level_of", "mix", "read_wav", "silence", "tone", "write_wav"]


def tone(hz: float, seconds: float, *, rate: int = 8000, level_dbfs: float = -10.0) -> Sound:
    """Return a sine of `hz`, starting at phase 0."""
    amplitude = 32767 * 10 ** (level_dbfs / 20)
    phase = 2 * np.pi * hz * np.arange(round(seconds * rate)) / rate
    return Sound(np.round(amplitude * np.sin(phase)).astype(np.int16), rate)


def silence(seconds: float, *, rate: int = 8000) -> Sound:
    """Return digital silence."""
    return Sound(np.zeros(round(seconds * rate), dtype=np.int16), rate)


def mix(*sounds: Sound) -> Sound:
    """Return several sounds of one rate and length spoken at once, clipped as int16 clips."""
    total = sum((sound.samples.astype(np.int32) for sound in sounds), start=np.int32(0))
    return Sound(np.clip(total, -32768, 32767).astype(np.int16), sounds[0].rate)


def write_wav(file: Path, sound: Sound) -> Path:
    """Write a mono 16-bit WAV file and return its path."""
    with wave.open(str(file), "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(sound.rate)
        opened.writeframes(sound.samples.astype("<i2").tobytes())
    return file
