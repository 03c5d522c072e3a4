"""Rows that wait: what goes into which transaction, what gives way, what a killed server leaves."""

from __future__ import annotations

from typing import Any

import msgspec

from pbx.cdr.open_call import OpenCall
from pbx.cdr.outbox import SEAL_EVERY, Batch, Outbox
from pbx.cdr.record import CallRecord
from pbx.cdr.rows import ordinal_of, read_event, read_events, read_record
from pbx.events import AgentStateChanged, CallbackTried, CallJoined, Event, QueueSwitched
from pbx.events.bus import Stamped
from tests.cdr.story import START, Story, plain_call, queue_call

ORDINAL = ordinal_of(round(START * 1000), 1)

PAUSED: dict[str, Any] = {
    "agent": "102",
    "state": "paused",
    "previous": "available",
    "seconds": 3.0,
}
AGENT_PAUSED = AgentStateChanged(**PAUSED)


def taken(outbox: Outbox, story: Story) -> Batch:
    """Give a story's events to the outbox, and return what is to be written after that."""
    for stamped in story.events:
        outbox.take(stamped)
    story.events.clear()
    outbox.seal()
    return outbox.batch(1_000)


def test_a_call_that_began_has_a_row_from_the_first_batch_on() -> None:
    outbox, story = Outbox(), Story().started()
    told = list(story.events)
    batch = taken(outbox, story)
    assert [(ordinal, read_event(body)) for ordinal, body in batch.opened] == [(ORDINAL, told[0])]
    assert batch.records == []
    assert [read_events(body) for *_, body in batch.events] == [told]
    assert outbox.open_calls == 1


def test_a_call_has_one_row_of_events_for_each_batch_that_it_changed_in() -> None:
    outbox, story, still = Outbox(), Story().started(), Story("c2", seq=100).started()
    outbox.written(taken(outbox, still))
    outbox.written(taken(outbox, story))
    batch = taken(outbox, story.wait(2).answered())
    assert len(batch.events) == 1
    seq, ordinal, at, body = batch.events[0]
    assert (seq, ordinal, at) == (8, ORDINAL, round(START * 1000) + 2_000)
    assert [stamped.seq for stamped in read_events(body)] == [6, 7, 8]
    assert batch.opened == []


def test_a_call_that_is_over_becomes_a_record_and_its_open_row_goes() -> None:
    outbox, story = Outbox(), Story().started()
    outbox.written(taken(outbox, story))
    batch = taken(outbox, story.wait(2).ends(2).ends(1, "local").over("busy", "busy"))
    assert batch.closed == [ORDINAL]
    (row,) = batch.records
    assert row[:5] == (ORDINAL, "c1", "101", "102", "busy")
    assert read_record(row[-2]).id == "c1"
    assert outbox.open_calls == 0


def test_a_call_within_one_batch_is_written_once_and_never_was_open() -> None:
    batch = taken(Outbox(), plain_call())
    assert (batch.opened, batch.closed) == ([], [])
    assert len(batch.records) == len(batch.events) == 1


def test_rows_stay_until_they_are_written() -> None:
    outbox = Outbox()
    first = taken(outbox, plain_call())
    again = outbox.batch(1_000)
    assert (again.records, again.events) == (first.records, first.events)
    outbox.written(again)
    assert not outbox.batch(1_000)


def test_an_open_row_that_was_never_written_is_not_written_after_the_end() -> None:
    outbox, story = Outbox(), Story().started()
    taken(outbox, story)
    batch = taken(outbox, story.wait(1).left("caller").over("cancelled", "cancelled"))
    assert (batch.opened, batch.closed) == ([], [])
    assert len(batch.records) == 1


def test_a_call_that_ends_while_its_open_row_is_being_written_closes_it_later() -> None:
    outbox, story = Outbox(), Story().started()
    in_flight = taken(outbox, story)
    ended = taken(outbox, story.wait(1).left("caller").over("cancelled", "cancelled"))
    assert ended.closed == []
    outbox.written(in_flight)
    assert outbox.batch(1_000).closed == [ORDINAL]


