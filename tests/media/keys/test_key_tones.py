import numpy as np
import pytest

from pbx.media.keys.key_tones import GAP, KEYPAD, ZERO_DBM0, frequencies, key_frames
from pbx.media.keys.telephone_event import DIGITS


def spectrum(samples: np.ndarray, rate: int) -> dict[int, float]:
    """Return the level in dBm0 at each frequency of the keypad and at some beside it."""
    at = np.arange(len(samples)) / rate
    window = np.hanning(len(samples))
    levels = {}
    for hz in (300, 697, 770, 852, 941, 1080, 1209, 1336, 1477, 1633, 2500):
        part = (samples * window) @ np.exp(-2j * np.pi * hz * at) / window.sum()
        levels[hz] = float(20 * np.log10(2 * abs(part) / ZERO_DBM0 + 1e-9))
    return levels


def test_the_sixteen_keys_are_on_the_keypad():
    assert sorted("".join(KEYPAD)) == sorted(DIGITS)
    assert frequencies("5") == (770.0, 1336.0)
    assert frequencies("D") == (941.0, 1633.0)


@pytest.mark.parametrize("letter", ["x", "", "12"])
def test_what_is_no_key_has_no_tones(letter: str):
    with pytest.raises(ValueError, match="is no key"):
        frequencies(letter)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("digit", DIGITS)
def test_a_key_is_its_two_tones_and_nothing_else(digit: str, rate: int):
    frames = key_frames(digit, 100, rate)
    levels = spectrum(frames[:5].ravel().astype(float), rate)
    low, high = frequencies(digit)
    assert levels.pop(int(low)) == pytest.approx(-9, abs=0.3)
    assert levels.pop(int(high)) == pytest.approx(-7, abs=0.3)
    assert max(levels.values()) < -45


@pytest.mark.parametrize("rate", [8000, 16000])
def test_keys_are_whole_frames_with_a_gap_after_each(rate: int):
    frames = key_frames("12", 90, rate)
    assert frames.shape == (2 * (5 + GAP // 20), rate // 50)
    assert frames.dtype == np.int16
    silent = [not frame.any() for frame in frames]
    assert silent == [*[False] * 5, *[True] * 3] * 2


def test_edges_are_soft():
    frames = key_frames("9", 40, 8000)
    assert abs(frames[0, :4]).max() < 2000
    assert abs(frames[1, -4:]).max() < 2000


def test_a_key_lasts_40_ms_at_least():
    assert len(key_frames("1", 1, 8000)) == 2 + 3


def test_no_keys_are_no_frames():
    assert key_frames("", 100, 8000).shape == (0, 160)


def test_keys_that_are_made_twice_are_the_same_and_stay_so():
    first = key_frames("7", 100, 8000)
    first[:] = 0
    assert key_frames("7", 100, 8000).any()
