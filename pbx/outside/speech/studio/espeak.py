"""espeak-ng: formants for a hundred languages in a millisecond. GPL, so it stays a program.

It is run with the text on its standard input, never by a shell. Where the program is missing the
wheel `espeakng-loader` has its library, which `espeak_library` runs in a process of its own.

Mandarin is spoken by the voice `cmn-latn-pinyin`: `cmn` of release 1.51, which Debian 12 has, takes
the pinyin of most words for English and says “nin two hao three”.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import lru_cache
from typing import Final

import numpy as np

from pbx.errors import Refused
from pbx.media.sounds.audio import WavFile
from pbx.outside.speech.studio.mastering import Samples, whole
from pbx.outside.speech.studio.order import Order
from pbx.outside.speech.studio.texts import runs

WORDS_PER_MINUTE: Final = 160
SECONDS: Final = 8.0
"""How long the program may take."""

ENGLISH: Final = "en-us"
VOICES: Final = {"cmn": "cmn-latn-pinyin"}
"""Voices that are better called otherwise."""

_PHONEMES: Final = str.maketrans("[]", "  ")
"""`[[` begins phonemes in a text, which callers' names need not be able to do."""


def speak(order: Order) -> tuple[Samples, int]:
    """Return what espeak-ng says; raises Refused."""
    parts: list[Samples] = []
    rate = 0
    for language, text in runs(order.words, order.language):
        voice = order.voice if language == order.language else ENGLISH
        samples, rate = _spoken(voice, text, order.speed)
        parts.append(samples)
    if not parts:
        raise Refused("there is no word in it")
    return np.concatenate(parts), rate


def phonemes(text: str, voice: str) -> str:
    """Return a text in the letters of the IPA, diphthongs and affricates tied by `^`."""
    said = _run(voice, text, WORDS_PER_MINUTE, ipa=True).decode("utf-8", "replace")
    return " ".join(said.split())


def _spoken(voice: str, text: str, speed: float) -> tuple[Samples, int]:
    wav = _run(voice, text, round(WORDS_PER_MINUTE * speed), ipa=False)
    return whole(WavFile(lambda offset, count: wav[offset : offset + count], len(wav), "espeak-ng"))


def _run(voice: str, text: str, speed: int, *, ipa: bool) -> bytes:
    form = ["-q", "--ipa", "--tie=^"] if ipa else ["--stdout"]
    words = ["-v", VOICES.get(voice, voice), "-s", str(speed), "-b", "1", "--stdin", *form]
    try:
        ran = subprocess.run(
            [*_program(), *words],
            input=text.translate(_PHONEMES).encode(),
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"espeak-ng took longer than {SECONDS:.0f} s") from error
    except OSError as error:
        raise Refused(f"espeak-ng cannot be started: {error.strerror}") from error
    if ran.returncode != 0 or not ran.stdout:
        lines = ran.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing was said"]
        raise Refused(f"espeak-ng with voice {voice}: {lines[-1]}")
    return ran.stdout


@lru_cache(maxsize=1)
def _program() -> tuple[str, ...]:
    program = shutil.which("espeak-ng")
    if program is not None:
        return (program,)
    return (sys.executable, "-m", "pbx.outside.speech.studio.espeak_library")
