"""Hold music, and notes of names: what is heard and is no prompt. [io]

Hold music are all files of `sounds/music/` in turn; where there are none it is callpbx's own
(var/sounds/music.wav), made once by another process. The folder is looked at when it is needed, so
that a new file is heard from the next call on. Prompts are `pbx.outside.speech`'s affair.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from pathlib import Path

from pbx.config import Home

log = logging.getLogger(__name__)

OWN_MUSIC = "music.wav"
NOTES_KEPT = 3600.0  # seconds


class Sounds:
    """The source of hold music, as `pbx.media.protocol.Play` names it, and the care for files."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def hold_music(self, name: str | None = None) -> str:
        """Return the source of hold music: the folder `name` below sounds/music, or all of it."""
        folder = self._home.sounds / "music"
        if name is not None and _has_files(folder / name):
            folder = folder / name
        return f"music:{folder if _has_files(folder) else self._own_music}"

    async def make_music(self) -> None:
        """Make callpbx's own hold music unless it is there; a failure costs the music alone."""
        path = self._own_music
        if path.exists():
            return
        making = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pbx.media.sounds.music", str(path)
        )
        try:
            if await making.wait() != 0:
                log.warning("the hold music could not be made; those on hold hear nothing")
        finally:
            with suppress(ProcessLookupError):
                making.kill()

    def forget_notes(self, now: float) -> None:
        """Delete the names that were said more than an hour before `now` (wall)."""
        with suppress(OSError):
            for note in self._home.notes.iterdir():
                if note.stat().st_mtime < now - NOTES_KEPT:
                    note.unlink(missing_ok=True)

    @property
    def _own_music(self) -> Path:
        return self._home.rendered_sounds / OWN_MUSIC


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
