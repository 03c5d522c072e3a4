"""What somebody's earlier calls were, for the screen of the agent who is about to answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pbx.cdr.record import CallRecord, RecordQuery
from pbx.cdr.store import RecordStore
from pbx.db.engine import Storage
from pbx.events import PastCall

LONGEST_AGO: Final = 90 * 86_400.0  # seconds
SHOWN: Final = 5


class CallerHistory:
    """The newest calls of a number; `now` returns wall-clock seconds."""

    def __init__(self, database: Storage, now: Callable[[], float]) -> None:
        self._store = RecordStore(database)
        self._now = now

    async def of(self, number: str) -> Sequence[PastCall]:
        """Return the newest calls of a number within `LONGEST_AGO`, at most `SHOWN`, the newest
        first; what ended within the last tenth of a second may be missing."""
        since = self._now() - LONGEST_AGO
        found = await self._store.find(RecordQuery(from_=number, since=since, limit=SHOWN))
        return [_past(record) for record in found]


def _past(record: CallRecord) -> PastCall:
    return PastCall(
        call=record.id,
        started_at=record.started_at,
        result=record.result,
        queue=record.queue,
        agent=record.agent,
        note=record.note,
    )
