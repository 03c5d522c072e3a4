"""How far a leg is, what it is to its call, and what it tells whoever rings it."""

from __future__ import annotations

from enum import Enum, auto
from typing import Literal

from pbx.events import LegRole as Role

__all__ = ["HeaderList", "KeySource", "LegState", "News", "Role"]

KeySource = Literal["rfc4733", "info", "inband"]
HeaderList = tuple[tuple[str, str], ...]


class News(Enum):
    """What a called leg tells whoever rings it."""

    RINGING = auto()
    EARLY_MEDIA = auto()
    ANSWERED = auto()
    ENDED = auto()


class LegState(Enum):
    """How far a leg is."""

    NEW = auto()
    RINGING = auto()
    UP = auto()
    ENDED = auto()
