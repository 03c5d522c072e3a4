"""What of a record counts in reports: visits of queues, agents' parts, the caller's opinion. Pure.

A report over a year reads these few words per call and not the records themselves. They follow from
the record alone (`figures_of`), so they are made anew whenever it is amended, and say nothing that
the record does not. Times are whole milliseconds, of the wall clock since the epoch.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from pbx.cdr.record import AgentPart, CallRecord, Segment


class Visit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A caller waited in a queue from `at` for `wait` milliseconds, of this call alone.

    `result` is that of the record's segment: answered, abandoned, timeout, full, no_agents,
    callback, moved, left or interrupted.
    """

    queue: str
    at: int
    wait: int
    result: str


class Part(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an agent had to do with a call, from `at` on: the milliseconds in which the phone rang,
    both talked, one was held, and of the work afterwards.

    `result` is that of `record.AgentPart`; `queue` the one that the caller came from.
    """

    agent: str
    queue: str | None
    at: int
    ring: int
    result: str
    talk: int
    hold: int
    wrap_up: int


class Opinion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The caller was asked by the survey `name`; `meaning` is what the key pressed means."""

    name: str
    meaning: str | None


class Figures(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All that counts of one call. `caller` is the customer's number, empty where it has none;
    `began` when the call did."""

    caller: str
    began: int
    visits: tuple[Visit, ...]
    parts: tuple[Part, ...]
    opinion: Opinion | None = None


def figures_of(record: CallRecord) -> Figures | None:
    """Return what of a record counts; None where it was in no queue, with no agent, and nobody
    asked for an opinion."""
    if record.queue is None and not record.agents and record.survey is None:
        return None
    return Figures(
        record.caller.number if any(map(str.isdigit, record.caller.number)) else "",
        milliseconds(record.started_at),
        tuple([visit_of(segment) for segment in record.segments if segment.kind == "queue"]),
        tuple([_part(part) for part in record.agents]),
        None if record.survey is None else Opinion(record.survey.name, record.survey.meaning),
    )


def visit_of(segment: Segment) -> Visit:
    """Return a queue's segment as a visit."""
    start = milliseconds(segment.started_at)
    return Visit(segment.with_, start, milliseconds(segment.ended_at) - start, segment.result)


def milliseconds(text: str) -> int:
    """Return a time of a record as milliseconds since the epoch."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _part(part: AgentPart) -> Part:
    return Part(
        part.agent,
        part.queue,
        milliseconds(part.began_at),
        round(part.ring_s * 1000),
        part.result,
        round(part.talk_s * 1000),
        round(part.hold_s * 1000),
        round(part.wrap_up_s * 1000),
    )
