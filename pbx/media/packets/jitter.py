"""The jitter buffer of one stream: RTP packets in as they come, payloads out as they are due.

Sequence numbers tell what is missing, timestamps when each payload is due; both wrap (RFC 3550
§5.1). The delay adapts between 20 and 200 ms to how early packets come (lead.py): the buffer only
*wishes* for a tick more or less, and whoever plays makes it so by stretching the sound. When
nothing is there in time, the player fills up and the stream waits, so that what is merely late is
still heard; what turns out to be lost was filled up already and is passed over.

Timestamps that move on while sequence numbers do not are a pause of the sender (DTX), not a loss;
timestamps that jump otherwise are another timeline and are joined to the old one. Nothing here
raises on what a remote sent, and nothing reads a clock: arrival times are arguments, and the
player moves `local` on by what it played.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from pbx.media.packets.lead import LeadGauge
from pbx.media.packets.packet_ring import MASK, ROOM, SKIPPED, SLOTS, PacketRing
from pbx.media.packets.rtp import MAX_DROPOUT, MAX_MISORDER, sequence_distance, timestamp_distance

START_TICKS: Final = 2
"""Ticks that the first packet of a stream is kept."""

MAX_DELAY_MS: Final = 200
"""Milliseconds that a packet is kept at most; older ones are dropped."""

MAX_LEAP_MS: Final = 500
"""Timestamps that differ by more from the time that passed belong to another timeline."""

_FRAMES_MS: Final = (5, 60)  # durations that a change of timestamps is taken for


class Hole(Enum):
    """What `pop` gives in place of a payload."""

    LOST = auto()
    """A packet is missing: fill up as long as a packet lasts."""
    EMPTY = auto()
    """Nothing is due: the stream pauses, has not begun, or is late. Fill up what is wanted."""


Slot = bytes | Hole


class JitterBuffer:
    """The packets of one stream, put in order and in time. Units are those of the RTP clock.

    Public figures: `late`, `duplicates`, `lost`, `discarded` in packets, `underruns` in ticks,
    `concealed` in units. `arrived` is when the newest packet came, seconds.
    """

    __slots__ = (
        *("arrived", "clock", "concealed", "discarded", "duplicates", "frame", "held", "late"),
        *("local", "lost", "tick", "underruns", "urgent", "wish"),
        *("_check_at", "_due", "_duration_ms", "_expected", "_gauge", "_leads", "_owed"),
        *("_payloads", "_play", "_ring", "_stamps", "_started", "_step", "_stranger", "_time"),
    )

    def __init__(
        self, clock: int = 8000, duration_ms: Callable[[bytes], float] | None = None
    ) -> None:
        """Begin with no stream; `duration_ms` tells a payload's, else timestamps teach it."""
        self.clock = clock
        """RTP clock, Hz."""
        self.tick = clock // 50
        """Units of the 20 ms that are played at a time."""
        self.frame = self.tick
        """Units that a packet lasts."""
        self.local = 0
        """The listener's clock: whoever plays adds what it played, before it pops."""
        self.held = 0
        """Units that were popped and are not played yet, as whoever plays tells."""
        self.wish = 0
        """+1: delay a tick more; −1: a tick less; 0: good so. Whoever did it sets it to 0."""
        self.urgent = False
        """Whether the wish cannot wait for a silence."""
        self.arrived = 0.0
        self.late = self.duplicates = self.lost = self.discarded = 0
        self.underruns = self.concealed = 0
        self._duration_ms = duration_ms
        self._gauge = LeadGauge()
        self._leads = self._gauge.leads
        self._ring = PacketRing()
        self._payloads = self._ring.payloads
        self._stamps = self._ring.stamps
        self.restart()

    def restart(self) -> None:
        """Forget the stream and what was measured, not the figures; the next packet is a first."""
        self._started = False
        self._expected = -1
        self._due = -1
        self._play = -1
        self._time = 0
        self._owed = 0
        self._step = 0
        self._check_at = 0
        self._stranger = -1
        self._ring.clear()
        self._gauge.forget()
        self.wish = 0

    def follow(self, sequence: int, timestamp: int, payload: bytes) -> None:
        """Begin behind a packet that was played already, with the next one as soon as it is there.

        So there is no delay at first. One of a tick is wished for at once.
        """
        self._begin(sequence, timestamp, payload)
        self._leads.clear()
        self._play = self._expected
        self._time = self._due
        self.wish, self.urgent = 1, True

    @property
    def depth(self) -> int:
        """Return the units that lie ready, from what is played next to the newest packet's end."""
        ready = self._due - self._time if self._play != self._expected else 0
        return max(0, ready) + self.held

    @property
    def delay_ms(self) -> float:
        """Return the milliseconds that a sample waits on average between arrival and playing."""
        if not self._gauge.windows:
            return min(self.depth * 1000 / self.clock, 1.0 * MAX_DELAY_MS)
        played = self._time + self._owed - self.held - self.local
        mean = self._gauge.mean - played + self.tick / 2
        return min(max(0.0, mean * 1000 / self.clock), 1.0 * MAX_DELAY_MS)

    def push(self, sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        """Take a packet that arrived at `now`, seconds. Never raises."""
        if sequence != self._expected or timestamp != self._due or not payload:
            self._push_with_care(sequence, timestamp, payload, now)
            return
        index = sequence & MASK
        self._payloads[index] = payload
        self._stamps[index] = timestamp
        self._expected = sequence + 1
        self._due = timestamp + self.frame
        self._leads.append(timestamp - self.local)
        self.arrived = now
        if sequence >= self._check_at:
            self._check()

    def skip(self, sequence: int) -> None:
        """Tell of a packet of the stream that is no voice: an event, or comfort noise.

        Its sequence number is then no loss; how long it lasted, the next timestamp tells.
        """
        if self._started:
            ahead = sequence_distance(sequence, self._expected & 0xFFFF)
            if 0 <= ahead < ROOM:
                number = self._make_way(self._expected + ahead)
                self._ring.put(number, self._due + ahead * self.frame, SKIPPED)
                self._expected = number + 1
                self._due += ahead * self.frame
            elif -ROOM < ahead < 0 and self._expected + ahead >= self._play:
                self._ring.fill(self._expected + ahead, self._time, SKIPPED)

    def pop(self, wanted: int | None = None) -> Slot:
        """Return the payload that is due, or what is in its place.

        `wanted` is how many units the player will fill up if nothing is due, a tick unless said.
        """
        play = self._play
        if play != self._expected:
            index = play & MASK
            payload = self._payloads[index]
            if payload and self._stamps[index] == self._time and not self._owed:
                self._play = play + 1
                self._time += self.frame
                return payload
        return self._pop_with_care(self.tick if wanted is None else wanted)

    def peek(self) -> bytes | None:
        """Return the payload that is played next, if it is there."""
        return self._payloads[self._play & MASK] if self._play != self._expected else None

    @property
    def position(self) -> int:
        """Return the sequence number that is played next."""
        return self._play & 0xFFFF

    def recent(self, most: int) -> list[bytes]:
        """Return the last payloads that were popped, newest last, without a hole between them.

        One hole at the very end, just popped, is passed over.
        """
        return self._ring.before(self._play, self._expected - SLOTS, most)

    # -- arrival, the long way

    def _push_with_care(self, sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        if not payload:
            self.skip(sequence)
        elif not self._started:
            self._begin(sequence, timestamp, payload)
        else:
            ahead = sequence_distance(sequence, self._expected & 0xFFFF)
            stamp = self._due + timestamp_distance(timestamp, self._due & 0xFFFF_FFFF)
            if ahead >= MAX_DROPOUT or ahead < -MAX_MISORDER:
                self._meet_stranger(sequence, timestamp, payload)
            elif ahead < 0:
                self._push_behind(self._expected + ahead, stamp, payload)
                return
            else:
                self._push_ahead(ahead, stamp, payload, now)
        self.arrived = now

    def _begin(self, sequence: int, timestamp: int, payload: bytes) -> None:
        self._started = True
        self._play = self._expected = sequence
        self._time = timestamp - START_TICKS * self.tick
        if self._duration_ms is not None:
            self.frame = self._measured(payload) or self.frame
        self._append(sequence, timestamp, payload)

    def _meet_stranger(self, sequence: int, timestamp: int, payload: bytes) -> None:
        """Believe a sequence number that is far away when the one behind it comes too."""
        if sequence == self._stranger:
            self.restart()
            self._begin(sequence, timestamp, payload)
        else:
            self._stranger = (sequence + 1) & 0xFFFF

    def _push_ahead(self, ahead: int, stamp: int, payload: bytes, now: float) -> None:
        if not ahead:
            self._learn_frame(stamp, payload)
        extra = stamp - self._due - ahead * self.frame
        passed = (now - self.arrived) * self.clock
        most = MAX_LEAP_MS * self.clock // 1000
        if extra > passed + most or extra < -most or (extra < 0 and not ahead):
            self._join_timeline(extra)
        number = self._expected + ahead
        if ahead >= ROOM:
            self._jump(number, stamp)
        self._append(self._make_way(number), stamp, payload)

    def _push_behind(self, number: int, stamp: int, payload: bytes) -> None:
        if number >= self._play:
            if not self._ring.fill(number, stamp, payload):
                self.duplicates += 1
                return
        elif number > self._expected - SLOTS and self._payloads[number & MASK] is not None:
            self.duplicates += 1
            return
        else:
            self.late += 1
        self._leads.append(stamp - self.local)
        self._check()  # or a sender whose packets are all late would be measured for ever

    def _append(self, number: int, stamp: int, payload: bytes) -> None:
        """Put the newest packet of all."""
        if stamp > 0xFFFF_FFFF:
            self._shift_time(-0x1_0000_0000)
            stamp -= 0x1_0000_0000
        self._ring.put(number, stamp, payload)
        self._expected = number + 1
        self._due = stamp + self.frame
        self._leads.append(stamp - self.local)
        self._check()

    def _make_way(self, number: int) -> int:
        """Mark all numbers before this one as missing; return it, less 65,536 after a wrap."""
        self._ring.mark_missing(max(self._expected, number - SLOTS), number)
        if number > 0xFFFF:
            number -= 0x10000
            self._play -= 0x10000
            self._expected -= 0x10000
            self._check_at = 0
        while number - self._play >= ROOM:
            self._drop()
        return number

    def _measured(self, payload: bytes) -> int:
        if self._duration_ms is None:
            return 0
        return round(self._duration_ms(payload) * self.clock / 1000)

    def _learn_frame(self, stamp: int, payload: bytes) -> None:
        """Find out how long packets last from a timestamp that is not the expected one.

        A payload tells by itself where we can measure it. Otherwise less than was thought is
        believed at once, more when it came twice: once it may have been a pause.
        """
        newest = self._stamps[(self._expected - 1) & MASK]
        step = stamp - newest
        if self._duration_ms is not None:
            before = self._payloads[(self._expected - 1) & MASK]
            if before and self._measured(before) == step:
                self._due = stamp
            self.frame = self._measured(payload) or self.frame
            return
        shortest, longest = (ms * self.clock // 1000 for ms in _FRAMES_MS)
        if shortest <= step <= longest and (step < self.frame or step == self._step):
            self.frame = step
            self._due = stamp
        self._step = step

    def _join_timeline(self, leap: int) -> None:
        """Go over to timestamps that jumped without time to match."""
        self._shift_time(leap)
        self._due += leap

    def _shift_time(self, units: int) -> None:
        self._time += units
        self.local += units
        self._ring.shift(units)

    def _jump(self, number: int, stamp: int) -> None:
        """Go on behind a loss that is too long to be filled up."""
        self.lost += number - self._expected
        self._settle_debt()
        self._play = self._expected = number
        self._ring.clear()
        self._time = stamp - START_TICKS * self.tick
        self._gauge.forget()

    def _drop(self) -> None:
        """Give up the oldest packet."""
        if self._payloads[self._play & MASK]:
            self.discarded += 1
        self._play += 1
        if self._payloads[self._play & MASK]:
            self._time = max(self._time, self._stamps[self._play & MASK])

    # -- adaptation

    def _check(self) -> None:
        """Drop what is too old, measure once a second; find the next number to look again at."""
        most = min(ROOM, MAX_DELAY_MS * self.clock // 1000 // self.frame + 1)
        if self._expected - self._play > most:
            self._shed(most)
        a_second = max(1, self.clock // self.frame)
        if len(self._leads) >= a_second:
            self._adapt()
        rest = a_second - len(self._leads)
        self._check_at = min(self._expected + rest, self._play + most) - 1

    def _shed(self, most: int) -> None:
        """Drop the oldest packets; the place of the last one becomes a hole where sound was on."""
        while self._expected - self._play > most:
            self._drop()
        if not self._owed and self._expected - self._play > 1:
            if self._payloads[self._play & MASK]:
                self.discarded += 1
            self._payloads[self._play & MASK] = None

    def _adapt(self) -> None:
        reach = MAX_DELAY_MS * self.clock // 1000
        played = self._time - self.held - self.local
        deepest = max(self._leads) - played + self.frame + self.tick
        self._gauge.settle(reach)
        self.wish, self.urgent = self._gauge.judge(played, self.tick)
        if self.wish > 0 and deepest > reach:
            self.wish = 0

    # -- playing, the long way

    def _pop_with_care(self, wanted: int) -> Slot:
        while self._play != self._expected:
            index = self._play & MASK
            payload = self._payloads[index]
            if payload is None:
                if self._pass_over():
                    continue
                return Hole.LOST
            if not payload:
                self._play += 1
                continue
            stamp = self._stamps[index]
            if self._wait_for(stamp, wanted):
                return Hole.EMPTY
            self._settle_debt()
            self._play += 1
            self._time = stamp + self.frame
            return payload
        if self._started:
            self._owed += wanted
        return Hole.EMPTY

    def _pass_over(self) -> bool:
        """Take the missing packet from the queue; true when it was filled up while we waited."""
        self.lost += 1
        self.concealed += self.frame
        self._play += 1
        self._time += self.frame
        if self._owed <= 0:
            return False
        self._owed = max(0, self._owed - self.frame)
        return True

    def _wait_for(self, stamp: int, wanted: int) -> bool:
        """Tell whether it is too early for the packet of `stamp`: the sender paused before it."""
        gap = stamp - self._time
        if gap <= 0 or self._follows(stamp):
            return False
        if self._owed:
            self._resume(stamp, gap)
            gap = stamp - self._time
        if 2 * gap < wanted:
            return False
        self._time += min(wanted, gap)
        return True

    def _follows(self, stamp: int) -> bool:
        """Tell whether the payload played last ends here: packets have another length now."""
        before = self._payloads[(self._play - 1) & MASK]
        ends = self._stamps[(self._play - 1) & MASK] + self._measured(before or SKIPPED)
        return bool(before) and ends == stamp

    def _resume(self, stamp: int, gap: int) -> None:
        """Choose when the first packet behind a pause is played; what was owed is forgiven.

        A short pause keeps the delay as it was; behind a long one it costs nothing to choose it
        anew.
        """
        reach = MAX_DELAY_MS * self.clock // 1000
        if self._owed < reach:
            self._time += self._owed
        elif self._gauge.windows and abs(gap - self._owed) < MAX_LEAP_MS * self.clock // 1000:
            self._time = max(self._gauge.low - self.tick + self.local, stamp - reach)
        else:
            self._time = stamp - START_TICKS * self.tick
            self._gauge.forget()
        self._time = min(self._time, stamp)
        self._owed = 0
        self.wish = 0

    def _settle_debt(self) -> None:
        """Count what was filled up for packets that came after all, too late for their time."""
        if self._owed:
            owed = min(self._owed, MAX_DELAY_MS * self.clock // 1000)
            if owed < self._owed:
                self._gauge.forget()
            self.underruns += -(-owed // self.tick)
            self.concealed += owed
            self._owed = 0
