import numpy as np

from pbx.media.mixing.band import Before
from pbx.media.mixing.mixer import EarRow, MixPlan


def frames(*levels: int) -> np.ndarray:
    return np.repeat(np.array(levels, dtype=np.int16)[:, None], 160, axis=1)


def test_a_plan_goes_on_over_columns_and_for_ears_that_have_moved():
    plan = MixPlan([[0, 1, 2]], [EarRow(0, own=0), EarRow(0, own=1), EarRow(0, own=2)])
    then, now = {"a": 0, "b": 1, "c": 2}, {"z": 0, "c": 1, "a": 2, "b": 3}
    before = Before(plan, (then, now), (["A", "B", "C"], ["C", "Z", "A"]))
    heard = before.run(frames(4000, 100, 10, 1))
    assert heard[:, 0].tolist() == [11, 0, 101]


def test_a_voice_that_is_gone_for_good_is_silent_in_it():
    plan = MixPlan([[0, 1]], [EarRow(0)])
    before = Before(plan, ({"a": 0, "b": 1}, {"b": 0}), (["A"], ["A"]))
    assert before.run(frames(7))[:, 0].tolist() == [7]


def test_where_nobody_was_nobody_is_heard():
    before = Before(MixPlan((), ()), ({}, {"a": 0}), ((), ["A"]))
    assert not before.run(frames(7)).any()
