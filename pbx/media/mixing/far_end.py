"""What one leg's far end is to a worker: where it is, what it says, what we tell it.

The part of a leg that needs no other leg: its `Wire` and the `RelayRow` behind it, the
`OutgoingStream` that it hears, its RTCP, its silence, and the counts of all that. It is also what a
leg takes along to another worker (moving.py): `state` says all that is known, `resume` goes on from
there. Who hears the leg, and whom it hears, is added by `MediaLeg`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from pbx.media.mixing.moving import LegState, OutgoingState
from pbx.media.mixing.tick import TickLoop
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.ports import PortPair
from pbx.media.packets.relay import RelayRow
from pbx.media.packets.rtcp import RtcpReporter
from pbx.media.packets.source import Address
from pbx.media.packets.wire import Wire
from pbx.media.protocol import AnyWorkerEvent, MediaDirection, PayloadMap

SPOKEN: Final = ("sendrecv", "sendonly")
"""Directions in which we send."""

Report = Callable[[AnyWorkerEvent], None]
"""Takes what is to be told to the signalling process."""


class FarEnd(ABC):
    """A leg without its bridge. `now` is the loop's time everywhere."""

    __slots__ = (
        "_concealed_ms",
        "_direction",
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
        "number",
        "out",
        "payload",
    )

    def __init__(
        self,
        number: int,
        pair: PortPair,
        *,
        loop: TickLoop,
        report: Report,
        row: RelayRow,
        out: OutgoingStream,
        rtcp: RtcpReporter,
        now: float,
    ) -> None:
        self.number = number
        self.out = out
        self.payload: PayloadMap | None = None
        self._loop = loop
        self._report = report
        self._row = row
        self._rtcp = rtcp
        self._direction: MediaDirection = "inactive"
        self._told = False
        """Whether we have sent any RTCP."""
        self._unsent = 0
        self._refused = 0
        """Packets that found the far end's port closed."""
        self._concealed_ms = 0
        """Of voices that are decoded no longer."""
        self._timeout = 0.0
        self._silent_since = now
        self._live_since = now
        self._locked_to: Address | None = None
        self._wire = Wire(pair, loop, self)

    @property
    def reachable(self) -> bool:
        """Return whether we may send to this leg and know where and what."""
        return (
            self._direction in SPOKEN and self.payload is not None and self._wire.target is not None
        )

    @property
    def send(self) -> Callable[[memoryview], object]:
        """Return what sends one packet to the far end, as long as nothing changes."""
        return self._wire.send

    def watch_silence(self, seconds: float, now: float) -> None:
        """Report when neither RTP nor RTCP came for so long; 0 means never."""
        self._timeout = seconds
        self._silent_since = now

    def report_rtcp(self, now: float, *, goodbye: bool = False) -> None:
        """Send a report to the far end; a goodbye only where a report went before (§6.3.7)."""
        if self.payload is None or (goodbye and not self._told):
            return
        datagram = self._rtcp.write(heard=self._row, sent=self.out, now=now, goodbye=goodbye)
        if self._wire.send_report(datagram):
            self._told = True

    @abstractmethod
    def take_packet(self, size: int, now: float) -> None:
        """Take RTP that came before the source was locked."""

    @abstractmethod
    def take_lock(self, remote: Address, ssrc: int, sequence: int, now: float) -> None:
        """Take note that the source is locked."""

    def take_report(self, datagram: bytes, now: float) -> bool:
        """Take RTCP; return whether it was valid."""
        return self._rtcp.read(datagram, heard=self._row, sent=self.out, now=now)

    def state(self, now: float) -> LegState:
        """Return all that is known, for `resume` in another worker."""
        return LegState(
            payload=self.payload,
            direction=self._direction,
            out=OutgoingState.of(self.out, now),
            heard=self._row.state(now),
            key=self._row.events.state(now),
            dropped=self._row.dropped,
            rtcp=self._rtcp.state(now),
            wire=self._wire.state,
            told=self._told,
            unsent=self._unsent,
            refused=self._refused,
            concealed_ms=self._concealed_ms,
            timeout=self._timeout,
            silent_age=now - self._silent_since,
            live_age=now - self._live_since,
            locked_to=self._locked_to,
        )

    def resume(self, state: LegState, now: float) -> None:
        """Go on where the leg was in another worker; its routes are to be worked out then.

        Its stream and its reporter are those that it was made with.
        """
        if state.payload is not None:
            self.payload = state.payload
            self._row.listen_to(state.payload)
            self.out.tune(state.payload)
        self._row.resume(state.heard, now)
        self._row.events.resume(state.key, now)
        self._row.dropped = state.dropped
        self._direction = state.direction
        self._wire.resume(state.wire)
        self._told = state.told
        self._unsent = state.unsent
        self._refused = state.refused
        self._concealed_ms = state.concealed_ms
        self._timeout = state.timeout
        self._silent_since = now - state.silent_age
        self._live_since = now - state.live_age
        self._locked_to = state.locked_to
