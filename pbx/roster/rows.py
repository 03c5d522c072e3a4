"""[io] The roster's values as rows of the database, and back. Times in rows are milliseconds since
the epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from pbx.acd.keeping import BookedCallback, CallbackState, Duty, Kept, Place, Stretch
from pbx.acd.model import AgentState
from pbx.db import schema
from pbx.db.bulk import Row
from pbx.db.text import storable

_CALLBACK_STATES: dict[str, CallbackState] = {
    "waiting": "waiting",
    "answered": "answered",
    "failed": "failed",
    "cancelled": "cancelled",
}


def write_duties(duties: Iterable[Duty], connection: Connection) -> None:
    """Enter duties at their agents; one whose agent is gone leaves no trace."""
    table = schema.agents
    for duty in duties:
        connection.execute(
            update(table)
            .where(table.c.number == duty.agent)
            .values(
                logged_in=duty.logged_in,
                pause=None if duty.pause is None else storable(duty.pause),
                pause_until=None if duty.until is None else ms(duty.until),
                since=ms(duty.since),
            )
        )


def stretch_row(stretch: Stretch, number: int | None = None) -> Row:
    """Return a row of `agent_states`, in the order of its columns."""
    return (
        number,
        stretch.agent,
        ms(stretch.since),
        ms(stretch.until),
        stretch.state,
        storable(stretch.reason),
        stretch.call,
        stretch.queue,
    )


def place_row(place: Place) -> Row:
    """Return a row of `places`, in the order of its columns."""
    return (
        place.call,
        place.queue,
        storable(place.number),
        place.priority,
        ms(place.joined_at),
        None if place.left_at is None else ms(place.left_at),
    )


def callback_row(callback: BookedCallback) -> Row:
    """Return a row of `callbacks`, in the order of its columns."""
    return (
        callback.id,
        callback.call,
        callback.queue,
        storable(callback.number),
        callback.language,
        callback.priority,
        msgspec.json.encode(dict(callback.skills)).decode(),
        None if callback.agent is None else storable(callback.agent),
        callback.hours,
        ms(callback.joined_at),
        callback.tries,
        ms(callback.next_at),
        callback.state,
    )


def read_kept(connection: Connection) -> Kept:
    """Read what a server that starts goes on with: duties, places, call-backs that wait."""
    waiting = schema.callbacks.c.state == "waiting"
    oldest = schema.callbacks.c.joined_at
    return Kept(
        duties=[_duty(row) for row in connection.execute(select(schema.agents))],
        places=[_place(row) for row in connection.execute(select(schema.places))],
        callbacks=[
            callback_of(row)
            for row in connection.execute(
                select(schema.callbacks).where(waiting).order_by(oldest, schema.callbacks.c.id)
            )
        ],
    )


def stretch_of(row: Any) -> Stretch:
    """Return what a row of `agent_states` says."""
    return Stretch(
        agent=row.agent,
        state=AgentState(row.state).value,
        since=row.since / 1000,
        until=row.until / 1000,
        reason=row.reason,
        call=row.call,
        queue=row.queue,
    )


def callback_of(row: Any) -> BookedCallback:
    """Return what a row of `callbacks` says."""
    return BookedCallback(
        id=row.id,
        call=row.call,
        queue=row.queue,
        number=row.number,
        joined_at=row.joined_at / 1000,
        language=row.language,
        priority=row.priority,
        skills=msgspec.json.decode(row.skills, type=dict[str, int]),
        agent=row.agent,
        hours=row.hours,
        tries=row.tries,
        next_at=row.next_at / 1000,
        state=_CALLBACK_STATES[row.state],
    )


def ms(seconds: float) -> int:
    """Return milliseconds."""
    return round(seconds * 1000)


def _duty(row: Any) -> Duty:
    return Duty(
        agent=row.number,
        logged_in=row.logged_in,
        pause=row.pause,
        since=row.since / 1000,
        until=None if row.pause_until is None else row.pause_until / 1000,
    )


def _place(row: Any) -> Place:
    return Place(
        call=row.call,
        queue=row.queue,
        number=row.number,
        priority=row.priority,
        joined_at=row.joined_at / 1000,
        left_at=None if row.left_at is None else row.left_at / 1000,
    )
