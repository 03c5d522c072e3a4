"""When somebody may be called back: the rest before each try, and the hours. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pbx.plan.hours import Schedule, State
from pbx.plan.model import Callback
from pbx.plan.opening import judge

LOOK_AGAIN: Final = 60.0
"""Seconds after which a rest is looked at again: a day/night key, a new dialplan or a clock that
was set may have ended it."""


RING_CUSTOMER_S: Final = 30.0
"""Seconds that the customer's phone rings."""


def rest_before(rules: Callback, attempt: int) -> float:
    """Return the seconds of rest before a try, the first of which is 1; the last rest of the rules
    is that of all tries after it."""
    rests = rules.again_s
    return rests[min(attempt, len(rests)) - 1] if rests else 0.0


def closed_s(schedule: Schedule | None, now: datetime, switched: State | None) -> float:
    """Return after how many seconds, at most `LOOK_AGAIN`, closed hours are worth a look; 0 where
    nobody is disturbed now. `now` is aware; `switched` is what the day/night key says."""
    if schedule is None:
        return 0.0
    verdict = judge(schedule, now, switched)
    if verdict.state == "open":
        return 0.0
    if verdict.reopens is None:
        return LOOK_AGAIN
    return min(LOOK_AGAIN, max(0.001, (verdict.reopens - now).total_seconds()))
