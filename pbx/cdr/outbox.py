"""Rows that wait to be written: what the recorder writes next, and where it waits when it cannot.

Every event passes through here once. A call's new events are folded and become one row when they
are sealed, the call itself one row when it begins (so that a killed server leaves a trace of it)
and one when it is over. Rows stay until the database has them; writing a row twice does no harm.
When the database takes nothing for long, the oldest give way: events early, records only beyond
`MAX_RECORDS`.

What comes after a call's end and amends its record (amend.py) waits apart and is written behind all
records that wait. Events that are about no call, such as those of an agent alone, leave no rows.

Pure: no clock, no database.
"""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Protocol, TypeVar

from msgspec.structs import replace

from pbx import events
from pbx.cdr.amend import AMENDMENTS
from pbx.cdr.closing import record_of
from pbx.cdr.fold import fold_all
from pbx.cdr.open_call import OpenCall
from pbx.cdr.record import CallRecord
from pbx.cdr.rows import EventRow, OpenRow, RecordRow, event_row, open_row, ordinal_of, record_row
from pbx.events import Event
from pbx.events.bus import Stamped

T = TypeVar("T")

log = logging.getLogger(__name__)

MAX_RECORDS = 50_000
"""Records that may wait; about 1.5 kB each."""

MAX_EVENT_ROWS = 30_000
"""Rows of events that may wait; about 1 kB each."""

SEAL_EVERY = 2_000
"""Events after which rows are made of what each call has: no row spans more numbers than that."""


KNOWN_CALLS = 50_000
"""Calls that are over and whose place in the database is kept in mind, for what comes later."""

_LATE: Final = frozenset({*AMENDMENTS, events.AgentStateChanged})
"""Events that may come after the end of the call that they name."""


class Listener(Protocol):
    """Who wants to know of calls that are in queues or with agents, as they are folded."""

    def changed(self, call: OpenCall) -> None:
        """Hear of a call that goes on."""

    def over(self, call: OpenCall, record: CallRecord) -> None:
        """Hear of a call that is over."""

    def joined(self, call: str) -> None:
        """Hear of a call that goes on as part of another."""

    def amended(self, call: str, event: Event) -> None:
        """Hear of what came after the end of a call."""


@dataclass(slots=True)
class Late:
    """What came after the end of a call; `ordinal` None: the database knows it.

    `kept` is false where the events are another call's, whose rows have them.
    """

    call: str
    ordinal: int | None
    stretch: list[Stamped]
    kept: bool = True


@dataclass(slots=True)
class Batch:
    """What one transaction writes; `closed` are the calls that are open no longer."""

    opened: list[OpenRow]
    events: list[EventRow]
    records: list[RecordRow]
    closed: list[int]
    late: list[Late] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.opened or self.events or self.records or self.late or self.closed)


@dataclass(slots=True)
class _Call:
    """A call that goes on, and whether it was announced as one."""

    ordinal: int
    state: OpenCall
    announced: bool = False


