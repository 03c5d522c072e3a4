"""[io] Deletes the files of recordings whose time is over, and watches the room on the disk.

The row stays, with the hash: that there was a recording is known for as long as its call's record
is. A file that cannot be deleted keeps its row as it is, and is tried again the next time.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, delete, select, update

from pbx.db import schema
from pbx.db.engine import Storage
from pbx.errors import Refused
from pbx.recordings.model import inside

log = logging.getLogger(__name__)

STEP = 200  # recordings of one transaction

_rows = schema.recordings.c
_OVER = ("complete", "interrupted", "missing")


async def forget_recordings(
    database: Storage, folder: Path, now: float, *, kept: float, rows_kept: float
) -> int:
    """Delete files older than `kept` seconds at `now` (wall), rows after `rows_kept`; return how
    many files."""
    gone = 0
    last = ""
    while old := await database.read(partial(_old, now - kept, last)):
        deleted = await asyncio.to_thread(_delete_all, folder, old)
        await database.write(partial(_mark, deleted))
        gone += len(deleted)
        last = max(old)
    await database.write(partial(_forget_rows, now - rows_kept))
    return gone


def free_octets(folder: Path) -> int:
    """Return how much may still be written where `folder` is."""
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


def _delete_all(folder: Path, old: dict[str, str]) -> list[str]:
    deleted = []
    for recording, file in old.items():
        try:
            path = folder / inside(file)
            path.unlink(missing_ok=True)
        except (OSError, Refused) as error:
            log.warning("recording %s cannot be deleted: %s", recording, error)
            continue
        deleted.append(recording)
        with suppress(OSError):  # the day's folder goes with its last file, and month and year
            for parent in list(path.parents)[: len(inside(file).parts) - 1]:
                parent.rmdir()
    return deleted


def _old(before: float, last: str, connection: Connection) -> dict[str, str]:
    """Return the next recordings that are over and too old: id → file."""
    statement = (
        select(_rows.id, _rows.file)
        .where(_rows.started_at < round(before * 1000), _rows.state.in_(_OVER), _rows.id > last)
        .order_by(_rows.id)
        .limit(STEP)
    )
    return {row.id: row.file for row in connection.execute(statement)}


def _mark(deleted: list[str], connection: Connection) -> None:
    if deleted:
        gone = update(schema.recordings).where(_rows.id.in_(deleted)).values(state="deleted")
        connection.execute(gone)


def _forget_rows(before: float, connection: Connection) -> None:
    old = select(_rows.id).where(_rows.started_at < round(before * 1000), _rows.state == "deleted")
    accesses = schema.recording_accesses
    connection.execute(delete(accesses).where(accesses.c.recording.in_(old)))
    connection.execute(delete(schema.recordings).where(_rows.id.in_(old.scalar_subquery())))
