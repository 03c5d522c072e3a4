"""Whether a record is true to itself: its segments are its seconds, one after the other."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Final

from tests.kit.office import Record

NEAR_S: Final = 0.01
"""Times and seconds in a record are rounded to the millisecond, each by itself."""

PHASES: Final = {"talk": "talk_s", "hold": "hold_s", "queue": "wait_s"}
"""Kinds of segments whose seconds a record adds up, and the name that it gives the sum."""


def sums_up(record: Record) -> bool:
    """Tell whether the segments of a record are its seconds and lie within it in order; nobody is
    talked to and held at one time."""
    sums = all(abs(_seconds(record, kind) - record[name]) < NEAR_S for kind, name in PHASES.items())
    counted = sum(record[name] for name in ("wait_s", "ring_s", "talk_s", "hold_s"))
    return sums and counted <= record["duration_s"] + NEAR_S and _in_order(record)


def _in_order(record: Record) -> bool:
    """Tell whether segments begin one after the other, and talks and holds do not overlap."""
    spans = [_span(each) for each in record["segments"]]
    starts = [start for start, _ in spans]
    start, end = _span(record)
    within = all(start - NEAR_S <= begun <= ended <= end + NEAR_S for begun, ended in spans)
    talks = [_span(each) for each in record["segments"] if each["kind"] in ("talk", "hold")]
    apart = all(one[1] <= next_[0] + NEAR_S for one, next_ in pairwise(talks))
    return starts == sorted(starts) and within and apart


def _seconds(record: Record, kind: str) -> float:
    spans = [_span(each) for each in record["segments"] if each["kind"] == kind]
    return sum(end - start for start, end in spans)


def _span(row: Record) -> tuple[float, float]:
    """Return when something began and ended, as seconds since the epoch."""
    start, end = (datetime.fromisoformat(row[name]) for name in ("started_at", "ended_at"))
    return start.timestamp(), end.timestamp()
