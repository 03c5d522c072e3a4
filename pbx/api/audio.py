"""What the API needs of recordings and mailboxes: Protocols, as in office.py.

Both are entries of the database and files beside it; they work with and without a server.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pbx.mailboxes.model import BoxEntry, MessageEntry
    from pbx.recordings.model import RecordingDetails, RecordingEntry, RecordingQuery


class Recordings(Protocol):
    """The recordings, one entry each, and their files."""

    async def find(self, query: RecordingQuery) -> Sequence[RecordingEntry]:
        """Return the recordings that match, newest first, at most `query.limit`."""

    async def find_one(self, recording: str) -> RecordingDetails:
        """Return one recording and who listened to it; NotFound where there is none."""

    async def fetch(
        self, recording: str, *, by: str | None, at: float
    ) -> tuple[RecordingEntry, Path]:
        """Return a recording and its file; note that `by` fetched it at `at`, unless None.

        NotFound where there is none, Refused where there is nothing to hear.
        """


class Mailboxes(Protocol):
    """The mailboxes and the messages in them. Writes are durable when they return."""

    async def boxes(self) -> Sequence[BoxEntry]:
        """Return the boxes that have messages, or for which something was set, sorted by name."""

    async def messages(
        self, *, box: str | None = None, limit: int = 100, before: str | None = None
    ) -> Sequence[MessageEntry]:
        """Return messages of one box or of all, newest first, at most `limit`, those that follow
        the message `before`; NotFound where that is none."""

    async def message(self, message: str) -> MessageEntry:
        """Return one message; NotFound where there is none."""

    async def fetch(self, message: str) -> tuple[MessageEntry, Path]:
        """Return a message and its file. NotFound, and Refused where there is nothing to hear."""

    async def delete(self, message: str) -> None:
        """Delete a message and its file; NotFound where there is none."""

    async def change(
        self,
        box: str,
        *,
        pin: str | None = None,
        mail: str | None = None,
        standard_greeting: bool = False,
    ) -> None:
        """Set PIN or address of a box; None leaves one as it is, an empty text clears it.

        `standard_greeting` forgets the one that the owner recorded. Raises Refused.
        """

    async def remove(self, box: str) -> None:
        """Forget a box with all that is in it; without effect where there is none."""
