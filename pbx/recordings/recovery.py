"""[io] Brings index and files together at the start of a server, and says what did not fit.

Rows of recordings that were going on when the server was killed are mended with their files. Files
without a row, and rows whose file is gone, are looked for in the background, as there may be many:
a file of ours gets a row, a row without a file says so. All of it is done again safely after a
second kill.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, select

from pbx.db import schema
from pbx.db.engine import Storage
from pbx.recordings.index import RecordingIndex
from pbx.recordings.mending import NO_FILE, adopt, files, mend
from pbx.recordings.model import FILE_NAME, KEPT
from pbx.recordings.rows import IndexRow, read_row

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Files looked at before the index is written."""

_rows = schema.recordings.c


@dataclass(frozen=True, slots=True)
class Audit:
    """What does not fit: rows without their file, files without a row (paths, sorted)."""

    rows_alone: tuple[str, ...]
    files_alone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done: recordings mended after a crash, files that got a row, rows whose file is
    gone, and files that could not be read as recordings."""

    mended: int = 0
    adopted: int = 0
    missing: int = 0
    strange: tuple[str, ...] = ()


async def cut_off(database: Storage) -> list[IndexRow]:
    """Return the rows of recordings that were going on: ask before any is started."""
    return await database.read(_going_on)


async def recover(
    database: Storage, index: RecordingIndex, folder: Path, interrupted: Iterable[IndexRow]
) -> Recovered:
    """Mend what `cut_off` returned, then look for what is alone; may run beside calls."""
    mended = 0
    for row in interrupted:
        await asyncio.to_thread(mend, folder, row)
        index.put(row)
        mended += 1
    await index.flush()
    found = await audit(database, folder)
    adopted, strange = await _adopt_all(index, folder, found.files_alone)
    missing = await _note_missing(database, index, found.rows_alone)
    await index.flush()
    done = Recovered(mended, adopted, missing, strange)
    if done != Recovered():
        log.warning(
            "recordings: %d mended, %d files got a row, %d files are gone, %d files are strange",
            *(mended, adopted, missing, len(strange)),
        )
    return done


async def audit(database: Storage, folder: Path) -> Audit:
    """Compare the index with the files below `folder`."""
    there = frozenset(await asyncio.to_thread(lambda: tuple(files(folder))))
    states = await database.read(_states)
    alone = (file for file, state in states.items() if state in KEPT and file not in there)
    return Audit(tuple(sorted(alone)), tuple(sorted(there - states.keys())))


async def _adopt_all(
    index: RecordingIndex, folder: Path, alone: Iterable[str]
) -> tuple[int, tuple[str, ...]]:
    adopted = 0
    strange = []
    for file in alone:
        if index.is_busy(_id_of(file)):
            continue  # a recording that has just begun
        row = await asyncio.to_thread(adopt, folder, file)
        if row is None:
            strange.append(file)
            continue
        index.put(row)
        adopted += 1
        if adopted % AT_ONCE == 0:
            await index.flush()
    return adopted, tuple(strange)


async def _note_missing(database: Storage, index: RecordingIndex, alone: Iterable[str]) -> int:
    gone = 0
    for file in alone:
        row = await database.read(partial(_by_file, _id_of(file)))
        if row is not None and not index.is_busy(row.id):
            row.state, row.error = "missing", NO_FILE
            index.put(row)
            gone += 1
    return gone


def _id_of(file: str) -> str:
    named = FILE_NAME.fullmatch(file.rpartition("/")[2])
    return named["id"] if named is not None else file


def _going_on(connection: Connection) -> list[IndexRow]:
    statement = select(schema.recordings).where(_rows.state == "recording")
    return [read_row(row) for row in connection.execute(statement)]


def _states(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(_rows.file, _rows.state))
    return {row.file: row.state for row in rows}


def _by_file(recording: str, connection: Connection) -> IndexRow | None:
    statement = select(schema.recordings).where(_rows.id == recording)
    row = connection.execute(statement).one_or_none()
    return read_row(row) if row is not None else None
