"""Mends the file of a recording that a crash cut off, and reads what a whole one is.

Runs in the signalling process, in a thread, for files that no worker writes any more.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pbx.media.recording.ogg import repair_ogg
from pbx.media.recording.wav import repair_wav


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a recording's file holds: seconds of sound, octets of the file, SHA-256 in hex."""

    seconds: float
    octets: int
    sha256: str


def repair(path: Path) -> Repaired | None:
    """Let the file at `path` be whole; nothing is written where it is already.

    None where it is no recording of ours: nothing is changed then. Raises OSError where it cannot
    be read or written, and for a symbolic link.
    """
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags), "r+b") as file:
        seconds = _mend(file)
        if seconds is None:
            return None
        file.flush()
        octets = file.seek(0, os.SEEK_END)
        file.seek(0)
        return Repaired(seconds, octets, hashlib.file_digest(file, "sha256").hexdigest())


def _mend(file: BinaryIO) -> float | None:
    wav = repair_wav(file)
    if wav is not None:
        return wav
    file.seek(0)
    return repair_ogg(file)
