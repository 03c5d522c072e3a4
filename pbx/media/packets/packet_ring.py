"""The packets of one stream in a ring, by sequence number: those to come, and those just played.

Numbers here are sequence numbers without their wrap, so they may exceed 65,535 or be negative; the
ring's size divides 65,536, so that a number and the same less 65,536 share a slot.
"""

from __future__ import annotations

from typing import Final

SLOTS: Final = 32
MASK: Final = SLOTS - 1

ROOM: Final = 24
"""Slots for packets to come; the others hold what was played last."""

SKIPPED: Final = b""
"""In the place of a packet that took a sequence number and is not to be played."""


class PacketRing:
    """Payloads and timestamps; the slot of a number is `number & MASK`. None is a missing packet.

    Whoever keeps the ring keeps `payloads` and `stamps` too, and writes into them.
    """

    __slots__ = ("payloads", "stamps")

    def __init__(self) -> None:
        self.payloads: list[bytes | None] = [None] * SLOTS
        self.stamps = [0] * SLOTS

    def clear(self) -> None:
        """Forget all packets."""
        self.payloads[:] = [None] * SLOTS

    def put(self, number: int, stamp: int, payload: bytes) -> None:
        """Put the newest packet of all."""
        self.payloads[number & MASK] = payload
        self.stamps[number & MASK] = stamp

    def fill(self, number: int, stamp: int, payload: bytes) -> bool:
        """Put a packet that was overtaken; false when it is there already."""
        if self.payloads[number & MASK] is not None:
            return False
        self.put(number, stamp, payload)
        return True

    def mark_missing(self, first: int, end: int) -> None:
        """Mark the packets from `first` up to before `end` as missing."""
        for number in range(first, end):
            self.payloads[number & MASK] = None

    def shift(self, units: int) -> None:
        """Move all timestamps on, when the timeline changes."""
        for index in range(SLOTS):
            self.stamps[index] += units

    def before(self, number: int, oldest: int, most: int) -> list[bytes]:
        """Return the last payloads below `number`, newest last, without a hole between them.

        One hole at the very end is passed over. Slots below `oldest` hold other packets already.
        """
        found: list[bytes] = []
        if self.payloads[(number - 1) & MASK] is None:
            number -= 1
        while len(found) < most and number > oldest:
            number -= 1
            payload = self.payloads[number & MASK]
            if not payload:
                break
            found.append(payload)
        found.reverse()
        return found
