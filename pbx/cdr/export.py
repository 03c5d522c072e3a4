"""Records as lines of text: CSV for spreadsheets, JSON lines for programs. Pure.

CSV has one line per call; lists are joined and quality and segments, which are tables themselves,
are left to JSON but for the worst MOS. A text that a spreadsheet would take for a formula gets an
apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable

import msgspec

from pbx.cdr.record import CalledBack, CallRecord, Surveyed

_encode = msgspec.json.Encoder().encode

COLUMNS: dict[str, Callable[[CallRecord], object]] = {
    "id": lambda record: record.id,
    "direction": lambda record: record.direction,
    "started_at": lambda record: record.started_at,
    "answered_at": lambda record: record.answered_at,
    "ended_at": lambda record: record.ended_at,
    "caller_number": lambda record: record.caller.number,
    "caller_name": lambda record: record.caller.name,
    "called_number": lambda record: record.called.number,
    "result": lambda record: record.result,
    "reason": lambda record: record.reason,
    "cause": lambda record: record.cause,
    "sip_status": lambda record: record.sip_status,
    "ended_by": lambda record: record.ended_by,
    "duration_s": lambda record: record.duration_s,
    "wait_s": lambda record: record.wait_s,
    "ring_s": lambda record: record.ring_s,
    "talk_s": lambda record: record.talk_s,
    "hold_s": lambda record: record.hold_s,
    "wrap_up_s": lambda record: record.wrap_up_s,
    "queue": lambda record: record.queue,
    "agent": lambda record: record.agent,
    "path": lambda record: " > ".join(record.path),
    "tags": lambda record: " ".join(record.tags),
    "recording": lambda record: record.recording,
    "recording_sha256": lambda record: record.recordings[0].sha256 if record.recordings else None,
    "survey": lambda record: _answer(record.survey),
    "disposition": lambda record: record.disposition,
    "note": lambda record: record.note,
    "callback": lambda record: _called_back(record.callback),
    "dialplan_version": lambda record: record.dialplan_version,
    "mos_min": lambda record: min(
        (row.mos for row in record.quality if row.mos is not None), default=None
    ),
}
"""The columns of the CSV, in order, and what is in them."""


def csv_header() -> str:
    """Return the first line, with its line end."""
    return _line(COLUMNS)


def csv_line(record: CallRecord) -> str:
    """Return the line of one record, with its line end (RFC 4180)."""
    return _line(_cell(value(record)) for value in COLUMNS.values())


def json_line(record: CallRecord) -> str:
    """Return the record as one line of JSON, with its line end."""
    return _encode(record).decode() + "\n"


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    return "'" + value if _is_formula(value) else value


def _answer(survey: Surveyed | None) -> str | None:
    """Write `name:key`; without a key where none was pressed."""
    return None if survey is None else f"{survey.name}:{survey.key or ''}"


def _called_back(callback: CalledBack | None) -> str | None:
    return None if callback is None else f"{callback.number}:{callback.result}"


def _is_formula(text: str) -> bool:
    """Tell whether a spreadsheet would compute it; a number in international form is none."""
    if text[:1] in ("+", "-"):
        return not text[1:].isdigit()
    return text[:1] in ("=", "@", "\t", "\r")
