"""One thing to be said to a caller: words to be spoken, or a file to be played.

Whoever makes one has chosen the language and put the values in already; what plays it neither knows
variables nor grammar.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Saying:
    """`words` in `language`, or the sound file `path` (relative to the office's folder).

    `name` is that of the prompt or phrase it comes from. A file of that name among the office's
    sounds is played in place of the words of a built-in phrase.
    """

    language: str
    words: str = ""
    path: str = ""
    name: str = ""
    phrase: bool = False
    """Whether it is one of callpbx's own phrases, which the office may replace by a file."""
