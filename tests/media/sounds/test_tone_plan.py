import numpy as np
import pytest

from pbx.errors import Refused
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.sounds.clip import ENDLESS, UNIT, Clip, Shelf
from pbx.media.sounds.tone_plan import (
    HEARD_ONCE,
    TONE_NAMES,
    TONE_PLANS,
    TonePart,
    parse_tone,
    tone_clip,
)

ENDLESS_TONES = sorted(set(TONE_NAMES) - HEARD_ONCE)


def seconds_of(clip: Clip, seconds: float, rate: int = 8000) -> np.ndarray:
    return clip.samples(rate).cut(0, round(seconds * 16000)).astype(float)


def told(sound: np.ndarray, rate: int = 8000) -> dict[int, float]:
    """Return the frequencies of a sound, in Hz, and the level of each in dBm0."""
    window = np.hanning(len(sound))
    amplitude = np.abs(np.fft.rfft(sound * window)) * 2 / window.sum()
    peaks = [
        place
        for place in range(2, len(amplitude) - 2)
        if amplitude[place] == amplitude[place - 2 : place + 3].max() and amplitude[place] > 100
    ]
    return {
        round(place * rate / len(sound)): 20 * np.log10(amplitude[place] / 32768) + 3.14
        for place in peaks
    }


def cadence(sound: np.ndarray, rate: int = 8000) -> list[int]:
    """Return how long sound and silence last in turn, in steps of 10 ms."""
    loud = np.abs(sound).reshape(-1, rate // 100).max(axis=1) > 100
    borders = np.flatnonzero(np.diff(loud)) + 1
    return [len(part) for part in np.split(loud, borders)]


@pytest.mark.parametrize("country", TONE_PLANS)
@pytest.mark.parametrize("name", TONE_NAMES)
def test_every_tone_of_every_country_can_be_heard(country: str, name: str):
    clip = tone_clip(Shelf(), name, country=country)
    for rate in (8000, 16000):
        sound = seconds_of(clip, 0.24, rate)
        assert 1000 < np.abs(sound).max() < 20_000
    assert TONE_PLANS[country].source


@pytest.mark.parametrize("country", TONE_PLANS)
@pytest.mark.parametrize("name", ENDLESS_TONES)
def test_a_call_progress_tone_repeats_for_ever_without_a_seam(country: str, name: str):
    clip = tone_clip(Shelf(), name, country=country)
    assert clip.length == ENDLESS
    assert clip.repeats is not None
    track = clip.samples(8000)
    round_length = clip.repeats * UNIT
    border = track.cut(round_length - 160, round_length + 160).astype(float)
    start = track.cut(round_length * 7, round_length * 7 + 160)
    assert (start == track.cut(0, 160)).all()
    assert np.abs(np.diff(border)).max() < 9000  # no step beyond what the tone itself has


def test_china_rings_one_second_in_five():
    sound = seconds_of(tone_clip(Shelf(), "ring"), 15)
    assert cadence(sound) == [100, 400] * 3
    assert told(sound[800:7200]) == {450: pytest.approx(-10, abs=0.1)}


def test_china_is_busy_at_a_third_of_a_second():
    sound = seconds_of(tone_clip(Shelf(), "busy"), 1.4)
    assert cadence(sound) == [35, 35, 35, 35]


def test_america_rings_with_two_frequencies():
    sound = seconds_of(tone_clip(Shelf(), "ring", country="us"), 12)
    assert cadence(sound) == [200, 400] * 2
    levels = told(sound[800:8800])
    assert levels == {440: pytest.approx(-19, abs=0.1), 480: pytest.approx(-19, abs=0.1)}


def test_britain_rings_twice():
    sound = seconds_of(tone_clip(Shelf(), "ring", country="uk"), 6)
    assert cadence(sound) == [40, 20, 40, 200] * 2


def test_japan_rings_with_a_trill():
    sound = seconds_of(tone_clip(Shelf(), "ring", country="jp"), 3)
    assert cadence(sound)[1] == pytest.approx(200, abs=2)
    assert set(told(sound[800:7200])) == {384, 400, 416}


def test_dialling_is_one_steady_tone():
    sound = seconds_of(tone_clip(Shelf(), "dial", country="de"), 8)
    assert np.abs(np.diff(sound)).max() < 7300 * 2 * np.pi * 425 / 8000
    assert told(sound) == {425: pytest.approx(-10, abs=0.1)}


def test_special_information_rises_in_three_steps_and_is_heard_once():
    clip = tone_clip(Shelf(), "special_information", country="fr")
    assert clip.length == 1990 * 16
    sound = seconds_of(clip, 1.99)
    steps = [told(sound[start : start + 2000]) for start in (320, 2960, 5600)]
    assert [list(step) for step in steps] == [
        pytest.approx([hertz], abs=4) for hertz in (950, 1400, 1800)
    ]
    assert not sound[7920:].any()


def test_those_who_join_rise_and_those_who_leave_fall():
    for name, order in (("join", [587, 784]), ("leave", [784, 587])):
        sound = seconds_of(tone_clip(Shelf(), name), 0.3)
        found = [told(sound[start : start + 800]) for start in (80, 1100)]
        assert [list(step) for step in found] == [pytest.approx([hertz], abs=8) for hertz in order]


@pytest.mark.parametrize("name", ["G722", "opus"])
def test_tones_go_round_in_codecs_with_memory(name: str):
    codec = ARRAY_CODECS[name]
    clip = tone_clip(Shelf(), "dial")
    assert clip.repeats is not None
    track = clip.coded(codec, 20)
    places = range(0, 2 * clip.repeats * UNIT, 320)
    states = [codec.decoder()]
    heard = [codec.decode(states, [track.cut(place, place + 320)])[0] for place in places]
    levels = np.sqrt((np.concatenate(heard[10:]).reshape(-1, 320).astype(float) ** 2).mean(axis=1))
    assert levels.min() > 0.9 * levels.mean()


def test_the_notation_of_the_table_is_read():
    assert parse_tone("350+440@-13/0.4 400*16/0.1 0/2 425") == (
        TonePart((350.0, 440.0), 400, -13.0),
        TonePart((400.0,), 100, modulation=16.0),
        TonePart((), 2000),
        TonePart((425.0,), None),
    )


def test_an_unknown_tone_is_refused_with_those_there_are():
    with pytest.raises(Refused, match=r"^there is no tone buzz; there are dial, ring, busy, "):
        tone_clip(Shelf(), "buzz")
