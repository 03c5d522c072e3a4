"""Tones in tests: each party speaks its own, `heard` tells who is heard (see pbx/demo/tones.py).

What a party speaks is made by `tone` and `write_wav`: as samples for media tests, as a file for
phones that play one.
"""

from __future__ import annotations

import numpy as np

from pbx.demo.tones import TONES, Sound, heard, level_of, read_wav, tone, write_wav

__all__ = ["TONES", "Sound", "heard", "level_of", "mix", "read_wav", "silence", "tone", "write_wav"]


def silence(seconds: float, *, rate: int = 8000) -> Sound:
    """Return digital silence."""
    return Sound(np.zeros(round(seconds * rate), dtype=np.int16), rate)


def mix(*sounds: Sound) -> Sound:
    """Return several sounds of one rate and length spoken at once, clipped as int16 clips."""
    total = sum((sound.samples.astype(np.int32) for sound in sounds), start=np.int32(0))
    return Sound(np.clip(total, -32768, 32767).astype(np.int16), sounds[0].rate)
