"""[io] Looks recordings up in the index, and notes who fetched them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, insert, select

from pbx.db import schema
from pbx.db.engine import Storage
from pbx.db.text import storable
from pbx.errors import NotFound, Refused
from pbx.recordings.model import (
    KEPT,
    Access,
    RecordingDetails,
    RecordingEntry,
    RecordingQuery,
    inside,
)
from pbx.recordings.rows import IndexRow, read_row, utc_text

PAGE = 1_000
"""Recordings of one answer at most."""

_rows = schema.recordings.c
_accesses = schema.recording_accesses.c


class RecordingStore:
    """The recordings of an office; their files are in `folder`.

    `fresh` is awaited before each look-up: a server gives its index's `flush`.
    """

    def __init__(
        self,
        database: Storage,
        folder: Path,
        *,
        fresh: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._database = database
        self._folder = folder
        self._fresh = fresh

    async def find(self, query: RecordingQuery) -> list[RecordingEntry]:
        """Return the recordings that match, newest first.

        Raises Refused for a limit beyond 1–1000, NotFound where `query.before` is none.
        """
        if not 1 <= query.limit <= PAGE:
            raise Refused(f"a page has 1 to {PAGE} recordings, not {query.limit}")
        await self._refresh()
        return [row.entry() for row in await self._database.read(partial(_find, query))]

    async def find_one(self, recording: str) -> RecordingDetails:
        """Return a recording and who listened to it; raises NotFound."""
        await self._refresh()
        return await self._database.read(partial(_details, recording))

    async def fetch(
        self, recording: str, *, by: str | None, at: float
    ) -> tuple[RecordingEntry, Path]:
        """Return a recording and its file; note that `by` fetched it at `at` (wall), unless None.

        Raises NotFound where there is none, Refused where it is not complete or gone.
        """
        entry = (await self.find_one(recording)).recording
        if entry.state not in KEPT:
            raise Refused(f"recording {entry.id} cannot be heard: {_WHY[entry.state]}")
        path = self._folder / inside(entry.file)
        if path.is_symlink() or not path.resolve().is_relative_to(self._folder.resolve()):
            raise Refused(f"the file of recording {entry.id} is not where it should be")
        if not path.is_file():
            raise Refused(f"the file of recording {entry.id} is gone from {path}")
        if by is not None:
            await self._database.write(partial(_note_access, entry.id, by, at))
        return entry, path

    async def _refresh(self) -> None:
        if self._fresh is not None:
            await self._fresh()


_WHY = {
    "recording": "it is still going on",
    "missing": "its file is gone",
    "deleted": "it was deleted when its time was over",
}


def _find(query: RecordingQuery, connection: Connection) -> list[IndexRow]:
    statement = (
        select(schema.recordings)
        .where(*_conditions(query, connection))
        .order_by(_rows.started_at.desc(), _rows.id.desc())
        .limit(query.limit)
    )
    return [read_row(row) for row in connection.execute(statement)]


def _conditions(query: RecordingQuery, connection: Connection) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.since is not None:
        conditions.append(_rows.started_at >= round(query.since * 1000))
    if query.until is not None:
        conditions.append(_rows.started_at < round(query.until * 1000))
    if query.call is not None:
        call = storable(query.call)
        conditions += [_rows.id >= call, _rows.id < call + "\U0010ffff"]
    if query.before is not None:
        last = _one(query.before, connection)
        earlier = _rows.started_at < last.started_at
        beside = (_rows.started_at == last.started_at) & (_rows.id < last.id)
        conditions.append(earlier | beside)
    return conditions


def _details(recording: str, connection: Connection) -> RecordingDetails:
    row = _one(recording, connection)
    found = connection.execute(
        select(_accesses.at, _accesses.by)
        .where(_accesses.recording == row.id)
        .order_by(_accesses.number)
    )
    accesses = tuple(Access(at=utc_text(access.at), by=access.by) for access in found)
    return RecordingDetails(recording=row.entry(), accesses=accesses)


def _one(recording: str, connection: Connection) -> IndexRow:
    statement = select(schema.recordings).where(_rows.id == storable(recording))
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound(f"there is no recording {recording}")
    return read_row(row)


def _note_access(recording: str, by: str, at: float, connection: Connection) -> None:
    connection.execute(
        insert(schema.recording_accesses).values(recording=recording, at=round(at * 1000), by=by)
    )
