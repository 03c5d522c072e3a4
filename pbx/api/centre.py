"""What the API needs of the running call centre: a Protocol, satisfied by `pbx/live_centre.py`.

As in office.py: everything is quick and works from memory; `NotFound` is raised for what does not
exist, `Refused` for what cannot be done, each with one sentence for the user. `by` is who asked:
the name of a token, or `socket`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pbx.api.centre_views import (
        Board,
        QueueDetail,
        QueueRow,
        WaitingCallback,
        WaitingCaller,
    )


class LiveCentre(Protocol):
    """Queues and who waits in them, agents and what they do, as they are now."""

    # -- queues ------------------------------------------------------------------------------

    def board(self) -> Board:
        """Return all queues and all agents."""

    def queues(self) -> Sequence[QueueRow]:
        """Return the queues of the dialplan in force, by name."""

    def queue(self, name: str) -> QueueDetail:
        """Return one queue with its callers and agents; NotFound where there is none."""

    def switch_queue(self, name: str, on: bool, by: str) -> None:
        """Open a queue to new callers, or close it; NotFound where there is none."""

    # -- callers -----------------------------------------------------------------------------

    def caller(self, name: str) -> WaitingCaller:
        """Return who waits under this id of a call, its beginning, or the caller's number.

        Raises NotFound where nobody does, Refused where several do.
        """

    def places(self) -> Mapping[str, tuple[str, str | None]]:
        """Return the queue of each call that waits in one or came from one, and who has it."""

    def raise_caller(self, queue: str, call: str, by: str) -> None:
        """Put a caller before all others of the queue; NotFound where it does not wait there."""

    def move_caller(self, queue: str, call: str, to: str, by: str) -> None:
        """Let a caller go on waiting in another queue; what it waited counts there.

        Raises NotFound where it does not wait in `queue` or `to` is none, Refused where `to` is
        closed.
        """

    # -- call-backs --------------------------------------------------------------------------

    def callbacks(self) -> Sequence[WaitingCallback]:
        """Return who waits to be called back, by the beginning of the wait."""

    def cancel_callback(self, name: str) -> None:
        """Call somebody back no more: by the call-back's id, its beginning, or the number.

        Raises NotFound where there is none, Refused where there are several.
        """

    def hurry_callback(self, name: str) -> WaitingCallback:
        """Let a call-back wait in its line now, before its next try is due and outside its hours;
        as in `cancel_callback`."""
