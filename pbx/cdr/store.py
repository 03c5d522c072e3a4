"""Looks up records and events: newest first, page by page, by the narrow index of schema.py.

Only calls that are over have a record; the calls that go on are the server's to show.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial

from sqlalchemy import ColumnElement, Connection, select

from pbx.cdr.late import amend_without_server
from pbx.cdr.outbox import SEAL_EVERY
from pbx.cdr.record import CallRecord, RecordQuery
from pbx.cdr.rows import first_ordinal, read_events, read_record
from pbx.db import schema
from pbx.db.engine import Storage
from pbx.db.text import storable
from pbx.errors import NotFound, Refused
from pbx.events import AnyEvent
from pbx.events.bus import Stamped

PAGE = 1_000
"""Records of one answer at most."""

PAGE_ENDS = 1_000
"""Ends of pages that are kept in mind."""

_records = schema.records.c
_events = schema.events.c


class RecordStore:
    """The records of an office.

    `fresh` is awaited before each look-up: a server gives its recorder's `flush`, so that a call
    that has just ended is found.
    """

    def __init__(
        self, database: Storage, *, fresh: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        self._database = database
        self._fresh = fresh
        self._page_ends: dict[str, int] = {}

    async def find(self, query: RecordQuery) -> list[CallRecord]:
        """Return the records that match, newest first.

        Raises Refused for a limit beyond 1–1000, NotFound where `query.before` is no record.
        """
        if not 1 <= query.limit <= PAGE:
            raise Refused(f"a page has 1 to {PAGE} records, not {query.limit}")
        await self._refresh()
        before = None
        if query.before is not None:
            before = self._page_ends.get(query.before)
            if before is None:
                before = await self._database.read(partial(_place, query.before))
        page, end = await self._database.read(partial(_find, query, before))
        if page:
            self._remember_end(page[-1].id, end)
        return page

    async def find_one(self, call: str) -> CallRecord:
        """Return the record of a call, named by its id or by so much of it as no other has.

        Raises NotFound where there is none, Refused where there are several.
        """
        await self._refresh()
        return await self._database.read(partial(_find_one, call))

    async def amend(self, call: str, event: AnyEvent, at: float) -> CallRecord:
        """Amend a record by an event of its call, at the wall time `at`, while no server runs.

        Return it as it is then; raises as `find_one` does.
        """
        return await self._database.write(partial(_amend, call, event, at))

    async def events_of(self, call: str) -> list[Stamped]:
        """Return what happened to a call that is over, in order; raises as `find_one` does."""
        await self._refresh()
        return await self._database.read(partial(_events_of, call))

    async def events_after(self, seq: int, *, limit: int) -> list[Stamped]:
        """Return up to `limit` (at most 1000) events of all calls with a number above `seq`."""
        if not 1 <= limit <= PAGE:
            raise Refused(f"a page has 1 to {PAGE} events, not {limit}")
        await self._refresh()
        return await self._database.read(partial(_events_after, seq, limit))

    async def pages(self, query: RecordQuery) -> AsyncIterator[list[CallRecord]]:
        """Yield all records that match, newest first, in pages; `query.limit` is a page's size."""
        while page := await self.find(query):
            yield page
            query = replace(query, before=page[-1].id)

    def _remember_end(self, call: str, ordinal: int) -> None:
        """Keep in mind where a page ended, for whoever asks for the next one."""
        if len(self._page_ends) >= PAGE_ENDS:
            self._page_ends.pop(next(iter(self._page_ends)))
        self._page_ends[call] = ordinal

    async def _refresh(self) -> None:
        if self._fresh is not None:
            await self._fresh()


def _find(
    query: RecordQuery, before: int | None, connection: Connection
) -> tuple[list[CallRecord], int]:
    """Return a page, and the place of its last record."""
    # Asked for the ordinals alone, SQLite reads the narrow index and not the records themselves.
    page = (
        select(_records.ordinal)
        .where(*_conditions(query, before))
        .order_by(_records.ordinal.desc())
        .limit(query.limit)
    )
    statement = select(_records.ordinal, _records.body).where(_records.ordinal.in_(page))
    rows = connection.execute(statement.order_by(_records.ordinal.desc())).all()
    return [read_record(row.body) for row in rows], rows[-1].ordinal if rows else 0


def _conditions(query: RecordQuery, before: int | None) -> list[ColumnElement[bool]]:
    wanted = (
        (_records.caller, query.from_),
        (_records.called, query.to),
        (_records.result, query.result),
        (_records.queue, query.queue),
        (_records.agent, query.agent),
    )
    conditions = [column == storable(value) for column, value in wanted if value is not None]
    if query.since is not None:
        conditions.append(_records.ordinal >= first_ordinal(query.since))
    if query.until is not None:
        conditions.append(_records.ordinal < first_ordinal(query.until))
    if before is not None:
        conditions.append(_records.ordinal < before)
    return conditions


def _place(call: str, connection: Connection) -> int:
    """Return the ordinal of the one record whose id begins with `call`."""
    call = storable(call)
    statement = (
        select(_records.id, _records.ordinal)
        .where(_records.id >= call, _records.id < call + "\U0010ffff")
        .order_by(_records.id)
        .limit(2)
    )
    found = connection.execute(statement).all()
    if not call or not found:
        raise NotFound(f"there is no record of a call {call}")
    if len(found) > 1 and found[0].id != call:
        raise Refused(f"more than one call begins with {call}; give more of its id")
    return int(found[0].ordinal)


def _find_one(call: str, connection: Connection) -> CallRecord:
    statement = select(_records.body).where(_records.ordinal == _place(call, connection))
    return read_record(connection.execute(statement).scalar_one())


def _amend(call: str, event: AnyEvent, at: float, connection: Connection) -> CallRecord:
    return amend_without_server(connection, _place(call, connection), event, at)


def _events_of(call: str, connection: Connection) -> list[Stamped]:
    ordinal = _place(call, connection)
    statement = select(_events.body).where(_events.call == ordinal).order_by(_events.seq)
    stretches = connection.execute(statement).scalars()
    return [stamped for body in stretches for stamped in read_events(body)]


def _events_after(seq: int, limit: int, connection: Connection) -> list[Stamped]:
    # A row holds one call's events among those of a stretch of at most SEAL_EVERY numbers, and is
    # filed under the last: the rows beyond the page may hold events that belong on it.
    page = select(_events.seq).where(_events.seq > seq).order_by(_events.seq).limit(limit)
    last = connection.execute(page).scalars().all()
    if not last:
        return []
    rows = select(_events.body).where(_events.seq > seq, _events.seq <= last[-1] + SEAL_EVERY)
    found = [
        stamped
        for body in connection.execute(rows).scalars()
        for stamped in read_events(body)
        if stamped.seq > seq
    ]
    return sorted(found, key=_by_seq)[:limit]


def _by_seq(stamped: Stamped) -> int:
    return stamped.seq
