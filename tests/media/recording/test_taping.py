"""Recordings of bridges, from the packets of the parties to the sides of the file."""

from __future__ import annotations

import select
import time
from pathlib import Path

import pytest

from pbx.demo.tones import heard
from pbx.media.protocol import (
    Leave,
    PauseRecording,
    Record,
    RecordingDone,
    RecordingFormat,
    SetGains,
    StopRecording,
)
from tests.kit.ears import Gathering, gathering
from tests.kit.recordings import labels_of, sides_of

PATIENCE = 10.0


def record(
    room: Gathering, bridge: int, path: Path, left: int | None, format: RecordingFormat = "ulaw"
) -> None:
    room.board.do(Record(1, bridge, str(path), left, format))


def stop(room: Gathering) -> RecordingDone:
    """Complete the recording and wait for what became of it."""
    room.board.do(StopRecording(1))
    return told(room)


def told(room: Gathering) -> RecordingDone:
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        room.board.settle()
        if done := room.board.events(RecordingDone):
            return done[0]
        select.select([], [], [], 0.001)  # the writer has a thread of its own
    raise AssertionError("nothing was told of the recording")


@pytest.mark.parametrize("codecs", [("PCMU", "PCMU"), ("PCMA", "G722"), ("PCMU", "opus")])
@pytest.mark.parametrize("format", ["ulaw", "pcm"])
def test_each_party_is_on_a_side_of_its_own(
    tmp_path: Path, codecs: tuple[str, str], format: RecordingFormat
) -> None:
    with gathering(*codecs) as room:
        caller, agent = room.parties
        bridge = room.bridge(caller, agent)
        record(room, bridge, tmp_path / "1.wav", caller.leg, format)
        room.pass_time(2.0)
        done = stop(room)
        assert room.heard_by(caller) == {agent}, "who is recorded hears as before"
    assert done.error is None
    assert done.seconds == pytest.approx(2.0, abs=0.05)
    left, right = (side.part(0.5) for side in sides_of(tmp_path / "1.wav"))
    assert heard(left) == {caller.hz}
    assert heard(right) == {agent.hz}


def test_a_room_is_recorded_as_the_sum_of_all(tmp_path: Path) -> None:
    with gathering("PCMU", "PCMA", "G722") as room:
        record(room, room.bridge(*room.parties), tmp_path / "1.wav", None)
        room.pass_time(2.0)
        stop(room)
    (sound,) = sides_of(tmp_path / "1.wav")
    assert heard(sound.part(0.5)) == {party.hz for party in room.parties}


def test_it_goes_on_when_parties_come_and_go_and_ends_with_the_bridge_empty(
    tmp_path: Path,
) -> None:
    with gathering("PCMU", "PCMU", "PCMU") as room:
        caller, agent, other = room.parties
        bridge = room.bridge(caller, agent)
        record(room, bridge, tmp_path / "1.wav", caller.leg)
        room.pass_time(1.0)
        room.board.do(Leave(agent.leg))
        room.pass_time(1.0)
        room.bridge(other)
        room.board.do(Leave(other.leg), Leave(caller.leg))
        room.pass_time(1.0)
        done = stop(room)
    assert done.seconds == pytest.approx(3.0, abs=0.05)
    left, right = sides_of(tmp_path / "1.wav")
    assert heard(right.part(0.4, 1.0)) == {agent.hz}
    assert heard(right.part(1.2)) == set()
    assert heard(left.part(1.2, 2.0)) == {caller.hz}
    assert heard(left.part(2.4)) == set(), "nobody is there"


def test_a_pause_is_silence_on_both_sides_and_marked(tmp_path: Path) -> None:
    with gathering("PCMU", "PCMU") as room:
        caller, agent = room.parties
        record(room, room.bridge(caller, agent), tmp_path / "1.wav", caller.leg)
        room.pass_time(1.0)
        room.board.do(PauseRecording(1, True))
        room.pass_time(1.0)
        room.board.do(PauseRecording(1, False))
        room.pass_time(1.0)
        stop(room)
    for side in sides_of(tmp_path / "1.wav"):
        assert not side.part(1.1, 1.9).samples.any(), "not even noise is kept"
        assert heard(side.part(2.1))
    (paused, begins), (resumed, goes_on) = labels_of(tmp_path / "1.wav")
    assert (begins, goes_on) == ("paused", "resumed")
    assert resumed - paused == pytest.approx(8000, abs=160)


def test_a_whisper_that_the_caller_does_not_hear_is_not_on_the_callers_side(
    tmp_path: Path,
) -> None:
    with gathering("PCMU", "PCMU", "PCMU") as room:
        caller, agent, supervisor = room.parties
        bridge = room.bridge(*room.parties)
        room.board.do(SetGains(bridge, ((caller.leg, supervisor.leg, 0.0),)))
        record(room, bridge, tmp_path / "1.wav", caller.leg)
        room.pass_time(2.0)
        stop(room)
    left, right = (side.part(0.5) for side in sides_of(tmp_path / "1.wav"))
    assert heard(left) == {caller.hz}
    assert heard(right) == {agent.hz}, "the right is what the caller hears"


def test_time_that_the_loop_lost_is_silence_and_not_missing(tmp_path: Path) -> None:
    with gathering("PCMU", "PCMU") as room:
        caller, agent = room.parties
        record(room, room.bridge(caller, agent), tmp_path / "1.wav", caller.leg)
        room.pass_time(1.0)
        room.board.now += 1.0  # a machine that slept
        room.pass_time(1.0)
        done = stop(room)
    assert done.seconds == pytest.approx(3.0, abs=0.05)


def test_a_recording_that_cannot_begin_says_so_and_leaves_the_bridge_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with gathering("PCMU", "PCMU") as room:
        caller, agent = room.parties
        bridge = room.bridge(caller, agent)
        record(room, bridge, tmp_path / "file" / "1.wav", caller.leg)
        done = told(room)
        assert done.error is not None
        assert done.sha256 == ""
        room.pass_time(1.0)
        assert room.heard_by(caller) == {agent}
        assert not room.board.switchboard.mixed, "relayed again"


def test_commands_for_recordings_that_are_over_are_without_effect(tmp_path: Path) -> None:
    with gathering("PCMU", "PCMU") as room:
        room.board.do(PauseRecording(9, True), StopRecording(9))
        record(room, room.bridge(*room.parties), tmp_path / "1.wav", None)
        record(room, 77, tmp_path / "2.wav", None)
        room.pass_time(0.1)
        assert stop(room).seconds == pytest.approx(0.1, abs=0.03)
    assert not (tmp_path / "2.wav").exists()


def test_a_worker_that_ends_completes_what_it_records(tmp_path: Path) -> None:
    with gathering("PCMU", "PCMU") as room:
        record(room, room.bridge(*room.parties), tmp_path / "1.wav", None)
        room.pass_time(0.7)
    (sound,) = sides_of(tmp_path / "1.wav")
    assert sound.seconds == pytest.approx(0.7, abs=0.03)
