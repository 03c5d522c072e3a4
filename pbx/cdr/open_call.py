"""A call while it goes on, as far as its record is concerned; and its record when it is over.

Times are whole milliseconds since the call began, by the monotonic clock; the wall clock was read
once, at the start. fold.py makes the changes.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pbx.cdr.record import (
    Called,
    Caller,
    CallRecord,
    QualityRow,
    Recorded,
    Segment,
    SegmentKind,
    Supervised,
    Surveyed,
    utc_text,
)
from pbx.errors import UsageError
from pbx.events import CallEnded, CallStarted, LegRole, Quality

Phase = Literal["", "ring", "queue", "talk", "hold", "conference"]


class Party(msgspec.Struct, frozen=True, gc=False):
    """Who is at the far end of a leg."""

    role: LegRole
    number: str


class Span(msgspec.Struct, frozen=True, gc=False):
    """A segment; times in milliseconds since the start of the call.

    `end` and `result` are set when it is over.
    """

    kind: SegmentKind
    number: str
    start: int
    end: int = 0
    result: str = ""

    def over(self, end: int, result: str) -> Span:
        """Return it as it ended."""
        return Span(self.kind, self.number, self.start, end, result)


class Watch(msgspec.Struct, frozen=True, gc=False):
    """A stretch of supervision; times in milliseconds since the start of the call."""

    by: str | None
    mode: str
    start: int
    end: int = 0
    leg: int | None = None


class Tape(msgspec.Struct, frozen=True, gc=False):
    """A recording; `start` in milliseconds since the start of the call."""

    id: str
    start: int
    seconds: float | None = None
    sha256: str | None = None
    error: str | None = None


class OpenCall(msgspec.Struct, kw_only=True, gc=False):
    """A call as far as its events tell. Values are replaced, never changed in place."""

    started: CallStarted
    seq: int
    started_ms: int  # wall clock, milliseconds since the epoch
    monotonic: float  # seconds, of the first event
    now: int = 0  # milliseconds since the start, of the newest event
    path: tuple[str, ...] = ()
    parties: dict[int, Party] = msgspec.field(default_factory=dict)  # by leg, over or not
    caller_leg: int | None = None
    rung: tuple[int, ...] = ()  # called legs that have neither answered nor ended
    live: tuple[int, ...] = ()  # legs that have not ended
    answered_legs: tuple[int, ...] = ()
    caller_answered: int | None = None
    caller_over: int | None = None  # when its leg ended
    answered_by_us: bool = False  # not by a phone that was rung for who clicked to dial
    bridges: tuple[tuple[int, int], ...] = ()
    room: str = ""  # the conference that the caller is in
    holding: tuple[int, ...] = ()  # legs whose party put the other on hold
    phase: Phase = ""
    partner: str = ""  # the number talked to; empty but in the phase talk
    phase_since: int = 0
    wait_ms: int = 0
    ring_ms: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    answered: int | None = None
    last_leg_over: int = 0
    rings: tuple[Span, ...] = ()  # at most one for each number
    current: Span | None = None  # talk or hold
    closed: tuple[Span, ...] = ()
    menu_visit: Span | None = None
    queue_visit: Span | None = None
    box_visit: Span | None = None
    queue: str | None = None  # the one that the call was in last
    tags: tuple[str, ...] = ()
    survey: Surveyed | None = None
    quality: tuple[Quality, ...] = ()
    watching: tuple[Watch, ...] = ()
    watched: tuple[Watch, ...] = ()  # those that are over
    tapes: tuple[Tape, ...] = ()
    ending: CallEnded | None = None
    ended: int = 0

    @property
    def id(self) -> str:
        """Return the call's id."""
        return self.started.call

    def record(self) -> CallRecord:
        """Return the record; raises UsageError while the call goes on."""
        if self.ending is None:
            raise UsageError(f"call {self.id} is not over")
        return _record_of(self, self.ending)


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
        agent=None,
        path=call.path,
        tags=call.tags,
        recording=call.tapes[0].id if call.tapes else None,
        survey=call.survey,
        dialplan_version=started.dialplan_version,
        quality=tuple(_quality_row(figures) for figures in call.quality),
        segments=_segments(call),
        supervision=_supervision(call),
        recordings=_recordings(call),
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
