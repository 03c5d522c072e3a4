"""What tests of speech stand on: a store whose voices are a small program, and WAV files."""

from __future__ import annotations

import json
import sys
import time
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pbx.outside.speech.desk import Desk
from pbx.outside.speech.store import SpeechStore

FAKE = Path(__file__).with_name("fake_studio.py")


@dataclass
class Wanted:
    """What an office wants of its voices."""

    engine: str = "auto"
    voices: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    speed: float = 1.0
    recorded: Mapping[str, str] = field(default_factory=dict)


class Booth:
    """An office in a folder, with a store of its sounds and all that was ordered of its voices."""

    def __init__(self, folder: Path, **wishes: Any) -> None:
        self.office = folder / "office"
        self.rendered = self.office / "var" / "sounds"
        self.sounds = self.office / "sounds"
        self.sounds.mkdir(parents=True)
        self.alarms: list[str] = []
        self.clock = time.time()  # files are as old as the real clock says
        self._notes = folder / "orders"
        self.store = SpeechStore(
            self.office,
            self.rendered,
            Wanted(**wishes),
            now=lambda: self.clock,
            alarm=self.alarms.append,
            desks=(desk(self._notes), desk(self._notes)),
        )

    @property
    def orders(self) -> list[dict[str, Any]]:
        """Return what was ordered, in the order in which it was made."""
        if not self._notes.exists():
            return []
        orders = [json.loads(line) for line in self._notes.read_text().splitlines()]
        return [order for order in orders if order["make"] != "ready"]

    @property
    def said(self) -> list[str]:
        """Return the words that were ordered."""
        return [order["words"] for order in self.orders]


def desk(notes: Path) -> Desk:
    """Return a desk whose studio is the fake one."""
    return Desk("test", command=(sys.executable, "-S", "-E", str(FAKE), str(notes)))


def write_wav(path: Path, *, rate: int = 8000, samples: bytes = bytes(1600)) -> Path:
    """Write a 16-bit mono file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples)
    return path
