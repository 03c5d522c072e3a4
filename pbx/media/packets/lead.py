"""How early packets come: the measure by which a jitter buffer chooses its delay.

A packet's *lead* is its timestamp less the listener's clock, both in timestamp units: the larger,
the earlier it came. What counts is the lead that all but one packet in a hundred reach, over the
last eight seconds: a listener who plays each sample just before that lead loses (nearly) nothing,
and waits no longer than needed. The clocks of sender and listener may differ; eight seconds at
200 ppm are 1.6 ms.
"""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOWS: Final = 8
"""Windows, of a second each, that are looked back on."""

MAY_MISS: Final = 100
"""One packet in so many may come too late."""

_PATIENCE: Final = 4
"""Windows measured before a delay is thought too long."""

_KEPT: Final = 9  # lowest leads of a window: one more than may miss in eight of 10 ms packets


class LeadGauge:
    """The leads of the newest packets; push one with `leads.append`, then `settle` once a second.

    `low` is the lead that nearly all reach, `mean` the mean of the last window. Both are
    meaningless while `windows` is 0.
    """

    __slots__ = ("_counts", "_lows", "leads", "low", "mean")

    def __init__(self) -> None:
        self.leads: list[int] = []
        """Leads of the present window, in the order of arrival."""
        self.low = 0
        self.mean = 0.0
        self._lows: deque[list[int]] = deque(maxlen=WINDOWS)
        self._counts: deque[int] = deque(maxlen=WINDOWS)

    @property
    def windows(self) -> int:
        """Return how many windows have been measured, up to `WINDOWS`."""
        return len(self._lows)

    def forget(self) -> None:
        """Begin anew: another sender, another path, another timeline."""
        self.leads.clear()
        self._lows.clear()
        self._counts.clear()

    def settle(self, reach: int) -> None:
        """Close the present window.

        Leads more than `reach` units behind the best one are left out: no delay that anybody
        would want could have saved those packets.
        """
        leads = sorted(self.leads)
        self.leads.clear()
        if not leads:
            return
        if leads[0] < leads[-1] - reach:
            leads = [lead for lead in leads if lead >= leads[-1] - reach]
        self.mean = sum(leads) / len(leads)
        self._lows.append(leads[:_KEPT])
        self._counts.append(len(leads))
        lowest = sorted(lead for lows in self._lows for lead in lows)
        self.low = lowest[min(sum(self._counts) // MAY_MISS, len(lowest) - 1)]

    def judge(self, played: int, tick: int) -> tuple[int, bool]:
        """Return which way a delay should change, and whether that is urgent.

        `played` is the lead of what is played now. −1, less, when nearly all packets are there two
        ticks of `tick` units before their time; +1, more, when not even one.
        """
        spare = self.low - played
        if spare < tick:
            return 1, spare < 0
        if spare >= 2 * tick and self.windows >= _PATIENCE:
            return -1, spare >= 4 * tick
        return 0, False
