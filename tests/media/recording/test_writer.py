"""The writer's thread: order, room, the descriptor that tells, and its end."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pbx.media.protocol import RecordingDone
from pbx.media.recording import writer as recording_writer
from pbx.media.recording.record import Recording
from pbx.media.recording.repair import repair
from pbx.media.recording.writer import RecordingWriter

PATIENCE_MS = 10_000
FRAME = np.full(160, 1000, np.int16)


@pytest.fixture
def writer() -> Iterator[RecordingWriter]:
    made = RecordingWriter(max_waiting=100_000)
    yield made
    made.close(patience=10)


def recording(writer: RecordingWriter, path: Path, number: int = 1) -> Recording:
    track = writer.open(number, str(path), format="ulaw", stereo=True)
    return Recording(number, track, format="ulaw", stereo=True)


def told(writer: RecordingWriter, count: int = 1) -> list[RecordingDone]:
    """Wait until so many recordings are over."""
    waiting = select.poll()
    waiting.register(writer.watch, select.POLLIN)
    found: list[RecordingDone] = []
    while len(found) < count:
        assert waiting.poll(PATIENCE_MS), "nothing was told"
        found += writer.finished()
    return found


def hold(writer: RecordingWriter) -> threading.Event:
    """Let the thread stall, as on a disk that hangs, until the event is set."""
    gate = threading.Event()
    writer.later(lambda: assert_true(gate.wait(10)))
    return gate


def assert_true(value: bool) -> None:
    assert value


def test_recordings_are_written_beside_each_other(writer: RecordingWriter, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.wav" for number in range(5)]
    going_on = [recording(writer, path, number) for number, path in enumerate(paths)]
    for tick in range(60):
        for each in going_on:
            each.write(FRAME, FRAME)
        if tick == 30:
            going_on[0].stop()
    for each in going_on[1:]:
        each.stop()
    done = {event.recording: event for event in told(writer, 5)}
    assert [done[number].seconds for number in range(5)] == [0.62, 1.2, 1.2, 1.2, 1.2]
    for number, path in enumerate(paths):
        found = repair(path)
        assert found is not None
        assert found.sha256 == done[number].sha256
    assert writer.waiting == 0


def test_nothing_is_told_before_there_is_something(writer: RecordingWriter) -> None:
    assert writer.finished() == []


def test_a_file_that_cannot_be_made_is_told_at_once(
    writer: RecordingWriter, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    recording(writer, blocked / "1.wav")
    (done,) = told(writer)
    assert (done.seconds, done.sha256) == (0.0, "")
    assert done.error is not None


def test_a_disk_that_stalls_costs_sound_but_never_time(
    writer: RecordingWriter, tmp_path: Path
) -> None:
    gate = hold(writer)
    stalled = recording(writer, tmp_path / "1.wav")
    for _ in range(500):
        stalled.write(FRAME, FRAME)
    assert writer.waiting <= 100_000
    gate.set()
    stalled.stop()
    (done,) = told(writer)
    assert done.seconds == 10.0
    assert done.error is not None
    assert "too slow" in done.error


def test_a_defect_in_one_recording_is_logged_and_the_others_go_on(
    writer: RecordingWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ValueError("a defect")

    other = recording(writer, tmp_path / "1.wav")
    writer.later(broken)
    other.write(FRAME, FRAME)
    other.stop()
    assert told(writer)[0].seconds == 0.02
    assert "a recording failed" in caplog.text


def test_closing_waits_for_what_was_given(tmp_path: Path) -> None:
    writer = RecordingWriter()
    going_on = recording(writer, tmp_path / "1.wav")
    for _ in range(30):
        going_on.write(FRAME, FRAME)
    going_on.stop()
    writer.close(patience=10)
    found = repair(tmp_path / "1.wav")
    assert found is not None
    assert found.seconds == 0.6


def test_a_disk_that_hangs_does_not_hold_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = RecordingWriter()
    recording(writer, tmp_path / "1.wav")
    gate = hold(writer)
    writer.close(patience=0.01)
    assert "cut off" in caplog.text
    gate.set()
    writer.close(patience=10)


def test_a_writer_without_recordings_has_no_thread() -> None:
    before = threading.active_count()
    RecordingWriter().close()
    assert threading.active_count() == before
    assert recording_writer.CLOSING < 1.0, "a worker ends within a second of its server"
