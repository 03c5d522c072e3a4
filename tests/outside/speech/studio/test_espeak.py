"""espeak-ng: the real program where it is installed, and what it is told."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pbx.errors import Refused
from pbx.outside.speech.studio import espeak
from pbx.outside.speech.studio.order import Order

installed = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="apt-get install espeak-ng"
)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    espeak._program.cache_clear()


@installed
@pytest.mark.parametrize(
    ("language", "voice", "words"),
    [
        ("zh", "cmn", "您好，欢迎致电。"),
        ("yue", "yue", "歡迎致電。"),
        ("en", "en-us", "Welcome."),
        ("zh", "cmn", "请按1，for English press 2。"),
    ],
)
def test_all_three_languages_are_spoken(language: str, voice: str, words: str) -> None:
    samples, rate = espeak.speak(Order(language, voice, words))
    assert rate == 22050
    assert 0.3 < len(samples) / rate < 6
    assert np.abs(samples).max() > 3000


@installed
def test_mandarin_is_not_read_as_english() -> None:
    said = espeak.phonemes("您好", "cmn")
    assert "tˈuː" not in said, "that is “two”, of nin2"
    assert "χ" in said


@installed
def test_a_faster_voice_takes_less_time() -> None:
    slow, rate = espeak.speak(Order("en", "en-us", "One two three four five.", 0.5))
    fast, _ = espeak.speak(Order("en", "en-us", "One two three four five.", 2.0))
    assert len(fast) < 0.6 * len(slow)
    assert rate == 22050


@installed
def test_a_voice_that_there_is_not_is_refused() -> None:
    with pytest.raises(Refused, match="voice nobody"):
        espeak.speak(Order("en", "nobody", "Hello."))


@installed
def test_phonemes_tie_what_is_one_sound() -> None:
    assert "o^ʊ" in espeak.phonemes("Hello", "en-us")


def test_the_text_is_told_by_a_pipe_and_can_say_no_phonemes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[list[str], bytes]] = []

    def run(words: list[str], **how: Any) -> subprocess.CompletedProcess[bytes]:
        told.append((words, how["input"]))
        assert not how.get("shell")
        return subprocess.CompletedProcess(words, 0, b"h\n", b"")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/espeak-ng")
    espeak.phonemes("-f /etc/passwd; $(id) [[h@l'oU]]", "en-us")
    ((words, text),) = told
    assert words[0] == "/usr/bin/espeak-ng"
    assert not any("passwd" in word for word in words)
    assert text == b"-f /etc/passwd; $(id)   h@l'oU  "


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (subprocess.TimeoutExpired("espeak-ng", 8), "took longer than 8 s"),
        (FileNotFoundError(2, "No such file"), "cannot be started: No such file"),
    ],
)
def test_a_program_that_fails_is_refused(
    monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(Refused, match=sentence):
        espeak.speak(Order("en", "en-us", "Hello."))


def test_signs_alone_are_refused() -> None:
    with pytest.raises(Refused, match="no word"):
        espeak.speak(Order("zh", "cmn", "。。"))


def test_the_wheel_steps_in_where_there_is_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert espeak._program()[-1] == "pbx.outside.speech.studio.espeak_library"
    assert Path(espeak._program()[0]).name.startswith("python")
