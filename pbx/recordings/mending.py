"""Brings a row of the index and its file together again after a crash. Runs in a thread.

A file without a row that is named as recordings are gets one: its name says whose it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pbx.errors import Refused
from pbx.media.recording.repair import Repaired, repair
from pbx.recordings.model import FILE_NAME, inside
from pbx.recordings.rows import IndexRow

INTERRUPTED = "the recording was cut off by a crash"
NO_FILE = "its file is gone"
NOT_OURS = "its file is damaged beyond mending"

_SUFFIXES = (".wav", ".opus")


def mend(folder: Path, row: IndexRow) -> None:
    """Let the file of a recording that was cut off be whole, and the row say what it holds."""
    try:
        found = repair(folder / inside(row.file))
    except FileNotFoundError:
        row.state, row.error = "missing", row.error or NO_FILE
        return
    except (OSError, Refused) as error:
        row.state, row.error = "interrupted", str(error)
        return
    row.state = "interrupted"
    if found is None:
        row.error = NOT_OURS
    else:
        _fill(row, found)
        row.error = row.error or INTERRUPTED


def adopt(folder: Path, file: str) -> IndexRow | None:
    """Return a row for a file that has none; None for a file that is no recording of ours."""
    path = folder / inside(file)
    named = FILE_NAME.fullmatch(path.name)
    try:
        written_at = path.stat().st_mtime
        found = repair(path)
    except OSError:
        return None
    if named is None or found is None:
        return None
    row = IndexRow(
        id=named["id"],
        call=named["call"],
        started_at=round((written_at - found.seconds) * 1000),
        state="interrupted",
        format=_format(path),
        file=file,
        error=INTERRUPTED,
    )
    _fill(row, found)
    return row


def files(folder: Path) -> Iterator[str]:
    """Yield the path of each file below `folder` that is named as recordings are."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if FILE_NAME.fullmatch(name):
                yield (Path(parent) / name).relative_to(folder).as_posix()


def _fill(row: IndexRow, found: Repaired) -> None:
    row.seconds, row.octets, row.sha256 = round(found.seconds, 3), found.octets, found.sha256


def _format(path: Path) -> str:
    if path.suffix == ".opus":
        return "opus"
    with path.open("rb") as file:
        header = file.read(24)
    return "ulaw" if header[20:22] == b"\x07\0" else "pcm"
