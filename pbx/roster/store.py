"""[io] The roster: what the call centre wants kept, in memory until the database has it.

Nobody who keeps something waits: what has changed is written within a tenth of a second, all of it
in one transaction. While the database takes nothing, changes wait here and are tried again, the
newest state of each thing. What an agent did is history and only grows; `stretches` reads it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import SQLAlchemyError

from pbx.acd.keeping import BookedCallback, Duty, Kept, Place, Stretch
from pbx.db import schema
from pbx.db.bulk import BulkDelete, BulkInsert
from pbx.db.engine import Storage
from pbx.db.gathering import keep_writing
from pbx.errors import StorageError
from pbx.roster import rows

log = logging.getLogger(__name__)

STRETCHES_KEPT: Final = 730 * 86_400.0
"""Seconds after which what an agent did is forgotten, unless told otherwise."""

PLACES_KEPT: Final = 86_400.0
"""Seconds after which a lost place is forgotten; it is of use for minutes."""

LONGEST: Final = 7 * 86_400.0
"""The longest stretch, in seconds, that is found when it begins before a time and ends after it."""

MOST_WAITING: Final = 200_000
"""Stretches that wait for a database that takes nothing; then the oldest are given up."""

_STEP: Final = 500  # rows of one deletion

_STRETCHES: Final = BulkInsert(schema.agent_states, existing="replace")
_PLACES: Final = BulkInsert(schema.places, existing="replace")
_NO_PLACES: Final = BulkDelete(schema.places)
_CALLBACKS: Final = BulkInsert(schema.callbacks, existing="replace")

_states = schema.agent_states.c

T = TypeVar("T")


@dataclass
class _Changes:
    """What is not written yet: the newest state of each thing, and all stretches in order."""

    duties: dict[str, Duty] = field(default_factory=dict)
    places: dict[str, Place | None] = field(default_factory=dict)
    callbacks: dict[str, BookedCallback] = field(default_factory=dict)
    stretches: list[Stretch] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.duties) + len(self.places) + len(self.callbacks) + len(self.stretches)

    def copy(self) -> _Changes:
        """Return what there is now."""
        return _Changes(
            dict(self.duties), dict(self.places), dict(self.callbacks), list(self.stretches)
        )

    def forget(self, written: _Changes) -> None:
        """Let what was written wait no more, unless it has changed again meanwhile."""
        _forget(self.duties, written.duties)
        _forget(self.places, written.places)
        _forget(self.callbacks, written.callbacks)
        del self.stretches[: len(written.stretches)]

    def write(self, connection: Connection) -> None:
        """Write all of it."""
        rows.write_duties(self.duties.values(), connection)
        _STRETCHES.run(connection, [rows.stretch_row(each) for each in self.stretches])
        places = [each for each in self.places.values() if each is not None]
        _PLACES.run(connection, [rows.place_row(each) for each in places])
        _NO_PLACES.run(connection, [(call,) for call, at in self.places.items() if at is None])
        _CALLBACKS.run(connection, [rows.callback_row(each) for each in self.callbacks.values()])


class Roster:
    """The call centre's memory; satisfies `pbx.acd.keeping.Keeping`."""

    def __init__(self, database: Storage, *, alarm: Callable[[str], object]) -> None:
        self._database = database
        self._alarm = alarm
        self._changes = _Changes()
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    @property
    def waiting(self) -> int:
        """Return how many changes are not written yet."""
        return len(self._changes)

    async def load(self) -> Kept:
        """Return what was kept: duties of all agents, places, and the call-backs that wait."""
        await self.flush()
        return await self._database.read(rows.read_kept)

    def start(self) -> None:
        """Begin to write by itself."""
        self._task = asyncio.get_running_loop().create_task(
            keep_writing(self._wake, self.flush, lambda: self.waiting), name="roster writer"
        )

    async def close(self) -> None:
        """Write what is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        if not await self.flush():
            log.error("%d changes of the call centre could not be written", self.waiting)

    # -- what is kept ------------------------------------------------------------------------

    def keep_duty(self, duty: Duty) -> None:
        """Remember whether an agent is on duty."""
        self._changes.duties[duty.agent] = duty
        self._wake.set()

    def keep_stretch(self, stretch: Stretch) -> None:
        """Remember what an agent did; what took no millisecond is not worth it."""
        if rows.ms(stretch.until) <= rows.ms(stretch.since):
            return
        self._changes.stretches.append(stretch)
        self._wake.set()

    def keep_place(self, place: Place) -> None:
        """Remember a caller's place, in place of what was known of it."""
        self._changes.places[place.call] = place
        self._wake.set()

    def forget_place(self, call: str) -> None:
        """Forget a place."""
        self._changes.places[call] = None
        self._wake.set()

    def keep_callback(self, callback: BookedCallback) -> None:
        """Remember a call-back, in place of what was known of it."""
        self._changes.callbacks[callback.id] = callback
        self._wake.set()

    # -- what was kept -----------------------------------------------------------------------

    async def stretches(self, agent: str | None, since: float, until: float) -> list[Stretch]:
        """Return what an agent, or all of them, did at any time from `since` until `until` (wall),
        in the order in which it began. What still goes on is not among it."""
        await self.flush()
        return await self._database.read(partial(_find, agent, since, until))

    async def callbacks(self) -> list[BookedCallback]:
        """Return all call-backs that are known, those that are over too, oldest first."""
        await self.flush()
        return await self._database.read(_all_callbacks)

    async def forget(self, now: float, *, kept: float = STRETCHES_KEPT) -> int:
        """Delete what agents did, and call-backs that are over, from more than `kept` seconds
        before `now` (wall), and lost places after a day; return how many stretches."""
        await self._database.write(partial(_forget_lost, now - PLACES_KEPT, now - kept))
        gone = 0
        while deleted := await self._database.write(partial(_forget_stretches, now - kept)):
            gone += deleted
            if deleted < _STEP:
                break
        return gone

    async def flush(self) -> bool:
        """Write what has changed; False where the database does not take it."""
        async with self._turn:
            if not self.waiting:
                return True
            written = self._changes.copy()
            if not await self._write(written):
                return False
            self._changes.forget(written)
            return True

    async def _write(self, changes: _Changes) -> bool:
        try:
            await self._database.write(changes.write)
        except (StorageError, SQLAlchemyError, sqlite3.Error) as error:
            if not self._failing:
                self._alarm(f"what agents do is not being saved: {error}; a restart forgets it")
            self._failing = True
            del self._changes.stretches[:-MOST_WAITING]
            return False
        self._failing = False
        return True


