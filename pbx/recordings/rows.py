"""The rows of the table `recordings`, made of events and read as entries. Pure.

A row goes through its recording's events in order; times of pauses are seconds of sound, which the
clock tells as well as anything: a recording is aligned with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from pbx.db.bulk import Row
from pbx.events import (
    RecordingEnded,
    RecordingEvent,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
)
from pbx.recordings.model import Pause, RecordingEntry, State

Pauses = list[tuple[float, float | None]]

_encode = msgspec.json.Encoder().encode
_decode: msgspec.json.Decoder[Pauses] = msgspec.json.Decoder(Pauses)


class IndexRow(msgspec.Struct, kw_only=True, gc=False):
    """A row of the index, in the order of the table's columns. `started_at` is milliseconds."""

    id: str
    call: str
    started_at: int
    state: State
    format: str
    file: str
    seconds: float | None = None
    octets: int | None = None
    sha256: str | None = None
    error: str | None = None
    pauses: str = "[]"

    def values(self) -> Row:
        """Return the row as the database takes it."""
        return tuple(getattr(self, name) for name in self.__struct_fields__)

    def entry(self) -> RecordingEntry:
        """Return what is shown of it."""
        pauses = tuple(Pause(from_s=start, to_s=end) for start, end in _decode.decode(self.pauses))
        return RecordingEntry(
            id=self.id,
            call=self.call,
            started_at=utc_text(self.started_at),
            state=self.state,
            format=self.format,
            seconds=self.seconds,
            octets=self.octets,
            sha256=self.sha256,
            error=self.error,
            pauses=pauses,
            file=self.file,
        )

    def take(self, event: RecordingEvent, at: float) -> None:
        """Let an event of the recording change it; `at` is seconds since the epoch."""
        match event:
            case RecordingPaused():
                self._set_pauses([*_decode.decode(self.pauses), (self._since_start(at), None)])
            case RecordingResumed():
                self._end_pause(self._since_start(at))
            case RecordingEnded():
                self._end_pause(event.seconds)
                self.state = "complete" if event.sha256 else "interrupted"
                self.seconds, self.octets = event.seconds, event.octets
                self.sha256, self.error = event.sha256, event.error

    def _since_start(self, at: float) -> float:
        return max(0.0, round(at - self.started_at / 1000, 1))

    def _end_pause(self, at: float | None) -> None:
        pauses = _decode.decode(self.pauses)
        if pauses and pauses[-1][1] is None and at is not None:
            self._set_pauses([*pauses[:-1], (pauses[-1][0], round(at, 1))])

    def _set_pauses(self, pauses: Pauses) -> None:
        self.pauses = _encode(pauses).decode()


def first_row(event: RecordingStarted, at: float) -> IndexRow:
    """Return the row of a recording that begins at `at`, seconds since the epoch."""
    return IndexRow(
        id=event.recording,
        call=event.call,
        started_at=round(at * 1000),
        state="recording",
        format=event.format,
        file=event.file,
    )


def read_row(values: Sequence[Any]) -> IndexRow:
    """Return a row of the table as the database gave it."""
    return IndexRow(**dict(zip(IndexRow.__struct_fields__, values, strict=True)))


def utc_text(milliseconds: int) -> str:
    """Write milliseconds since the epoch as `2026-11-21T08:00:00.123Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
