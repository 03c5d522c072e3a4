"""The recorder on virtual time: batches, failures, the end of a server in good and in bad order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, func, select

from pbx.cdr.record import RecordQuery
from pbx.cdr.recorder import ALIVE_EVERY, INTERVAL, Recorder
from pbx.cdr.recovery import UNWRITTEN
from pbx.cdr.store import RecordStore
from pbx.db import schema
from pbx.db.engine import MemoryDatabase, open_database
from pbx.errors import StorageError
from pbx.events import WrapUpEnded
from tests.cdr.story import Story, plain_call, queue_call
from tests.kit.clock import VirtualClock
from tests.kit.loop import run

T = TypeVar("T")


class Disk(MemoryDatabase):
    """A database that can be full, and counts its transactions."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.writes = 0

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Fail while the disk is full."""
        self.writes += 1
        if self.full:
            raise StorageError("database or disk is full")
        return await super().write(change)

    async def count(self, table: str) -> int:
        """Return how many rows a table has."""
        query = select(func.count()).select_from(schema.metadata.tables[table])
        return await self.read(lambda connection: connection.execute(query).scalar_one())


class Server:
    """A recorder at work, its clock and its disk."""

    def __init__(self, disk: Disk | None = None) -> None:
        self.disk = disk or Disk()
        self.clock = VirtualClock()
        self.recorder = Recorder(self.disk, self.clock)

    def hear(self, story: Story) -> None:
        """Give the recorder what happened since the last time."""
        for stamped in story.events:
            self.recorder(stamped)
        story.events.clear()

    async def calls(self) -> list[tuple[str, str]]:
        """Return the id and result of each record, oldest first."""
        found = await RecordStore(self.disk).find(RecordQuery(limit=1_000))
        return [(record.id, record.result) for record in reversed(found)]


def hears(story: Story) -> Callable[[Server], Awaitable[None]]:
    """Return the scenario in which just this happens."""

    async def scenario(server: Server) -> None:
        server.hear(story)

    return scenario


def serve(scenario: Callable[[Server], Awaitable[None]], server: Server | None = None) -> Server:
    """Run a scenario with a started recorder; close it afterwards."""
    server = server or Server()

    async def main() -> None:
        await server.recorder.close_interrupted()
        server.recorder.start()
        await scenario(server)
        await server.recorder.close()

    run(main(), clock=server.clock)
    return server


def test_a_record_is_written_soon_after_the_call() -> None:
    async def scenario(server: Server) -> None:
        server.hear(plain_call())
        await asyncio.sleep(INTERVAL * 1.01)
        assert await server.calls() == [("c1", "answered")]

    serve(scenario)


def test_what_happens_within_the_interval_is_one_transaction() -> None:
    async def scenario(server: Server) -> None:
        before = server.disk.writes
        for n in range(70):
            server.hear(plain_call(f"c{n:02}", seq=n * 100 + 1))
        await asyncio.sleep(INTERVAL * 1.01)
        assert server.disk.writes - before == 1
        assert len(await server.calls()) == 70

    serve(scenario)


def test_nothing_is_written_while_nothing_happens() -> None:
    async def scenario(server: Server) -> None:
        before = server.disk.writes
        await asyncio.sleep(3_600)
        assert server.disk.writes == before

    serve(scenario)


def test_a_call_that_goes_on_is_on_disk_within_the_interval() -> None:
    async def scenario(server: Server) -> None:
        server.hear(Story().started())
        await asyncio.sleep(INTERVAL * 1.01)
        assert await server.disk.count("open_calls") == 1
        assert await server.calls() == []

    serve(scenario)


def test_flush_writes_at_once() -> None:
    async def scenario(server: Server) -> None:
        server.hear(plain_call())
        assert await server.recorder.flush()
        assert await server.calls() == [("c1", "answered")]

    serve(scenario)


def test_closing_writes_what_is_left() -> None:
    async def scenario(server: Server) -> None:
        server.hear(plain_call())

    server = serve(scenario)
    assert run(server.calls()) == [("c1", "answered")]


def test_a_full_disk_costs_no_record_and_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(server: Server) -> None:
        server.disk.full = True
        for n in range(10_000):
            server.hear(plain_call(f"c{n:05}", seq=n * 100 + 1))
            if n % 500 == 0:
                await asyncio.sleep(0.5)
        await asyncio.sleep(30)
        assert server.recorder.alarm == "database or disk is full"
        assert server.recorder.snapshot()["waiting_records"] == 10_000
        server.disk.full = False
        await asyncio.sleep(2)
        assert server.recorder.alarm is None
        assert await server.disk.count("records") == 10_000

    with caplog.at_level(logging.WARNING):
        serve(scenario)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "calls go on" in caplog.records[0].message


def test_a_disk_that_stays_full_to_the_end_is_told_and_does_not_hang(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(server: Server) -> None:
        server.disk.full = True
        server.hear(plain_call())

    serve(scenario)
    assert "1 records could not be written" in caplog.text


def kill(server: Server) -> Server:
    """Start another server on what a killed one left on its disk, its recorder not closed."""
    return Server(server.disk)


async def started(server: Server) -> None:
    await server.recorder.close_interrupted()
    server.recorder.start()


async def abandon() -> None:
    """Let the writer of a killed server vanish without a last word."""
    (writer,) = [task for task in asyncio.all_tasks() if task.get_name() == "cdr writer"]
    writer.cancel()
    await asyncio.wait({writer})


def test_a_killed_server_leaves_each_open_call_one_interrupted_record() -> None:
    server = Server()

    async def main() -> None:
        await started(server)
        talking = Story("talking").started()
        server.hear(talking)
        server.hear(Story("ringing", seq=500).started())
        await asyncio.sleep(2)
        server.hear(talking.wait(2).answered())
        server.hear(plain_call("finished", seq=1_000))
        await asyncio.sleep(0.2)
        await abandon()
        again = kill(server)
        assert await again.recorder.close_interrupted() == 2
        assert sorted(await again.calls()) == [
            ("finished", "answered"),
            ("ringing", "interrupted"),
            ("talking", "interrupted"),
        ]
        assert await again.disk.count("open_calls") == 0
        assert await kill(again).recorder.close_interrupted() == 0

    run(main(), clock=server.clock)


def test_an_interrupted_record_ends_with_the_last_sign_of_life() -> None:
    server = Server()

    async def main() -> None:
        await started(server)
        story = Story(wall=server.clock.wall(), monotonic=server.clock.monotonic())
        server.hear(story.started())
        server.hear(story.wait(0.5).answered())
        await asyncio.sleep(60)
        await abandon()
        again = kill(server)
        await again.recorder.close_interrupted()
        record = await RecordStore(again.disk).find_one("c1")
        assert 60 - 1.2 * ALIVE_EVERY <= record.duration_s <= 60
        assert record.ring_s == 0.5
        assert record.talk_s == pytest.approx(record.duration_s - 0.5)
        assert record.reason == "server_died"
        events = await RecordStore(again.disk).events_of("c1")
        assert type(events[-1].event).__name__ == "CallEnded"

    run(main(), clock=server.clock)


def test_a_server_that_was_closed_leaves_nothing_to_interrupt_and_numbers_go_on() -> None:
    server = Server()

    async def main() -> None:
        await started(server)
        story = plain_call()
        last = story.events[-1].seq
        server.hear(story)
        await server.recorder.close()
        again = kill(server)
        assert await again.recorder.close_interrupted() == 0
        assert again.recorder.next_seq == last + 1

    run(main(), clock=server.clock)


def test_numbers_after_a_kill_are_beyond_all_that_were_ever_given() -> None:
    server = Server()

    async def main() -> None:
        await started(server)
        server.hear(Story(seq=70).started())
        await asyncio.sleep(1)
        await abandon()
        again = kill(server)
        await again.recorder.close_interrupted()
        assert again.recorder.next_seq > 74 + UNWRITTEN - 1
        await started(again)
        await again.recorder.close()
        third = kill(again)
        await third.recorder.close_interrupted()
        assert third.recorder.next_seq >= again.recorder.next_seq

    run(main(), clock=server.clock)


def test_a_new_database_has_nothing_to_interrupt() -> None:
    server = Server()

    async def main() -> None:
        assert await server.recorder.close_interrupted() == 0
        assert server.recorder.next_seq == 1

    run(main(), clock=server.clock)


def test_a_flush_that_is_cancelled_loses_nothing_and_doubles_nothing() -> None:
    async def scenario(server: Server) -> None:
        server.hear(plain_call())
        flush = asyncio.ensure_future(server.recorder.flush())
        await asyncio.sleep(0)
        flush.cancel()
        await asyncio.wait({flush})
        await server.recorder.flush()
        assert await server.calls() == [("c1", "answered")]
        assert await server.disk.count("events") == 1

    serve(scenario)


def test_a_file_system_that_fills_up_and_has_room_again_costs_no_record(tmp_path: Path) -> None:
    async def main() -> None:
        database = open_database(tmp_path / "callpbx.db")

        def limit(pages: int) -> Callable[[Connection], object]:
            return lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

        recorder = Recorder(database, VirtualClock())
        await database.write(limit(1))  # no more pages than there are
        for n in range(200):
            for stamped in plain_call(f"c{n:03}", seq=n * 100 + 1).events:
                recorder(stamped)
        assert not await recorder.flush()
        assert recorder.alarm == "database or disk is full"
        assert not await recorder.flush()
        await database.write(limit(1_000_000))
        assert await recorder.flush()
        assert recorder.alarm is None
        found = await RecordStore(database).find(RecordQuery(limit=1_000))
        assert [record.id for record in found] == [f"c{n:03}" for n in reversed(range(200))]
        assert len(await RecordStore(database).events_of("c007")) == 13
        await recorder.close()
        await database.close()

    asyncio.run(main())


def test_work_after_the_call_amends_the_stored_record_and_is_stored_with_it() -> None:
    async def scenario(server: Server) -> None:
        story = queue_call()
        server.hear(story)
        await server.recorder.flush()
        server.hear(story.wait(8).wrapped_up("102", 8.0, disposition="refund"))
        await server.recorder.flush()
        store = RecordStore(server.disk)
        record = await store.find_one("q1")
        assert (record.wrap_up_s, record.disposition) == (8.0, "refund")
        assert await server.calls() == [("q1", "answered")]
        assert type((await store.events_of("q1"))[-1].event) is WrapUpEnded

    serve(scenario)


def test_a_record_of_another_run_is_amended_too_and_one_that_is_gone_is_not() -> None:
    first = serve(hears(queue_call()))

    async def scenario(server: Server) -> None:
        server.hear(Story("q1", seq=10_000).noted("refund"))
        server.hear(Story("gone", seq=10_001).noted("refund"))
        assert await server.recorder.flush()
        assert (await RecordStore(server.disk).find_one("q1")).disposition == "refund"

    serve(scenario, Server(first.disk))


def test_a_full_disk_delays_what_amends_a_record_and_loses_nothing() -> None:
    async def scenario(server: Server) -> None:
        server.disk.full = True
        story = queue_call()
        server.hear(story)
        await server.recorder.flush()
        server.hear(story.wait(8).wrapped_up("102", 8.0))
        await server.recorder.flush()
        server.disk.full = False
        assert await server.recorder.flush()
        assert (await RecordStore(server.disk).find_one("q1")).wrap_up_s == 8.0

    serve(scenario)
