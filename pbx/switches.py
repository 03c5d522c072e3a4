"""What was switched by hand, in memory and in the database: the day/night keys. [io]

A turn holds at once; the database has it a moment later, so that it is the same after a restart.
While the database takes nothing it is tried again each second, with one alarm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select

from pbx.db import schema
from pbx.db.engine import Storage
from pbx.errors import StorageError
from pbx.plan.hours import Schedule, State

RETRY = 1.0  # seconds between attempts while the database takes nothing

_STATES: dict[str, State] = {"open": "open", "closed": "closed", "holiday": "holiday"}

Turned = dict[str, tuple[State, datetime]]
"""Schedule → what it is switched to, and until when (UTC)."""


class DayNightSwitches:
    """The switches of all schedules, by name; satisfies `pbx.call.day_night.Switches`."""

    def __init__(self, database: Storage, *, alarm: Callable[[str], None]) -> None:
        self._database = database
        self._alarm = alarm
        self._turned: Turned = {}
        self._writer: asyncio.Task[None] | None = None
        self._changed = False

    async def load(self) -> None:
        """Read what was switched before; what has ended meanwhile is nothing any more."""
        self._turned = await self._database.read(_read)

    def state(self, schedule: Schedule, at: datetime) -> State | None:
        """Return what a schedule is switched to; None where it is not, or no longer."""
        turned = self._turned.get(schedule.name)
        return turned[0] if turned is not None and at < turned[1] else None

    def turn(self, schedule: Schedule, state: State | None, until: datetime) -> None:
        """Switch a schedule to `state` until a moment; None leaves it to itself again."""
        if state is None:
            self._turned.pop(schedule.name, None)
        else:
            self._turned[schedule.name] = state, until.astimezone(UTC)
        self._changed = True
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write(), name="switches")

    async def close(self) -> None:
        """Write what is not written yet, in one attempt."""
        if self._writer is not None and not self._writer.done():
            self._writer.cancel()
            await asyncio.wait((self._writer,))
            await self._save()

    async def _write(self) -> None:
        while self._changed:
            if not await self._save():
                await asyncio.sleep(RETRY)

    async def _save(self) -> bool:
        turned = dict(self._turned)
        self._changed = False
        try:
            await self._database.write(lambda connection: _replace(connection, turned))
        except StorageError as error:
            self._changed = True
            self._alarm(f"the day/night switches are not stored, a restart forgets them: {error}")
            return False
        return True


def _read(connection: Connection) -> Turned:
    rows = connection.execute(select(schema.switches))
    return {
        row.schedule: (_STATES[row.state], datetime.fromtimestamp(row.until / 1000, UTC))
        for row in rows
        if row.state in _STATES
    }


def _replace(connection: Connection, turned: Turned) -> None:
    connection.execute(delete(schema.switches))
    rows = [
        {"schedule": name, "state": state, "until": round(until.timestamp() * 1000)}
        for name, (state, until) in turned.items()
    ]
    if rows:
        connection.execute(insert(schema.switches), rows)
