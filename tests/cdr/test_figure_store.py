"""Reports out of a database: what is read, what a day in progress is seeded with, how long it
takes."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func

from pbx.cdr.counts import Rules
from pbx.cdr.figure_store import FigureStore
from pbx.cdr.outbox import Outbox
from pbx.cdr.report import Report, ReportQuery
from pbx.cdr.rows import ordinal_of
from pbx.cdr.today import Today
from pbx.db import schema
from pbx.db.bulk import BulkInsert
from pbx.db.engine import MemoryDatabase, open_database
from pbx.errors import Refused
from tests.cdr.story import START, Story, queue_call
from tests.kit.clock import VirtualClock
from tests.kit.loop import run

DAY = 86_400.0
HOUR = 3_600.0
RULES = Rules(timezone="Asia/Shanghai", service_level_s={"service": 20.0})

YEAR = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count - 1),
    calls AS (
        SELECT n, :start_ms + n * 86400 AS at, 13800000000 + n % 70000 AS caller, n % 5 AS queue,
            100 + n % 20 AS agent, n % 40000 AS wait FROM numbers
    )
INSERT INTO records
SELECT at << 20 | n % 1048576, printf('%08x', n), CAST(caller AS TEXT), '4008001234', 'answered',
    'q' || queue, CAST(agent AS TEXT), :body,
    printf('["%d",%d,[["q%d",%d,%d,"answered"]],[["%d","q%d",%d,3000,"answered",180000,0,20000]]]',
        caller, at, queue, at, wait, agent, queue, at + 3000)
FROM calls
"""

STATES = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count - 1)
INSERT INTO agent_states
SELECT n + 1, CAST(100 + n % 20 AS TEXT), :start_ms + n * 17280, :start_ms + n * 17280 + 300000,
    CASE n % 5 WHEN 0 THEN 'available' WHEN 1 THEN 'ringing' WHEN 2 THEN 'talking'
    WHEN 3 THEN 'wrap_up' ELSE 'paused' END, '', '', NULL
