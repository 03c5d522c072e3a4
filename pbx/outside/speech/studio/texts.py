"""Texts as engines want them: one language at a time, a sentence at a time.

A Chinese text may hold English words (`for English press 3`); each run is spoken by a voice of its
own language. Digits belong to the run they stand in.
"""

from __future__ import annotations

import re
from typing import Final

_LATIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ,.'&@/-]*[A-Za-z0-9]|[A-Za-z]")
_SOUNDS: Final = re.compile(r"\w")
_END: Final = re.compile(r"(?<=[。！？；!?;])|(?<=[.:])\s+|\n+")
_CLAUSE: Final = re.compile(r"(?<=[,;:，、；：])\s*")
_WIDE: Final = str.maketrans(
    {wide: f"{sign} " for wide, sign in zip("，。！？；：、", ",.!?;:,", strict=True)}
)

LONGEST: Final = 120
"""Characters of a sentence beyond which it is taken apart at its commas."""


def runs(words: str, language: str) -> list[tuple[str, str]]:
    """Return a text as parts of one language each: (language, text)."""
    if language == "en":
        return [("en", words)] if _SOUNDS.search(words) else []
    found: list[tuple[str, str]] = []
    end = 0
    for latin in _LATIN.finditer(words):
        found += [(language, words[end : latin.start()]), ("en", latin[0])]
        end = latin.end()
    found.append((language, words[end:]))
    return [(code, text) for code, text in found if _SOUNDS.search(text)]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, long ones as their clauses."""
    found: list[str] = []
    for sentence in _END.split(text):
        parts = [sentence] if len(sentence) <= LONGEST else _CLAUSE.split(sentence)
        found += [part.strip() for part in parts if _SOUNDS.search(part)]
    return found


def clauses(text: str) -> list[tuple[str, str]]:
    """Return the clauses of a sentence, each with the sign after it (`, . ! ? ; :` or nothing)."""
    pieces = re.split(r"([,.!?;:](?=\s|$))", text.translate(_WIDE))
    pairs = zip(pieces[::2], [*pieces[1::2], ""], strict=True)
    return [(words.strip(), sign) for words, sign in pairs if _SOUNDS.search(words)]
