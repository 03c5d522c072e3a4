"""What the neural voices share: a model in ONNX, run on one thread, and how sentences are joined.

onnxruntime is a package of the extra `speech` and is imported when the first model is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pbx.errors import Refused
from pbx.outside.speech.studio.mastering import Samples

PAUSE_S: Final = 0.25
"""Silence between two sentences."""


class Model(Protocol):
    """A loaded model."""

    def run(self, outputs: None, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return its outputs."""


def load(model: str | bytes) -> Model:
    """Return the model in a file, or in these octets."""
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    loaded: Model = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return loaded


def sound(output: NDArray[Any]) -> Samples:
    """Return a model's output (±1) as samples in units of int16."""
    return np.asarray(output, np.float32).ravel() * np.float32(32767)


def joined(parts: Iterable[Samples], rate: int) -> Samples:
    """Return sentences with pauses between them; raises Refused where there is none."""
    pause = np.zeros(round(PAUSE_S * rate), np.float32)
    found = [sound for part in parts for sound in (part, pause)][:-1]
    if not found:
        raise Refused("there is no word in it")
    return np.concatenate(found)
