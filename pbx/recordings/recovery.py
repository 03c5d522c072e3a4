"""[io] Brings index and files together at the start of a server, and says what did not fit.

Rows of recordings that were going on when the server was killed are mended with their files. Files
without a row, and rows whose file is gone, are looked for in the background, as there may be many:
a file of ours gets a row, a row without a file says so. All of it is done again safely after a
second kill.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, select

from pbx.db import schema
from pbx.db.engine import Storage
from pbx.recordings.index import RecordingIndex
from pbx.recordings.mending import NO_FILE, adopt, files, mend
from pbx.recordings.model import FILE_NAME, KEPT
from pbx.recordings.rows import IndexRow, read_row

log = logging.getLogger(__name__)

STEP = 500
"""Files or rows looked at in one go: there may be a million."""

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
    adopted, strange = await _adopt_all(database, index, folder)
    missing = await _note_missing(database, index, folder)
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
    rows = [row.file async for row in _rows_alone(database, folder)]
    found = [file async for file, _ in _files_alone(database, folder)]
    return Audit(tuple(sorted(rows)), tuple(sorted(found)))


async def _adopt_all(
    database: Storage, index: RecordingIndex, folder: Path
) -> tuple[int, tuple[str, ...]]:
    adopted = 0
    strange = []
    async for file, known in _files_alone(database, folder):
        if index.is_busy(_id_of(file)):
            continue  # a recording that has just begun
        row = None if known else await asyncio.to_thread(adopt, folder, file)
        if row is None:
            strange.append(file)
            continue
        index.put(row)
        adopted += 1
        if adopted % STEP == 0:
            await index.flush()
    return adopted, tuple(strange)


async def _note_missing(database: Storage, index: RecordingIndex, folder: Path) -> int:
    gone = 0
    async for row in _rows_alone(database, folder):
        if not index.is_busy(row.id):
            row.state, row.error = "missing", NO_FILE
            index.put(row)
            gone += 1
    return gone


async def _files_alone(database: Storage, folder: Path) -> AsyncIterator[tuple[str, bool]]:
    """Yield each file that no row names, and whether there is a row of its id all the same."""
    walk = files(folder)
    while step := await asyncio.to_thread(lambda: list(islice(walk, STEP))):
        known = await database.read(partial(_files_of, [_id_of(file) for file in step]))
        for file in step:
            named = known.get(_id_of(file))
            if named != file:
                yield file, named is not None


async def _rows_alone(database: Storage, folder: Path) -> AsyncIterator[IndexRow]:
    """Yield each row that should have a file and has none."""
    last = (0, "")
    while rows := await database.read(partial(_kept_after, last)):
        last = (rows[-1].started_at, rows[-1].id)
        for row in await asyncio.to_thread(_without_file, folder, rows):
            yield row


def _without_file(folder: Path, rows: list[IndexRow]) -> list[IndexRow]:
    return [row for row in rows if not (folder / row.file).is_file()]


def _id_of(file: str) -> str:
    named = FILE_NAME.fullmatch(file.rpartition("/")[2])
    return named["id"] if named is not None else file


def _going_on(connection: Connection) -> list[IndexRow]:
    statement = select(schema.recordings).where(_rows.state == "recording")
    return [read_row(row) for row in connection.execute(statement)]


def _files_of(recordings: list[str], connection: Connection) -> dict[str, str]:
    statement = select(_rows.id, _rows.file).where(_rows.id.in_(recordings))
    return {row.id: row.file for row in connection.execute(statement)}


def _kept_after(last: tuple[int, str], connection: Connection) -> list[IndexRow]:
    """Return the next rows that should have a file, oldest first."""
    started_at, recording = last
    later = _rows.started_at > started_at
    beside = (_rows.started_at == started_at) & (_rows.id > recording)
    statement = (
        select(schema.recordings)
        .where(later | beside, _rows.state.in_(KEPT))
        .order_by(_rows.started_at, _rows.id)
        .limit(STEP)
    )
    return [read_row(row) for row in connection.execute(statement)]
