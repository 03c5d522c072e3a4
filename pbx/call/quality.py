"""From a worker's figures to the rows of the record: loss in percent, jitter, round trip."""

from __future__ import annotations

from typing import Literal

from pbx.events import Quality
from pbx.media.protocol import StreamFigures

Role = Literal["caller", "called"]


def quality(
    role: Role, codec: str, received: StreamFigures, sent: StreamFigures
) -> tuple[Quality, Quality]:
    """Return what was received from the leg and what it says it received from us."""
    return _row(role, "received", codec, received), _row(role, "sent", codec, sent)


def _row(
    role: Role, direction: Literal["received", "sent"], codec: str, figures: StreamFigures
) -> Quality:
    # What we sent is counted in full, what was received only as far as it came.
    expected = figures.packets + (figures.lost if direction == "received" else 0)
    return Quality(
        leg=role,
        direction=direction,
        codec=codec,
        packets=figures.packets,
        loss_percent=round(100.0 * figures.lost / expected, 2) if expected > 0 else 0.0,
        jitter_ms=round(figures.jitter_ms, 2),
        round_trip_ms=figures.round_trip_ms,
    )
