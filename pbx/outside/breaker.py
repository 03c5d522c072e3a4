"""When not to ask: a target that failed five times in a row is left alone for half a minute.

Then one enquiry is a trial, while others still fail at once; its result closes the circuit or opens
it for as long again. So a dead server costs each caller nothing, and a server that comes back is
not met by all of them at once.
"""

from __future__ import annotations

from typing import Final

from pbx.errors import CallpbxError

FAILURES: Final = 5
"""Failures in a row that open a circuit."""

OPEN_S: Final = 30.0
"""Seconds that it stays open."""


class Unavailable(CallpbxError):
    """The target did not do its part: no answer, a late one, a broken one. The text says why."""


class Breaker:
    """The circuit to one target. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._failures = 0
        self._closed_from = 0.0
        self._trial = False

    @property
    def open(self) -> bool:
        """Tell whether it is open, or waits for the result of a trial."""
        return self._failures >= FAILURES

    def enter(self, now: float) -> bool:
        """Tell whether an enquiry may go out; one that may ends with one of the methods below."""
        if not self.open:
            return True
        if self._trial or now < self._closed_from:
            return False
        self._trial = True
        return True

    def succeeded(self) -> None:
        """Note an answer."""
        self._failures = 0
        self._trial = False

    def failed(self, now: float) -> None:
        """Note a failure."""
        self._trial = False
        self._failures += 1
        if self.open:
            self._closed_from = now + OPEN_S

    def abandoned(self) -> None:
        """Note that no result came, as the caller hung up; changes nothing after a result."""
        self._trial = False
