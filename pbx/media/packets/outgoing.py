"""What one leg hears from us: one SSRC, one sequence, one timeline, whoever speaks."""

from __future__ import annotations

from typing import Protocol

from pbx.media.protocol import PayloadMap


class Feeder(Protocol):
    """Who sends on an outgoing stream without telling it each packet."""

    def settle(self) -> None:
        """Bring the stream up to date."""


class OutgoingStream:
    """What one leg hears from us: one SSRC, one sequence, one timeline, whoever speaks.

    `sequence` and `timestamp` are those of the newest packet sent; `sent_at` is when, in seconds,
    or −1 before the first. `packets` and `octets` (of payload) are what sender reports tell. All of
    them are up to date after `settle`.
    """

    __slots__ = (
        "clock",
        "feeder",
        "frame",
        "octets",
        "packets",
        "sent_at",
        "sequence",
        "ssrc",
        "timestamp",
    )

    def __init__(self, *, ssrc: int, sequence: int, timestamp: int) -> None:
        self.ssrc = ssrc
        self.sequence = sequence
        self.timestamp = timestamp
        self.sent_at = -1.0
        self.packets = 0
        self.octets = 0
        self.clock = 8000
        self.frame = 160
        self.feeder: Feeder | None = None

    def tune(self, payload: PayloadMap) -> None:
        """Take over the clock and the frame of the codec that is spoken now."""
        self.clock = payload.clock
        self.frame = payload.clock * payload.ptime // 1000

    def settle(self) -> None:
        """Bring everything up to date with what was sent."""
        if self.feeder is not None:
            self.feeder.settle()

    def next(self, now: float) -> tuple[int, int]:
        """Return sequence and timestamp for the first packet of somebody who starts to speak.

        The timestamp is on by the time since the last packet in whole frames, at least one.
        """
        sequence = (self.sequence + 1) & 0xFFFF
        if self.sent_at < 0:
            return sequence, self.timestamp
        frames = max(1, round((now - self.sent_at) * self.clock / self.frame))
        return sequence, (self.timestamp + frames * self.frame) & 0xFFFF_FFFF

    def sent(self, sequence: int, timestamp: int, octets: int, now: float) -> None:
        """Count a packet that goes out now as the newest one."""
        self.sequence = sequence
        self.timestamp = timestamp
        self.sent_at = now
        self.packets += 1
        self.octets += octets
