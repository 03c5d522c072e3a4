"""Tapes: what a bridge sounds like, at the recording's own rate; a failing one ends alone."""

import logging

import numpy as np
import pytest
from numpy.typing import NDArray

from pbx.media.recording.tape import Tape
from tests.kit.tones import Sound, level_of, tone


class Recorder:
    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.left: list[NDArray[np.int16]] = []
        self.right: list[NDArray[np.int16] | None] = []

    def write(self, left: NDArray[np.int16], right: NDArray[np.int16] | None = None) -> None:
        self.left.append(left)
        self.right.append(right)


class Broken(Recorder):
    def write(self, left: NDArray[np.int16], right: NDArray[np.int16] | None = None) -> None:
        super().write(left)
        raise OSError("no space left on device")


@pytest.mark.parametrize("source", [8000, 16000])
@pytest.mark.parametrize("target", [8000, 16000])
def test_both_sides_are_taken_down_at_the_rate_of_the_file(source: int, target: int):
    recorder = Recorder(target)
    tape = Tape(recorder, left=1)
    sides = np.stack([tone(hz, 1.0, rate=source).samples for hz in (430, 1210)])
    for start in range(0, source, source // 50):
        tape.write(sides[:, start : start + source // 50], source)
    left = Sound(np.concatenate(recorder.left), target)
    right = Sound(np.concatenate([side for side in recorder.right if side is not None]), target)
    assert left.seconds == right.seconds == 1.0
    assert level_of(left, 430) == pytest.approx(-10, abs=0.2)
    assert level_of(right, 1210) == pytest.approx(-10, abs=0.2)
    assert max(level_of(left, 1210), level_of(right, 430)) < -60


def test_without_a_left_leg_there_is_one_side():
    recorder = Recorder(8000)
    Tape(recorder, left=None).write(np.ones((2, 160), np.int16), 8000)
    assert recorder.right == [None]


def test_a_recording_that_fails_is_given_up(caplog: pytest.LogCaptureFixture):
    recorder = Broken(8000)
    tape = Tape(recorder, left=1)
    with caplog.at_level(logging.CRITICAL):
        for _ in range(3):
            tape.write(np.ones((2, 160), np.int16), 8000)
    assert len(recorder.left) == 1
