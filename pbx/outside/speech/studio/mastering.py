"""All prompts alike: 16 kHz mono, one level, no silence before and after the words.

The level is the power of what is speech: frames not more than `SPEECH_RANGE` below the loudest, in
the manner of ITU-T P.56, so that pauses do not count. Peaks stay below −3 dBFS: those of a voice
that would be higher are bent, by `BENT` at the most, which no ear notices on a telephone.
"""

from __future__ import annotations

import os
import wave
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.errors import Refused
from pbx.media.sounds.audio import SoundFile
from pbx.media.sounds.rates import rate_filter

RATE: Final = 16_000  # Hz
LEVEL_DBFS: Final = -20.0  # RMS of speech; a square wave at full scale is 0
PEAK_DBFS: Final = -3.1
KNEE_DBFS: Final = -7.0
"""Peaks are bent from here on."""
BENT: Final = 5.0  # dB
SPEECH_RANGE: Final = 30.0  # dB below the loudest frame
SILENCE_RANGE: Final = 42.0  # dB below the loudest frame: what is softer at the ends is cut
NOTHING_DBFS: Final = -65.0
"""A sound of which no frame is louder is no sound."""

FRAME: Final = RATE // 100
LEAD_IN: Final = 2  # frames kept before the first that is heard
LEAD_OUT: Final = 6  # and after the last
FADE: Final = RATE // 200  # samples
LONGEST_S: Final = 600.0

Samples = NDArray[np.float32]
"""(samples,) in units of int16."""


def mastered(samples: Samples, rate: int) -> NDArray[np.int16]:
    """Return a sound as it is kept. Raises Refused for silence, and for more than ten minutes."""
    if len(samples) > LONGEST_S * rate:
        raise Refused("it is longer than ten minutes")
    sound = _at_rate(samples - samples.mean() if len(samples) else samples, rate)
    levels = _levels(sound)
    loudest = levels.max(initial=-np.inf)
    if loudest < NOTHING_DBFS:
        raise Refused("there is nothing to be heard in it")
    heard = np.flatnonzero(levels > loudest - SILENCE_RANGE)
    first = max(0, int(heard[0]) - LEAD_IN) * FRAME
    sound = sound[first : (int(heard[-1]) + 1 + LEAD_OUT) * FRAME]
    speech = 10 ** (levels[levels > loudest - SPEECH_RANGE] / 10)
    gain = min(
        LEVEL_DBFS - 10 * np.log10(speech.mean()),
        PEAK_DBFS + BENT - 20 * np.log10(np.abs(sound).max() / 32768),
    )
    levelled: NDArray[np.int16] = np.rint(_bent(_faded(sound) * 10 ** (gain / 20))).astype(np.int16)
    return levelled


def whole(file: SoundFile) -> tuple[Samples, int]:
    """Return all samples of a file, and their rate in Hz. Raises Refused."""
    count = min(file.frames, int(LONGEST_S * file.rate) + 1)
    return file.read(0, count), file.rate


def write(path: Path, samples: NDArray[np.int16]) -> float:
    """Write a WAV file, whole or not at all; return its seconds. Raises OSError."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    with wave.open(str(unfinished), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    unfinished.replace(path)
    return len(samples) / RATE


def _at_rate(samples: Samples, rate: int) -> Samples:
    if rate == RATE or not len(samples):
        return samples

    def read(first: int, count: int) -> Samples:
        part = np.zeros(count, np.float32)
        start, stop = max(first, 0), min(first + count, len(samples))
        if start < stop:
            part[start - first : stop - first] = samples[start:stop]
        return part

    return rate_filter(rate, RATE).read(read, 0, len(samples) * RATE // rate)


def _levels(sound: Samples) -> NDArray[np.float64]:
    """Return the RMS of each frame in dBFS; the last one is filled up with zeros."""
    frames = -(-len(sound) // FRAME)
    rows = np.zeros(frames * FRAME)
    rows[: len(sound)] = sound
    power = (rows.reshape(frames, FRAME) ** 2).mean(axis=1) / 32768**2
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 1e-12))
    return levels


def _bent(sound: Samples) -> Samples:
    """Return a sound whose peaks beyond the knee come ever closer to `PEAK_DBFS`."""
    knee, peak = (np.float32(32768 * 10 ** (level / 20)) for level in (KNEE_DBFS, PEAK_DBFS))
    beyond = np.maximum(np.abs(sound) - knee, 0)
    room = peak - knee
    size: Samples = np.minimum(np.abs(sound), knee) + room * np.tanh(beyond / room)
    return np.copysign(size, sound)


def _faded(sound: Samples) -> Samples:
    count = min(FADE, len(sound) // 2)
    edge = np.linspace(0, 1, count, dtype=np.float32)
    faded = sound.copy()
    faded[:count] *= edge
    faded[len(faded) - count :] *= edge[::-1]
    return faded
