"""The matrix: one failing voice, ear or listener is alone in that; nothing to do is no tick."""

import logging

import numpy as np
import pytest
from numpy.typing import NDArray

from pbx.media.mixing import band as band_module
from pbx.media.mixing.band import PATIENCE
from pbx.media.mixing.ear import EarBank
from pbx.media.mixing.matrix import Matrix
from pbx.media.mixing.scene import Room
from pbx.media.mixing.voice import LegVoice
from pbx.media.protocol import Enter, Leave, Watch
from tests.kit.ears import gathering
from tests.kit.rtp import Board

Frames = NDArray[np.int16]


def matrix_of(board: Board) -> Matrix:
    return board.switchboard._matrix


def test_without_a_change_nobody_is_described_anew():
    asked = []

    class Described:
        tapes = ()

        def room(self) -> Room:
            asked.append(1)
            return Room(8000, (), ())

    changes: list[int] = []
    matrix = Matrix(lambda: changes.append(1))
    assert not matrix.needed
    matrix.use(1, Described())
    assert matrix.needed
    for _ in range(5):
        matrix.tick(0.0)
    assert asked == [1]
    matrix.use(1, None)
    assert not matrix.needed
    assert len(changes) == 2


def test_a_voice_that_cannot_be_decoded_is_silent_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    decode_tick = band_module.decode_tick
    with gathering("PCMU", "PCMU", "PCMA") as room:
        room.bridge(*room.parties)
        room.go_on(0.4)
        column = room.board.switchboard._legs[1].column
        assert column is not None
        broken = column.voice

        def fail(voices: list[LegVoice], frames: Frames, now: float) -> None:
            if broken in voices:
                raise RuntimeError("a defect")
            decode_tick(voices, frames, now)

        monkeypatch.setattr(band_module, "decode_tick", fail)
        with caplog.at_level(logging.CRITICAL):
            room.go_on(0.1)
            room.pass_time(0.6)
        assert room.who_hears_whom() == {0: {1, 2}, 1: {2}, 2: {1}}


def test_ears_of_a_codec_that_fails_leave_the_others_hearing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    send = EarBank.send

    def fail(self: EarBank, frames: Frames, now: float) -> None:
        if self.codec.name == "PCMA":
            raise RuntimeError("a defect")
        send(self, frames, now)

    monkeypatch.setattr(EarBank, "send", fail)
    with gathering("PCMU", "PCMU", "PCMA") as room, caplog.at_level(logging.CRITICAL):
        room.bridge(*room.parties)
        room.go_on(0.4)
        room.pass_time(0.6)
        assert room.who_hears_whom() == {0: {1, 2}, 1: {0, 2}, 2: set()}


def test_who_left_is_decoded_no_longer_after_a_while():
    with gathering("PCMU", "PCMU", "PCMU", "PCMU") as room:
        bridge = room.bridge(*room.parties)
        room.go_on(0.1)
        room.board.do(Leave(room.parties[3].leg))
        narrow = matrix_of(room.board)._narrow
        room.go_on(0.04)
        assert len(narrow._decoded) == 4
        room.go_on(PATIENCE * 0.02)
        assert len(narrow._decoded) == 3
        assert len(room.board.switchboard.bridge(bridge)) == 3


def test_a_relayed_leg_that_is_watched_is_decoded_besides():
    with gathering("PCMU", "PCMU") as room:
        a, b = room.parties
        room.bridge(a, b)
        room.board.do(Watch(a.leg, talk=True))
        assert room.board.switchboard.mixed == 1
        room.go_on(0.4)
        room.pass_time(0.6)
        assert room.who_hears_whom() == {0: {1}, 1: {0}}
        room.board.do(Watch(a.leg))
        assert room.board.switchboard.mixed == 0
        assert not matrix_of(room.board).needed


def test_a_room_is_wide_as_soon_as_one_codec_is():
    with gathering("PCMU", "PCMA", "G722") as room:
        a, b, c = room.parties
        room.bridge(a, b, c)
        room.go_on(0.4)
        high = 5000
        c.samples = (8000 * np.sin(2 * np.pi * high * np.arange(16000) / 16000)).astype(np.int16)
        room.pass_time(0.6)
        assert room.who_hears_whom()[0] == {1}  # telephones do not hear 5 kHz
        assert matrix_of(room.board)._wide.lifted


def test_what_happens_to_relayed_calls_is_no_change_for_the_matrix():
    with gathering("PCMU", "PCMU", "PCMA", "PCMU") as room:
        a, b, c, d = room.parties
        room.bridge(c, d)
        room.go_on(0.1)
        matrix = matrix_of(room.board)
        assert not matrix._changed
        bridge = room.bridge(a, b)
        room.board.do(Leave(a.leg), Enter(a.leg, bridge))
        assert room.board.switchboard.mixed == 2
        room.go_on(0.04)
        assert not matrix._changed
