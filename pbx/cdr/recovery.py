"""Ends, in the records, the calls that were going on when the server was killed.

Each left its first event in `open_calls` and its further ones in `events`. They are folded again,
as far as they go, and ended at the last time at which the server is known to have lived. That is
one transaction, so a second kill in the middle of it changes nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, Row, delete, select

from pbx.cdr.closing import record_of
from pbx.cdr.fold import fold, fold_all, interruption
from pbx.cdr.open_call import OpenCall
from pbx.cdr.rows import EventRow, RecordRow, event_row, read_event, read_events, record_row
from pbx.db import schema
from pbx.db.bulk import BulkInsert
from pbx.events.bus import Stamped

log = logging.getLogger(__name__)

UNWRITTEN = 100_000
"""Numbers that a killed server may have given to events without writing them, and more."""

_EVENTS = BulkInsert(schema.events, existing="ignore")
_RECORDS = BulkInsert(schema.records, existing="replace")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found: calls that were cut off, and where the numbers of events go on."""

    calls: int
    next_seq: int


def close_interrupted(connection: Connection) -> Recovered:
    """Make a record of every open call; return how many there were."""
    last = connection.execute(select(schema.alive)).one_or_none()
    if last is None:
        return Recovered(0, 1)
    if not last.running:
        return Recovered(0, last.seq + 1)
    seq = last.seq
    events: list[EventRow] = []
    records: list[RecordRow] = []
    for opened in connection.execute(select(schema.open_calls).order_by("ordinal")):
        call = _refold(connection, opened)
        if call is not None and call.joined:
            continue
        if call is not None and call.ending is None:
            seq += 1
            end = _end_of(call, seq, last)
            events.append(event_row(opened.ordinal, [end]))
            call = fold(call, end)
        if call is not None:
            records.append(record_row(opened.ordinal, record_of(call)))
    _EVENTS.run(connection, events)
    _RECORDS.run(connection, records)
    connection.execute(delete(schema.open_calls))
    next_seq = seq + UNWRITTEN
    connection.execute(schema.alive.update().values(seq=next_seq - 1, running=False))
    return Recovered(len(records), next_seq)


def _refold(connection: Connection, opened: Row[tuple[int, str]]) -> OpenCall | None:
    try:
        started = read_event(opened.started)
    except msgspec.ValidationError as error:
        log.error("an open call is not recorded, another version wrote it (%s)", error)
        return None
    stretches = connection.execute(
        select(schema.events.c.body)
        .where(schema.events.c.call == opened.ordinal)
        .order_by(schema.events.c.seq)
    ).scalars()
    rest = [stamped for body in stretches for stamped in read_events(body)]
    return fold_all([started, *rest])


def _end_of(call: OpenCall, seq: int, last: Row[tuple[int, float, float, int, bool]]) -> Stamped:
    """Return the end of the call, at the server's last sign of life."""
    monotonic = max(last.monotonic, call.monotonic + call.now / 1000)
    return interruption(call, seq=seq, at=last.at, monotonic=monotonic)
