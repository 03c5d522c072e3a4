"""Who speaks which language here, and what to install where nobody does."""

from __future__ import annotations

import pytest

from pbx.config.values import SPEECH_ENGINES
from pbx.outside.speech import engines
from pbx.outside.speech.engines import ENGINES, to_install, voices_for
from pbx.plan.model import LANGUAGES
from tests.outside.speech.kit import Wanted


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything be installed."""
    monkeypatch.setattr(engines, "has_espeak", lambda: True)
    monkeypatch.setattr(engines, "_has", lambda *_: True)


def chosen(language: str, **wishes: object) -> list[str]:
    """Return who speaks, as ENGINE/VOICE."""
    wanted = Wanted(**wishes)  # type: ignore[arg-type]
    return [f"{voice.engine.name}/{voice.name}" for voice in voices_for(language, wanted)]


@pytest.mark.usefixtures("install")
@pytest.mark.parametrize(
    ("language", "wishes", "voices"),
    [
        ("zh", {}, ["kokoro/jm_kumo", "espeak-ng/cmn-latn-pinyin"]),
        ("yue", {}, ["espeak-ng/yue"]),
        ("en", {}, ["piper/joe", "espeak-ng/en-us"]),
        ("en", {"url": "http://a/"}, ["http/", "piper/joe", "espeak-ng/en-us"]),
        ("en", {"engine": "kokoro"}, ["kokoro/jf_alpha", "espeak-ng/en-us"]),
        ("yue", {"engine": "piper"}, ["espeak-ng/yue"]),
        ("en", {"engine": "espeak-ng"}, ["espeak-ng/en-us"]),
        ("en", {"voices": {"en": "en-gb"}}, ["espeak-ng/en-gb"]),
        ("en", {"voices": {"en": "espeak-ng"}}, ["espeak-ng/en-us"]),
        ("en", {"voices": {"en": "kokoro/jm_kumo"}}, ["kokoro/jm_kumo", "espeak-ng/en-us"]),
        ("zh", {"voices": {"zh": "v/zh.onnx"}}, ["piper/v/zh.onnx", "espeak-ng/cmn-latn-pinyin"]),
        ("zh", {"voices": {"en": "en-gb"}}, ["kokoro/jm_kumo", "espeak-ng/cmn-latn-pinyin"]),
    ],
)
def test_the_best_that_is_installed_speaks_unless_the_office_says_who(
    language: str, wishes: dict[str, object], voices: list[str]
) -> None:
    assert chosen(language, **wishes) == voices


def test_who_is_not_installed_does_not_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "has_espeak", lambda: True)
    monkeypatch.setattr(engines, "_has", lambda *_: False)
    assert chosen("zh") == ["espeak-ng/cmn-latn-pinyin"]
    monkeypatch.setattr(engines, "has_espeak", lambda: False)
    assert chosen("zh") == []
    assert to_install("zh", Wanted()).startswith("apt-get install espeak-ng")
    assert to_install("en", Wanted(engine="piper")) == 'pip install "callpbx[speech]"'
    assert to_install("yue", Wanted(engine="piper")).startswith("apt-get install espeak-ng")


def test_every_language_has_a_last_resort_and_every_engine_can_be_named() -> None:
    assert set(engines.BEST) == set(LANGUAGES)
    assert all(names[-1] == engines.LAST_RESORT for names in engines.BEST.values())
    assert set(ENGINES) == set(SPEECH_ENGINES)
