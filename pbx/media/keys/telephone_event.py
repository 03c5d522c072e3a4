"""Keys sent as RTP: telephone-event, RFC 4733.

Traps: the packets of one event share the audio stream's SSRC and sequence numbers and keep one
timestamp; their duration grows; the end is sent three times and counts once; every packet of an
event but one may be lost, the start and the ends too. An event longer than 65,535 units goes on in
a packet with a new timestamp and without a marker (§2.5.1.3) and is still one key. The same key
pressed twice differs by its timestamp alone.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from pbx.media.packets.rtp import timestamp_distance
from pbx.media.terms import Count, Seconds, Word32

DIGITS: Final = "0123456789*#ABCD"
"""The keys by their event number 0–15, RFC 4733 §3.2."""

SILENT_AFTER: Final = 0.2
"""Seconds without a packet after which an event without an end is over."""

OLD: Final = 80_000
"""Timestamp units that a late packet may lie behind the newest event; more is another timeline."""

_payload = struct.Struct("!BBH")


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """The payload of one packet, RFC 4733 §2.3. `duration` in timestamp units."""

    event: int
    end: bool
    duration: int
    volume: int = 10

    @classmethod
    def parse(cls, payload: bytes | bytearray | memoryview) -> TelephoneEvent | None:
        """Read a payload; None when it is too short. Further events in one packet are left out."""
        if len(payload) < _payload.size:
            return None
        event, flags, duration = _payload.unpack_from(payload)
        return cls(event, bool(flags & 0x80), duration, flags & 0x3F)

    def __bytes__(self) -> bytes:
        return _payload.pack(self.event, (0x80 if self.end else 0) | self.volume, self.duration)


@dataclass(frozen=True, slots=True)
class KeyPress:
    """A key that was pressed and let go. `duration` is in timestamp units.

    Of a `withheld` key nobody else has got any packet.
    """

    digit: str
    duration: int
    withheld: bool = False


class EventState(msgspec.Struct, frozen=True, array_like=True):
    """All that one `EventReader` knows. `age` is the seconds since the last packet of a key."""

    event: Annotated[int, msgspec.Meta(ge=-1, le=0xFF)]
    timestamp: Word32
    duration: Count
    earlier: Count
    age: Seconds
    withheld: bool
    pending: bool


class EventReader:
    """Turns the packets of one stream's telephone-events into keys, each once.

    A key is told when its first end packet comes; or, when all ends were lost, when another event
    starts, or at `expire`. Events above 15 (flash, tones) are followed but not told.

    `withholds(digit)` is asked at the first packet of each key whether others are to wait for what
    becomes of it; `passes` tells of each packet whether it may go on to them.
    """

    __slots__ = (
        "_duration",
        "_earlier",
        "_event",
        "_heard",
        "_timestamp",
        "_withheld",
        "pending",
        "withholds",
    )

    def __init__(self) -> None:
        self.withholds: Callable[[str], bool] | None = None
        self.pending = False
        """True while a key is down."""
        self._event = -1
        self._timestamp = 0
        self._duration = 0
        self._earlier = 0
        self._heard = 0.0
        self._withheld = False

    def state(self, now: float) -> EventState:
        """Return what is known, for `resume` elsewhere."""
        return EventState(
            event=self._event,
            timestamp=self._timestamp,
            duration=self._duration,
            earlier=self._earlier,
            age=now - self._heard,
            withheld=self._withheld,
            pending=self.pending,
        )

    def resume(self, state: EventState, now: float) -> None:
        """Go on where another reader was."""
        self._event = state.event
        self._timestamp = state.timestamp
        self._duration = state.duration
        self._earlier = state.earlier
        self._heard = now - state.age
        self._withheld = state.withheld
        self.pending = state.pending

    def read(
        self, event: TelephoneEvent, *, timestamp: int, marker: bool, now: float
    ) -> list[KeyPress]:
        """Take one packet; return the keys that are known to be over by it."""
        keys: list[KeyPress] = []
        if self._is_another(event, timestamp):
            if self._continues(event, timestamp, marker):
                self._earlier += timestamp_distance(timestamp, self._timestamp)
            else:
                keys += self.finish()
                self.pending = True
                self._earlier = 0
                self._withheld = self._withholds(event)
            self._event = event.event
            self._timestamp = timestamp
            self._duration = 0
        elif timestamp != self._timestamp or not self.pending:
            return keys  # a late packet, or one more end, of an event that was told
        self._duration = max(self._duration, event.duration)
        self._heard = now
        if event.end:
            keys += self.finish()
        return keys

    def expire(self, now: float) -> list[KeyPress]:
        """Return the key whose packets stopped coming without an end."""
        return self.finish() if self.pending and now - self._heard >= SILENT_AFTER else []

    def finish(self) -> list[KeyPress]:
        """End the event that is going on, if any; its later packets are ignored."""
        if not self.pending:
            return []
        self.pending = False
        if self._event >= len(DIGITS):
            return []
        duration = self._earlier + self._duration
        return [KeyPress(DIGITS[self._event], duration, self._withheld)]

    def passes(self, timestamp: int) -> bool:
        """Return whether a packet that was just read may go on to whoever hears the leg.

        Where keys may be withheld, late packets of earlier keys go nowhere: the far end would take
        one that it was never told of for a key.
        """
        return self.withholds is None or (not self._withheld and timestamp == self._timestamp)

    def forget(self) -> None:
        """Begin anew with another stream, whose timestamps mean something else."""
        self._event = -1

    def _withholds(self, event: TelephoneEvent) -> bool:
        if self.withholds is None or event.event >= len(DIGITS):
            return False
        return self.withholds(DIGITS[event.event])

    def _is_another(self, event: TelephoneEvent, timestamp: int) -> bool:
        if self._event < 0:
            return True
        ahead = timestamp_distance(timestamp, self._timestamp)
        if ahead == 0:
            return event.event != self._event
        return ahead > 0 or ahead < -OLD

    def _continues(self, event: TelephoneEvent, timestamp: int, marker: bool) -> bool:
        """Return whether a long event goes on in another segment.

        The distance tells it, not the longest duration heard: that packet may be lost.
        """
        return (
            self.pending
            and not marker
            and event.event == self._event
            and 0xFF00 < timestamp_distance(timestamp, self._timestamp) <= 0xFFFF
        )
