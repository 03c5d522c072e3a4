import numpy as np
import pytest

from pbx.media.mixing.stretch import is_quiet, lengthen, period_of, shorten

RATE = 8000
TIME = np.arange(480) / RATE
TONE = (8000 * np.sin(2 * np.pi * 200 * TIME)).astype(np.int16)  # a period of 40 samples
NOISE = np.random.default_rng(3).normal(0, 40, 480).astype(np.int16)


def largest_step(sound: np.ndarray) -> int:
    return int(np.abs(np.diff(sound.astype(int))).max())


@pytest.mark.parametrize("by", [1, 23, 40, 80, 160])
def test_length_changes_by_exactly_what_was_asked(by: int):
    assert len(shorten(TONE[:320], by, RATE)) == 320 - by
    assert len(lengthen(TONE[:320], TONE[320:], by, RATE)) == 160 + by


@pytest.mark.parametrize("by", [40, 80, 120])
def test_a_period_more_or_less_leaves_a_tone_pure(by: int):
    shorter = shorten(TONE[:320], by, RATE)
    assert np.abs(shorter.astype(int) - TONE[: len(shorter)]).max() < 40
    longer = lengthen(TONE[:320], TONE[320:], by, RATE)
    expected = 8000 * np.sin(2 * np.pi * 200 * (320 + np.arange(len(longer))) / RATE)
    assert np.abs(longer - expected).max() < 40


@pytest.mark.parametrize("sound", [TONE, NOISE], ids=["tone", "noise"])
@pytest.mark.parametrize("by", [33, 160])
def test_nothing_clicks(sound: np.ndarray, by: int):
    allowed = 1.5 * largest_step(sound)
    assert largest_step(shorten(sound[:320], by, RATE)) < allowed
    longer = lengthen(sound[:320], sound[320:], by, RATE)
    assert largest_step(np.concatenate((sound[:320], longer))) < allowed


def test_both_ends_stay_as_they_are():
    shorter = shorten(NOISE[:320], 100, RATE)
    assert shorter[0] == NOISE[0]
    assert shorter[-1] == NOISE[319]
    longer = lengthen(NOISE[:320], NOISE[320:], 100, RATE)
    assert longer[-1] == NOISE[-1]


def test_lengthening_needs_nothing_before_it_if_the_sound_is_long_enough():
    nothing = np.zeros(0, np.int16)
    assert len(lengthen(nothing, TONE[:320], 160, RATE)) == 480


def test_pitch_period_is_found():
    assert period_of(TONE[:320], RATE) % 40 == 0


def test_quiet_is_what_nobody_hears():
    assert is_quiet(NOISE[:160])
    assert not is_quiet(TONE[:160])
    assert is_quiet(np.zeros(0, np.int16))
    assert not is_quiet(np.full(160, -32768, np.int16))
