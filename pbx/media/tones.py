"""Tones that are told by their frequencies, as 16-bit samples (ITU-T E.180, no numpy).

Only what callpbx must be able to say before any prompt exists: the special information tone, three
rising tones of a third of a second each and a second of silence, which everywhere means "the number
you dialled does not work".
"""

from __future__ import annotations

import math
from array import array

RATE = 8000
"""Samples a second."""

_AMPLITUDE = 9000
_SPECIAL_INFORMATION_HZ = (950, 1400, 1800)
_TONE_SECONDS = 0.33
_PAUSE_SECONDS = 1.0


def special_information(*, times: int = 2) -> bytes:
    """Return the special information tone (E.180 §3.3), mono, 8000 Hz, int16 little endian."""
    once = array("h")
    for frequency in _SPECIAL_INFORMATION_HZ:
        step = 2 * math.pi * frequency / RATE
        once.extend(
            round(_AMPLITUDE * math.sin(step * index))
            for index in range(round(RATE * _TONE_SECONDS))
        )
    once.extend([0] * round(RATE * _PAUSE_SECONDS))
    return (once * times).tobytes()
