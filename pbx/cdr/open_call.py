"""A call while it goes on, as far as its record is concerned.

Times are whole milliseconds since the call began, by the monotonic clock; the wall clock was read
once, at the start. fold.py makes the changes, closing.py the record when it is over.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pbx.cdr.record import SegmentKind, Surveyed
from pbx.events import CallEnded, CallStarted, Event, LegRole, Quality

Phase = Literal["", "ring", "queue", "talk", "hold", "conference"]


class Party(msgspec.Struct, frozen=True, gc=False):
    """Who is at the far end of a leg; `outside` is behind a carrier's line."""

    role: LegRole
    number: str
    outside: bool = False


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


class Offer(msgspec.Struct, frozen=True, gc=False):
    """The call was offered to an agent; times in milliseconds since the start of the call.

    `rang_until` is when the phone stopped ringing, `result` empty while nothing came of it. An
    agent who `leads` called the other party: in a call-back.
    """

    agent: str
    queue: str | None
    start: int
    rang_until: int | None = None
    result: str = ""
    leads: bool = False

    def answered_at(self, now: int) -> Offer:
        """Return it as the phone was answered."""
        return Offer(self.agent, self.queue, self.start, self._until(now), self.result)

    def over(self, now: int, result: str) -> Offer:
        """Return it as it ended without a talk."""
        return Offer(self.agent, self.queue, self.start, self._until(now), result)

    def taken(self, now: int, *, leads: bool) -> Offer:
        """Return it as the agent and the caller hear each other."""
        return Offer(self.agent, self.queue, self.start, self._until(now), "answered", leads)

    def _until(self, now: int) -> int:
        return now if self.rang_until is None else self.rang_until


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
    origin: int | None = None  # the first caller's leg, whoever has the call now
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
    transfer: Span | None = None
    transferrer: int | None = None  # the leg of whoever hands the call on
    queue: str | None = None  # the one that the call was in last
    agent: str | None = None  # who took it first
    offers: tuple[Offer, ...] = ()
    later: tuple[Event, ...] = ()  # what amends the record
    joined: str = ""  # the call that this one goes on as part of: no record
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
