"""Looking records and events up: filters, pages, prefixes, and how fast among very many."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, Engine, event

from pbx.cdr import store as store_module
from pbx.cdr.outbox import Outbox
from pbx.cdr.record import RecordQuery
from pbx.cdr.recorder import Recorder
from pbx.cdr.rows import ordinal_of
from pbx.cdr.store import RecordStore
from pbx.db.engine import MemoryDatabase, open_database
from pbx.errors import NotFound, Refused
from tests.cdr.story import START, Story, plain_call
from tests.kit.clock import VirtualClock
from tests.kit.loop import run


def with_calls(stories: list[Story], use: Callable[[RecordStore], Awaitable[None]]) -> None:
    """Record the stories, then use the store."""

    async def main() -> None:
        database = MemoryDatabase()
        recorder = Recorder(database, VirtualClock())
        events = [stamped for story in stories for stamped in story.events]
        for stamped in sorted(events, key=lambda stamped: stamped.seq):
            recorder(stamped)
        await use(RecordStore(database, fresh=recorder.flush))

    run(main())


def call(n: int, *, hours: float, caller: str = "101", called: str = "102") -> Story:
    """Tell a short unanswered call that began some hours after the first."""
    story = Story(f"call-{n}", seq=n * 100 + 1, wall=START + hours * 3_600)
    story.began(caller=caller, called=called).wait(1)
    return story.over("busy" if n % 2 else "answered", "x")


DAY = [
    call(0, hours=0),
    call(1, hours=1, caller="103"),
    call(2, hours=2, called="104"),
    call(3, hours=3, caller="103", called="104"),
    call(4, hours=4),
]


async def found(store: RecordStore, query: RecordQuery) -> list[int]:
    return [int(record.id.removeprefix("call-")) for record in await store.find(query)]


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        (RecordQuery(), [4, 3, 2, 1, 0]),
        (RecordQuery(limit=2), [4, 3]),
        (RecordQuery(limit=2, before="call-3"), [2, 1]),
        (RecordQuery(before="call-0"), []),
        (RecordQuery(from_="103"), [3, 1]),
        (RecordQuery(to="104"), [3, 2]),
        (RecordQuery(from_="103", to="104"), [3]),
        (RecordQuery(from_="1"), []),
        (RecordQuery(result="busy"), [3, 1]),
        (RecordQuery(queue="tech"), []),
        (RecordQuery(agent="103"), []),
        (RecordQuery(since=START + 3_600), [4, 3, 2, 1]),
        (RecordQuery(since=START + 3_600.001), [4, 3, 2]),
        (RecordQuery(until=START + 3_600), [0]),
        (RecordQuery(since=START + 3_600, until=START + 3 * 3_600), [2, 1]),
        (RecordQuery(since=float("-inf"), until=253_402_300_799.0), [4, 3, 2, 1, 0]),
        (RecordQuery(since=float("inf")), []),
        (RecordQuery(until=-62_135_596_800.0), []),
        (RecordQuery(from_="x' OR 1=1 --"), []),
        (RecordQuery(from_="\udcff"), []),
    ],
)
def test_a_query_finds_what_matches_newest_first(query: RecordQuery, calls: list[int]) -> None:
    async def use(store: RecordStore) -> None:
        assert await found(store, query) == calls

    with_calls(DAY, use)


def test_pages_walk_through_everything_once() -> None:
    async def use(store: RecordStore) -> None:
        pages = [[record.id for record in page] async for page in store.pages(RecordQuery(limit=2))]
        assert pages == [["call-4", "call-3"], ["call-2", "call-1"], ["call-0"]]

    with_calls(DAY, use)


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_a_page_that_is_too_large_or_too_small_is_refused(limit: int) -> None:
    async def use(store: RecordStore) -> None:
        with pytest.raises(Refused, match="1 to 1000"):
            await store.find(RecordQuery(limit=limit))
        with pytest.raises(Refused, match="1 to 1000"):
            await store.events_after(0, limit=limit)

    with_calls([], use)


def test_a_page_after_an_unknown_record_is_not_found() -> None:
    async def use(store: RecordStore) -> None:
        with pytest.raises(NotFound):
            await store.find(RecordQuery(before="nothing"))

    with_calls(DAY, use)


def test_a_record_is_found_by_the_beginning_of_its_id() -> None:
    stories = [plain_call("a1b2"), plain_call("a1c3", seq=100), plain_call("a1b2ff", seq=200)]

    async def use(store: RecordStore) -> None:
        assert (await store.find_one("a1c")).id == "a1c3"
        assert (await store.find_one("a1b2")).id == "a1b2"  # whole, though another begins with it
        with pytest.raises(Refused, match="more than one call begins with a1b"):
            await store.find_one("a1b")
        for unknown in ("zz", "", "a1c3x", "A1C"):
            with pytest.raises(NotFound, match="no record of a call"):
                await store.find_one(unknown)

    with_calls(stories, use)


def test_a_call_that_goes_on_has_no_record_yet() -> None:
    async def use(store: RecordStore) -> None:
        with pytest.raises(NotFound):
            await store.find_one("c1")

    with_calls([Story().started()], use)


def test_the_events_of_a_call_come_back_as_they_were() -> None:
    story, other = plain_call("mine"), plain_call("other", seq=500)
    told = list(story.events)

    async def use(store: RecordStore) -> None:
        assert await store.events_of("mi") == told

    with_calls([story, other], use)


def test_events_after_a_number_come_in_order_though_calls_lie_in_rows_of_their_own() -> None:
    database = MemoryDatabase()
    first, second = Story("one", seq=1).started(), Story("two", seq=1).started()
    woven = []
    for pair in zip(first.events, second.events, strict=True):
        for stamped in pair:
            woven.append(msgspec.structs.replace(stamped, seq=len(woven) + 1))

    async def main() -> None:
        recorder = Recorder(database, VirtualClock())
        for n, stamped in enumerate(woven):
            recorder(stamped)
            if n == 4:
                await recorder.flush()
        store = RecordStore(database, fresh=recorder.flush)
        assert await store.events_after(0, limit=1_000) == woven
        for seq in range(len(woven) + 1):
            for limit in (1, 3, 100):
                assert await store.events_after(seq, limit=limit) == woven[seq : seq + limit]

    run(main())


def test_what_has_just_ended_is_found_because_the_recorder_writes_first() -> None:
    async def use(store: RecordStore) -> None:
        assert (await store.find_one("c1")).result == "answered"

    with_calls([plain_call()], use)


FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count - 1)
INSERT INTO records
SELECT
    (:start_ms + n * 30000) << 20 | n,
    printf('%08x', n),
    CASE WHEN n % 10000 = 0 THEN '7177' ELSE CAST(n % 900 AS TEXT) END,
    CASE WHEN n = 5 THEN '4711' ELSE '102' END,
    'answered', NULL, NULL, :body, NULL
FROM numbers
"""


