"""All prompts alike: level, peaks, rate, and silence at their ends."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.errors import Refused
from pbx.outside.speech.studio.mastering import FRAME, RATE, mastered, write


def speech(seconds: float = 1.0, rate: int = RATE, level: float = 0.1) -> np.ndarray:
    """Return syllables of noise, four a second, at that RMS while they last."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(1).standard_normal(len(time))
    return (noise * level * 32767 * (np.sin(2 * np.pi * 2 * time) > 0)).astype(np.float32)


def dbfs(samples: np.ndarray) -> float:
    """Return an RMS in dB of full scale."""
    return float(10 * np.log10(np.mean(samples.astype(float) ** 2) / 32768**2))


def spoken(samples: np.ndarray) -> np.ndarray:
    """Return the frames in which somebody speaks."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(float)
    power = (frames**2).mean(axis=1)
    return frames[power > power.max() / 1000].ravel()


@pytest.mark.parametrize("level", [0.001, 0.01, 0.1, 0.2])
def test_quiet_and_loud_come_to_one_level(level: float) -> None:
    assert dbfs(spoken(mastered(speech(level=level), RATE))) == pytest.approx(-20, abs=0.5)


@given(peak=st.floats(0.01, 30.0), level=st.floats(0.001, 0.2))
@settings(max_examples=30, deadline=None)
def test_no_peak_is_above_three_db_below_full_scale(peak: float, level: float) -> None:
    samples = speech(0.5, level=level)
    samples[4000] = peak * 32767
    assert np.abs(mastered(samples, RATE)).max() <= 32768 * 10 ** (-3 / 20)


def test_a_voice_with_high_peaks_is_hardly_softer() -> None:
    samples = speech(level=0.05)
    samples[:: RATE // 50] *= 4
    assert dbfs(spoken(mastered(samples, RATE))) == pytest.approx(-20, abs=1.5)


def test_silence_is_cut_at_both_ends_and_nowhere_else() -> None:
    words = speech(1.0)
    gap = np.zeros(RATE, np.float32)
    sound = mastered(np.concatenate([gap, words, gap, words, gap, gap]), RATE)
    assert len(sound) == pytest.approx(3 * RATE - RATE / 4, abs=0.1 * RATE)
    assert abs(int(sound[0])) < 10
    assert abs(int(sound[-1])) < 10


@pytest.mark.parametrize("rate", [8000, 22050, 24000, 48000])
def test_any_rate_becomes_16_khz(rate: int) -> None:
    time = np.arange(rate) / rate
    sound = mastered((8000 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32), rate)
    assert len(sound) == pytest.approx(RATE, abs=200)
    spectrum = np.abs(np.fft.rfft(sound[:8000].astype(float)))
    assert int(spectrum.argmax()) * 2 == pytest.approx(1000, abs=4)


def test_a_constant_is_taken_out() -> None:
    assert abs(mastered(speech() + 3000, RATE).mean()) < 60


@pytest.mark.parametrize("samples", [np.zeros(RATE, np.float32), np.zeros(0, np.float32)])
def test_silence_is_refused(samples: np.ndarray) -> None:
    with pytest.raises(Refused, match="nothing to be heard"):
        mastered(samples, RATE)


def test_what_takes_ten_minutes_is_refused() -> None:
    with pytest.raises(Refused, match="longer than ten minutes"):
        mastered(np.zeros(601 * 100, np.float32), 100)


def test_a_file_is_written_whole_and_its_seconds_told(tmp_path: Path) -> None:
    assert write(tmp_path / "a.wav", np.zeros(RATE // 2, np.int16)) == 0.5
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
