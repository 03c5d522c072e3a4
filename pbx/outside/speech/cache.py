"""What was rendered, on disk: `var/sounds/HASH.wav`, one file per text, voice and speed.

The name is all there is to know of a file, so several processes may fill one folder: whoever writes
puts a whole file in its place. What callers were told with values in it — names, orders, amounts —
is nobody's business for longer than needed: what no plan asks for goes after `UNNEEDED_KEPT`, and
earlier, the least recently used first, when all together is larger than the limit. [io]
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

RECIPE: Final = "1"
"""Changes when the same words sound different: in level, rate, or for better pronunciation."""

LIMIT: Final = 500_000_000  # octets: more than four hours of speech
UNNEEDED_KEPT: Final = 7 * 86400.0  # seconds
UNFINISHED_KEPT: Final = 3600.0  # seconds
TOUCHED: Final = 60.0
"""Seconds within which a file's time of last use is not written again."""

_OURS: Final = re.compile(r"[0-9a-f]{32}\.wav")
_UNFINISHED: Final = re.compile(r"\..+\.part")


def name_of(*what: str) -> str:
    """Return the name of the file for what these words say together."""
    text = "\0".join((RECIPE, *what))
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.wav"


class Cache:
    """The folder of rendered files. `limit` is in octets."""

    def __init__(self, folder: Path, *, limit: int = LIMIT) -> None:
        self.folder = folder
        self.needed: frozenset[str] = frozenset()
        """The names that the plan in force wants; they are never deleted."""
        self._limit = limit

    def path(self, name: str) -> Path:
        """Return where the file of that name is, or will be."""
        return self.folder / name

    def has(self, name: str) -> bool:
        """Tell whether a file is there."""
        return self.path(name).is_file()

    def use(self, name: str, now: float) -> bool:
        """Tell the same, and note that the file was used at `now` (seconds since the epoch)."""
        path = self.path(name)
        try:
            if path.stat().st_mtime < now - TOUCHED:
                os.utime(path, (now, now))
        except FileNotFoundError:
            return False
        return True

    def put(self, name: str, content: bytes) -> None:
        """Write a file; whoever opens it meanwhile finds the whole of it, or none."""
        unfinished = self.folder / f".{name}.{os.getpid()}.part"
        unfinished.write_bytes(content)
        unfinished.replace(self.path(name))

    def forget(self, now: float) -> int:
        """Delete what is neither needed nor fresh at `now`; return how many files went."""
        unneeded: list[tuple[float, int, Path]] = []
        total, gone = 0, 0
        for path in self._files():
            with suppress(FileNotFoundError):
                about = path.stat()
                age = now - about.st_mtime
                if _UNFINISHED.fullmatch(path.name):
                    gone += age > UNFINISHED_KEPT and _delete(path)
                elif _OURS.fullmatch(path.name):
                    if path.name not in self.needed and age > UNNEEDED_KEPT:
                        gone += _delete(path)
                        continue
                    total += about.st_size
                    if path.name not in self.needed:
                        unneeded.append((about.st_mtime, about.st_size, path))
        for _, size, path in sorted(unneeded):
            if total <= self._limit:
                break
            total -= size
            gone += _delete(path)
        return gone

    def _files(self) -> Collection[Path]:
        return list(self.folder.iterdir()) if self.folder.is_dir() else []


def _delete(path: Path) -> bool:
    path.unlink(missing_ok=True)
    return True
