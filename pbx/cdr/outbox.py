"""Rows that wait to be written: what the recorder writes next, and where it waits when it cannot.

Every event passes through here once. A call's new events are folded and become one row when they
are sealed, the call itself one row when it begins (so that a killed server leaves a trace of it)
and one when it is over. Rows stay until the database has them; writing a row twice does no harm.
When the database takes nothing for long, the oldest give way: events early, records only beyond
`MAX_RECORDS`.

Pure: no clock, no database.
"""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from pbx.cdr.closing import record_of
from pbx.cdr.fold import fold_all
from pbx.cdr.open_call import OpenCall
from pbx.cdr.rows import EventRow, OpenRow, RecordRow, event_row, open_row, ordinal_of, record_row
from pbx.events.bus import Stamped

T = TypeVar("T")

log = logging.getLogger(__name__)

MAX_RECORDS = 50_000
"""Records that may wait; about 1.5 kB each."""

MAX_EVENT_ROWS = 30_000
"""Rows of events that may wait; about 1 kB each."""

SEAL_EVERY = 2_000
"""Events after which rows are made of what each call has: no row spans more numbers than that."""


@dataclass(slots=True)
class Batch:
    """What one transaction writes; `closed` are the open calls whose record is among `records`."""

    opened: list[OpenRow]
    events: list[EventRow]
    records: list[RecordRow]
    closed: list[int]

    def __bool__(self) -> bool:
        return bool(self.opened or self.events or self.records)


@dataclass(slots=True)
class _Call:
    """A call that goes on, and whether it was announced as one."""

    ordinal: int
    state: OpenCall
    announced: bool = False


class Outbox:
    """Folds events into calls and keeps the rows that are to be written."""

    def __init__(self, *, max_records: int = MAX_RECORDS, max_events: int = MAX_EVENT_ROWS) -> None:
        self.lost_records = 0
        self.lost_events = 0
        self.stray_events = 0
        self.last_seq = 0
        self._max_records = max_records
        self._max_events = max_events
        self._calls: dict[str, _Call] = {}
        self._fresh: defaultdict[str, list[Stamped]] = defaultdict(list)
        self._fresh_events = 0
        self._opened: dict[int, OpenRow] = {}
        self._events: deque[EventRow] = deque()
        self._records: deque[RecordRow] = deque()
        self._in_database: set[int] = set()

    @property
    def open_calls(self) -> int:
        """Return how many calls went on when rows were made last."""
        return len(self._calls)

    @property
    def waiting_records(self) -> int:
        """Return how many finished records are not written yet."""
        return len(self._records)

    def take(self, stamped: Stamped) -> None:
        """Keep an event until the next `seal`."""
        self._fresh[stamped.event.call].append(stamped)
        self.last_seq = stamped.seq
        self._fresh_events += 1
        if self._fresh_events >= SEAL_EVERY:
            self.seal()

    def seal(self) -> None:
        """Fold what was taken since the last time into its calls, and make rows of it."""
        fresh, self._fresh = self._fresh, defaultdict(list)
        self._fresh_events = 0
        for name, stretch in fresh.items():
            try:
                self._fold(name, stretch)
            except Exception:  # the fence: a defect costs the record of its own call only
                log.exception("call %s: cannot be recorded", name)
        self._give_way()

    def batch(self, limit: int) -> Batch:
        """Return the oldest rows, at most `limit` records and events; they stay until `written`."""
        records = list(islice(self._records, limit))
        return Batch(
            list(self._opened.values()),
            list(islice(self._events, limit)),
            records,
            [row[0] for row in records if row[0] in self._in_database],
        )

    def written(self, batch: Batch) -> None:
        """Let go of what the database has now."""
        for row in batch.opened:
            self._opened.pop(row[0], None)
            self._in_database.add(row[0])
        self._in_database.difference_update(batch.closed)
        _drop(self._events, batch.events)
        _drop(self._records, batch.records)

    def _fold(self, name: str, stretch: list[Stamped]) -> None:
        call = self._calls.get(name)
        state = fold_all(stretch, None if call is None else call.state)
        if state is None:
            self.stray_events += len(stretch)
            log.debug("call %s: %d events of no open call", name, len(stretch))
            return
        if call is None:
            call = _Call(ordinal_of(state.started_ms, state.seq), state)
        call.state = state
        if state.ending is not None:
            self._calls.pop(name, None)
            self._opened.pop(call.ordinal, None)
            self._records.append(record_row(call.ordinal, record_of(state)))
        else:
            self._calls[name] = call
            if not call.announced:
                call.announced = True
                self._opened[call.ordinal] = open_row(call.ordinal, stretch[0])
        self._events.append(event_row(call.ordinal, stretch))

    def _give_way(self) -> None:
        while len(self._events) > self._max_events:
            self._events.popleft()
            self.lost_events += 1
        while len(self._records) > self._max_records:
            self._records.popleft()
            self.lost_records += 1


def _drop(waiting: deque[T], written: list[T]) -> None:
    """Take the written rows off the front; some may have given way in the meantime."""
    for row in written:
        if waiting and waiting[0] is row:
            waiting.popleft()
