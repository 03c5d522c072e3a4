"""The relay row: what one leg says goes on, payload for payload, to the leg that hears it.

A `RelayRow` stands behind each leg's socket. It counts what arrives and rewrites the header in
place: the payload type as the hearing leg numbers it, that leg's own SSRC, and constant offsets of
sequence and timestamp, so that loss, duplicates and reordering pass on truthfully. Whenever the
speaking stream begins anew — a join, a resume, another SSRC, a restart — the offsets are
chosen again: the hearer's sequence goes on by one, its timestamp by the time that passed in
whole frames, and the marker bit is set. So the hearer never sees a jump.

Where the leg's voice is decoded too, `push` is given each packet of it: `tap` does that besides
forwarding, `listen` in place of it, for a leg that is heard through the matrix. Keys are told and
never pushed: nobody hears them as noise.

The packet that is next in order with the expected 16 header bits takes the short way through
`forward`, `tap` or `listen`; telephone-events, losses, late packets, unknown payload types and
everything odd take `_take_with_care`. No object is made per packet on the relay's short way: it is
nearly all that a worker does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from pbx.media.keys.telephone_event import EventReader, KeyPress, TelephoneEvent
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.rtp import (
    HEADER_SIZE,
    HEADS,
    MARKER,
    MAX_TRANSIT_STEP,
    PLAIN_SIZE,
    Arrival,
    RtpStream,
    StreamState,
    payload_bounds,
    read_header,
    read_plain,
    write_header,
)
from pbx.media.protocol import PayloadMap

MAX_PACKET: Final = 2048
"""Octets of the buffer that packets are received into; one that fills it may be cut off."""

COMFORT_NOISE: Final = 13
"""Payload type of comfort noise (RFC 3389), which some phones send unasked when nobody talks."""

_NEVER: Final = -1
"""No 16 header bits: every packet takes the careful way."""


Push = Callable[[int, int, bytes, float], object]
"""Takes sequence, timestamp, payload and time of arrival of one packet of a voice."""


class Hearing(Protocol):
    """What decodes the leg's voice: `voice.LegVoice`."""

    @property
    def push(self) -> Push:
        """Return what takes a packet of the voice."""

    @property
    def skip(self) -> Callable[[int], object]:
        """Return what takes the sequence number of a packet that is no voice."""

    def reset(self) -> None:
        """Hear another stream from now on."""

    def follow(self, sequence: int, timestamp: int, payload: bytes) -> None:
        """Go on behind this packet, which was heard by another way."""


_NOBODY: Final = OutgoingStream(ssrc=0, sequence=0, timestamp=0)


def _do_nothing() -> None:
    pass


