"""The detector of in-band keys against ITU-T Q.24's limits, and against speech and music.

Each row of the grid is heard as all sixteen keys in several orders, at any place in the frames, as
they are and through µ-law and A-law. 0 errors: an accepted row gives exactly its keys, a refused
one none.
"""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.keys.detect import FRAME, RATE, KeyDetector
from pbx.media.keys.key_tones import ZERO_DBM0, frequencies, key_frames
from pbx.media.keys.telephone_event import DIGITS
from tests.kit.programs import why_not

ORDERS = 4
SOUNDS = ("/usr/share/asterisk/sounds", "/usr/share/asterisk/moh")


@dataclass(frozen=True)
class Keys:
    """How all keys of a row sound. Levels in dBm0 of each tone, times in ms, deviations relative.

    `noise` is the signal-to-noise ratio in dB, `dial` the level of each tone of dial tone.
    """

    name: str
    on: float = 40.0
    off: float = 40.0
    pause: float = 0.0
    low: float = -10.0
    high: float = -10.0
    low_off: float = 0.0
    high_off: float = 0.0
    noise: float | None = None
    dial: float | None = None


def both_ways(name: str, deviation: float, **changes: float) -> list[Keys]:
    """Return the rows in which one tone, the other, or both are off, to either side."""
    return [
        Keys(f"{name} {low:+.1%} {high:+.1%}", low_off=low, high_off=high, **changes)
        for low in (-deviation, 0, deviation)
        for high in (-deviation, 0, deviation)
        if low or high
    ]


ACCEPTED = [
    Keys("nominal"),
    Keys("long", on=500, off=100),
    Keys("40 ms and a gap of 50", off=50),
    *both_ways("frequencies", 0.015),
    *(Keys(f"both at {level} dBm0", low=level, high=level) for level in range(0, -26, -5)),
    Keys("normal twist of 8 dB", low=-6, high=-14),
    Keys("reverse twist of 4 dB", low=-14, high=-10),
    Keys("high tones 8 dB up", low=-14, high=-6),
    Keys("weak and twisted", low=-25, high=-33),
    *(Keys(f"a break of {gap} ms", on=40, pause=gap) for gap in (1, 2, 5, 8, 10)),
    *(Keys(f"noise at {ratio} dB", on=50, off=50, noise=ratio) for ratio in (26, 20, 15)),
    Keys("noise at 15 dB, short", noise=15),
    *(Keys(f"dial tone of {level} dBm0", dial=level) for level in (-25, -15, -10, -5)),
    Keys("dial tone and noise", on=50, off=50, dial=-13, noise=20),
    Keys("all at its worst", low=-10, high=-16, low_off=0.015, high_off=-0.015, noise=18),
]

REFUSED = [
    *both_ways("frequencies", 0.035, on=100),
    *both_ways("frequencies", 0.045, on=400),
    *(Keys(f"{on} ms", on=on) for on in (5, 10, 15, 20, 23)),
    Keys("too weak", on=100, low=-55, high=-55),
    Keys("noise only", on=100, low=-70, high=-70, noise=-50),
    Keys("dial tone only", on=100, low=-70, high=-70, dial=-5),
    Keys("low tones only", on=100, high=-90),
    Keys("high tones only", on=100, low=-90),
    Keys("a twist of 15 dB", on=100, low=-5, high=-20),
]


def tone(digit: str, keys: Keys, milliseconds: float, rng: np.random.Generator) -> np.ndarray:
    low, high = frequencies(digit)
    at = np.arange(round(milliseconds * RATE / 1000)) / RATE
    phases = rng.uniform(0, 2 * np.pi, 2)
    return peak(keys.low) * np.sin(2 * np.pi * low * (1 + keys.low_off) * at + phases[0]) + peak(
        keys.high
    ) * np.sin(2 * np.pi * high * (1 + keys.high_off) * at + phases[1])


def peak(dbm0: float) -> float:
    return ZERO_DBM0 * 10 ** (dbm0 / 20)


def sound(digits: str, keys: Keys, rng: np.random.Generator) -> np.ndarray:
    """Return keys in a row as frames, int16 (n, 160); too loud is clipped."""
    parts = [np.zeros(FRAME + rng.integers(FRAME))]
    for digit in digits:
        parts.append(tone(digit, keys, keys.on, rng))
        if keys.pause:
            parts.append(np.zeros(round(keys.pause * RATE / 1000)))
            parts.append(tone(digit, keys, keys.on, rng))
        parts.append(np.zeros(round(keys.off * RATE / 1000) + rng.integers(8)))
    samples = np.concatenate([*parts, np.zeros(3 * FRAME)])
    at = np.arange(len(samples)) / RATE
    if keys.dial is not None:
        samples += peak(keys.dial) * sum(np.sin(2 * np.pi * hz * at) for hz in (350, 440))
    if keys.noise is not None:
        rms = np.hypot(peak(keys.low), peak(keys.high)) / np.sqrt(2) / 10 ** (keys.noise / 20)
        samples += rms * rng.standard_normal(len(samples))
    return as_frames(samples)