def _forget(waiting: dict[str, T], written: Mapping[str, T]) -> None:
    for key, value in written.items():
        if key in waiting and waiting[key] is value:
            del waiting[key]


def _find(agent: str | None, since: float, until: float, connection: Connection) -> list[Stretch]:
    """Find by when stretches ended, as the index does: inside the time, or soon after it."""
    statement = select(schema.agent_states).where(
        _states.until > rows.ms(since),
        _states.until <= rows.ms(until + LONGEST),
        _states.since < rows.ms(until),
    )
    if agent is not None:
        statement = statement.where(_states.agent == agent)
    found = connection.execute(statement.order_by(_states.since, _states.number))
    return [rows.stretch_of(row) for row in found]


def _all_callbacks(connection: Connection) -> list[BookedCallback]:
    table = schema.callbacks
    statement = select(table).order_by(table.c.joined_at, table.c.id)
    return [rows.callback_of(row) for row in connection.execute(statement)]


def _forget_lost(places_before: float, callbacks_before: float, connection: Connection) -> None:
    places, callbacks = schema.places, schema.callbacks
    connection.execute(delete(places).where(places.c.left_at < rows.ms(places_before)))
    connection.execute(
        delete(callbacks).where(
            callbacks.c.state != "waiting", callbacks.c.joined_at < rows.ms(callbacks_before)
        )
    )


def _forget_stretches(before: float, connection: Connection) -> int:
    old = select(_states.number).where(_states.until < rows.ms(before)).limit(_STEP)
    return connection.execute(delete(schema.agent_states).where(_states.number.in_(old))).rowcount
