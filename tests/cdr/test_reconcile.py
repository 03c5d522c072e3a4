"""Records that contradict themselves are named."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pbx.cdr.reconcile import contradictions
from pbx.cdr.record import CallRecord
from tests.cdr.story import Story, plain_call, queue_call

GOOD = queue_call("c1").wrapped_up("102", 5.0).record()


def visited(result: str) -> CallRecord:
    """Return a good record whose visit of the queue ended with another result."""
    first, *rest = GOOD.segments
    return replace(GOOD, segments=(replace(first, result=result), *rest))


def test_good_records_are_silent() -> None:
    lost = Story().began().invited(1, "caller", "1").in_queue("q").wait(9).ends(1)
    for record in (GOOD, plain_call().record(), lost.over("abandoned", "abandoned").record()):
        assert list(contradictions(record)) == []


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (visited("vanished"), "call c1: nothing counts a caller who left a queue with vanished"),
        (replace(GOOD, result="abandoned"), "call c1: abandoned, but not in a queue"),
        (replace(GOOD, agents=()), "call c1: answered in a queue, but by no agent"),
        (replace(GOOD, agent="103"), "call c1: 102 took it, but it is 103's"),
        (replace(GOOD, wait_s=99.0), "call c1: waited 99.0 s, of which 12.0 s are in queues"),
        (replace(GOOD, wrap_up_s=0.0), "call c1: agents wrapped up 5.0 s, the call 0.0 s"),
        (replace(GOOD, talk_s=1.0), "call c1: agents talked 60.0 s, the call 1.0 s"),
    ],
)
def test_what_cannot_all_be_true_is_a_sentence(record: CallRecord, sentence: str) -> None:
    assert list(contradictions(record)) == [sentence]


def test_a_wait_that_ends_before_it_begins_is_named() -> None:
    first, *rest = GOOD.segments
    wrong = replace(first, ended_at="2026-11-21T07:59:00.000Z")
    sentences = list(contradictions(replace(GOOD, segments=(wrong, *rest), wait_s=0.0)))
    assert "call c1: waited -60.123 s in service" in sentences
