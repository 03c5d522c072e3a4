"""What the record of a call says: the JSON object that the CLI, the API and exports show.

Field names and their order are the documented interface (docs/cdr.md; a test holds the two
together). Seconds are floats with three decimals: 0.0 means that it did not happen, None that it is
not known. Times are UTC with milliseconds: the start of the call plus a difference of the monotonic
clock, so that they agree with the seconds even if somebody set the clock meanwhile. How a record
comes about is in fold.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

import msgspec

from pbx.events import Direction, EndedBy, LegRole, Result

SegmentKind = Literal[
    "ring", "menu", "queue", "talk", "hold", "voicemail", "conference", "transfer"
]


class Caller(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who called. `name` is what the directory or the caller's From said."""

    number: str
    name: str | None


class Called(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The number that was dialled."""

    number: str


class QualityRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How one direction of one leg's media was; `direction` is seen from callpbx.

    `loss_percent` 0–100, `jitter_ms` by RFC 3550 §6.4.1, `mos` 1.0–4.5 by ITU-T G.107 and
    `mos_worst` the same of the worst few seconds, None where they were not measured. `bursts` are
    the gaps that lost packets made, `concealed_ms` the sound made up for them, `round_trip_ms` the
    mean of what RTCP told, or None.
    """

    leg: LegRole
    direction: Literal["received", "sent"]
    codec: str
    packets: int
    loss_percent: float
    jitter_ms: float
    mos: float | None
    mos_worst: float | None = None
    bursts: int = 0
    concealed_ms: int = 0
    round_trip_ms: float | None = None


class Segment(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename={"with_": "with"}):
    """One stretch of the call: ringing a party, talking to it, being held, hearing a menu.

    `with_` is the party's number; for a hold, that of the party who held; for a menu, a queue or
    voicemail its name.
    """

    kind: SegmentKind
    with_: str
    started_at: str
    ended_at: str
    result: str


class Supervised(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One stretch of supervision: who, how, from when to when.

    `mode` is listen, whisper or barge; for a forced release `release:all`, `release:agent` or
    `release:takeover`, with both times the same. `by` None: nobody who was on the call.
    """

    by: str | None
    mode: str
    started_at: str
    ended_at: str


class Recorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One recording of the call. `seconds` and `sha256` are None where its file was not complete
    when the record was closed; `error` says what is wrong with it."""

    id: str
    started_at: str
    seconds: float | None
    sha256: str | None
    error: str | None


class Surveyed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The caller was asked for an opinion: by the survey `name`. `key` and `meaning` are None
    where no answer came, so that a response rate can be counted."""

    name: str
    key: str | None = None
    meaning: str | None = None


class AgentPart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one agent had to do with the call, from `began_at`: when it was offered, or handed on.

    `result` says what became of the offer: answered, no_answer, rejected, busy, unreachable,
    failed, withdrawn; `transferred` where a colleague handed the call on.
    """

    agent: str
    queue: str | None
    began_at: str
    result: str
    ring_s: float = 0.0
    talk_s: float = 0.0
    hold_s: float = 0.0
    wrap_up_s: float = 0.0


class CalledBack(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The caller asked to be called back at `number`.

    `result` is waiting, answered, failed or cancelled; `waited_s` is known when it is over.
    """

    number: str
    result: str = "waiting"
    waited_s: float | None = None
    agent: str | None = None
    tries: int = 0


class CallRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The record of one customer call. docs/cdr.md says what each field means."""

    id: str
    direction: Direction
    started_at: str
    answered_at: str | None
    ended_at: str
    caller: Caller
    called: Called
    result: Result
    reason: str
    cause: int | None
    sip_status: int | None
    ended_by: EndedBy
    duration_s: float
    wait_s: float
    ring_s: float
    talk_s: float
    hold_s: float
    wrap_up_s: float
    queue: str | None
    agent: str | None
    path: tuple[str, ...]
    tags: tuple[str, ...]
    recording: str | None
    survey: Surveyed | None
    dialplan_version: str | None
    quality: tuple[QualityRow, ...]
    segments: tuple[Segment, ...]
    supervision: tuple[Supervised, ...] = ()
    recordings: tuple[Recorded, ...] = ()
    agents: tuple[AgentPart, ...] = ()
    disposition: str | None = None
    note: str | None = None
    callback: CalledBack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordQuery:
    """Which records, newest first.

    Times are seconds since the epoch: `since` included, `until` not. Numbers match whole.
    """

    since: float | None = None
    until: float | None = None
    from_: str | None = None
    to: str | None = None
    queue: str | None = None
    agent: str | None = None
    result: Result | None = None
    limit: int = 100
    before: str | None = None
    """The id of the last record of the page before this one."""


def utc_text(milliseconds: int) -> str:
    """Write milliseconds since the epoch as `2026-11-21T08:00:00.123Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
