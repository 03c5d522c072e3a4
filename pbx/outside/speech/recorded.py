"""Recorded words in place of a voice: a folder of them, laid out as Debian's prompt packages.

`asterisk-core-sounds-en-wav` and its like have a file per phrase (`vm-goodbye`), and words to make
numbers and dates of in `digits/` and letters in `letters/`. A saying is played where its name is
that of a file, or where there is a file for each of its words. [io]
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pbx.outside.speech.files import SUFFIXES, named
from pbx.speech.saying import Saying

_ROWS: Final = (
    (0, 1, "digits/{}", "zero one two three four five six seven eight nine ten eleven twelve"),
    (13, 1, "digits/{}", "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"),
    (20, 10, "digits/{}", "twenty thirty forty fifty sixty seventy eighty ninety"),
    (1, 1, "digits/h-{}", "first second third fourth fifth sixth seventh eighth ninth tenth"),
    (11, 1, "digits/h-{}", "eleventh twelfth thirteenth fourteenth fifteenth sixteenth"),
    (17, 1, "digits/h-{}", "seventeenth eighteenth nineteenth twentieth"),
    (30, 10, "digits/h-{}", "thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth"),
    (0, 1, "digits/day-{}", "sunday monday tuesday wednesday thursday friday saturday"),
    (0, 1, "digits/mon-{}", "january february march april may june july august september"),
    (9, 1, "digits/mon-{}", "october november december"),
)
"""The number of the first word, what the next ones have more, their files, the words."""

ENGLISH: Final = {
    word: place.format(first + step * index)
    for first, step, place, words in _ROWS
    for index, word in enumerate(words.split())
} | {"am": "digits/a-m", "pm": "digits/p-m", "o'clock": "digits/oclock"}
"""English word → file; any other word is looked for in `digits/` and as it is."""

PLAYED: Final = SUFFIXES[:2]  # raw files are passed over: they would need a header first

_WORD: Final = re.compile(r"[^\s,.;:!?/-]+")


def recorded_words(folder: Path, saying: Saying) -> tuple[Path, ...]:
    """Return the files that say it, in order; empty where one of them is missing."""
    whole = named(folder, saying.name, PLAYED)
    if whole is not None:
        return (whole,)
    found: list[Path] = []
    for word in _WORD.findall(saying.words.lower()):
        path = _word(folder, word, saying.language)
        if path is None:
            return ()
        found.append(path)
    return tuple(found)


def _word(folder: Path, word: str, language: str) -> Path | None:
    if word.isascii() and word.isdigit() and len(word) == 1:
        return _file(folder, f"digits/{word}")
    known = ENGLISH.get(word) if language == "en" else None
    places = (known,) if known else (f"digits/{word}", f"letters/{word}", word)
    return next((path for place in places if (path := _file(folder, place))), None)


def _file(folder: Path, name: str) -> Path | None:
    """Return the file called so (`digits/5`)."""
    place, _, last = name.rpartition("/")
    return named(folder / place, last, PLAYED)