class RelayRow(RtpStream):
    """One leg's incoming packets: counted, and rewritten for the leg that hears them.

    `on_key` is called with each key that was pressed and let go, and with the time; `on_down` when
    one goes down.
    """

    __slots__ = (
        "_aimed",
        "_event_type",
        "_events",
        "_expected_head",
        "_fresh",
        "_head",
        "_map",
        "_oldest",
        "_on_down",
        "_on_key",
        "_out",
        "_push",
        "_recent",
        "_restart",
        "_sequence_offset",
        "_settled_octets",
        "_settled_packets",
        "_skip",
        "_ssrc",
        "_timestamp_offset",
        "_voice_type",
        "dropped",
    )

    def __init__(
        self,
        on_key: Callable[[KeyPress, float], None],
        on_down: Callable[[], object] = _do_nothing,
    ) -> None:
        super().__init__()
        self.dropped = 0
        """Packets that were not accepted: malformed, unknown payload type, not yet believed."""
        self._on_key = on_key
        self._on_down = on_down
        self._events = EventReader()
        self._voice_type = _NEVER
        self._event_type = _NEVER
        self._map = [_NEVER] * 128
        self._out = _NOBODY
        self._push: Push | None = None
        self._recent: bytes | bytearray = b""
        """The payload that was sent on last, while nobody decodes the voice."""
        self._skip: Callable[[int], object] | None = None
        self._restart: Callable[[], object] | None = None
        self._aimed = False
        self._fresh = False
        self._oldest = 0
        self._settled_packets = 0
        self._settled_octets = 0
        self._expected_head = _NEVER
        self._head = 0
        self._ssrc = 0
        self._sequence_offset = 0
        self._timestamp_offset = 0

    def listen_to(self, payload: PayloadMap) -> None:
        """Say how the speaking leg numbers its payloads. The row rests until it is aimed again."""
        self._voice_type = payload.receive
        self._event_type = _NEVER if payload.event_receive is None else payload.event_receive
        self.tune(payload.clock)
        self.rest()

    def aim(self, out: OutgoingStream, payload: PayloadMap, *, events: bool = True) -> None:
        """Send on to `out`, whose leg numbers payloads as `payload` says.

        Telephone-events go on too where `events` is true and that leg has a number for them.
        Without effect when nothing changes by it.
        """
        numbers = [_NEVER] * 128
        numbers[self._voice_type] = payload.send
        if events and self._event_type >= 0 and payload.event_send is not None:
            numbers[self._event_type] = payload.event_send
        if self._aimed and out is self._out and numbers == self._map:
            return
        self.rest()
        out.settle()
        out.feeder = self
        self._map = numbers
        self._head = HEADS[payload.send]
        self._ssrc = out.ssrc
        self._out = out
        self._aimed = True
        self._fresh = True
        self._choose_way()

    def rest(self) -> None:
        """Send on to nobody; packets are still counted and keys told."""
        self.settle()
        if self._out.feeder is self:
            self._out.feeder = None
        self._aimed = False
        self._out = _NOBODY
        self._choose_way()

    @property
    def events(self) -> EventReader:
        """Return the reader of the keys in the stream."""
        return self._events

    def resume(self, state: StreamState, now: float) -> None:
        """Go on where another row was; the row rests until it is aimed."""
        super().resume(state, now)
        self._settled_packets, self._settled_octets = self.packets, self.octets

    def withhold(self, withholds: Callable[[str], bool] | None) -> None:
        """Ask for each key that goes down whether its packets must not go on; or for none.

        A key that is withheld leaves no gap in what the hearer gets.
        """
        self._events.withholds = withholds

    @property
    def passes_keys(self) -> bool:
        """Return whether keys that are not withheld go on, packet for packet."""
        return self._aimed and self._event_type >= 0 and self._map[self._event_type] >= 0

    def push_to(self, voice: Hearing | None, *, since: float | None = None) -> None:
        """Give each packet of the voice to `voice` from now on, or to nobody.

        Where its packets have been relayed until now and the last one came after `since`, it is to
        go on behind that one without a pause.
        """
        if voice is not None and since is not None and self._aimed and self.arrived > since:
            recent, self._recent = self._recent, b""
            if recent:
                voice.follow((self.expected - 1) & 0xFFFF, self.timestamp, bytes(recent))
        self._push = None if voice is None else voice.push
        self._restart = None if voice is None else voice.reset
        self._skip = None if voice is None else voice.skip
        self._choose_way()

    def settle(self) -> None:
        """Tell the hearer's stream what went out on the short way."""
        packets, octets = self.packets, self.octets
        sent = packets - self._settled_packets
        if sent:
            out = self._out
            out.sequence = (self.expected - 1 + self._sequence_offset) & 0xFFFF
            out.timestamp = (self.timestamp + self._timestamp_offset) & 0xFFFF_FFFF
            out.sent_at = self.arrived
            out.packets += sent
            out.octets += octets - self._settled_octets
            self._settled_packets, self._settled_octets = packets, octets

    def forward(self, packet: bytearray, size: int, now: float) -> bool:
        """Take the packet in the first `size` octets; return whether it is to be sent on.

        It was rewritten in place then. `now` is when it arrived, seconds.
        """
        head, sequence, timestamp, ssrc = read_header(packet)
        if (
            sequence != self.expected
            or head != self._expected_head
            or ssrc != self.ssrc
            or not HEADER_SIZE < size < MAX_PACKET
        ):
            return self._take_with_care(packet, size, now)
        # RtpStream.admit and .measure written out; what the hearer's stream must know of it waits
        # for `settle`. Every field touched here is paid for some thousands of times a second.
        self.expected = sequence + 1
        self.octets += size - HEADER_SIZE
        self.arrived = now
        self.timestamp = timestamp
        transit = now * self.clock - timestamp
        step = transit - self.transit
        self.transit = transit
        if step < 0:
            step = -step
        if step < MAX_TRANSIT_STEP:
            self.jitter += (step - self.jitter) * 0.0625
        self._recent = packet[HEADER_SIZE:size]
        write_header(
            packet,
            0,
            self._head,
            (sequence + self._sequence_offset) & 0xFFFF,
            (timestamp + self._timestamp_offset) & 0xFFFF_FFFF,
            self._ssrc,
        )
        return True

    def tap(self, packet: bytearray, size: int, now: float) -> bool:
        """Do as `forward` does, and push the voice."""
        if size == PLAIN_SIZE:
            head, sequence, timestamp, ssrc, payload = read_plain(packet)
        else:
            head, sequence, timestamp, ssrc = read_header(packet)
            payload = bytes(packet[HEADER_SIZE:size])
        if (
            sequence == self.expected
            and head == self._expected_head
            and ssrc == self.ssrc
            and HEADER_SIZE < size < MAX_PACKET
            and self._push is not None
        ):
            self._push(sequence, timestamp, payload, now)
        return self.forward(packet, size, now)

    def listen(self, packet: bytearray, size: int, now: float) -> bool:
        """Push the voice; nothing is ever to be sent on. For a row that rests."""
        if size == PLAIN_SIZE:
            head, sequence, timestamp, ssrc, payload = read_plain(packet)
        else:
            head, sequence, timestamp, ssrc = read_header(packet)
            payload = bytes(packet[HEADER_SIZE:size])
        if (
            sequence != self.expected
            or head != self._expected_head
            or ssrc != self.ssrc
            or not HEADER_SIZE < size < MAX_PACKET
            or self._push is None
        ):
            return self._take_with_care(packet, size, now)
        # The same as in `forward`.
        self.expected = sequence + 1
        self.octets += size - HEADER_SIZE
        self.arrived = now
        self.timestamp = timestamp
        transit = now * self.clock - timestamp
        step = transit - self.transit
        self.transit = transit
        if step < 0:
            step = -step
        if step < MAX_TRANSIT_STEP:
            self.jitter += (step - self.jitter) * 0.0625
        self._push(sequence, timestamp, payload, now)
        return False

    def expire(self, now: float) -> None:
        """Tell a key whose packets stopped coming without an end."""
        if self._events.pending:
            self._tell(self._events.expire(now), now)

    def _take_with_care(self, packet: bytearray, size: int, now: float) -> bool:
        self.settle()
        return self._take(packet, size, now)

    def _take(self, packet: bytearray, size: int, now: float) -> bool:
        bounds = payload_bounds(packet, size) if size < MAX_PACKET else None
        if bounds is None:
            self.dropped += 1
            return False
        head, sequence, timestamp, ssrc = read_header(packet)
        arrival = self.admit(ssrc, sequence)
        if arrival is Arrival.REFUSED:
            self.dropped += 1
            return False
        octets = bounds[1] - bounds[0]
        self.measure(timestamp, octets, now)
        self._settled_packets, self._settled_octets = self.packets, self.octets
        if arrival is Arrival.FIRST:
            self._begin_anew(now)
        payload_type = head & 0x7F
        self._recent = b""
        if payload_type != self._voice_type and self._skip is not None:
            self._skip(sequence)
        if payload_type == self._event_type:
            event = TelephoneEvent.parse(memoryview(packet)[bounds[0] : bounds[1]])
            if event is None:
                self.dropped += 1
                return False
            marker = bool(head & MARKER)
            was_down = self._events.pending
            keys = self._events.read(event, timestamp=timestamp, marker=marker, now=now)
            if self._events.pending and not was_down:
                self._on_down()
            self._tell(keys, now)
            if not self._events.passes(timestamp):
                self._fresh = True  # what comes next follows what the hearer heard last
                self._choose_way()
                return False
        elif payload_type == self._voice_type:
            self.expire(now)
            if self._push is not None:
                self._push(sequence, timestamp, bytes(packet[bounds[0] : bounds[1]]), now)
        elif payload_type == COMFORT_NOISE:
            self._fresh = True  # the hearer was promised none: to it, this is a pause
            self._choose_way()
            return False
        else:
            self.dropped += 1
            return False
        return self._aimed and self._rewrite(packet, octets, arrival, now)

    def _rewrite(self, packet: bytearray, octets: int, arrival: Arrival, now: float) -> bool:
        """Write the header that the hearer gets; false when there is nothing to send."""
        head, sequence, timestamp, _ = read_header(packet)
        number = self._map[head & 0x7F]
        if number < 0:
            return False
        out = self._out
        late = arrival is Arrival.LATE and not self._fresh
        if self._fresh:
            self._start(sequence, timestamp, now)
            head |= MARKER
        elif late and self.extend(sequence) < self._oldest:
            return False  # said before this row was aimed; its number is taken by somebody else
        head = (head & 0xFF80) | number
        sequence = (sequence + self._sequence_offset) & 0xFFFF
        timestamp = (timestamp + self._timestamp_offset) & 0xFFFF_FFFF
        if late:
            out.packets += 1
            out.octets += octets
        else:
            out.sent(sequence, timestamp, octets, now)
        write_header(packet, 0, head, sequence, timestamp, out.ssrc)
        return True

    def _start(self, sequence: int, timestamp: int, now: float) -> None:
        """Choose the offsets by which this packet follows what the hearer heard last."""
        next_sequence, next_timestamp = self._out.next(now)
        self._sequence_offset = next_sequence - sequence
        self._timestamp_offset = next_timestamp - timestamp
        self._oldest = self.extend(sequence)
        self._fresh = False
        self._choose_way()

    def _begin_anew(self, now: float) -> None:
        self._fresh = True
        if self._restart is not None:
            self._restart()
        self._tell(self._events.finish(), now)
        self._events.forget()
        self._choose_way()

    def _tell(self, keys: list[KeyPress], now: float) -> None:
        self._choose_way()
        for key in keys:
            self._on_key(key, now)

    def _choose_way(self) -> None:
        """Open the short way when there is nothing that it would overlook."""
        ready = not self._fresh if self._aimed else self._push is not None
        short = ready and not self._events.pending
        self._expected_head = HEADS[self._voice_type] if short else _NEVER
