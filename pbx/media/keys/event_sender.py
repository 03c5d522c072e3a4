"""Keys to be sent as telephone-events: what goes out in each tick, RFC 4733 §2.5.1.

A key is one event: its packets keep the timestamp at which it began while the stream's own timeline
goes on beneath, their duration grows by a tick each, the first has the marker bit, and the last is
sent three times, a tick apart, so that it survives a short burst of loss. The two repetitions are
also the gap before the next key. An event longer than a packet can tell goes on in a new segment:
a timestamp 0xFFFF units later and no marker (§2.5.1.3).

Pure: sequence numbers, payload type and SSRC are the stream's; nothing here knows the time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from pbx.media.keys.telephone_event import DIGITS, TelephoneEvent

ENDS: Final = 3
"""How often the packet that ends an event is sent."""

LONGEST: Final = 0xFFFF
"""Timestamp units that one packet's duration can tell."""

SHORTEST_MS: Final = 40
"""Milliseconds that a key lasts at least, so that every receiver takes it for one."""

MOST_WAITING: Final = 256
"""Keys that wait at most: a remote that presses thousands of them must not fill our memory."""

TICK_MS: Final = 20
"""Milliseconds from one packet to the next."""


@dataclass(frozen=True, slots=True)
class EventPacket:
    """One packet to send. `timestamp` is the event's, not the stream's newest."""

    payload: bytes
    marker: bool
    timestamp: int


class EventSender:
    """Sends keys one after the other.

    `clock` is telephone-event's, Hz; durations are in its units. `stream_clock` is that of the
    stream's timestamps where it differs, as with telephone-event/8000 beside opus.
    """

    __slots__ = ("_began", "_earlier", "_elapsed", "_ends", "_keys", "_scale", "_tick", "clock")

    def __init__(self, clock: int, stream_clock: int | None = None) -> None:
        self.clock = clock
        self._scale = (stream_clock or clock) / clock
        self._tick = clock * TICK_MS // 1000
        self._keys: deque[tuple[int, int]] = deque()
        """(event, duration in units) of the keys to send, the one that is being sent first."""
        self._began = 0
        """The timestamp of the present segment."""
        self._elapsed = 0
        """Units of the present key that were told."""
        self._earlier = 0
        """Units of it that earlier segments told."""
        self._ends = 0
        """End packets of it that went out."""

    @property
    def busy(self) -> bool:
        """Return whether there is anything left to send: the stream carries no sound meanwhile."""
        return bool(self._keys)

    def press(self, digits: str, duration_ms: int = 100) -> None:
        """Send keys, each of `duration_ms`, after those that wait.

        What is no key is left out, and what is one too many.
        """
        units = max(duration_ms, SHORTEST_MS) * self.clock // 1000
        events = [DIGITS.index(digit) for digit in digits if digit in DIGITS]
        room = MOST_WAITING - len(self._keys)
        self._keys.extend((event, units) for event in events[:room])

    def tick(self, timestamp: int) -> list[EventPacket]:
        """Return what goes out in these 20 ms, nothing when there is no key to send.

        `timestamp` is the one that a frame of sound would have now. Two packets come at once where
        a segment ends.
        """
        if not self._keys:
            return []
        event, units = self._keys[0]
        if self._elapsed == 0:
            self._began, self._earlier = timestamp, 0
        packets = []
        marker = self._elapsed == 0
        self._elapsed = min(self._elapsed + self._tick, units)
        if self._elapsed - self._earlier > LONGEST:
            packets.append(self._packet(event, LONGEST, marker=marker))
            marker = False
            self._earlier += LONGEST
            self._began = (self._began + round(LONGEST * self._scale)) & 0xFFFF_FFFF
        over = self._elapsed == units
        packets.append(self._packet(event, self._elapsed - self._earlier, marker=marker, end=over))
        self._ends += over
        if self._ends == ENDS:
            self._keys.popleft()
            self._elapsed = self._ends = 0
        return packets

    def _packet(self, event: int, duration: int, *, marker: bool, end: bool = False) -> EventPacket:
        payload = bytes(TelephoneEvent(event, end, duration))
        return EventPacket(payload, marker, self._began)
