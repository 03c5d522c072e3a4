"""The mailboxes of a house in memory: the real ones, without threads and files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pbx.db.engine import MemoryDatabase
from pbx.directory.pins import pin_digest
from pbx.mailboxes.store import Mailboxes
from pbx.speech.saying import Saying
from pbx.voicemail.desk import Voicemail
from tests.kit.exchange import House


class MemoryMailboxes(Mailboxes):
    """Mailboxes for virtual time; what they tell is in `lit` and `received`."""

    def __init__(self) -> None:
        super().__init__(MemoryDatabase(), Path("/voicemail"))
        self.lit: list[tuple[str, int, int]] = []
        """Boxes whose counts changed, with the counts."""
        self.silences: list[float] = []
        """How much silence was behind each message, seconds."""
        self.received: list[str] = []
        """Ids of messages that arrived."""
        self.changed = lambda box: self.lit.append((box, *self.counts(box)))
        self.arrived = lambda message: self.received.append(message.id)

    def keep(self, draft: str, *, silence: float = 0.0, **file: Any) -> None:
        """Keep a message; there is no file whose silence could be cut off."""
        self.silences.append(silence)
        super().keep(draft, **file)

    async def _digest(self, pin: str, salt: str) -> str:
        return pin_digest(pin, salt)

    def fill(self, box: str, *callers: str, at: float = 1_795_248_000.0) -> list[str]:
        """Put a message of each caller into a box, a minute apart; return their ids."""
        ids = []
        for place, caller in enumerate(callers):
            draft = self.begin(
                box, call=f"c{place}", caller=caller, caller_name=None, at=at + 60 * place
            )
            self.keep(draft.id, seconds=5.0, octets=40_058, sha256="0" * 64, error=None)
            ids.append(draft.id)
        self.lit.clear()
        self.received.clear()
        return ids


class Voice:
    """A speaker whose sounds are named as what they say: `say:zh:goodbye`, or the file."""

    async def sources(self, *sayings: Saying) -> tuple[str, ...]:
        """Return one source for each saying."""
        return tuple(
            f"file:{saying.path}" if saying.path else f"say:{saying.language}:{saying.name}"
            for saying in sayings
        )


def with_mailboxes(house: House) -> MemoryMailboxes:
    """Give a house mailboxes and a voice; calls find them from now on."""
    house.exchange.settings = replace(house.exchange.settings, speaker=Voice())
    boxes = MemoryMailboxes()
    Voicemail(boxes).register(house.destinations, house.features)
    return boxes
