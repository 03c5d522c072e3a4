"""Do the figures add up? What is offered ends in exactly one way, and records agree with it. Pure.

    offered = answered + abandoned + short abandons + overflowed + call-backs

holds for every queue and every stretch of time. The server looks every night whether it holds for
the day before; a sentence from here is a defect of callpbx, and an alarm.
"""

from __future__ import annotations

from collections.abc import Iterator

from pbx.cdr.counts import ABANDONED, OVERFLOWED, Counts
from pbx.cdr.figures import visit_of
from pbx.cdr.record import CallRecord

RESULTS = ABANDONED | OVERFLOWED | {"answered", "callback"}
"""How a visit of a queue can end."""

ROUNDING = 0.002  # seconds


def missing(counts: Counts) -> int:
    """Return how many of the offered callers are in none of the results; 0 where it adds up."""
    return counts.offered - (
        counts.answered
        + counts.abandoned
        + counts.short_abandons
        + counts.overflowed
        + counts.callbacks
    )


def contradictions(record: CallRecord) -> Iterator[str]:
    """Yield, as sentences, what a record says of its queues and agents that cannot all be true."""
    visits = [visit_of(segment) for segment in record.segments if segment.kind == "queue"]
    for visit in visits:
        if visit.result not in RESULTS:
            yield f"call {record.id}: nothing counts a caller who left a queue with {visit.result}"
        if visit.wait < 0:
            yield f"call {record.id}: waited {visit.wait / 1000} s in {visit.queue}"
    if record.result == "abandoned" and (not visits or visits[-1].result not in ABANDONED):
        yield f"call {record.id}: abandoned, but not in a queue"
    taken = [part for part in record.agents if part.result == "answered"]
    if any(visit.result == "answered" for visit in visits) and not taken:
        yield f"call {record.id}: answered in a queue, but by no agent"
    if taken and record.agent != taken[0].agent:
        yield f"call {record.id}: {taken[0].agent} took it, but it is {record.agent}'s"
    waited = sum(visit.wait for visit in visits) / 1000
    if record.wait_s > waited + ROUNDING:
        yield f"call {record.id}: waited {record.wait_s} s, of which {waited} s are in queues"
    worked = sum(part.wrap_up_s for part in record.agents)
    if worked > record.wrap_up_s + ROUNDING:
        yield f"call {record.id}: agents wrapped up {worked} s, the call {record.wrap_up_s} s"
    talked = sum(part.talk_s for part in record.agents)
    if talked > record.talk_s + ROUNDING:
        yield f"call {record.id}: agents talked {talked} s, the call {record.talk_s} s"
