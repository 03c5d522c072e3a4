"""Who is heard: the ear of all audio tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.kit.tones import TONES, Sound, heard, level_of, mix, read_wav, silence, tone, write_wav


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("hz", TONES)
def test_one_tone_is_heard_alone(hz: int, rate: int) -> None:
    assert heard(tone(hz, 1.0, rate=rate)) == {hz}


def test_silence_and_noise_are_nobody() -> None:
    noise = np.random.default_rng(7).normal(0, 30, 8000).astype(np.int16)
    assert heard(silence(1.0)) == set()
    assert heard(Sound(noise, 8000)) == set()


def test_several_are_told_apart() -> None:
    assert heard(mix(tone(430, 1.0), tone(690, 1.0, level_dbfs=-20))) == {430, 690}


def test_distortion_is_no_speaker() -> None:
    clipped = mix(tone(430, 1.0, level_dbfs=-2), tone(430, 1.0, level_dbfs=-6))
    assert heard(clipped) == {430}


def test_a_clock_that_is_a_little_off_is_forgiven() -> None:
    assert heard(tone(430 * 1.005, 1.0)) == {430}


def test_levels_are_against_full_scale() -> None:
    assert level_of(tone(950, 1.0, level_dbfs=-10), 950) == pytest.approx(-10, abs=0.2)
    assert level_of(silence(1.0), 950) == float("-inf")


def test_a_wav_file_comes_back_as_it_was(tmp_path: Path) -> None:
    spoken = tone(560, 0.5)
    again = read_wav(write_wav(tmp_path / "tone.wav", spoken))
    assert again.rate == 8000
    assert again.seconds == 0.5
    assert (again.samples == spoken.samples).all()
    assert heard(again.part(0.1, 0.4)) == {560}
