"""Reminds whoever holds a party of it: a short beep after `hold_reminder` of the dialplan, and
again each time as long.

A phone that has put its line on hold usually hears nothing on it (`sendonly`, `inactive`), and
there is no other way to make a desk phone beep; then nothing is played. Who holds by the code `*2`
hears the reminder over whatever it hears, and so does a phone that holds but listens on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pbx.call.leg import Leg

REMINDER = ("tone:beep",)


def start(leg: Leg) -> None:
    """Begin to count: the party of `leg` holds another from now on."""
    stop(leg)
    seconds = leg.call.plan.defaults.hold_reminder_s
    if seconds > 0:
        leg.reminder = asyncio.get_running_loop().call_later(seconds, _remind, leg)


def stop(leg: Leg) -> None:
    """Remind of nothing any more."""
    if leg.reminder is not None:
        leg.reminder.cancel()
        leg.reminder = None


def _remind(leg: Leg) -> None:
    agreed = leg.media.agreed
    if agreed is not None and agreed.direction.sends:
        leg.media.start_playing(REMINDER, others=1.0)
    start(leg)
