"""Stored records that change after the end of their calls, with the reason kept beside them."""

from __future__ import annotations

import pytest

from pbx.cdr.late import write_late
from pbx.cdr.outbox import Late
from pbx.cdr.recorder import Recorder
from pbx.cdr.recovery import close_interrupted
from pbx.cdr.store import RecordStore
from pbx.db.engine import MemoryDatabase
from pbx.errors import NotFound
from pbx.events import CallJoined, RecordAmended
from pbx.events.bus import Stamped
from tests.cdr.story import START, Story, queue_call
from tests.kit.clock import VirtualClock
from tests.kit.loop import run

NOTED = RecordAmended(call="q1", disposition="refund", by="socket")


async def recorded(*stories: Story, killed: bool = False) -> MemoryDatabase:
    """Return a database that a server left which heard these calls."""
    database = MemoryDatabase()
    recorder = Recorder(database, VirtualClock(wall=START))
    for story in stories:
        for stamped in story.events:
            recorder(stamped)
    assert await recorder.flush()
    if not killed:
        await recorder.close()
    return database


def test_without_a_server_a_note_is_an_event_behind_the_last_one() -> None:
    async def main() -> None:
        database = await recorded(queue_call())
        store = RecordStore(database)
        last = (await store.events_of("q1"))[-1].seq
        record = await store.amend("q", NOTED, START + 99)
        again = await store.amend("q1", RecordAmended(call="q1", note="angry"), START + 100)
        assert (record.disposition, again.disposition, again.note) == ("refund", "refund", "angry")
        noted = (await store.events_of("q1"))[-2:]
        assert [stamped.seq for stamped in noted] == [last + 1, last + 2]
        assert [stamped.at for stamped in noted] == [START + 99, START + 100]
        assert (await database.write(close_interrupted)).next_seq == last + 3
        with pytest.raises(NotFound):
            await store.amend("q9", NOTED, START)

    run(main())


def test_an_office_that_never_served_takes_a_note_too() -> None:
    async def main() -> None:
        database = await recorded(queue_call())
        await database.write(lambda connection: connection.exec_driver_sql("DELETE FROM alive"))
        assert (await RecordStore(database).amend("q1", NOTED, START)).disposition == "refund"

    run(main())


def test_what_changes_nothing_is_stored_all_the_same_and_what_is_unknown_is_let_go() -> None:
    async def main() -> None:
        database = await recorded(queue_call())
        nothing = RecordAmended(call="q1", by="socket")
        late = [
            Late("q1", None, [Stamped(900, START, 1.0, nothing)]),
            Late("gone", None, [Stamped(901, START, 1.0, NOTED)]),
            Late("lost", 4711, [Stamped(902, START, 1.0, NOTED)], kept=False),
        ]
        await database.write(lambda connection: write_late(connection, late))
        found = [stamped.seq for stamped in await RecordStore(database).events_of("q1")]
        assert found[-1] == 900
        assert await RecordStore(database).events_after(900, limit=9) == []

    run(main())


def test_a_killed_server_loses_no_note_of_a_call_that_went_on() -> None:
    async def main() -> None:
        going_on = queue_call()
        del going_on.events[-1]
        going_on.noted("refund")
        joined = Story("c9", seq=90).started().say(CallJoined(call="c9", into="q1"))
        database = await recorded(going_on, joined, killed=True)
        assert (await database.write(close_interrupted)).calls == 1
        record = await RecordStore(database).find_one("q1")
        assert (record.result, record.disposition) == ("interrupted", "refund")
        assert record.agents[0].talk_s == 60.0

    run(main())
