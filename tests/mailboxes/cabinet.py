"""An office's mailboxes for tests: a database in memory, files in a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pbx.db.engine import MemoryDatabase
from pbx.mailboxes.model import Draft
from pbx.mailboxes.store import Mailboxes
from pbx.media.recording.wav import MULAW, WavLayout

START = 1_795_248_000.0
"""2026-11-21T08:00:00Z."""

LAYOUT = WavLayout(MULAW, 8000, 1)


class Cabinet:
    """Mailboxes, and what they told."""

    def __init__(self, folder: Path, database: MemoryDatabase | None = None) -> None:
        self.folder = folder
        self.database = database or MemoryDatabase()
        self.boxes = Mailboxes(self.database, folder)
        self.lit: list[str] = []
        self.arrived: list[str] = []
        self.boxes.changed = self.lit.append
        self.boxes.arrived = lambda message: self.arrived.append(message.id)

    async def restarted(self) -> Cabinet:
        """Return the same mailboxes as the next server finds them."""
        again = Cabinet(self.folder, self.database)
        await again.boxes.load()
        return again

    def begin(self, box: str = "101", at: float = START) -> Draft:
        """Let somebody begin to speak."""
        return self.boxes.begin(box, call="c1", caller="102", caller_name="李雷", at=at)

    def speak(self, draft: Draft, seconds: float = 5.0, *, said: float | None = None) -> Path:
        """Write what was said into the draft's file; its header knows `said` seconds."""
        path = Path(draft.path)
        known = seconds if said is None else said
        path.write_bytes(LAYOUT.header(round(8000 * known)) + bytes(round(8000 * seconds)))
        return path

    def leave(self, box: str = "101", seconds: float = 5.0, at: float = START) -> str:
        """Leave a whole message; return its id."""
        draft = self.begin(box, at)
        path = self.speak(draft, seconds)
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        self.boxes.keep(draft.id, seconds=seconds, octets=len(content), sha256=digest, error=None)
        return draft.id
