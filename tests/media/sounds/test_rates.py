import numpy as np
import pytest

from pbx.media.sounds.rates import MAX_PHASES, RateFilter, rate_filter

RATES = [4000, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000]


def tone(rate: int, seconds: float = 0.5, hertz: float = 1000.0) -> np.ndarray:
    time = np.arange(round(rate * seconds)) / rate
    return (10000 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def reader(samples: np.ndarray):
    """Read at any place, with zeros around."""

    def read(first: int, count: int) -> np.ndarray:
        places = np.arange(first, first + count)
        inside = (places >= 0) & (places < len(samples))
        return np.where(inside, samples[np.clip(places, 0, len(samples) - 1)], np.float32(0))

    return read


@pytest.mark.parametrize("source", RATES)
@pytest.mark.parametrize("target", [8000, 16000])
def test_a_tone_keeps_pitch_place_and_level_at_any_rate(source: int, target: int):
    made = rate_filter(source, target).read(reader(tone(source)), 0, target // 2)
    middle = slice(target // 20, -target // 20)
    assert np.abs(made[middle] - tone(target)[middle]).max() < 20


def test_an_odd_rate_takes_no_more_memory_than_others():
    odd = RateFilter(383_999, 8000)
    assert odd._taps.shape[0] == MAX_PHASES
    made = odd.read(reader(tone(383_999)), 800, 2000)
    assert np.abs(made - tone(8000)[800:2800]).max() < 20


@pytest.mark.parametrize(("source", "target"), [(48000, 8000), (44100, 16000), (8000, 16000)])
def test_blocks_made_in_any_order_fit_together(source: int, target: int):
    rates = rate_filter(source, target)
    sound = reader(tone(source))
    whole = rates.read(sound, 0, 1200)
    blocks = [rates.read(sound, start, 400) for start in (800, 0, 400)]
    assert np.abs(np.concatenate((blocks[1], blocks[2], blocks[0])) - whole).max() < 0.01


def test_what_lies_above_the_band_does_not_fold_back():
    made = rate_filter(48000, 8000).read(reader(tone(48000, hertz=5000.0)), 0, 4000)
    assert np.sqrt((made[400:-400] ** 2).mean()) < 10  # −57 dB