def as_frames(samples: np.ndarray) -> np.ndarray:
    samples = samples[: len(samples) // FRAME * FRAME]
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16).reshape(-1, FRAME)


def laws(frames: np.ndarray) -> list[np.ndarray]:
    """Return frames as they are, and as µ-law and A-law leave them."""
    coded = [frames]
    for name in ("PCMU", "PCMA"):
        codec = ARRAY_CODECS[name]
        assert codec.expand is not None
        assert codec.compress is not None
        coded.append(codec.expand[codec.compress[frames.view(np.uint16)]])
    return coded


def heard(frames: np.ndarray) -> list[tuple[str, int]]:
    detector = KeyDetector()
    return [key for frame in frames for key in detector.feed(frame)] + detector.finish()


def digits_heard(frames: np.ndarray) -> str:
    return "".join(digit for digit, _ in heard(frames))


def orders(seed: int = 1) -> list[tuple[str, np.random.Generator]]:
    rng = np.random.default_rng(seed)
    return [("".join(rng.permutation(list(DIGITS))), rng) for _ in range(ORDERS)]


@pytest.mark.parametrize("keys", ACCEPTED, ids=lambda keys: keys.name)
def test_what_q24_accepts_gives_exactly_its_keys(keys: Keys):
    for digits, rng in orders():
        assert [digits_heard(f) for f in laws(sound(digits, keys, rng))] == [digits] * 3


@pytest.mark.parametrize("keys", REFUSED, ids=lambda keys: keys.name)
def test_what_q24_refuses_gives_no_key(keys: Keys):
    for digits, rng in orders():
        assert [digits_heard(f) for f in laws(sound(digits, keys, rng))] == [""] * 3


def test_the_same_key_again_after_a_gap_is_another_key():
    rng = np.random.default_rng(3)
    assert digits_heard(sound("5555", Keys("again"), rng)) == "5555"


def test_keys_without_a_gap_between_them_are_told_apart():
    rng = np.random.default_rng(4)
    for _ in range(20):
        assert digits_heard(sound("159D", Keys("close", on=60, off=0), rng)) == "159D"


def test_a_key_is_told_with_its_duration():
    rng = np.random.default_rng(5)
    for milliseconds in (50, 100, 400, 2000):
        ((digit, duration),) = heard(sound("7", Keys("long", on=milliseconds), rng))
        assert digit == "7"
        assert duration == pytest.approx(milliseconds, abs=5)


def test_a_key_is_down_while_it_is_heard():
    detector = KeyDetector()
    frames = key_frames("8", 100, RATE)
    down = []
    for frame in frames:
        detector.feed(frame)
        down.append(detector.down)
    assert down == [False, True, True, True, True, True, False, False]


def test_a_key_that_is_cut_off_by_the_end_is_told_at_the_end():
    detector = KeyDetector()
    told = [detector.feed(frame) for frame in key_frames("4", 80, RATE)[:4]]
    assert told == [[]] * 4
    assert detector.finish() == [("4", 80)]
    assert detector.finish() == []


def test_the_tones_that_we_make_are_keys():
    assert digits_heard(key_frames(DIGITS, 40, RATE)) == DIGITS


def recordings() -> list[np.ndarray]:
    """Return the prompts and the music that Debian has, 44 minutes at 8000 Hz."""
    if reason := why_not(SOUNDS):
        pytest.skip(reason)
    sounds = []
    for path in sorted(path for folder in SOUNDS for path in Path(folder).rglob("*.wav")):
        with wave.open(str(path)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
            sounds.append(np.frombuffer(file.readframes(file.getnframes()), dtype="<i2"))
    assert sum(map(len, sounds)) > 40 * 60 * RATE
    return sounds


def false_keys(sounds: list[np.ndarray]) -> list[tuple[str, int]]:
    silence = np.zeros(4 * FRAME)
    return [key for samples in sounds for key in heard(as_frames(np.append(samples, silence)))]


def test_speech_and_music_are_no_keys():
    assert false_keys(recordings()) == []


@pytest.mark.parametrize("speed", [(9, 10), (10, 9), (19, 20), (21, 20)])
def test_speech_and_music_are_no_keys_at_another_speed(speed: tuple[int, int]):
    slower = [resample_poly(samples.astype(float), *speed) for samples in recordings()]
    assert len(false_keys(slower)) <= 1
