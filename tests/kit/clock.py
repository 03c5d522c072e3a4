"""Time that passes only when somebody says so.

`VirtualClock` is the injected clock of `pbx.events` and the time of the virtual event loop
(tests/kit/loop.py), so that what a test waits for, what a record says and what a timer measures are
one and the same.
"""

from __future__ import annotations

MORNING = 1_795_248_000.0
"""Seconds since the epoch of 2026-11-21T08:00:00Z, when virtual days begin."""


class VirtualClock:
    """Wall-clock and monotonic seconds that go forward together; satisfies `pbx.events.Clock`."""

    def __init__(self, *, wall: float = MORNING, monotonic: float = 1000.0) -> None:
        self._monotonic = monotonic
        self._offset = wall - monotonic

    def wall(self) -> float:
        """Return seconds since the epoch, UTC."""
        return self._monotonic + self._offset

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._monotonic

    def advance(self, seconds: float) -> float:
        """Let `seconds` (≥ 0) pass; return the new monotonic time."""
        return self.advance_to(self._monotonic + seconds)

    def advance_to(self, monotonic: float) -> float:
        """Let time pass until `monotonic`; an earlier time changes nothing. Return the new time."""
        self._monotonic = max(self._monotonic, monotonic)
        return self._monotonic

    def set_wall(self, wall: float) -> None:
        """Let the wall clock jump, as an administrator or a summer does; monotonic time goes on."""
        self._offset = wall - self._monotonic
