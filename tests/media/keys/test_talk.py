import wave
from pathlib import Path

import numpy as np
import pytest

from pbx.media.keys.talk import ENDS_AFTER, FRAME, QUIET, TalkDetector
from tests.kit.programs import why_not

SOUNDS = "/usr/share/asterisk/sounds"


def voice(seconds: float, rate: int = 8000) -> np.ndarray:
    """Return frames that sound like a vowel: a pulse of 120 Hz through three formants."""
    at = np.arange(round(seconds / FRAME) * rate // 50) / rate
    pulse = sum(
        np.exp(-(((n * 120 - formant) / 150) ** 2)) * np.sin(2 * np.pi * n * 120 * at)
        for formant in (600, 1100, 2400)
        for n in range(1, 25)
    )
    loud = 6000 * pulse / abs(pulse).max()
    return loud.astype(np.int16).reshape(-1, rate // 50)


def silence(seconds: float, rate: int = 8000) -> np.ndarray:
    return np.zeros((round(seconds / FRAME), rate // 50), dtype=np.int16)


def changes(detector: TalkDetector, *parts: np.ndarray) -> list[tuple[float, bool]]:
    """Feed parts, a frame every 20 ms; return (time, what was reported)."""
    told = []
    for n, frame in enumerate(np.concatenate(parts)):
        change = detector.feed(frame, n * FRAME)
        if change is not None:
            told.append((round(n * FRAME, 3), change))
    return told


@pytest.mark.parametrize("rate", [8000, 16000])
def test_talking_begins_after_200_ms_and_ends_after_800(rate: int):
    detector = TalkDetector(rate)
    told = changes(detector, silence(1, rate), voice(1, rate), silence(2, rate))
    (began, on), (ended, off) = told
    assert (on, off) == (True, False)
    assert began == pytest.approx(1.2, abs=0.06)
    assert ended == pytest.approx(2.0 + ENDS_AFTER, abs=0.2)  # the detector hangs on for a while


def test_a_cough_opens_the_gate_and_is_no_talking():
    detector = TalkDetector(8000)
    assert changes(detector, silence(0.5), voice(0.06), silence(0.1)) == []
    assert detector.open
    assert not detector.talking


def test_the_gate_opens_with_the_first_frame_of_voice():
    detector = TalkDetector(8000)
    opened = [
        detector.feed(frame, n * FRAME) or detector.open for n, frame in enumerate(voice(0.1))
    ]
    assert opened[:2] in ([True, True], [False, True])


def test_the_gate_closes_800_ms_after_the_voice():
    detector = TalkDetector(8000)
    changes(detector, voice(0.5))
    assert detector.feed_silence(0.48 + ENDS_AFTER - 0.02) is None
    assert detector.open
    assert detector.feed_silence(0.48 + ENDS_AFTER) is False
    assert not detector.open


def test_a_pause_within_talking_is_talking():
    assert changes(TalkDetector(8000), voice(1), silence(0.5), voice(1)) == [(0.18, True)]


def test_whoever_leaves_while_talking_has_ended():
    detector = TalkDetector(8000)
    changes(detector, voice(1))
    assert detector.stop() is False
    assert detector.stop() is None
    assert not detector.open


def test_whoever_leaves_in_silence_has_nothing_to_end():
    detector = TalkDetector(8000)
    assert detector.stop() is None
    changes(detector, voice(1), silence(2))
    assert detector.stop() is None


def test_talking_can_begin_again():
    told = changes(TalkDetector(8000), voice(0.5), silence(2), voice(0.5), silence(2))
    assert [on for _, on in told] == [True, False, True, False]


def test_quiet_noise_is_no_voice():
    quiet = np.random.default_rng(1).normal(0, QUIET * 0.9, (500, 160)).astype(np.int16)
    detector = TalkDetector(8000)
    assert changes(detector, quiet) == []
    assert not detector.open


def test_a_loud_fan_is_no_talking_after_some_seconds():
    fan = np.random.default_rng(1).normal(0, 1500, (1000, 160)).astype(np.int16)
    detector = TalkDetector(8000)
    told = changes(detector, fan)
    assert told[-1][0] < 8
    assert not told[-1][1]
    assert not detector.open


def test_a_voice_is_heard_above_a_fan():
    rng = np.random.default_rng(1)
    sound = np.concatenate([silence(10), voice(2), silence(3)])
    told = changes(TalkDetector(8000), sound + rng.normal(0, 300, sound.shape).astype(np.int16))
    began, ended = told[-2:]
    assert began == (pytest.approx(10.2, abs=0.06), True)
    assert ended == (pytest.approx(12.8, abs=0.2), False)


def test_prompts_are_talking_from_their_beginning_to_their_end():
    if reason := why_not([SOUNDS]):
        pytest.skip(reason)
    (path,) = Path(SOUNDS).rglob("vm-instructions.wav")
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    speech = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    told = changes(TalkDetector(8000), silence(1), speech, silence(2))
    began, ended = told[0][0], told[-1][0]
    assert [on for _, on in told] == [True, False] * (len(told) // 2)
    assert began == pytest.approx(1.2, abs=0.4)
    assert ended == pytest.approx(1 + len(speech) * FRAME + ENDS_AFTER, abs=0.6)
