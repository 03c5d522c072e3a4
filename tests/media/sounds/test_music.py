import wave
from pathlib import Path

import numpy as np
import pytest

from pbx.media.sounds.loudness import loudness
from pbx.media.sounds.music import RATE, compose, write_music


@pytest.fixture(scope="module")
def music() -> np.ndarray:
    return compose()


def test_it_lasts_fifty_seconds_and_is_the_same_every_time(music: np.ndarray):
    assert len(music) / RATE == 50.4
    assert (compose() == music).all()


def test_it_has_the_level_of_hold_music_and_room_above(music: np.ndarray):
    assert loudness(music.astype(np.float32), RATE) == pytest.approx(-26.0, abs=0.1)
    assert np.abs(music.astype(int)).max() < 16_000


def test_it_goes_round_without_a_click(music: np.ndarray):
    round_twice = np.tile(music, 2).astype(float)
    bend = np.abs(np.diff(round_twice, 2))
    seam = bend[len(music) - 8 : len(music) + 8].max()
    assert seam < np.percentile(bend, 99.5)


def test_it_never_falls_silent(music: np.ndarray):
    seconds = music[: len(music) // RATE * RATE].reshape(-1, RATE).astype(float)
    levels = np.sqrt((seconds**2).mean(axis=1))
    assert levels.min() > levels.max() / 3


def test_a_telephone_hears_most_of_it(music: np.ndarray):
    power = np.abs(np.fft.rfft(music.astype(float))) ** 2
    hertz = np.fft.rfftfreq(len(music), 1 / RATE)
    heard = power[(hertz > 200) & (hertz < 3400)].sum() / power.sum()
    assert heard > 0.8
    assert power[hertz > 3800].sum() / power.sum() < 1e-4


def test_it_is_written_whole_or_not_at_all(tmp_path: Path, music: np.ndarray):
    write_music(tmp_path / "hold.wav")
    assert [file.name for file in tmp_path.iterdir()] == ["hold.wav"]
    with wave.open(str(tmp_path / "hold.wav")) as file:
        assert file.getparams()[:4] == (1, 2, RATE, len(music))
        assert file.readframes(len(music)) == music.astype("<i2").tobytes()
