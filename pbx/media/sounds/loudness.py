"""How loud a sound is to people, and the gain that brings music to the level of talk.

Loudness is that of ITU-R BS.1770-4 for one channel: K-weighted power in blocks of 0.4 s, of which
those count that are above −70 LUFS and not more than 10 LU below the rest. The weighting is applied
to each block's spectrum instead of by two filters in time, which comes to the same power.

Music is brought to −26 LUFS when its file is opened: a quiet place on the line below which talk is
not lost. A file is judged by some blocks spread over it evenly, a few milliseconds of work once,
whatever its length. Prompts are left as they were recorded: the words of a read-out number are too
short to be judged one by one, and were spoken to fit each other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.media.sounds.audio import Samples, SoundFile

MUSIC_LEVEL: Final = -26.0
"""LUFS that music is brought to."""

BLOCK_SECONDS: Final = 0.4  # BS.1770-4 annex 1
OVERLAP: Final = 4  # blocks begin every 0.1 s
ABSOLUTE_GATE: Final = -70.0  # LUFS
RELATIVE_GATE: Final = -10.0  # LU below the mean of what passes the absolute gate
OFFSET: Final = -0.691  # makes a sine of 997 Hz at full scale −3.01 LUFS

PROBES: Final = 20
PROBE_SECONDS: Final = 0.2
"""How many blocks a file is judged by, and how long they are."""

MAX_GAIN: Final = 4.0  # 12 dB: noise of a very quiet file stays noise, not music
PEAK: Final = 0.89 * 32768
"""What the gain lifts no probed peak above, 1 dB below full scale."""

# BS.1770-4 tables 1 and 2, b0 b1 b2 a1 a2 at 48 kHz: a head's shelf, then a high pass.
_STAGES: Final = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585),
    (1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621),
)
_STAGE_RATE: Final = 48_000


def loudness(samples: Samples, rate: int) -> float:
    """Return the loudness of samples in int16 units, in LUFS; −inf for silence."""
    block = round(BLOCK_SECONDS * rate)
    starts = range(0, max(1, len(samples) - block + 1), max(1, block // OVERLAP))
    return gated([block_power(samples[start : start + block], rate) for start in starts])


def music_gain(file: SoundFile) -> float:
    """Return what to multiply a file's samples by; reads a few seconds of it, raises Refused."""
    block = round(PROBE_SECONDS * file.rate)
    count = min(PROBES, max(1, file.frames // block))
    powers = []
    peak = 1.0
    for probe in range(count):
        start = max(0, (2 * probe + 1) * file.frames // (2 * count) - block // 2)
        samples = file.read(start, block)
        powers.append(block_power(samples, file.rate))
        peak = max(peak, float(np.abs(samples).max()))
    level = gated(powers)
    if level == -np.inf:
        return 1.0
    return min(10 ** ((MUSIC_LEVEL - level) / 20), MAX_GAIN, PEAK / peak)


def gated(powers: list[float]) -> float:
    """Return the loudness that blocks of these powers make together, in LUFS."""
    heard = np.array(powers)
    heard = heard[_level(heard) > ABSOLUTE_GATE]
    if not len(heard):
        return -np.inf
    heard = heard[_level(heard) > _level(heard.mean()) + RELATIVE_GATE]
    return float(_level(heard.mean()))


def block_power(samples: Samples, rate: int) -> float:
    """Return the mean K-weighted square of a block; full scale is 1."""
    if not len(samples):
        return 0.0
    spectrum = np.fft.rfft(samples / np.float32(32768))
    power = np.abs(spectrum) ** 2 * _weights(len(samples), rate)
    return float(2 * power.sum() / len(samples) ** 2)


@lru_cache(maxsize=8)
def _weights(size: int, rate: int) -> NDArray[np.float64]:
    """Return the power gain of K-weighting at each bin of a spectrum of `size` samples."""
    hertz = np.fft.rfftfreq(size, 1 / rate)
    delay = np.exp(-2j * np.pi * np.minimum(hertz, _STAGE_RATE / 2) / _STAGE_RATE)
    weights = np.ones(len(hertz))
    for b0, b1, b2, a1, a2 in _STAGES:
        response = (b0 + b1 * delay + b2 * delay**2) / (1 + a1 * delay + a2 * delay**2)
        weights *= np.abs(response) ** 2
    return weights


def _level(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return OFFSET + 10 * np.log10(np.maximum(power, 1e-20))
