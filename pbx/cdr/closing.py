"""Makes the record of a call that is over: `record_of(call) → record`, pure.

What the events said is in the call already (fold.py); here it gets its words and its times.
"""

from __future__ import annotations

from functools import reduce

from pbx.cdr.amend import amended
from pbx.cdr.offers import agent_parts
from pbx.cdr.open_call import OpenCall, Span
from pbx.cdr.record import (
    Called,
    Caller,
    CallRecord,
    QualityRow,
    Recorded,
    Segment,
    Supervised,
    utc_text,
)
from pbx.errors import UsageError
from pbx.events import CallEnded, Quality


def record_of(call: OpenCall) -> CallRecord:
    """Return the record of a call; raises UsageError while it goes on."""
    if call.ending is None:
        raise UsageError(f"call {call.id} is not over")
    record = _record_of(call, call.ending)
    return reduce(amended, call.later, record) if call.later else record


def _record_of(call: OpenCall, ending: CallEnded) -> CallRecord:
    started = call.started
    return CallRecord(
        id=started.call,
        direction=started.direction,
        started_at=utc_text(call.started_ms),
        answered_at=None if call.answered is None else utc_text(call.started_ms + call.answered),
        ended_at=utc_text(call.started_ms + call.ended),
        caller=Caller(number=started.caller, name=started.caller_name),
        called=Called(number=started.called),
        result=ending.result,
        reason=ending.reason,
        cause=ending.cause or None,
        sip_status=ending.sip_status or None,
        ended_by=ending.ended_by,
        duration_s=call.ended / 1000,
        wait_s=call.wait_ms / 1000,
        ring_s=call.ring_ms / 1000,
        talk_s=call.talk_ms / 1000,
        hold_s=call.hold_ms / 1000,
        wrap_up_s=0.0,
        queue=call.queue,
        agent=call.agent,
        path=call.path,
        tags=call.tags,
        recording=call.tapes[0].id if call.tapes else None,
        survey=call.survey,
        dialplan_version=started.dialplan_version,
        quality=tuple(_quality_row(figures) for figures in call.quality),
        segments=_segments(call),
        supervision=_supervision(call),
        recordings=_recordings(call),
        agents=agent_parts(call),
    )


def _quality_row(figures: Quality) -> QualityRow:
    return QualityRow(
        leg=figures.leg,
        direction=figures.direction,
        codec=figures.codec,
        packets=figures.packets,
        loss_percent=figures.loss_percent,
        jitter_ms=figures.jitter_ms,
        mos=figures.mos,
        mos_worst=figures.mos_worst,
        bursts=figures.bursts,
        concealed_ms=figures.concealed_ms,
        round_trip_ms=figures.round_trip_ms,
    )


def _segments(call: OpenCall) -> tuple[Segment, ...]:
    return tuple(
        Segment(
            kind=span.kind,
            with_=span.number,
            started_at=utc_text(call.started_ms + span.start),
            ended_at=utc_text(call.started_ms + span.end),
            result=span.result,
        )
        for span in sorted(call.closed, key=_by_start)
    )


def _supervision(call: OpenCall) -> tuple[Supervised, ...]:
    return tuple(
        Supervised(
            by=watch.by,
            mode=watch.mode,
            started_at=utc_text(call.started_ms + watch.start),
            ended_at=utc_text(call.started_ms + watch.end),
        )
        for watch in sorted(call.watched, key=lambda watch: watch.start)
    )


def _recordings(call: OpenCall) -> tuple[Recorded, ...]:
    return tuple(
        Recorded(
            id=tape.id,
            started_at=utc_text(call.started_ms + tape.start),
            seconds=tape.seconds,
            sha256=tape.sha256,
            error=tape.error,
        )
        for tape in call.tapes
    )


def _by_start(span: Span) -> int:
    return span.start
