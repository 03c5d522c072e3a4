"""What callpbx itself says: a phrase by its name, in a caller's language, with its values spoken.

    phrase("you-have", "zh", new="2", old="0")     您有两条新留言，零条已保存的留言。

The words stand in wordings.py. A value is put in as its format says, and is never read as a text of
its own.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from pbx.speech.saying import Saying
from pbx.speech.values import LANGUAGES, spoken
from pbx.speech.wordings import PHRASES

PLURAL: Final = "s"
"""The format that is nothing for 1 and an "s" for any other number."""

PLACE: Final = re.compile(r"\{(\w+)(?::(\w+))?\}(\.?)")
"""Where a value stands in a phrase, its format, and a full stop behind it."""

_FALLBACK: Final = "zh"


def phrase(name: str, language: str, /, *, now: datetime | None = None, **values: str) -> Saying:
    """Return the phrase `name` to be said in `language`; Mandarin for one that is not known.

    `values` fill its places, `now` is for days and times (see `spoken`). Raises KeyError for a
    phrase that there is not, or a place without a value.
    """
    code = language if language in LANGUAGES else _FALLBACK

    def said(place: re.Match[str]) -> str:
        value, format, stop = values[place[1]], place[2], place[3]
        if format == PLURAL:
            return ("" if value.strip() == "1" else "s") + stop
        words = spoken(value, format, code, now=now)
        return words if words.endswith(".") else words + stop

    words = PLACE.sub(said, _written(name, code))
    return Saying(code, words=words, name=name, phrase=True)


def fixed(language: str) -> tuple[Saying, ...]:
    """Return all phrases without values: what can be rendered before anybody calls."""
    names = [name for name in PHRASES if not PLACE.search(_written(name, language))]
    return tuple(phrase(name, language) for name in names)


def _written(name: str, language: str) -> str:
    words: str = getattr(PHRASES[name], language)
    return words
