"""What comes after a call's end: how a finished record changes by it. Pure.

The agent's work after the call, a call-back, a late answer to a survey, a note: each is an event of
the call. While the call goes on they wait in it (`OpenCall.later`) and become part of its record;
afterwards the record that is stored is amended (late.py). Both are `amended`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from pbx import events
from pbx.cdr.record import AgentPart, CalledBack, CallRecord, Surveyed
from pbx.events import Event


def amended(record: CallRecord, event: Event) -> CallRecord:
    """Return the record as the event leaves it; most events change nothing."""
    step = AMENDMENTS.get(type(event))
    return record if step is None else step(record, event)


def _wrapped_up(record: CallRecord, event: events.WrapUpEnded) -> CallRecord:
    seconds = round(max(0.0, event.seconds), 3)
    return replace(
        _noted(record, event),
        wrap_up_s=round(record.wrap_up_s + seconds, 3),
        agents=_with_work(record.agents, event.agent, seconds),
    )


def _with_work(parts: tuple[AgentPart, ...], agent: str, seconds: float) -> tuple[AgentPart, ...]:
    """Add work after the call to the agent's last part in it."""
    for place in range(len(parts) - 1, -1, -1):
        part = parts[place]
        if part.agent == agent:
            longer = replace(part, wrap_up_s=round(part.wrap_up_s + seconds, 3))
            return (*parts[:place], longer, *parts[place + 1 :])
    return parts


def _noted(record: CallRecord, event: events.WrapUpEnded | events.RecordAmended) -> CallRecord:
    """Take what the event says; None says nothing, an empty text takes back what was there."""
    disposition, note = record.disposition, record.note
    if event.disposition is not None:
        disposition = event.disposition or None
    if event.note is not None:
        note = event.note or None
    return replace(record, disposition=disposition, note=note)


def _callback_booked(record: CallRecord, event: events.CallbackBooked) -> CallRecord:
    return replace(record, callback=CalledBack(number=event.number))


def _callback_tried(record: CallRecord, event: events.CallbackTried) -> CallRecord:
    callback = record.callback
    if callback is None or event.origin != record.id:
        return record
    return replace(record, callback=replace(callback, tries=max(callback.tries, event.tries)))


def _callback_ended(record: CallRecord, event: events.CallbackEnded) -> CallRecord:
    callback = record.callback or CalledBack(number=record.caller.number)
    over = replace(
        callback, result=event.result, waited_s=round(event.waited_s, 3), agent=event.agent
    )
    return replace(record, callback=over)


def _opinion(record: CallRecord, event: events.SurveyAnswered) -> CallRecord:
    return replace(record, survey=Surveyed(name=event.survey, key=event.key, meaning=event.meaning))


AMENDMENTS: Final[Mapping[type[Event], Callable[[CallRecord, Any], CallRecord]]] = {
    events.WrapUpEnded: _wrapped_up,
    events.RecordAmended: _noted,
    events.CallbackBooked: _callback_booked,
    events.CallbackTried: _callback_tried,
    events.CallbackEnded: _callback_ended,
    events.SurveyAnswered: _opinion,
}
"""One step per event that may come after the end."""
