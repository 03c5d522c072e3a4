"""One leg as a worker sees it: what is spoken with it, who hears it, and whom it hears.

What a leg says comes from its `Wire` and passes through its `RelayRow` to the leg that hears it:
its partner, itself when it echoes, or nobody. Whatever changes — a description, a join, a
playback, a lock — ends in `route`, which works that out anew. What a leg hears is one
`OutgoingStream`, whoever feeds it: the partner's row, its own echo, or a file being played, which
silences the others meanwhile.

An echo does not repeat keys: they are reported, and a phone that got its own keys back might act
on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pbx.media.playback import Playback
from pbx.media.ports import PortPair
from pbx.media.protocol import (
    AnyWorkerEvent,
    DigitHeard,
    MediaDirection,
    MediaSilent,
    PayloadMap,
    SourceLocked,
    StreamFigures,
    UpdateLeg,
)
from pbx.media.relay import OutgoingStream, RelayRow
from pbx.media.rtcp import RtcpReporter
from pbx.media.rtp import HEADER_SIZE, HEADS, MARKER, write_header
from pbx.media.source import SILENCE, Address
from pbx.media.telephone_event import KeyPress
from pbx.media.tick import TickLoop
from pbx.media.wire import Wire, nowhere

_HEARD: Final = ("sendrecv", "recvonly")  # directions in which we listen
_SPOKEN: Final = ("sendrecv", "sendonly")  # directions in which we send

Report = Callable[[AnyWorkerEvent], None]
"""Takes what is to be told to the signalling process."""


class MediaLeg:
    """A leg of one worker. `now` is the loop's time everywhere."""

    __slots__ = (
        "_direction",
        "_fresh",
        "_live_since",
        "_locked_to",
        "_loop",
        "_refused",
        "_report",
        "_row",
        "_rtcp",
        "_silent_since",
        "_timeout",
        "_told",
        "_unsent",
        "_wire",
        "echoes",
        "number",
        "out",
        "partner",
        "payload",
        "playback",
    )

    def __init__(
        self,
        number: int,
        pair: PortPair,
        *,
        loop: TickLoop,
        report: Report,
        out: OutgoingStream,
        rtcp: RtcpReporter,
        now: float,
    ) -> None:
        self.number = number
        self.out = out
        self.payload: PayloadMap | None = None
        self.partner: MediaLeg | None = None
        self.echoes = False
        self.playback: Playback | None = None
        self._loop = loop
        self._report = report
        self._rtcp = rtcp
        self._row = RelayRow(self._hear_key)
        self._direction: MediaDirection = "inactive"
        self._fresh = True
        """Whether the next frame of a playback is the first."""
        self._told = False
        """Whether we have sent any RTCP."""
        self._unsent = 0
        self._refused = 0
        """Packets that found the far end's port closed."""
        self._timeout = 0.0
        self._silent_since = now
        self._live_since = now
        self._locked_to: Address | None = None
        self._wire = Wire(pair, loop, self)

    @property
    def speaks(self) -> bool:
        """Return whether we may send to this leg and know where and what."""
        return (
            self._direction in _SPOKEN
            and self.payload is not None
            and self._wire.target is not None
        )

    def update(self, command: UpdateLeg, now: float) -> None:
        """Take over what the description says."""
        self._wire.expect(
            command.remote, command.remote_rtcp, command.also_from, relearn=command.relearn
        )
        self._wire.secure(command.keys)
        if command.payload is not None and command.payload != self.payload:
            self.payload = command.payload
            self._row.listen_to(command.payload)
            self.out.tune(command.payload)
            self._fresh = True
        if command.direction != self._direction:
            self._direction = command.direction
            self._silent_since = self._live_since = now
        self.route_both()

    def join(self, other: MediaLeg) -> None:
        """Hear and be heard by another leg."""
        self.unjoin()
        other.unjoin()
        self.partner, other.partner = other, self
        self.route_both()

    def unjoin(self) -> None:
        """Be alone again; the partner too."""
        other, self.partner = self.partner, None
        if other is not None:
            other.partner = None
            other.route()
        self.route()

    def echo(self, on: bool) -> None:
        """Send back what the leg says, without its keys; or no longer."""
        self.echoes = on
        self.route_both()

    def play(self, playback: Playback | None) -> None:
        """Let the leg hear a file in place of anybody else, or nothing any more."""
        self.playback = playback
        self._fresh = True
        self.route_both()

    def watch_silence(self, seconds: float, now: float) -> None:
        """Report when neither RTP nor RTCP came for so long; 0 means never."""
        self._timeout = seconds
        self._silent_since = now

    def route_both(self) -> None:
        """Work out anew who hears this leg, and whom it hears."""
        self.route()
        if self.partner is not None:
            self.partner.route()

    def route(self) -> None:
        """Work out anew where this leg's packets go."""
        hearer = self._hearer()
        if hearer is None or hearer.payload is None:
            self._row.rest()
            self._wire.route(self._row.forward, nowhere, self._fail)
        else:
            self._row.aim(hearer.out, hearer.payload, events=hearer is not self)
            self._wire.route(self._row.forward, hearer.send, self._fail)

    @property
    def send(self) -> Callable[[memoryview], object]:
        """Return what sends one packet to the far end, as long as nothing changes."""
        return self._wire.send

    def send_frame(self, payload: bytes, now: float) -> None:
        """Send one packet of a playback; its timestamp follows the last one's by one frame."""
        if not self.speaks or self.payload is None:
            self._fresh = True
            return
        out = self.out
        head = HEADS[self.payload.send]
        if self._fresh:
            self._fresh = False
            sequence, timestamp = out.next(now)
            head |= MARKER
        else:
            sequence = (out.sequence + 1) & 0xFFFF
            timestamp = (out.timestamp + out.frame) & 0xFFFF_FFFF
        buffer = self._loop.buffer
        size = HEADER_SIZE + len(payload)
        write_header(buffer, 0, head, sequence, timestamp, out.ssrc)
        buffer[HEADER_SIZE:size] = payload
        out.sent(sequence, timestamp, len(payload), now)
        self._try_to_send(size)

    def report_rtcp(self, now: float, *, goodbye: bool = False) -> None:
        """Send a report to the far end; a goodbye only where a report went before (§6.3.7)."""
        if self.payload is None or (goodbye and not self._told):
            return
        datagram = self._rtcp.write(heard=self._row, sent=self.out, now=now, goodbye=goodbye)
        if self._wire.send_report(datagram):
            self._told = True

    def look_after(self, now: float) -> None:
        """Do what silence asks for: tell a key that hangs, unlock the source, report."""
        self._row.expire(now)
        arrived = self._row.arrived
        if self._wire.locked and now - max(arrived, self._live_since) >= SILENCE:
            self._wire.silent()
            self.route_both()
        if self._timeout:
            heard = max(arrived, self._rtcp.heard, self._live_since)
            if now - max(heard, self._silent_since) >= self._timeout:
                self._silent_since = now
                self._report(MediaSilent(self.number, now - heard))

    def figures(self) -> tuple[StreamFigures, StreamFigures]:
        """Return what was received and what was sent so far."""
        self.out.settle()
        row, out, rtcp = self._row, self.out, self._rtcp
        round_trip = None if rtcp.round_trip is None else rtcp.round_trip * 1000
        received = StreamFigures(
            packets=row.packets,
            octets=row.octets,
            lost=max(0, row.lost),
            jitter_ms=row.jitter_ms,
            round_trip_ms=round_trip,
            dropped=row.dropped + self._wire.strangers,
            bursts=row.bursts,
        )
        sent = StreamFigures(
            packets=out.packets,
            octets=out.octets,
            lost=max(0, rtcp.lost),
            jitter_ms=rtcp.jitter * 1000 / out.clock,
            round_trip_ms=round_trip,
            dropped=self._unsent + self._refused,
            reported=rtcp.reported,
        )
        return received, sent

    def close(self, *, goodbye_at: float | None) -> PortPair:
        """Say goodbye unless the time is None, leave everybody, and return the sockets."""
        if goodbye_at is not None:
            self.report_rtcp(goodbye_at, goodbye=True)
        self.unjoin()
        return self._wire.close()

    def take_packet(self, size: int, now: float) -> None:
        """Take RTP that came before the source was locked."""
        if self._row.forward(self._loop.buffer, size, now):
            hearer = self._hearer()
            if hearer is not None:
                hearer._try_to_send(size)

    def take_report(self, datagram: bytes, now: float) -> bool:
        """Take RTCP; return whether it was valid."""
        return self._rtcp.read(datagram, heard=self._row, sent=self.out, now=now)

    def take_lock(self, remote: Address, ssrc: int, sequence: int, now: float) -> None:
        """Take note that the source is locked."""
        self._row.trust(ssrc, sequence)
        self._live_since = now
        self.route_both()
        if remote != self._locked_to:
            self._locked_to = remote
            self._report(SourceLocked(self.number, remote))

    def _hearer(self) -> MediaLeg | None:
        other = self if self.echoes else self.partner
        if other is None or self.payload is None or other.payload is None:
            return None
        if self._direction not in _HEARD or not other.speaks or other.playback is not None:
            return None
        if other.echoes and other is not self:
            return None
        ours, theirs = self.payload, other.payload
        return other if (ours.codec, ours.clock) == (theirs.codec, theirs.clock) else None

    def _try_to_send(self, size: int) -> None:
        """Send the first octets of the loop's buffer; count it when that fails."""
        try:
            self.send(self._loop.views[size])
        except OSError as error:
            self._count_unsent(error, size)

    def _fail(self, error: OSError, size: int) -> None:
        """Take note of what a system call refused on this leg's route."""
        hearer = self._hearer()
        if size == 0:
            self._refused += isinstance(error, ConnectionRefusedError)
        elif hearer is not None:
            hearer._count_unsent(error, size)

    def _count_unsent(self, error: OSError, size: int) -> None:
        """Count a packet that did not go out.

        ECONNREFUSED is about an earlier one: the packet is tried once more.
        """
        if isinstance(error, ConnectionRefusedError):
            try:
                self.send(self._loop.views[size])
            except OSError:
                pass
            else:
                return
        self._unsent += 1
        self.out.packets -= 1
        self.out.octets -= size - HEADER_SIZE

    def _hear_key(self, key: KeyPress) -> None:
        payload = self.payload
        if payload is None or self._direction not in _HEARD:
            return
        clock = payload.event_clock or payload.clock
        self._report(DigitHeard(self.number, key.digit, key.duration * 1000 // clock))
