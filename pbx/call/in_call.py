"""Codes that a party of an office's own phone keys during a call: one row per code.

The worker withholds their keys from the other side and tells when one is complete (`SetCodes`).
What a code does is synchronous: it queues commands or starts something beside the call's script.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pbx.call.leg import Leg


def _record(leg: Leg) -> None:
    """Begin to record the call, or stop."""
    leg.call.exchange.recordings.toggle(leg)


IN_CALL: Mapping[str, Callable[[Leg], None]] = {"*1": _record}
"""Code → what it does for the leg that keyed it."""
