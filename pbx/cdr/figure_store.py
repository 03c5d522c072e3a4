"""Reads what counts of records and what agents did, for reports and for a day that goes on. [io]

A year of a thousand calls a day is read in a second or two, a piece at a time, so that nothing else
waits for the whole of it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from pbx.cdr.counts import Rules
from pbx.cdr.figures import Figures
from pbx.cdr.reconcile import contradictions
from pbx.cdr.report import FCR_MS, By, Ledger, Report, ReportQuery, report_of
from pbx.cdr.rows import first_ordinal, read_figures, read_record
from pbx.cdr.today import Today
from pbx.db.engine import Storage
from pbx.errors import Refused

log = logging.getLogger(__name__)

PIECE: Final = 2_000
"""Rows that are read at once."""

BEFORE: Final = 86_400_000
"""Milliseconds before a period in which calls began that may have come to a queue within it."""

LONGEST: Final = 7 * 86_400_000
"""Milliseconds before a period in which what an agent did within it may have begun."""

MOST_ALARMS: Final = 20
"""Lines in the log about one day."""

MOST_ROWS: Final = 100_000
"""Hours or days, times queues or agents, that one report may have."""

# Named, because the table itself is in the same order and a hundred times as large.
_FIGURES = (
    "SELECT ordinal, figures FROM records INDEXED BY records_figures"
    " WHERE figures IS NOT NULL AND ordinal >= ? AND ordinal < ? ORDER BY ordinal LIMIT ?"
)
_BODIES = (
    "SELECT ordinal, body FROM records"
    " WHERE figures IS NOT NULL AND ordinal >= ? AND ordinal < ? ORDER BY ordinal LIMIT ?"
)
_OVERLAPPING = "since >= ? AND since < ? AND until > ?"
_STRETCHES = (
    "SELECT number, agent, state, since, until FROM agent_states NOT INDEXED"
    f" WHERE number > ? AND {_OVERLAPPING} ORDER BY number LIMIT ?"
)
_STATES = (
    "SELECT agent, state, sum(min(until, ?) - max(since, ?)) FROM agent_states"
    f" WHERE {_OVERLAPPING} GROUP BY agent, state"
)


class FigureStore:
    """The figures of an office. `fresh` is awaited before each look-up, as RecordStore does."""

    def __init__(
        self,
        database: Storage,
        *,
        rules: Callable[[], Rules],
        wall: Callable[[], float],
        fresh: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._database = database
        self._rules = rules
        self._wall = wall
        self._fresh = fresh
        self._looked: float | None = None

    async def report(self, query: ReportQuery) -> Report:
        """Return a report. Raises Refused for a period that is none, or too long for its steps."""
        rules, now = self._rules(), self._wall()
        begin = _midnight(now, rules.timezone) if query.since is None else query.since
        since, until = round(begin * 1000), round((query.until or now) * 1000)
        if since >= until:
            raise Refused("the report's time ends before it begins")
        if query.by == "hour" and until - since > MOST_ROWS * 3_600_000:
            raise Refused("that many hours are no report; ask for days")
        known = query.by is not None or until + FCR_MS <= now * 1000
        ledger = Ledger(rules, since, until, query.by, contacts=known)
        if query.kind == "queues":
            await self._count(ledger, ledger.add_for_queues, until + FCR_MS if known else until)
        elif query.kind == "agents":
            await self._count(ledger, ledger.add_for_agents, until)
        else:
            await self._count(ledger, ledger.add_opinion, until)
        if query.kind == "agents":
            await self._add_stretches(ledger, query.by)
        return report_of(query.kind, ledger, round(now * 1000))

    async def seed(self, today: Today) -> None:
        """Count the calls of today that are over already."""
        await self._refresh()
        first, end = first_ordinal(today.midnight), first_ordinal(self._wall() + 1)
        while True:
            rows = await self._database.read(partial(_read, _BODIES, first, end))
            for _, body in rows:
                today.count(read_record(body))
            if len(rows) < PIECE:
                return
            first = rows[-1][0] + 1

    async def look_after(self, now: float, alarm: Callable[[str], None]) -> None:
        """Look whether the day before `now` (wall) adds up, once a day; tell `alarm` where not."""
        timezone = self._rules().timezone
        today = _midnight(now, timezone)
        if today == self._looked:
            return
        self._looked = today
        wrong = await self.contradictions(_midnight(today - 1, timezone), today)
        for sentence in wrong[:MOST_ALARMS]:
            log.error("the records of yesterday do not add up: %s", sentence)
        if wrong:
            alarm(f"yesterday's records do not add up, {len(wrong)} in all: {wrong[0]}")

    async def contradictions(self, since: float, until: float) -> list[str]:
        """Return, as sentences, what in the records of a time (seconds) does not add up."""
        await self._refresh()
        found: list[str] = []
        first, end = first_ordinal(since), first_ordinal(until)
        while True:
            rows = await self._database.read(partial(_read, _BODIES, first, end))
            found += [
                sentence for _, body in rows for sentence in contradictions(read_record(body))
            ]
            if len(rows) < PIECE:
                return found
            first = rows[-1][0] + 1

    async def _count(self, ledger: Ledger, add: Callable[[Figures], None], until: int) -> None:
        await self._refresh()
        first: int | None = first_ordinal((ledger.since - BEFORE) / 1000)
        end = first_ordinal(until / 1000)
        while first is not None:
            first = await self._database.read(partial(_add_piece, add, first, end))

    async def _add_stretches(self, ledger: Ledger, by: By | None) -> None:
        """Add what agents did; the database adds it up itself where there are no steps."""
        if by is None:
            sums = await self._database.read(partial(_read_states, ledger.since, ledger.until))
            for agent, state, length in sums:
                ledger.add_state(agent, state, length)
            return
        after = 0
        while True:
            query = partial(_read_stretches, ledger.since, ledger.until, after)
            rows = await self._database.read(query)
            for _, agent, state, since, until in rows:
                ledger.add_stretch(agent, state, since, until)
            if len(rows) < PIECE:
                return
            after = rows[-1][0]

    async def _refresh(self) -> None:
        if self._fresh is not None:
            await self._fresh()


def _midnight(wall: float, timezone: str) -> float:
    """Return when the day of `wall` began in a time zone."""
    zone = ZoneInfo(timezone)
    day = datetime.fromtimestamp(wall, zone).date()
    return datetime.combine(day, datetime.min.time(), zone).timestamp()


def _add_piece(
    add: Callable[[Figures], None], first: int, end: int, connection: Connection
) -> int | None:
    """Count some calls; return where to go on, None at the end."""
    rows = _read(_FIGURES, first, end, connection)
    for _, figures in rows:
        add(read_figures(figures))
    return rows[-1][0] + 1 if len(rows) == PIECE else None


def _read(statement: str, first: int, end: int, connection: Connection) -> list[tuple[int, str]]:
    cursor = connection.connection.cursor()
    rows: list[tuple[int, str]] = cursor.execute(statement, (first, end, PIECE)).fetchall()
    cursor.close()
    return rows


def _read_stretches(
    since: int, until: int, after: int, connection: Connection
) -> list[tuple[int, str, str, int, int]]:
    cursor = connection.connection.cursor()
    given = (after, since - LONGEST, until, since, PIECE)
    rows: list[tuple[int, str, str, int, int]] = cursor.execute(_STRETCHES, given).fetchall()
    cursor.close()
    return rows


def _read_states(since: int, until: int, connection: Connection) -> list[tuple[str, str, int]]:
    cursor = connection.connection.cursor()
    given = (until, since, since - LONGEST, until, since)
    rows: list[tuple[str, str, int]] = cursor.execute(_STATES, given).fetchall()
    cursor.close()
    return rows