def fill(database: Path, count: int) -> None:
    """Write many records, one every 30 s, of which few are from 7177 and one is to 4711."""
    outbox = Outbox()
    for stamped in plain_call().events:
        outbox.take(stamped)
    outbox.seal()
    values = {
        "count": count,
        "start_ms": ordinal_of(round(START * 1000), 0) >> 20,
        "body": outbox.batch(1).records[0][-2],
    }
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(FILL, values)
        connection.commit()


def test_a_search_reads_the_narrow_index_and_only_the_records_it_returns() -> None:
    plans: list[str] = []

    def explain(
        connection: Connection, cursor: object, statement: str, parameters: Any, *_: object
    ) -> None:
        if "FROM records" in statement and not statement.startswith("EXPLAIN"):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append(" / ".join(row[3] for row in plan))

    async def use(store: RecordStore) -> None:
        event.listen(Engine, "before_cursor_execute", explain)
        try:
            await store.find(RecordQuery(from_="103"))
            await store.find_one("call-3")
        finally:
            event.remove(Engine, "before_cursor_execute", explain)

    with_calls(DAY, use)
    search, find_place, find_record = plans
    assert "SCAN records USING COVERING INDEX records_search" in search
    assert "SCAN records USING COVERING INDEX records_search" in find_place
    for plan in (search, find_record):
        assert "SEARCH records USING INTEGER PRIMARY KEY" in plan


def test_walking_through_pages_does_not_look_for_where_each_one_ended() -> None:
    async def use(store: RecordStore) -> None:
        looked: list[str] = []
        place = store_module._place
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                store_module, "_place", lambda call, c: looked.append(call) or place(call, c)
            )
            async for _ in store.pages(RecordQuery(limit=2)):
                pass
            assert looked == []
            await store.find(RecordQuery(before="call-2"))
        assert looked == ["call-2"]

    with_calls(DAY, use)


@pytest.mark.load
def test_a_search_among_a_million_records_takes_less_than_a_second(tmp_path: Path) -> None:
    async def main() -> None:
        file = tmp_path / "callpbx.db"
        database = open_database(file)
        fill(file, 1_000_000)
        store = RecordStore(database)
        for query, count in (
            (RecordQuery(), 100),
            (RecordQuery(limit=1_000), 1_000),
            (RecordQuery(from_="7177", limit=1_000), 100),
            (RecordQuery(to="4711"), 1),
            (RecordQuery(result="failed"), 0),
            (RecordQuery(queue="tech"), 0),
            (RecordQuery(since=START, until=START + 86_400), 100),
            (RecordQuery(from_="7177", since=START, until=START + 30 * 86_400), 9),
        ):
            began = time.perf_counter()
            assert len(await store.find(query)) == count
            took = time.perf_counter() - began
            print(f"{took * 1000:7.1f} ms  {query}")
            assert took < 1.0
        began = time.perf_counter()
        assert (await store.find_one("000f423f")).id == "c1"
        took = time.perf_counter() - began
        print(f"{took * 1000:7.1f} ms  find_one")
        assert took < 1.0
        await database.close()

    asyncio.run(main())
