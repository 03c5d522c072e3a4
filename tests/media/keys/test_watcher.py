import numpy as np
import pytest

from pbx.media.keys.key_tones import key_frames
from pbx.media.keys.talk import FRAME
from pbx.media.keys.telephone_event import DIGITS
from pbx.media.keys.watcher import Watcher
from pbx.media.protocol import AnyWorkerEvent, Talking


class Ear:
    """Feeds a watcher and keeps what it says."""

    def __init__(self, rate: int, **wishes: bool) -> None:
        self.rate = rate
        self.now = 50.0
        self.reported: list[AnyWorkerEvent] = []
        self.downs: list[float] = []
        self.keys: list[tuple[str, int]] = []
        chosen = {"keys": False, "talk": False} | wishes
        self.watcher = Watcher(
            9, rate, self.reported.append, self._hear_key, self._note_down, **chosen
        )

    def _hear_key(self, digit: str, duration_ms: int, now: float) -> None:
        assert now == self.now
        self.keys.append((digit, duration_ms))

    def _note_down(self) -> None:
        self.downs.append(self.now)

    def feed(self, frames: np.ndarray) -> None:
        for frame in frames:
            self.watcher.feed(frame, self.now)
            self.now += FRAME

    def feed_silence(self, seconds: float) -> None:
        self.feed(np.zeros((round(seconds / FRAME), self.rate // 50), dtype=np.int16))


def vowel(seconds: float, rate: int) -> np.ndarray:
    at = np.arange(round(seconds * rate)) / rate
    pulse = sum(
        np.exp(-(((n * 125 - formant) / 150) ** 2)) * np.sin(2 * np.pi * n * 125 * at)
        for formant in (600, 1100, 2400)
        for n in range(1, 24)
    )
    return (6000 * pulse / abs(pulse).max()).astype(np.int16).reshape(-1, rate // 50)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_keys_are_heard_at_either_rate(rate: int):
    ear = Ear(rate, keys=True)
    ear.feed(key_frames(DIGITS, 60, rate))
    ear.feed_silence(0.1)
    assert [digit for digit, _ in ear.keys] == list(DIGITS)
    assert all(50 <= duration <= 70 for _, duration in ear.keys)
    assert ear.reported == []


def test_a_key_is_noticed_while_it_is_down():
    ear = Ear(8000, keys=True)
    ear.feed_silence(0.1)
    began = ear.now
    ear.feed(key_frames("5", 500, 8000)[:10])
    (noticed,) = ear.downs
    assert noticed - began < 0.06
    assert ear.keys == []


@pytest.mark.parametrize("rate", [8000, 16000])
def test_talking_is_reported_with_its_end(rate: int):
    ear = Ear(rate, talk=True)
    ear.feed(vowel(0.6, rate))
    assert ear.reported == [Talking(9, True)]
    ear.feed_silence(1.5)
    assert ear.reported == [Talking(9, True), Talking(9, False)]
    ear.watcher.stop()
    assert len(ear.reported) == 2


def test_a_watch_that_stops_ends_the_talking():
    ear = Ear(8000, talk=True)
    ear.feed(vowel(0.6, 8000))
    ear.watcher.stop()
    assert ear.reported == [Talking(9, True), Talking(9, False)]


def test_a_gate_alone_reports_nothing():
    ear = Ear(8000, gate=True)
    assert not ear.watcher.open
    ear.feed(vowel(0.6, 8000))
    assert ear.watcher.open
    ear.feed_silence(1.5)
    assert not ear.watcher.open
    assert ear.reported == []


def test_without_a_gate_every_voice_passes():
    assert Ear(8000, keys=True).watcher.open
