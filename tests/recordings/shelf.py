"""An office's recordings for tests: a database in memory, files in a folder, events as calls make
them."""

from __future__ import annotations

from pathlib import Path

from pbx.db.engine import MemoryDatabase
from pbx.events import RecordingEnded, RecordingStarted
from pbx.media.recording.repair import repair
from pbx.media.recording.wav import MULAW, WavLayout
from pbx.recordings.index import RecordingIndex
from pbx.recordings.model import RecordingEntry
from pbx.recordings.store import RecordingStore

START = 1_795_248_000.0
"""2026-11-21T08:00:00Z."""

LAYOUT = WavLayout(MULAW, 8000, 2)


class Shelf:
    """Recordings of one office."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = MemoryDatabase()
        self.index = RecordingIndex(self.database, folder)
        self.store = RecordingStore(self.database, folder, fresh=self.index.flush)

    def file(self, recording: str) -> str:
        """Return where a recording's file is, below the folder."""
        return f"2026/11/21/{recording}.wav"

    def write_file(
        self, recording: str, seconds: float = 1.0, *, said: float | None = None
    ) -> Path:
        """Write a file of which the header knows `said` seconds."""
        path = self.folder / self.file(recording)
        path.parent.mkdir(parents=True, exist_ok=True)
        octets = round(16_000 * seconds)
        known = octets if said is None else round(16_000 * said)
        path.write_bytes(LAYOUT.header(known) + bytes(octets))
        return path

    def begin(self, recording: str, at: float = START) -> None:
        """Let a recording begin; its file is not there yet."""
        call = recording.rpartition("-")[0]
        event = RecordingStarted(
            call=call, recording=recording, file=self.file(recording), format="ulaw"
        )
        self.index.take(event, at)

    def end(self, recording: str, at: float = START + 1) -> None:
        """Let a recording end as its worker reports it."""
        found = repair(self.folder / self.file(recording))
        assert found is not None
        call = recording.rpartition("-")[0]
        event = RecordingEnded(
            call=call,
            recording=recording,
            seconds=found.seconds,
            octets=found.octets,
            sha256=found.sha256,
        )
        self.index.take(event, at)

    def record(self, recording: str, at: float = START, seconds: float = 1.0) -> Path:
        """Make a whole recording with its file."""
        self.begin(recording, at)
        path = self.write_file(recording, seconds)
        self.end(recording, at + seconds)
        return path

    async def entry(self, recording: str) -> RecordingEntry:
        """Return what the index says."""
        return (await self.store.find_one(recording)).recording
