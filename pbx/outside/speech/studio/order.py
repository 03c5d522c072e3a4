"""What the studio is asked to make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Order:
    """`words` to be said in `language` by a voice; `speed` is a factor. `url` is for the engine
    `http`, `office` the folder that a voice's file is in."""

    language: str
    voice: str
    words: str
    speed: float = 1.0
    url: str = ""
    office: Path = Path()

    @classmethod
    def of(cls, said: dict[str, Any]) -> Order:
        """Read what came by the pipe."""
        return cls(
            said["language"],
            said["voice"],
            said["words"],
            float(said["speed"]),
            said["url"] or "",
            Path(said["office"]),
        )