def test_a_batch_has_no_more_rows_than_asked_for_and_the_oldest_first() -> None:
    outbox = Outbox()
    for n in range(5):
        taken(outbox, plain_call(f"c{n}", seq=n * 100 + 1))
    sizes = []
    while batch := outbox.batch(2):
        sizes.append([row[1] for row in batch.records])
        outbox.written(batch)
    assert sizes == [["c0", "c1"], ["c2", "c3"], ["c4"]]


def test_the_oldest_give_way_when_too_much_waits_and_it_is_counted() -> None:
    outbox = Outbox(max_records=3, max_events=2)
    for n in range(5):
        taken(outbox, plain_call(f"c{n}", seq=n * 100 + 1))
    batch = outbox.batch(1_000)
    assert [row[1] for row in batch.records] == ["c2", "c3", "c4"]
    assert len(batch.events) == 2
    assert (outbox.lost_records, outbox.lost_events) == (2, 3)


def test_what_gave_way_during_a_write_takes_nothing_else_with_it() -> None:
    outbox = Outbox(max_records=2, max_events=2)
    taken(outbox, plain_call("c0"))
    in_flight = taken(outbox, plain_call("c1", seq=100))
    taken(outbox, plain_call("c2", seq=200))
    outbox.written(in_flight)
    assert [row[1] for row in outbox.batch(9).records] == ["c2"]


def test_no_row_of_events_spans_more_numbers_than_it_may() -> None:
    outbox, story = Outbox(), Story().started()
    for _ in range(SEAL_EVERY):
        story.holds(1).resumes(1)
    batch = taken(outbox, story)
    assert len(batch.events) == 3
    for seq, _, _, body in batch.events:
        assert seq - read_events(body)[0].seq < SEAL_EVERY


def test_events_of_no_call_are_counted_and_let_go() -> None:
    outbox = Outbox()
    assert not taken(outbox, Story().rings())
    ended = plain_call()
    taken(outbox, ended)
    taken(outbox, ended.measured(1, "caller"))
    assert outbox.stray_events == 2


def test_events_about_no_call_leave_no_row_and_are_no_strays() -> None:
    outbox = Outbox()
    outbox.take(Stamped(7, START, 1.0, AGENT_PAUSED))
    outbox.take(Stamped(8, START, 1.0, QueueSwitched(queue="service", open=False)))
    outbox.seal()
    assert not outbox.batch(1_000)
    assert (outbox.last_seq, outbox.stray_events) == (8, 0)


def test_what_comes_after_the_end_waits_behind_the_record_and_keeps_its_place() -> None:
    outbox, story = Outbox(), queue_call()
    taken(outbox, story)
    taken(outbox, story.wait(9).wrapped_up("102", 9.0))
    taken(outbox, plain_call("c2", seq=500))
    assert outbox.batch(1).late == []
    (late,) = outbox.batch(2).late
    assert (late.call, late.ordinal, len(late.stretch), late.kept) == ("q1", ORDINAL, 1, True)
    outbox.written(outbox.batch(2))
    assert not outbox.batch(2)


def test_what_comes_in_the_same_breath_as_the_end_is_in_the_record_at_once() -> None:
    batch = taken(Outbox(), queue_call().wrapped_up("102", 0.0, disposition="refund"))
    assert read_record(batch.records[0][-2]).disposition == "refund"
    assert batch.late == []


def test_a_call_that_nobody_here_remembers_is_looked_for_by_its_name() -> None:
    outbox = Outbox()
    (late,) = taken(outbox, Story("old").noted("refund")).late
    assert (late.call, late.ordinal) == ("old", None)
    story = Story("old").say(AgentStateChanged(**{**PAUSED, "call": "old"}))
    assert taken(outbox, story).late == [late]
    assert outbox.stray_events == 1


def test_a_try_of_a_call_back_counts_in_the_call_that_booked_it_too() -> None:
    outbox, booked = Outbox(), queue_call()
    outbox.written(taken(outbox, booked))
    tried = CallbackTried(call="c2", callback="b1", origin="q1", result="busy", tries=1)
    batch = taken(outbox, Story("c2", seq=100).started().say(tried).left("caller").over())
    (late,) = batch.late
    assert (late.call, late.ordinal, late.kept) == ("q1", ORDINAL, False)
    assert [stamped.event for stamped in late.stretch] == [tried]


