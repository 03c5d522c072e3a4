"""Writes what comes after the end of calls: their stored records are amended. [io]

A record is read, changed by the pure rules of amend.py and written back in the transaction that
also stores the event, so that the two never disagree. Without a server a command does the same
(`amend_without_server`): its events get the numbers behind the last ones.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import reduce

from sqlalchemy import Connection, select

from pbx.cdr.amend import amended
from pbx.cdr.outbox import Late
from pbx.cdr.record import CallRecord
from pbx.cdr.rows import event_row, read_record, record_row
from pbx.db import schema
from pbx.db.bulk import BulkInsert
from pbx.db.text import storable
from pbx.events import AnyEvent
from pbx.events.bus import Stamped

log = logging.getLogger(__name__)

_EVENTS = BulkInsert(schema.events, existing="ignore")
_RECORDS = BulkInsert(schema.records, existing="replace")
_records = schema.records.c


def write_late(connection: Connection, late: Sequence[Late]) -> None:
    """Amend the records of calls that are over, and store why."""
    for each in late:
        ordinal = each.ordinal if each.ordinal is not None else _place(connection, each.call)
        if ordinal is None:
            log.debug("call %s: nothing is known of it any more", each.call)
            continue
        if each.kept:
            _EVENTS.run(connection, [event_row(ordinal, each.stretch)])
        _amend(connection, ordinal, [stamped.event for stamped in each.stretch])


def amend_without_server(
    connection: Connection, ordinal: int, event: AnyEvent, at: float
) -> CallRecord:
    """Amend one record while no server runs, at the wall time `at`; return it."""
    alive = schema.alive
    last = connection.execute(select(alive)).one_or_none()
    seq = 1 if last is None else last.seq + 1
    if last is not None:
        connection.execute(alive.update().values(seq=seq))
    stamped = Stamped(seq, at, 0.0 if last is None else last.monotonic, event)
    _EVENTS.run(connection, [event_row(ordinal, [stamped])])
    _amend(connection, ordinal, [event])
    body = connection.execute(select(_records.body).where(_records.ordinal == ordinal))
    return read_record(body.scalar_one())


def _amend(connection: Connection, ordinal: int, happened: Sequence[AnyEvent]) -> None:
    query = select(_records.body).where(_records.ordinal == ordinal)
    body = connection.execute(query).scalar_one_or_none()
    if body is None:
        return
    before = read_record(body)
    after = reduce(amended, happened, before)
    if after != before:
        _RECORDS.run(connection, [record_row(ordinal, after)])


def _place(connection: Connection, call: str) -> int | None:
    """Return where the record of a call is, by its whole id; the newest first."""
    query = select(_records.ordinal).where(_records.id == storable(call))
    return connection.execute(query.order_by(_records.ordinal.desc()).limit(1)).scalar()
