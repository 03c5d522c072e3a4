"""Hold music of callpbx's own, free of anybody's rights: made from sines, the same every time.

`python -m pbx.media.sounds.music PATH` writes it as WAV, once, when an office has no other.
Sixteen bars in F, 50.4 s: a pad of soft chords, a bass, plucked broken chords, and a sparse tune
in the second half. All of it is laid into a ring, so that what rings on at the end is heard under
the beginning and the loop has no seam. What matters of it lies between 200 and 3400 Hz, where
telephones hear.
"""

from __future__ import annotations

import argparse
import wave
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pbx.media.sounds.loudness import MUSIC_LEVEL, loudness

RATE: Final = 16_000
BEAT: Final = 12_600  # samples: 76 beats a minute
BEATS_PER_BAR: Final = 4
LIMIT_HZ: Final = 3600  # overtones above this are left out

# One row a bar: the bass, and the chord from its lowest note up (MIDI numbers, 60 is middle C).
BARS: Final = (
    (41, (57, 60, 64, 65)),  # F maj7
    (38, (57, 60, 62, 65)),  # Dm7
    (46, (58, 62, 65, 69)),  # B♭ maj7
    (48, (55, 60, 62, 67)),  # C sus2
    (45, (55, 60, 64, 67)),  # Am7
    (50, (57, 60, 64, 65)),  # Dm9
    (43, (58, 62, 65, 69)),  # Gm9
    (48, (58, 60, 64, 67)),  # C7
    (41, (57, 60, 65, 69)),  # F
    (46, (58, 62, 65, 67)),  # B♭6
    (50, (57, 62, 65, 69)),  # Dm
    (45, (57, 60, 64, 67)),  # Am7
    (46, (58, 62, 65, 69)),  # B♭ maj7
    (45, (57, 60, 65, 69)),  # F over A
    (43, (58, 62, 65, 67)),  # Gm7
    (48, (58, 60, 65, 67)),  # C7 sus4
)

ARPEGGIO: Final = (0, 2, 1, 3, 2, 1, 3, 2)  # notes of the chord, an octave up, one each half beat

# (beat, note): the tune over bars 9 to 16.
TUNE: Final = (
    *((32, 81), (34, 79), (35, 77), (36, 74), (39, 72)),
    *((40, 74), (42, 77), (43, 79), (44, 76), (47, 72)),
    *((48, 74), (50, 77), (51, 81), (52, 79), (54, 77)),
    *((56, 74), (58, 70), (59, 72), (60, 77), (62, 76)),
)

PAD_LEVEL: Final = 0.10
BASS_LEVEL: Final = 0.30
PLUCK_LEVEL: Final = 0.20
TUNE_LEVEL: Final = 0.17
ROOM: Final = ((0.083, 0.24), (0.131, 0.19), (0.197, 0.15), (0.283, 0.11), (0.401, 0.07))
"""Echoes: seconds and gain."""

Ring = NDArray[np.float64]
"""(samples,), whose end is followed by its start."""


def compose() -> NDArray[np.int16]:
    """Return the music, int16 (806400,) at 16 kHz, −26 LUFS."""
    ring: Ring = np.zeros(len(BARS) * BEATS_PER_BAR * BEAT)
    for bar, (bass, chord) in enumerate(BARS):
        start = bar * BEATS_PER_BAR * BEAT
        for note in chord:
            _lay(ring, start - BEAT // 2, _swell(note) * PAD_LEVEL)
        for beat in (0, 2):
            _lay(ring, start + beat * BEAT, _pluck(bass, 1.6) * BASS_LEVEL)
        for step, place in enumerate(ARPEGGIO):
            accent = 1.0 if step % 4 == 0 else 0.75
            pluck = _pluck(chord[place] + 12, 1.1)
            _lay(ring, start + step * BEAT // 2, pluck * PLUCK_LEVEL * accent)
    for beat, note in TUNE:
        _lay(ring, beat * BEAT, _pluck(note, 2.2) * TUNE_LEVEL)
    ring += sum(np.roll(ring, round(delay * RATE)) * gain for delay, gain in ROOM)
    level = loudness((ring * 32768).astype(np.float32), RATE)
    ring *= 32768 * 10 ** ((MUSIC_LEVEL - level) / 20)
    samples: NDArray[np.int16] = np.rint(ring).astype(np.int16)
    return samples


def write_music(path: Path) -> None:
    """Write the music as a WAV file; whoever opens it meanwhile finds the old one or none."""
    unfinished = path.with_name(f".{path.name}.part")
    with wave.open(str(unfinished), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(compose().astype("<i2").tobytes())
    unfinished.replace(path)


def _lay(ring: Ring, start: int, sound: Ring) -> None:
    """Add a sound to the ring, round its end."""
    start %= len(ring)
    fits = min(len(sound), len(ring) - start)
    ring[start : start + fits] += sound[:fits]
    ring[: len(sound) - fits] += sound[fits:]


def _hertz(note: int) -> float:
    return 440.0 * float(2.0 ** ((note - 69) / 12))


@lru_cache(maxsize=64)
def _pluck(note: int, seconds: float) -> Ring:
    """Return a plucked string: overtones that fade the faster the higher they are."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = np.zeros(len(time))
    for overtone in range(1, int(min(10, LIMIT_HZ / _hertz(note))) + 1):
        fading = np.exp(-time * (1.8 + 1.1 * overtone))
        phase = 2 * np.pi * overtone * _hertz(note) * time
        sound += np.sin(phase) * fading / overtone**1.2
    return sound * _edges(len(time), rise=0.004, fall=0.25)


@lru_cache(maxsize=64)
def _swell(note: int) -> Ring:
    """Return a bar and a half of one note of the pad: two strings slightly out of tune."""
    time = np.arange(BEATS_PER_BAR * BEAT * 3 // 2) / RATE
    sound = np.zeros(len(time))
    for detuned in (0.9985, 1.0015):
        for overtone, level in ((1, 1.0), (2, 0.35), (3, 0.18), (4, 0.06)):
            sound += level * np.sin(2 * np.pi * overtone * detuned * _hertz(note) * time)
    return sound * _edges(len(time), rise=1.4, fall=2.0)


def _edges(size: int, *, rise: float, fall: float) -> Ring:
    """Return gains that come and go within so many seconds."""
    envelope = np.ones(size)
    for seconds, edge in ((rise, envelope), (fall, envelope[::-1])):
        count = round(seconds * RATE)
        edge[:count] *= np.sin(np.linspace(0, np.pi / 2, count, endpoint=False)) ** 2
    return envelope


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Write callpbx's own hold music as WAV.")
    arguments.add_argument("path", type=Path)
    write_music(arguments.parse_args().path)