def test_a_call_that_went_on_in_another_leaves_no_record_and_is_open_no_longer() -> None:
    outbox, story = Outbox(), Story().started()
    outbox.written(taken(outbox, story))
    batch = taken(outbox, story.answered().say(CallJoined(call="c1", into="c9")))
    assert (batch.records, batch.closed) == ([], [ORDINAL])
    outbox.written(batch)
    assert (outbox.open_calls, bool(outbox.batch(9))) == (0, False)
    brief = Story("c3", seq=90).started().say(CallJoined(call="c3", into="c9"))
    outbox.written(taken(outbox, brief))
    assert outbox.batch(9).closed == []


def test_what_comes_late_for_a_call_that_went_on_in_another_is_that_ones() -> None:
    outbox, lives = Outbox(), queue_call("c9")
    ending = lives.events.pop()
    taken(outbox, lives)
    taken(outbox, Story("c1", seq=90).started().say(CallJoined(call="c1", into="c9")))
    taken(outbox, Story("c1", seq=190).noted("refund"))
    lives.events.append(ending)
    (row,) = taken(outbox, lives).records
    assert read_record(row[-2]).disposition == "refund"


class Ear:
    """A listener that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def changed(self, call: OpenCall) -> None:
        self.heard.append(("changed", call.id))

    def over(self, call: OpenCall, record: CallRecord) -> None:
        self.heard.append(("over", record.id))
        if record.id == "bad":
            raise ValueError

    def joined(self, call: str) -> None:
        self.heard.append(("joined", call))

    def amended(self, call: str, event: Event) -> None:
        self.heard.append((type(event).__name__, call))


def test_a_listener_hears_of_calls_with_queues_and_costs_none_its_record() -> None:
    ear = Ear()
    outbox = Outbox(listener=ear)
    taken(outbox, plain_call("plain"))
    waits = Story("w", seq=200).began().invited(1, "caller", "101").in_queue("service")
    taken(outbox, waits)
    taken(outbox, Story("w", seq=250).say(CallJoined(call="w", into="bad")))
    taken(outbox, queue_call("bad", seq=300))
    taken(outbox, Story("bad", seq=400).wrapped_up("102", 1.0))
    assert ear.heard == [
        ("changed", "w"),
        ("joined", "w"),
        ("over", "bad"),
        ("WrapUpEnded", "bad"),
    ]
    assert [row[1] for row in outbox.batch(9).records] == ["plain", "bad"]


def test_bytes_that_are_no_text_become_a_replacement_character() -> None:
    story = Story().began(caller="10\udcff1", name="Zo\udceb", called="\ud800")
    batch = taken(Outbox(), story.wait(1).over("failed", "unknown_number"))
    (row,) = batch.records
    assert row[2:4] == ("10\ufffd1", "\ufffd")
    assert read_record(row[-2]).caller.name == "Zo\ufffd"
    assert len(read_events(batch.events[0][-1])) == 2


def test_injection_is_only_text() -> None:
    name = "'); DROP TABLE records;--"
    batch = taken(Outbox(), Story().began(name=name).over("failed", "x"))
    assert read_record(batch.records[0][-2]).caller.name == name


def test_events_that_a_later_version_wrote_are_left_out() -> None:
    known = Story().started().events
    raw = msgspec.json.decode(msgspec.json.encode(known))
    raw[1]["event"]["event"] = "LegTeleported"
    assert [stamped.seq for stamped in read_events(msgspec.json.encode(raw).decode())] == [
        1,
        3,
        4,
        5,
    ]


def test_calls_are_ordered_by_their_beginning_then_by_their_first_event() -> None:
    early, late = ordinal_of(1_000, 7), ordinal_of(1_001, 3)
    assert early < late
    assert ordinal_of(1_000, 7) < ordinal_of(1_000, 8)
    assert ordinal_of(2**43 - 1, 2**20 - 1) < 2**63
