"""The mixer: the fast way held to the dense product, the limiter, and gains that fade."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from pbx.media.mixing.mixer import KNEE, TOP, EarRow, Frames, MixPlan, bend, cross_fade, mix
from tests.kit.tones import level_of, tone

SAMPLES = 8


@st.composite
def rooms(draw: DrawFn) -> tuple[list[list[int]], list[EarRow], Frames]:
    """Draw bridges over columns in any order, ears with any gains, and a frame of each column."""
    sizes = draw(st.lists(st.integers(0, 4), min_size=1, max_size=4))
    extra = draw(st.integers(0, 2))
    numbers = draw(st.permutations(range(sum(sizes) + extra)))
    bridges: list[list[int]] = []
    for size in sizes:
        bridges.append(list(numbers[:size]))
        numbers = numbers[size:]
    ears = []
    for _ in range(draw(st.integers(0, 6))):
        bridge = draw(st.integers(-1, len(bridges) - 1))
        members = bridges[bridge] if bridge >= 0 else []
        gain = st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0])
        ears.append(
            EarRow(
                bridge,
                own=draw(st.sampled_from([-1, *members])),
                others=draw(st.sampled_from([0.0, 0.5, 1.0])),
                gains=draw(st.dictionaries(st.sampled_from(members), gain)) if members else {},
                extra=tuple(draw(st.sets(st.sampled_from(numbers)))) if numbers else (),
            )
        )
    seed, loudest = draw(st.integers(0, 99)), draw(st.sampled_from([0, 300, 32767]))
    columns = sum(sizes) + extra
    sound = np.random.default_rng(seed).integers(-loudest - 1, loudest + 1, (columns, SAMPLES))
    return bridges, ears, sound.astype(np.int16)


@given(rooms())
def test_the_fast_way_gives_what_the_dense_product_gives(
    room: tuple[list[list[int]], list[EarRow], Frames],
):
    bridges, ears, frames = room
    plan = MixPlan(bridges, ears)
    heard = plan.run(frames)
    assert heard.shape == (len(ears), SAMPLES)
    truth = mix(frames, plan.gains(len(frames)))
    assert np.abs(heard.astype(int) - truth).max(initial=0) <= 2  # rounded at other places


def test_each_hears_all_others_of_its_bridge_exactly():
    frames = np.array([[1, 2], [10, 20], [100, 200], [7, 7], [9, 9]], dtype=np.int16)
    ears = [EarRow(0, own=n) for n in range(3)] + [EarRow(1, own=3), EarRow(1, own=4)]
    heard = MixPlan([[0, 1, 2], [3, 4]], ears).run(frames)
    assert heard.tolist() == [[110, 220], [101, 202], [11, 22], [9, 9], [7, 7]]


def test_an_ear_without_a_bridge_hears_silence():
    assert not MixPlan([[0]], [EarRow(-1), EarRow(0, own=0)]).run(np.ones((1, 4), np.int16)).any()


def test_one_talker_passes_bit_by_bit_however_loud():
    frames = np.zeros((3, 4), dtype=np.int16)
    frames[1] = (32767, -32768, 30000, -1)
    heard = MixPlan([[0, 1, 2]], [EarRow(0, own=n) for n in range(3)]).run(frames)
    assert (heard[[0, 2]] == frames[1]).all()
    assert not heard[1].any()


def test_a_loud_sum_is_bent_and_never_wraps():
    frames = np.full((4, 3), 30000, dtype=np.int16)
    heard = MixPlan([[0, 1, 2, 3]], [EarRow(0)]).run(frames)
    assert (heard == TOP).all()


def test_the_limiter_is_straight_below_the_knee_and_smooth_above():
    sums = np.arange(-70_000, 70_001, dtype=np.int32)
    bent = sums.copy()
    bend(bent)
    quiet = np.abs(sums) <= KNEE
    assert (bent[quiet] == sums[quiet]).all()
    assert (np.diff(bent) >= 0).all()
    assert np.diff(bent).max() <= 1
    assert (bent == -bent[::-1]).all()
    assert np.abs(bent).max() <= TOP


def test_two_loud_tones_stay_far_above_what_the_limiter_adds():
    a, b = (tone(hz, 0.5, level_dbfs=-6.0) for hz in (500.0, 1200.0))
    heard = MixPlan([[0, 1]], [EarRow(0)]).run(np.stack([a.samples, b.samples]))[0]
    sound = type(a)(heard, a.rate)
    assert level_of(sound, 500.0) > -7.0
    assert level_of(sound, 2 * 1200.0 - 500.0) < -30.0  # the strongest product of two tones


@pytest.mark.parametrize("gain", [0.0, 0.5, 2.0])
def test_a_single_gain_concerns_its_pair_alone(gain: float):
    frames = np.array([[100], [10], [1]], dtype=np.int16)
    ears = [EarRow(0, own=0, gains={1: gain}), EarRow(0, own=2)]
    heard = MixPlan([[0, 1, 2]], ears).run(frames)
    assert heard.tolist() == [[10 * gain + 1], [110]]


def test_what_fades_begins_as_it_was_and_ends_as_it_will_be():
    before, after = np.full((1, 160), -20_000, np.int16), np.full((1, 160), 20_000, np.int16)
    faded = cross_fade(before, after)[0].astype(int)
    assert np.abs(np.diff(faded, prepend=-20_000)).max() <= 251
    assert faded[-1] == 20_000
    assert (cross_fade(before, before) == before).all()
