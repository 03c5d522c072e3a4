"""Where a call can go: `kind:name`, or one of a few words.

The same words stand wherever a call can go: in `numbers`, behind a menu key, beside a step. Which
destinations exist is for the loader; how a call gets there for whoever registered the kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KINDS: Final = (
    "flow",
    "menu",
    "queue",
    "ring",
    "ext",
    "number",
    "voicemail",
    "conference",
    "survey",
)
"""Kinds that are written with a name: `menu:main`."""

WORDS: Final = ("operator", "back", "repeat", "stay", "callback", "hangup")
"""Destinations that are one word."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A place a call can go to. `name` is empty for the words."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


OPERATOR: Final = Destination("operator")
BACK: Final = Destination("back")
REPEAT: Final = Destination("repeat")
STAY: Final = Destination("stay")
CALLBACK: Final = Destination("callback")
HANGUP: Final = Destination("hangup")
