"""Forgetting: only what is old, in small steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from pbx.cdr import retention
from pbx.cdr.record import RecordQuery
from pbx.cdr.recorder import Recorder
from pbx.cdr.retention import STEP, forget
from pbx.cdr.store import RecordStore
from pbx.db.engine import MemoryDatabase
from tests.cdr.story import START, plain_call
from tests.kit.clock import VirtualClock
from tests.kit.loop import run

T = TypeVar("T")
DAY = 86_400.0


class Counting(MemoryDatabase):
    """A database that counts its transactions."""

    writes = 0

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Count, and write."""
        self.writes += 1
        return await super().write(change)


async def recorded(database: MemoryDatabase, *, calls: int, apart: float) -> RecordStore:
    """Record so many calls, each a while after the one before."""
    recorder = Recorder(database, VirtualClock())
    for n in range(calls):
        for stamped in plain_call(f"c{n:05}", seq=n * 100 + 1, wall=START + n * apart).events:
            recorder(stamped)
    await recorder.flush()
    return RecordStore(database)


def test_only_what_is_older_than_it_may_be_is_forgotten() -> None:
    async def main() -> None:
        database = MemoryDatabase()
        store = await recorded(database, calls=10, apart=DAY)
        now = START + 9.5 * DAY
        gone = await forget(database, now, events_kept=3 * DAY, records_kept=7 * DAY)
        assert gone == (7, 3)
        left = [record.id for record in await store.find(RecordQuery())]
        assert left == [f"c{n:05}" for n in range(9, 2, -1)]
        assert len(await store.events_of("c00007")) == 13
        assert await store.events_of("c00006") == []

    run(main())


def test_nothing_is_forgotten_before_its_time() -> None:
    async def main() -> None:
        database = MemoryDatabase()
        await recorded(database, calls=3, apart=1.0)
        assert await forget(database, START + 60) == (0, 0)
        assert retention.EVENTS_KEPT == 7 * DAY
        assert await forget(database, START + 7.1 * DAY) == (3, 0)
        assert await forget(database, START + 731 * DAY) == (0, 3)

    run(main())


def test_much_is_forgotten_in_steps_that_others_can_write_between() -> None:
    async def main() -> None:
        database = Counting()
        await recorded(database, calls=STEP * 2 + 1, apart=0.001)
        database.writes = 0
        assert (await forget(database, START + 800 * DAY))[1] == STEP * 2 + 1
        assert database.writes == 6

    run(main())
