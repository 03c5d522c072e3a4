import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.media.codecs.array_codec import Frames
from pbx.media.codecs.resample import DELAY, DOWN, UP, Resampler

BOTH = pytest.mark.parametrize("way", [UP, DOWN], ids=["up", "down"])
PASSED = [0, 50, 300, 1000, 2000, 3000, 3400]
"""Hz that go through both ways."""


def tone(hertz: float, rate: int, level: float = 10_000, seconds: float = 1.0) -> Frames:
    t = np.arange(int(rate * seconds)) / rate
    return np.rint(level * np.cos(2 * np.pi * hertz * t)).astype(np.int16).reshape(1, -1)


def noise(streams: int, samples: int) -> Frames:
    return np.random.default_rng(3).integers(-32768, 32768, (streams, samples)).astype(np.int16)


def resampled(way: Resampler, sound: Frames, size: int = 0) -> Frames:
    """Return all of `sound` at the other rate, in frames of `size` samples, or in one."""
    states = way.state(len(sound))
    size = size or sound.shape[1]
    starts = range(0, sound.shape[1], size)
    return np.hstack([way.apply(states, sound[:, at : at + size]) for at in starts])


def spectrum(sound: Frames) -> np.ndarray:
    """Return dB below full scale by Hz, of the part where the filter has settled."""
    part = sound[0, len(sound[0]) // 2 :].astype(float)
    window = np.blackman(len(part))
    sizes = np.abs(np.fft.rfft(part * window)) / window.sum() * 2 / 32768
    return 20 * np.log10(sizes + 1e-9)


def level(sound: Frames, hertz: float, rate: int) -> float:
    sizes = spectrum(sound)
    place = round(hertz * len(sound[0]) / rate / 2)
    return float(sizes[max(place - 3, 0) : place + 4].max())


@BOTH
@pytest.mark.parametrize("hertz", PASSED)
def test_the_telephone_band_passes_within_half_a_db(way: Resampler, hertz: int):
    sent = tone(hertz, way.source)
    heard = resampled(way, sent)
    change = level(heard, hertz, way.target) - level(sent, hertz, way.source)
    assert abs(change) < 0.5


@pytest.mark.parametrize("hertz", PASSED[1:])
def test_no_image_is_heard_after_going_up(hertz: int):
    heard = resampled(UP, tone(hertz, 8000))
    assert level(heard, 8000 - hertz, 16000) < level(heard, hertz, 16000) - 50


@pytest.mark.parametrize("hertz", [4600, 5000, 6000, 7000, 7900])
def test_what_is_too_high_is_not_folded_back_after_going_down(hertz: int):
    sent = tone(hertz, 16000)
    assert spectrum(resampled(DOWN, sent)).max() < level(sent, hertz, 16000) - 50


@BOTH
def test_a_constant_passes_unchanged(way: Resampler):
    heard = resampled(way, np.full((1, 640), 12_345, np.int16))
    assert (heard[0, 100:] == 12_345).all()


@BOTH
def test_each_frame_gives_one_at_once(way: Resampler):
    states = way.state(3)
    for milliseconds in (20, 10, 60, 5, 1, 30):
        frames = np.zeros((3, way.source * milliseconds // 1000), np.int16)
        assert way.apply(states, frames).shape == (3, way.target * milliseconds // 1000)


@BOTH
def test_the_delay_is_what_is_said_and_below_three_milliseconds(way: Resampler):
    impulse = np.zeros((1, 320), np.int16)
    impulse[0, 0] = 20_000
    late = int(np.abs(resampled(way, impulse)[0].astype(int)).argmax())
    assert abs(late * 16_000 // way.target - DELAY) <= 1
    assert DELAY / 16 < 3


@BOTH
@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_blocks_of_any_size_give_the_same_as_the_whole(way: Resampler, sizes: list[int]):
    sizes = [2 * size for size in sizes]
    sound = noise(2, sum(sizes))
    states = way.state(2)
    parts = np.split(sound, np.cumsum(sizes)[:-1], axis=1)
    blocks = np.hstack([way.apply(states, part) for part in parts])
    assert (blocks == resampled(way, sound)).all()


@BOTH
def test_a_batch_equals_its_streams_one_by_one(way: Resampler):
    sound = noise(50, way.source // 50)
    batch = resampled(way, sound)
    assert all((resampled(way, sound[n : n + 1]) == batch[n]).all() for n in range(50))


@BOTH
def test_the_filter_is_the_same_written_out(way: Resampler):
    sound = noise(1, 480)
    impulse = np.zeros((1, 160), np.int16)
    impulse[0, 0] = 16_384
    taps = resampled(UP, impulse)[0, : 2 * DELAY + 1] / 32768
    if way is UP:
        stuffed = np.zeros(960)
        stuffed[::2] = 2.0 * sound[0]
        expected = np.convolve(stuffed, taps)[:960]
    else:
        expected = np.convolve(sound[0], taps)[:480:2]
    expected = np.clip(expected, -32768, 32767)
    assert np.abs(resampled(way, sound)[0] - expected).max() < 64  # of taps rounded to 14 bits


@BOTH
def test_full_scale_does_not_wrap_around(way: Resampler):
    square = np.where(np.arange(way.source) // 40 % 2, 32767, -32768).astype(np.int16)
    heard = resampled(way, square.reshape(1, -1))[0]
    shape = np.repeat(square, 2) if way is UP else square[::2]
    late = DELAY * way.target // 16_000
    inner = np.abs(np.convolve(shape, np.ones(21), "same")) > 20 * 32767  # away from the edges
    assert (np.sign(heard[late:][inner[:-late]]) == np.sign(shape[:-late][inner[:-late]])).all()


def test_there_and_back_is_the_same_sound_later():
    sent = sum(tone(hertz, 8000, 3000) for hertz in (300, 1100, 2500)).astype(np.int16)
    heard = resampled(DOWN, resampled(UP, sent, 160), 320)
    error = heard[0, 100 + DELAY :].astype(int) - sent[0, 100:-DELAY]
    assert np.abs(error).max() < 40


def test_half_a_sample_is_the_callers_mistake():
    with pytest.raises(ValueError, match="no whole number"):
        DOWN.apply(DOWN.state(1), np.zeros((1, 321), np.int16))


@BOTH
def test_nothing_gives_nothing(way: Resampler):
    assert way.apply(way.state(0), np.zeros((0, 320), np.int16)).shape == (
        0,
        320 * way.target // way.source,
    )
    assert way.apply(way.state(2), np.zeros((2, 0), np.int16)).shape == (2, 0)
