"""The rows of the tables `records`, `open_calls` and `events`, made of records and events.

Pure.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pbx.cdr.figures import Figures, figures_of
from pbx.cdr.record import CallRecord
from pbx.db.text import storable
from pbx.events.bus import Stamped

EventRow = tuple[int, int, int, str]
OpenRow = tuple[int, str]
RecordRow = tuple[int, str, str, str, str, str | None, str | None, str, str | None]

LATEST = 8_700_000_000.0
"""Seconds since the epoch, in 2245: the places of calls fit into 63 bits until then."""

_encode = msgspec.json.Encoder().encode
_decode_record: msgspec.json.Decoder[CallRecord] = msgspec.json.Decoder(CallRecord)
_decode_figures: msgspec.json.Decoder[Figures] = msgspec.json.Decoder(Figures)
_decode_event: msgspec.json.Decoder[Stamped] = msgspec.json.Decoder(Stamped)
_decode_events: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])


def ordinal_of(started_ms: int, seq: int) -> int:
    """Return the place of a call among all: by the time it began, then by its first event."""
    return started_ms << 20 | seq & 0xFFFFF


def first_ordinal(wall: float) -> int:
    """Return the smallest place of the calls that began at `wall` (seconds) or later."""
    return round(min(max(wall, 0.0), LATEST) * 1000) << 20


def record_row(ordinal: int, record: CallRecord) -> RecordRow:
    """Return the row of a call that is over."""
    figures = figures_of(record)
    return (
        ordinal,
        record.id,
        storable(record.caller.number),
        storable(record.called.number),
        record.result,
        record.queue,
        record.agent,
        _text(record),
        None if figures is None else _text(figures),
    )


def open_row(ordinal: int, started: Stamped) -> OpenRow:
    """Return the row of a call that goes on; `started` is its first event."""
    return ordinal, _text(started)


def event_row(ordinal: int, stretch: list[Stamped]) -> EventRow:
    """Return the row of some consecutive events of one call."""
    return stretch[-1].seq, ordinal, round(stretch[0].at * 1000), _text(stretch)


def read_record(body: str) -> CallRecord:
    """Return the record in a row's body."""
    return _decode_record.decode(body)


def read_figures(body: str) -> Figures:
    """Return what counts of a record, as it stands in its row."""
    return _decode_figures.decode(body)


def read_event(body: str | msgspec.Raw) -> Stamped:
    """Return one stored event; raises msgspec.ValidationError where its kind is not known here."""
    return _decode_event.decode(body)


def read_events(body: str) -> list[Stamped]:
    """Return the events in a row's body, without those that this version does not know."""
    found = []
    for raw in _decode_events.decode(body):
        try:
            found.append(read_event(raw))
        except msgspec.ValidationError:
            continue
    return found


def _text(content: object) -> str:
    try:
        return _encode(content).decode()
    except UnicodeEncodeError:
        return _encode(_storable(msgspec.to_builtins(content))).decode()


def _storable(content: Any) -> Any:
    if isinstance(content, str):
        return storable(content)
    if isinstance(content, list | tuple):
        return [_storable(item) for item in content]
    if isinstance(content, dict):
        return {key: _storable(item) for key, item in content.items()}
    return content
