"""Codes that a party of an office's own phone keys during a call: one row per code.

The worker withholds their keys from the other side and tells when one is complete (`SetCodes`).
What a code does is synchronous: it queues commands or starts something beside the call's script.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pbx.call.consult import bring_together, consult, hand_on_blind
from pbx.call.recording import REFUSED_TONE

if TYPE_CHECKING:
    from pbx.call.leg import Leg


def _record(leg: Leg) -> None:
    """Begin to record the call, or stop."""
    leg.call.exchange.recordings.toggle(leg)


def _survey(leg: Leg) -> None:
    """Let an agent go, whose customer is asked for an opinion; a tone where there is no survey."""
    queued = leg.call.queued
    if queued is None or not queued.ask(leg):
        leg.call.bridge.announce(*REFUSED_TONE)


IN_CALL: Mapping[str, Callable[[Leg], None]] = {
    "*1": _record,
    "*2": consult,
    "*3": bring_together,
    "*4": _survey,
    "##": hand_on_blind,
}
"""Code → what it does for the leg that keyed it."""
