"""Reports out of a database: what is read, what a day in progress is seeded with."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func

from pbx.cdr.counts import Rules
from pbx.cdr.figure_store import FigureStore
from pbx.cdr.outbox import Outbox
from pbx.cdr.report import Report, ReportQuery
from pbx.cdr.today import Today
from pbx.db import schema
from pbx.db.bulk import BulkInsert
from pbx.db.engine import MemoryDatabase
from pbx.errors import Refused
from tests.cdr.story import START, Story, queue_call
from tests.kit.clock import VirtualClock
from tests.kit.loop import run

DAY = 86_400.0
HOUR = 3_600.0
RULES = Rules(timezone="Asia/Shanghai", service_level_s={"service": 20.0})


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


def queues(database: MemoryDatabase, **wanted: Any) -> Report:
    given: dict[str, Any] = {"kind": "queues", "since": START - DAY, "until": START + DAY, **wanted}
    return run(store_of(database).report(ReportQuery(**given)))


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
