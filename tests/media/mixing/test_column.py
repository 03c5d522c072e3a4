"""Columns: the gate before a room's mix, and sounds that end once."""

import logging

import numpy as np
import pytest
from numpy.typing import NDArray

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.mixing.column import SoundColumn, VoiceColumn
from pbx.media.mixing.voice import LegVoice
from pbx.media.sounds.playback import Playback
from pbx.media.sounds.store import SoundStore
from tests.kit.rtp import PCMU

Ends = list[tuple[SoundColumn, str | None]]


class Gate:
    def __init__(self) -> None:
        self.open = False

    def feed(self, frame: NDArray[np.int16], now: float) -> None:
        """Hear nothing."""


def loud() -> NDArray[np.int16]:
    return np.full(160, 10_000, dtype=np.int16)


def test_the_gate_opens_and_shuts_within_a_frame_and_without_a_click():
    gate = Gate()
    column = VoiceColumn(LegVoice(PCMU, ARRAY_CODECS["PCMU"]), 8000)
    column.listening = gate
    passed = []
    for gate.open in (False, True, True, False, False):
        frame = loud()
        column.pass_gate(frame)
        passed.append(frame)
    assert [(int(frame[0]), int(frame[-1])) for frame in passed] == [
        (0, 0),
        (0, 10_000),
        (10_000, 10_000),
        (10_000, 0),
        (0, 0),
    ]
    assert np.abs(np.diff(np.concatenate(passed).astype(int))).max() < 100


def sound_of(milliseconds: int, ends: Ends) -> SoundColumn:
    playback = Playback(3, [SoundStore().open(f"silence:{milliseconds}")])
    return SoundColumn(playback, lambda *end: ends.append(end), spoken=True)


def test_a_sound_ends_once_and_is_silent_after_that():
    ends: Ends = []
    sound = sound_of(40, ends)
    for _ in range(5):
        frame = loud()
        sound.write(frame)
        assert not frame.any()
    assert ends == [(sound, None)]
    assert sound.next_payload(ARRAY_CODECS["PCMU"], 20) is None
    assert len(ends) == 1


def test_a_sound_is_the_same_coded():
    ends: Ends = []
    sound = sound_of(40, ends)
    payloads = [sound.next_payload(ARRAY_CODECS["PCMU"], 20) for _ in range(3)]
    assert payloads == [b"\xff" * 160, b"\xff" * 160, None]
    assert ends == [(sound, None)]


def test_time_goes_by_for_a_sound_that_nobody_takes():
    ends: Ends = []
    sound = sound_of(40, ends)
    sound.write(loud())
    sound.pass_by()  # it was heard in this tick
    sound.pass_by()
    assert not ends
    sound.pass_by()
    assert ends == [(sound, None)]


@pytest.mark.parametrize("coded", [False, True])
def test_a_sound_that_fails_ends_with_a_sentence(
    coded: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Playback, "next_frame", fail)
    monkeypatch.setattr(Playback, "next_payload", fail)
    ends: Ends = []
    sound = sound_of(40, ends)
    frame = loud()
    with caplog.at_level(logging.CRITICAL):
        for _ in range(2):
            if coded:
                assert sound.next_payload(ARRAY_CODECS["PCMU"], 20) is None
            else:
                sound.write(frame)
                assert not frame.any()
    assert ends == [(sound, "the file cannot be played")]
