"""The tick's side of a recording: blocks, silence, marks, time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pbx.media.protocol import RecordingFormat
from pbx.media.recording.record import BLOCK_MS, RATES, Planes, Recording

TICKS = BLOCK_MS // 20


class KeptTrack:
    """A track in memory; while `full` it takes nothing."""

    def __init__(self) -> None:
        self.blocks: list[Planes] = []
        self.missing: list[int] = []
        self.marks: list[tuple[int, str]] = []
        self.end: int | None = None
        self.full = False

    def append(self, block: Planes, missing: int) -> bool:
        if self.full:
            return False
        self.blocks.append(block)
        self.missing.append(missing)
        return True

    def mark(self, sample: int, label: str) -> None:
        self.marks.append((sample, label))

    def complete(self, missing: int) -> None:
        self.end = missing

    @property
    def sound(self) -> Planes:
        return np.concatenate(self.blocks, axis=1)


@pytest.fixture
def track() -> KeptTrack:
    return KeptTrack()


def frame(level: int, rate: int = 8000) -> NDArray[np.int16]:
    return np.full(rate // 50, level, np.int16)


def write(recording: Recording, ticks: int, left: int = 100, right: int = -100) -> None:
    for _ in range(ticks):
        recording.write(frame(left, recording.rate), frame(right, recording.rate))


def test_left_and_right_are_handed_over_by_the_half_second(track: KeptTrack) -> None:
    recording = Recording(1, track, format="ulaw", stereo=True)
    write(recording, TICKS - 1)
    assert not track.blocks
    write(recording, 1)
    assert track.sound.shape == (2, 4000)
    assert (track.sound[0] == 100).all()
    assert (track.sound[1] == -100).all()


@pytest.mark.parametrize("format", RATES)
def test_each_format_is_recorded_at_its_rate(track: KeptTrack, format: RecordingFormat) -> None:
    recording = Recording(1, track, format=format, stereo=True)
    write(recording, TICKS)
    assert track.sound.shape == (2, RATES[format] // 2)
    assert recording.seconds == 0.5


def test_a_mono_recording_has_one_side(track: KeptTrack) -> None:
    recording = Recording(1, track, format="ulaw", stereo=False)
    recording.write(frame(7))
    recording.stop()
    assert track.sound.shape == (1, 160)


def test_the_last_part_of_a_block_is_recorded_too(track: KeptTrack) -> None:
    recording = Recording(1, track, format="ulaw", stereo=True)
    write(recording, TICKS + 3)
    recording.stop()
    assert track.sound.shape == (2, (TICKS + 3) * 160)
    assert track.end == 0


def test_a_block_that_was_handed_over_is_never_written_to_again(track: KeptTrack) -> None:
    recording = Recording(1, track, format="ulaw", stereo=True)
    write(recording, TICKS, left=1)
    write(recording, TICKS, left=2)
    assert (track.blocks[0][0] == 1).all()


def test_a_pause_is_silence_on_both_sides_with_a_mark_at_each_end(track: KeptTrack) -> None:
    recording = Recording(1, track, format="ulaw", stereo=True)
    write(recording, 2)
    recording.pause(True)
    recording.pause(True)
    write(recording, 3)
    recording.pause(False)
    write(recording, 1)
    recording.stop()
    assert not track.sound[:, 320:800].any()
    assert track.sound[:, :320].all()
    assert track.sound[:, 800:].all()
    assert track.marks == [(320, "paused"), (800, "resumed")]


def test_what_the_disk_had_no_room_for_is_missing_and_counted(track: KeptTrack) -> None:
    recording = Recording(1, track, format="ulaw", stereo=True)
    track.full = True
    write(recording, 2 * TICKS)
    track.full = False
    write(recording, TICKS)
    assert track.missing == [2 * TICKS * 160]
    track.full = True
    write(recording, TICKS)
    recording.stop()
    assert track.end == TICKS * 160
    assert recording.seconds == 4 * TICKS * 0.02


def test_ticks_that_were_never_run_are_silence(track: KeptTrack) -> None:
    recording = Recording(1, track, format="ulaw", stereo=True)
    write(recording, 1)
    recording.skip(4)
    write(recording, 1)
    recording.stop()
    assert track.sound.shape == (2, 6 * 160)
    assert not track.sound[:, 160:800].any()


def test_a_loop_that_stood_still_for_hours_costs_no_memory(track: KeptTrack) -> None:
    recording = Recording(1, track, format="ulaw", stereo=True)
    write(recording, 1)
    recording.skip(1_000_000)
    write(recording, 1)
    recording.stop()
    assert track.sound.shape == (2, 2 * 160)
    assert track.missing == [0, 160_000_000]
    assert recording.seconds == pytest.approx(20_000.04)
