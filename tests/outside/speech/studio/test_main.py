"""The process: orders in, answers out, whatever an engine does."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pbx.errors import Refused
from pbx.outside.speech.studio import __main__ as studio
from pbx.outside.speech.studio.order import Order
from tests.outside.speech.kit import write_wav


def order(path: Path, words: str = "hello") -> dict[str, Any]:
    """Return an order of the engine `fake`."""
    return {
        "make": "fake",
        "language": "en",
        "voice": "v",
        "words": words,
        "speed": 1.0,
        "url": None,
        "office": "/",
        "path": str(path),
    }


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be an engine that does what the words say."""

    def speak(said: Order) -> tuple[np.ndarray, int]:
        if said.words == "refuse":
            raise Refused("not today")
        if said.words == "break":
            raise RuntimeError("tensor mismatch")
        return np.random.default_rng(1).normal(0, 2000, 16000).astype(np.float32), 16000

    monkeypatch.setitem(studio.ENGINES, "fake", speak)


@pytest.mark.usefixtures("fake")
def test_each_order_has_one_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    words = ("hello", "refuse", "break", "hello")
    orders = io.BytesIO(b"".join(json.dumps(order(path, each)).encode() + b"\n" for each in words))
    answers = io.BytesIO()
    studio.main(orders, answers)
    said = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert said[0] == said[3] == {"seconds": 1.0}
    assert said[1:3] == [{"refused": "not today"}, {"refused": "RuntimeError: tensor mismatch"}]
    assert path.exists()


def test_a_recording_is_levelled(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 200, 8000).astype("<i2").tobytes()
    note = write_wav(tmp_path / "note.wav", samples=noise)
    kept = tmp_path / "kept.wav"
    answer = studio.answer({"make": "recording", "from": str(note), "path": str(kept)})
    assert answer["seconds"] == pytest.approx(1.0, abs=0.05)
    gone = studio.answer({"make": "recording", "from": "/nowhere.wav", "path": str(kept)})
    assert "cannot be read" in gone["refused"]


def test_it_ends_with_its_pipe_and_keeps_the_pipe_clean() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pbx.outside.speech.studio"],
        input=b'{"make": "nobody"}\n',
        capture_output=True,
        check=True,
    )
    assert "refused" in json.loads(ran.stdout)
