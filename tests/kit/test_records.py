"""What tests take for a record that is true to itself."""

from __future__ import annotations

from tests.kit.office import Record
from tests.kit.records import sums_up

DAY = "2026-11-22T09:00:"


def segment(kind: str, start: str, end: str) -> Record:
    return {"kind": kind, "started_at": f"{DAY}{start}Z", "ended_at": f"{DAY}{end}Z"}


def record(*segments: Record, **seconds: float) -> Record:
    return {
        "started_at": f"{DAY}00.000Z",
        "ended_at": f"{DAY}10.000Z",
        "duration_s": 10.0,
        "segments": segments,
        "ring_s": 1.0,
        "wait_s": 0.0,
        "talk_s": 6.0,
        "hold_s": 2.0,
        **seconds,
    }


RING = segment("ring", "00.500", "01.500")
TALK = segment("talk", "01.500", "07.500")
HOLD = segment("hold", "07.500", "09.500")


def test_a_true_record() -> None:
    assert sums_up(record(RING, TALK, HOLD))


def test_seconds_that_no_segment_has() -> None:
    assert not sums_up(record(RING, TALK, HOLD, talk_s=6.1))
    assert not sums_up(record(RING, TALK, HOLD, wait_s=0.5))


def test_more_seconds_than_the_call_lasted() -> None:
    assert not sums_up(record(RING, TALK, HOLD, ring_s=2.5))


def test_segments_out_of_order() -> None:
    assert not sums_up(record(TALK, RING, HOLD))


def test_held_while_talking() -> None:
    assert not sums_up(record(RING, TALK, segment("hold", "07.000", "09.000")))


def test_a_segment_after_the_end() -> None:
    assert not sums_up(record(RING, TALK, segment("hold", "09.000", "11.000")))
