import numpy as np
import pytest

from pbx.media.codecs.array_codec import Frames
from pbx.media.mixing.conceal import FADED_MS, Concealer, find_period

RATES = pytest.mark.parametrize("rate", [8000, 16000])


def buzz(rate: int, hertz: float, seconds: float = 0.5) -> Frames:
    """Return something like a vowel: a fundamental with harmonics that fall off."""
    time = np.arange(round(rate * seconds)) / rate
    waves = [np.sin(2 * np.pi * hertz * n * time + n) / n for n in range(1, 8)]
    return (6000 * np.sum(waves, axis=0)).astype(np.int16)


def snr(wanted: Frames, got: Frames) -> float:
    """Return how far the error is below the wanted sound, dB."""
    wanted, error = wanted.astype(float), wanted.astype(float) - got
    return float(10 * np.log10(np.sum(wanted**2) / max(1.0, np.sum(error**2))))


def largest_step(sound: Frames) -> int:
    return int(np.abs(np.diff(sound.astype(int))).max())


@RATES
@pytest.mark.parametrize("hertz", [80, 125, 200, 320])
def test_a_steady_voice_goes_on(rate: int, hertz: float):
    sound = buzz(rate, hertz)
    at, gap = len(sound) // 2, rate // 50
    filled = Concealer(rate).fill(sound[:at], gap)
    half = gap // 2  # from then on it fades out
    assert snr(sound[at : at + half], filled[:half]) > 12


@RATES
def test_sound_that_is_known_ahead_is_joined_without_a_seam(rate: int):
    sound = buzz(rate, 160)
    at, gap = len(sound) // 2, rate // 50
    concealer = Concealer(rate)
    filled = concealer.fill(sound[:at], gap, sound[at + gap : at + 2 * gap])
    assert not concealer.active
    assert snr(sound[at : at + gap], filled) > 12
    whole = np.concatenate((sound[:at], filled, sound[at + gap :]))
    assert largest_step(whole) < 1.3 * largest_step(sound)


@RATES
def test_neither_end_of_a_gap_clicks(rate: int):
    sound = buzz(rate, 137)
    at, gap = len(sound) // 2, rate // 50
    concealer = Concealer(rate)
    filled = concealer.fill(sound[:at], gap)
    merged = concealer.merge(sound[at + gap :])
    whole = np.concatenate((sound[:at], filled, merged))
    assert largest_step(whole) < 1.3 * largest_step(sound)
    assert not concealer.active


@RATES
def test_a_long_gap_fades_to_silence(rate: int):
    concealer, sound = Concealer(rate), buzz(rate, 150)
    steps = [concealer.fill(sound, rate // 100) for _ in range(8)]
    peaks = [int(np.abs(step.astype(int)).max()) for step in steps]
    assert peaks[1:] == sorted(peaks[1:], reverse=True)
    assert peaks[FADED_MS // 10 :] == [0, 0]
    assert concealer.silent


def test_sound_after_silence_rises_without_a_click():
    concealer, sound = Concealer(8000), buzz(8000, 150)
    for _ in range(5):
        concealer.fill(sound, 160)
    merged = concealer.merge(np.full(160, 8000, np.int16))
    assert abs(int(merged[0])) < 800
    assert merged[-1] == 8000


def test_the_frame_behind_a_gap_is_itself_after_10_ms():
    concealer, sound = Concealer(8000), buzz(8000, 150)
    concealer.fill(sound, 160)
    good = sound[:160]
    assert (concealer.merge(good)[80:] == good[80:]).all()


def test_silence_and_no_history_are_concealed_by_silence():
    for history in (np.zeros(0, np.int16), np.zeros(480, np.int16), np.full(100, 900, np.int16)):
        concealer = Concealer(8000)
        assert not concealer.fill(history, 160).any()
        assert concealer.silent


def test_ahead_of_silence_the_sound_fades_away():
    sound = buzz(8000, 150)
    filled = Concealer(8000).fill(sound, 160, np.zeros(160, np.int16))
    assert np.abs(filled[:40].astype(int)).max() > 3000
    assert np.abs(filled[-8:].astype(int)).max() < 800


def test_full_scale_is_clipped_and_does_not_wrap():
    sound = np.where(np.arange(800) % 60 < 30, 32767, -32768).astype(np.int16)
    filled = Concealer(8000).fill(sound[:500], 160)
    assert snr(sound[500:580], filled[:80]) > 6


@pytest.mark.parametrize("period", [20, 53, 80, 119])
def test_period_is_found(period: int):
    rng = np.random.default_rng(period)
    history = np.tile(rng.normal(0, 3000, period), 30)[-480:].astype(np.float32)
    found = find_period(history, 20, 120, 160)
    assert found % period == 0


@pytest.mark.parametrize("frame", [80, 160, 240, 480])
def test_frames_of_any_length_ahead_will_do(frame: int):
    sound = buzz(8000, 160)
    filled = Concealer(8000).fill(sound[:1000], frame, sound[1000 + frame : 1000 + 2 * frame])
    assert filled.shape == (frame,)
    assert filled.dtype == np.int16
