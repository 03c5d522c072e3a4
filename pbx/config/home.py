"""The folder that an office is, and the paths in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of an office and the paths in it. Making one touches nothing."""

    path: Path

    @property
    def dialplan(self) -> Path:
        """Return the call flow."""
        return self.path / "dialplan.yaml"

    @property
    def dialplan_versions(self) -> Path:
        """Return the folder of the dialplans that were in force."""
        return self.var / "dialplan"

    @property
    def settings(self) -> Path:
        """Return the settings of the box; may be absent."""
        return self.path / "callpbx.yaml"

    @property
    def sounds(self) -> Path:
        """Return the folder of the office's own prompts."""
        return self.path / "sounds"

    @property
    def var(self) -> Path:
        """Return the folder of all that callpbx writes."""
        return self.path / "var"

    @property
    def database(self) -> Path:
        """Return the SQLite file."""
        return self.var / "callpbx.db"

    @property
    def socket(self) -> Path:
        """Return the Unix socket of the running server's API."""
        return self.var / "callpbx.sock"

    @property
    def lock(self) -> Path:
        """Return the file that the running server holds a lock on."""
        return self.var / "lock"

    @property
    def recordings(self) -> Path:
        """Return the folder of recordings."""
        return self.var / "recordings"

    @property
    def notes(self) -> Path:
        """Return the folder of names said at the door of a conference; each is kept for an hour."""
        return self.var / "notes"

    @property
    def voicemail(self) -> Path:
        """Return the folder of voicemail."""
        return self.var / "voicemail"

    @property
    def rendered_sounds(self) -> Path:
        """Return the folder of prompts that were made from text."""
        return self.var / "sounds"

    @property
    def trace(self) -> Path:
        """Return the folder of traces."""
        return self.var / "trace"

    def make_folders(self) -> None:
        """Create what is missing; what callpbx writes is for its owner only (mode 0700)."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.sounds.mkdir(exist_ok=True)
        written = (
            self.var,
            self.recordings,
            self.notes,
            self.voicemail,
            self.rendered_sounds,
            self.trace,
        )
        for folder in written:
            folder.mkdir(mode=0o700, exist_ok=True)
