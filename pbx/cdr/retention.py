"""Forgets what is too old: events after days, records after years, a few rows at a time.

The steps are small because there is one writer: nothing that wants to be written waits for more
than one of them. SQLite uses the room again; the file does not shrink.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection, delete, select

from pbx.cdr.rows import first_ordinal
from pbx.db import schema
from pbx.db.engine import Storage

STEP = 500  # rows

EVENTS_KEPT = 7 * 86_400.0  # seconds
RECORDS_KEPT = 730 * 86_400.0  # seconds


async def forget(
    database: Storage,
    now: float,
    *,
    events_kept: float = EVENTS_KEPT,
    records_kept: float = RECORDS_KEPT,
) -> tuple[int, int]:
    """Delete what is older than so many seconds at `now` (wall); return how many rows of each."""
    events = await _in_steps(database, partial(_old_events, now - events_kept))
    records = await _in_steps(database, partial(_old_records, now - records_kept))
    return events, records


async def _in_steps(database: Storage, step: partial[int]) -> int:
    gone = 0
    while deleted := await database.write(step):
        gone += deleted
        if deleted < STEP:
            break
    return gone


def _old_events(before: float, connection: Connection) -> int:
    table = schema.events
    oldest = select(table.c.seq, table.c.at).order_by(table.c.seq).limit(STEP).subquery()
    old = select(oldest.c.seq).where(oldest.c.at < round(before * 1000))
    return connection.execute(delete(table).where(table.c.seq.in_(old))).rowcount


def _old_records(before: float, connection: Connection) -> int:
    table = schema.records
    old = select(table.c.ordinal).where(table.c.ordinal < first_ordinal(before))
    step = old.order_by(table.c.ordinal).limit(STEP)
    return connection.execute(delete(table).where(table.c.ordinal.in_(step))).rowcount
