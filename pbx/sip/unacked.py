"""A 2xx to an INVITE that waits for its ACK: it is repeated end to end (RFC 3261 §13.3.1.4).

The transaction does not repeat it, whatever the transport: T1 after it was sent, then at doubled
intervals up to T2, until the ACK comes or 64·T1 have passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.sip.deadlines import NEVER

if TYPE_CHECKING:
    from pbx.sip.endpoint import Endpoint
    from pbx.sip.machine import ServerTransaction


class Unacked:
    """One 2xx. `number` is the CSeq number that its ACK must have."""

    __slots__ = (
        "_endpoint",
        "_interval",
        "_message",
        "_transaction",
        "number",
        "repeat_at",
        "stop_at",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        transaction: ServerTransaction,
        message: bytes,
        number: int,
        now: float,
    ) -> None:
        timers = endpoint.settings.timers
        self._endpoint = endpoint
        self._transaction = transaction
        self._message = message
        self._interval = timers.t1
        self.number = number
        self.repeat_at = now + timers.t1
        self.stop_at = now + timers.timeout

    def wakes_at(self) -> float:
        """Return when to repeat it, or to give up."""
        return min(self.repeat_at, self.stop_at)

    def repeat(self, now: float) -> None:
        """Send it again, if that is due."""
        if now >= self.repeat_at:
            self._endpoint.transactions.send(self._message, self._transaction.flow)
            self._interval = min(self._interval * 2, self._endpoint.settings.timers.t2)
            self.repeat_at = now + self._interval

    def give_up(self) -> None:
        """Repeat it no more."""
        self.repeat_at = self.stop_at = NEVER
