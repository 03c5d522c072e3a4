"""The guard against stolen phones: how many calls may go abroad, at once and within an hour.

Who has somebody's SIP password calls expensive numbers of other countries by it, at night, as many
at once as the lines carry. So each extension, and the office as a whole, has limits that office
life does not reach. Calls within the country have none but the lines'. Pure; `now` is monotonic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class TollFraudLimits:
    """Calls abroad at once and within an hour: of one extension, and of all together."""

    calls: int = 3
    hourly: int = 20
    office_calls: int = 10
    office_hourly: int = 100


UNLESS_TOLD: Final = TollFraudLimits()
"""The limits of an office that says nothing of them."""


class TollFraud:
    """Counts the calls that go abroad."""

    def __init__(self, limits: TollFraudLimits) -> None:
        self._limits = limits
        self._up: dict[Hashable, str | None] = {}
        self._begun: deque[tuple[float, str | None]] = deque()

    def refusal(self, by: str | None, now: float) -> str | None:
        """Return why no further call may go abroad, as half a sentence; None where one may.

        `by` is the extension that calls; None for the dialplan's own calls.
        """
        while self._begun and self._begun[0][0] <= now - HOUR:
            self._begun.popleft()
        limits = self._limits
        own_up = sum(each == by for each in self._up.values())
        own_begun = sum(each == by for _, each in self._begun)
        if by is not None and own_up >= limits.calls:
            return f"it has {own_up} calls abroad at once"
        if by is not None and own_begun >= limits.hourly:
            return f"it made {own_begun} calls abroad within an hour"
        if len(self._up) >= limits.office_calls:
            return f"the office has {len(self._up)} calls abroad at once"
        if len(self._begun) >= limits.office_hourly:
            return f"the office made {len(self._begun)} calls abroad within an hour"
        return None

    def count(self, by: str | None, now: float) -> None:
        """Count a call that was let through."""
        self._begun.append((now, by))

    def begun(self, leg: Hashable, by: str | None) -> None:
        """Note that a leg leads abroad until `ended`."""
        self._up[leg] = by

    def ended(self, leg: Hashable) -> None:
        """Note that a leg is over, if it led abroad."""
        self._up.pop(leg, None)
