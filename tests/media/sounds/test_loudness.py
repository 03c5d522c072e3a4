"""BS.1770 of sines and steps, whose loudness is known by calculation."""

import struct
from pathlib import Path

import numpy as np
import pytest

from pbx.media.sounds.audio import WavFile, open_sound
from pbx.media.sounds.loudness import MAX_GAIN, MUSIC_LEVEL, loudness, music_gain

REAL_MUSIC = Path("/usr/share/asterisk/moh/manolo_camp-morning_coffee.wav")


def sine(hertz: float, rate: int, *, seconds: float = 2.0, dbfs: float = 0.0) -> np.ndarray:
    time = np.arange(round(rate * seconds)) / rate
    return (32768 * 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def wav(samples: np.ndarray, rate: int) -> WavFile:
    body = np.clip(samples, -32768, 32767).astype("<i2").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 1, rate, 0, 0, 16)
    file = head + struct.pack("<4sI", b"data", len(body)) + body
    return WavFile(lambda offset, count: file[offset : offset + count], len(file), "x.wav")


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_a_sine_of_997_hertz_is_three_below_its_level(rate: int):
    assert loudness(sine(997, rate), rate) == pytest.approx(-3.01, abs=0.02)
    assert loudness(sine(997, rate, dbfs=-20), rate) == pytest.approx(-23.01, abs=0.02)


def test_low_tones_count_less_and_high_ones_more():
    assert loudness(sine(50, 16000), 16000) < -5
    assert loudness(sine(3000, 16000), 16000) == pytest.approx(-0.4, abs=0.6)


def test_pauses_do_not_count():
    speech = np.concatenate((sine(997, 8000, dbfs=-20), np.zeros(40_000, np.float32)))
    assert loudness(speech, 8000) == pytest.approx(-23.0, abs=0.5)


def test_what_is_far_quieter_than_the_rest_does_not_count():
    both = np.concatenate((sine(997, 8000, dbfs=-20), sine(997, 8000, dbfs=-45, seconds=10)))
    assert loudness(both, 8000) == pytest.approx(-23.0, abs=0.5)


def test_silence_has_no_loudness():
    assert loudness(np.zeros(8000, np.float32), 8000) == -np.inf
    assert loudness(np.zeros(0, np.float32), 8000) == -np.inf


@pytest.mark.parametrize("dbfs", [0.0, -15.0, -30.0])
def test_music_is_brought_to_its_level(dbfs: float):
    swelling = sine(440, 16000, seconds=30, dbfs=dbfs) * np.linspace(0.5, 1, 480_000)
    gain = music_gain(wav(swelling, 16000))
    assert loudness(swelling * gain, 16000) == pytest.approx(MUSIC_LEVEL, abs=0.5)


def test_real_music_is_judged_by_parts_of_it():
    if not REAL_MUSIC.exists():
        pytest.skip("Debian's asterisk-moh-opsound-wav is not installed")
    file = open_sound(str(REAL_MUSIC))
    whole = loudness(file.read(0, file.frames) * music_gain(file), file.rate)
    assert whole == pytest.approx(MUSIC_LEVEL, abs=1.5)


def test_music_that_is_almost_nothing_is_not_blown_up():
    assert music_gain(wav(sine(440, 8000, dbfs=-60), 8000)) == MAX_GAIN
    assert music_gain(wav(np.zeros(8000, np.float32), 8000)) == 1.0
    assert music_gain(wav(np.zeros(0, np.float32), 8000)) == 1.0


def test_the_gain_does_not_clip_peaks():
    clicks = np.zeros(80_000, np.float32)
    clicks[::400] = 30000
    assert music_gain(wav(clicks, 8000)) * 30000 < 32768