FROM numbers
"""


def stored(*stories: Story) -> MemoryDatabase:
    """Return a database with the records of these calls."""
    database, outbox = MemoryDatabase(), Outbox()
    for story in stories:
        for stamped in story.events:
            outbox.take(stamped)
    outbox.seal()
    rows = outbox.batch(1_000).records
    insert = BulkInsert(schema.records, existing="replace")
    run(database.write(lambda connection: insert.run(connection, rows)))
    return database


def store_of(database: MemoryDatabase, wall: float = START) -> FigureStore:
    return FigureStore(database, rules=lambda: RULES, wall=lambda: wall)


def queues(database: MemoryDatabase, **wanted: object) -> Report:
    given = {"kind": "queues", "since": START - DAY, "until": START + DAY, **wanted}
    return run(store_of(database).report(ReportQuery(**given)))  # type: ignore[arg-type]


def test_a_report_counts_the_records_of_its_time() -> None:
    database = stored(
        queue_call("a"),
        queue_call("b", seq=100, wall=START + 60, wait=30),
        queue_call("c", seq=200, wall=START + 2 * DAY),
    )
    (row,) = queues(database).rows
    assert row.name == "service"
    assert (row.values["offered"], row.values["sl_of_offered"], row.values["asa"]) == (
        2,
        50.0,
        21.0,
    )


def test_a_caller_who_calls_again_within_a_week_was_not_served_by_the_first_call() -> None:
    database = stored(
        queue_call("a"),
        queue_call("b", seq=100, wall=START + 60, caller="13900139000"),
        queue_call("c", seq=200, wall=START + 2 * DAY),
        queue_call("d", seq=300, wall=START + 9 * DAY, caller="13900139000"),
    )
    query = ReportQuery(kind="queues", since=START - DAY, until=START + DAY)
    (row,) = run(store_of(database, START + 30 * DAY).report(query)).rows
    assert row.values["fcr"] == 50.0
    (early,) = run(store_of(database, START + 3 * DAY).report(query)).rows
    assert (early.values["fcr"], early.reasons["fcr"]) == (None, "not known before 7 days are over")


def test_the_day_so_far_is_the_same_as_its_report() -> None:
    calls = [queue_call(f"c{n}", seq=n * 100 + 1, wall=START + n, wait=3 + n) for n in range(30)]
    database = stored(*calls)
    clock = VirtualClock()
    clock.set_wall(START + 100)
    today = Today(clock, lambda: RULES)
    run(store_of(database, START + 100).seed(today))
    (row,) = queues(database, until=START + 100).rows
    shown = today.queue("service")
    assert (shown.offered, shown.answered) == (row.values["offered"], row.values["answered"])
    assert shown.service_level == row.values["sl_of_offered"]
    assert shown.formula == "SL(20 s), of offered"


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(Refused, match="ends before it begins"):
        queues(stored(), until=START - DAY)
    with pytest.raises(Refused, match="ask for days"):
        queues(stored(), by="hour", until=START + 10_000 * DAY)


def test_agents_have_the_time_in_each_state() -> None:
    database = stored(queue_call("a"))
    since = round(START * 1000)
    rows = [
        (1, "102", since - 5_000, since + 20_000, "available", "", "", None),
        (2, "102", since + 20_000, since + 90_000, "talking", "", "a", "service"),
    ]
    insert = BulkInsert(schema.agent_states, existing="replace")
    run(database.write(lambda connection: insert.run(connection, rows)))
    for by in (None, "day"):
        query = ReportQuery(kind="agents", since=START, until=START + 3600, by=by)
        (row,) = run(store_of(database).report(query)).rows
        assert row.states == {"available": 20.0, "talking": 70.0}
        assert row.values["occupancy"] == 75.0
        assert row.reasons["utilisation"] == "the paid time is not known"


def test_records_that_add_up_are_silent_and_others_are_named() -> None:
    database = stored(queue_call("a"))
    store = store_of(database)
    assert run(store.contradictions(START - 1, START + 1)) == []
    wrong = schema.records.update().values(
        body=func.replace(
            schema.records.c.body, '"result":"answered","ring_s"', '"result":"busy","ring_s"'
        )
    )
    run(database.write(lambda connection: connection.execute(wrong) and None))
    assert run(store.contradictions(START - 1, START + 1)) == [
        "call a: answered in a queue, but by no agent"
    ]


def test_each_night_the_day_before_is_looked_at_once() -> None:
    database = stored(queue_call("a", wall=START - DAY))
    wrong = schema.records.update().values(
        body=func.replace(schema.records.c.body, '"agent":"102","path"', '"agent":"9","path"')
    )
    run(database.write(lambda connection: connection.execute(wrong) and None))
    store, alarms = store_of(database), list[str]()
    for now in (START, START + HOUR, START + DAY):
        run(store.look_after(now, alarms.append))
    assert alarms == [
        "yesterday's records do not add up, 1 in all: call a: 102 took it, but it is 9's"
    ]


@pytest.mark.load
def test_a_year_of_a_thousand_calls_a_day_is_counted_in_two_seconds(tmp_path: Path) -> None:
    start_ms = ordinal_of(round(START * 1000), 0) >> 20
    path = tmp_path / "callpbx.db"
    database = open_database(path)
    given = {"count": 365_000, "start_ms": start_ms, "body": json.dumps({"of": "x" * 1_500})}
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(YEAR, given)
        connection.execute(STATES, {"count": 1_825_000, "start_ms": start_ms})
        connection.commit()
    store = FigureStore(database, rules=lambda: RULES, wall=lambda: START)

    async def main() -> None:
        for kind, by, rows in (("queues", None, 6), ("queues", "day", 2196), ("agents", None, 20)):
            query = ReportQuery(kind=kind, since=START, until=START + 365 * DAY, by=by)
            began, cpu = time.perf_counter(), time.process_time()
            assert len((await store.report(query)).rows) == rows
            took, worked = time.perf_counter() - began, time.process_time() - cpu
            print(f"{took:6.2f} s, {worked:.2f} s of CPU: {kind} by {by}")
        await database.close()

    asyncio.run(main())
