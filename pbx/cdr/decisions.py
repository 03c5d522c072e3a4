"""Reads what queues decided within some time: the events of all calls that tell of offers. [io]"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from sqlalchemy import Connection, or_, select

from pbx import events
from pbx.cdr.rows import first_ordinal, read_events
from pbx.db import schema
from pbx.db.engine import Storage
from pbx.errors import Refused
from pbx.events.bus import Stamped

LONGEST_CALL: Final = 12 * 3600.0
"""Seconds after its beginning in which a call's offers are looked for."""

LONGEST_STRETCH: Final = 120.0
"""Seconds that one row's events may span, at the most."""

MOST: Final = 48 * 3600.0
"""Seconds that may be asked for at once."""

KINDS: Final = (
    events.QueueEntered,
    events.OfferDecided,
    events.AgentDeclined,
    events.AgentConnected,
)

_events = schema.events.c


class Decisions:
    """What queues decided. `fresh` is awaited before each look-up."""

    def __init__(
        self, database: Storage, *, fresh: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        self._database = database
        self._fresh = fresh

    async def within(self, since: float, until: float) -> list[Stamped]:
        """Return who came into queues, what was offered to whom and what became of it, from `since`
        until `until` (wall), in order. Raises Refused for more than two days at once."""
        if until - since > MOST:
            raise Refused("ask for two days at most: --since and --until say which")
        if self._fresh is not None:
            await self._fresh()
        return await self._database.read(partial(_within, since, until))


def _within(since: float, until: float, connection: Connection) -> list[Stamped]:
    statement = select(_events.body).where(
        _events.call >= first_ordinal(since - LONGEST_CALL),
        _events.call < first_ordinal(until),
        _events.at >= round((since - LONGEST_STRETCH) * 1000),
        _events.at < round(until * 1000),
        or_(*(_events.body.contains(f'"{kind.__name__}"') for kind in KINDS)),
    )
    found = [
        stamped
        for body in connection.execute(statement).scalars()
        for stamped in read_events(body)
        if isinstance(stamped.event, KINDS) and since <= stamped.at < until
    ]
    return sorted(found, key=lambda stamped: stamped.seq)