class Outbox:
    """Folds events into calls and keeps the rows that are to be written."""

    def __init__(
        self,
        *,
        max_records: int = MAX_RECORDS,
        max_events: int = MAX_EVENT_ROWS,
        listener: Listener | None = None,
    ) -> None:
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
        self._late: deque[Late] = deque()
        self._tried: list[Stamped] = []
        self._places: dict[str, int] = {}
        self._joined: list[int] = []
        self._heirs: dict[str, str] = {}
        self._in_database: set[int] = set()
        self.listener = listener

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
        self.last_seq = stamped.seq
        event = stamped.event
        if not event.call:
            return
        self._fresh[event.call].append(stamped)
        if type(event) is events.CallbackTried:
            self._tried.append(stamped)
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
        for stamped in self._tried:
            self._count_try(stamped)
        self._tried.clear()
        self._give_way()

    def batch(self, limit: int) -> Batch:
        """Return the oldest rows, at most `limit` records and events; they stay until `written`."""
        records = list(islice(self._records, limit))
        closed = [row[0] for row in records if row[0] in self._in_database]
        closed += [ordinal for ordinal in self._joined if ordinal in self._in_database]
        # What amends a record comes behind it: not before all that wait are in this batch.
        late = islice(self._late, limit if len(records) == len(self._records) else 0)
        rows = list(islice(self._events, limit))
        return Batch(list(self._opened.values()), rows, records, closed, list(late))

    def written(self, batch: Batch) -> None:
        """Let go of what the database has now."""
        for row in batch.opened:
            self._opened.pop(row[0], None)
            self._in_database.add(row[0])
        self._in_database.difference_update(batch.closed)
        self._joined = [ordinal for ordinal in self._joined if ordinal in self._in_database]
        _drop(self._events, batch.events)
        _drop(self._records, batch.records)
        _drop(self._late, batch.late)

    def _fold(self, name: str, stretch: list[Stamped]) -> None:
        name = self._heirs.get(name, name)
        call = self._calls.get(name)
        state = fold_all(stretch, None if call is None else call.state)
        if state is None:
            self._after_the_end(name, stretch)
            return
        if call is None:
            call = _Call(ordinal_of(state.started_ms, state.seq), state)
        call.state = state
        if state.joined:
            self._forget(name, call.ordinal)
            self._joined.append(call.ordinal)
            _remember(self._heirs, name, state.joined)
            if self.listener is not None:
                self.listener.joined(name)
        elif state.ending is not None:
            self._forget(name, call.ordinal)
            record = record_of(state)
            self._records.append(record_row(call.ordinal, record))
            self._tell(state, record)
        else:
            self._calls[name] = call
            if not call.announced:
                call.announced = True
                self._opened[call.ordinal] = open_row(call.ordinal, stretch[0])
            self._tell(state, None)
        self._events.append(event_row(call.ordinal, stretch))

    def _forget(self, name: str, ordinal: int) -> None:
        """Let go of a call that goes on no longer, but for its place."""
        self._calls.pop(name, None)
        self._opened.pop(ordinal, None)
        _remember(self._places, name, ordinal)

    def _tell(self, state: OpenCall, record: CallRecord | None) -> None:
        """Tell the listener of a call with queues or agents."""
        if self.listener is None or (state.queue is None and not state.offers):
            return
        try:
            if record is None:
                self.listener.changed(state)
            else:
                self.listener.over(state, record)
        except Exception:  # the fence: whoever listens costs no call its record
            log.exception("call %s: a listener failed", state.id)

    # -- after the end -----------------------------------------------------------------------

    def _after_the_end(self, name: str, stretch: list[Stamped]) -> None:
        ordinal = self._places.get(name)
        late = [stamped for stamped in stretch if _may_come_late(stamped.event, ordinal)]
        strays = len(stretch) - len(late)
        if strays:
            self.stray_events += strays
            log.debug("call %s: %d events of no open call", name, strays)
        if late:
            self._late.append(Late(name, ordinal, late))
        if self.listener is not None:
            for stamped in late:
                self.listener.amended(name, stamped.event)

    def _count_try(self, stamped: Stamped) -> None:
        """Note a try of a call-back in the call in which it was booked, too."""
        event = stamped.event
        assert isinstance(event, events.CallbackTried)
        origin = self._calls.get(event.origin)
        if origin is not None:
            state = origin.state
            origin.state = replace(state, later=(*state.later, event))
        elif event.origin != event.call:
            ordinal = self._places.get(event.origin)
            self._late.append(Late(event.origin, ordinal, [stamped], kept=False))

    def _give_way(self) -> None:
        while len(self._events) > self._max_events:
            self._events.popleft()
            self.lost_events += 1
        while len(self._records) > self._max_records:
            self._records.popleft()
            self.lost_records += 1
        while len(self._late) > self._max_events:
            self._late.popleft()
            self.lost_events += 1


def _may_come_late(event: Event, ordinal: int | None) -> bool:
    """Tell whether an event of a call that is over is kept: what amends its record always, what
    only tells more of it where the call is known."""
    return type(event) in (AMENDMENTS if ordinal is None else _LATE)


def _remember(memory: dict[str, T], call: str, what: T) -> None:
    """Keep something of a call in mind; the oldest gives way beyond `KNOWN_CALLS`."""
    if len(memory) >= KNOWN_CALLS:
        memory.pop(next(iter(memory)))
    memory[call] = what


def _drop(waiting: deque[T], written: list[T]) -> None:
    """Take the written rows off the front; some may have given way in the meantime."""
    for row in written:
        if waiting and waiting[0] is row:
            waiting.popleft()
