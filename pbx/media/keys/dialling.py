"""The keys that are sent to legs: started here, paced here, ended here.

Towards a far end that takes telephone-events a leg's stream belongs to its `EventDialler` for a
while, and the loop's timers pace it, since a relayed leg has no tick. Towards any other the keys
are tones, a source that the leg's ear hears alone. What comes while keys are still being sent is
sent after them. The end of tones is noticed in the middle of a tick; what follows from it waits for
the tick's own end (`end_tick`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.keys.dial import TICK, EventDialler, ToneDialler
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.protocol import PayloadMap


class Dialled(Protocol):
    """A leg, as far as keys are sent to it."""

    out: OutgoingStream
    payload: PayloadMap | None
    events: EventDialler | None
    """While it is there, nobody else feeds the leg's stream."""
    tones: ToneDialler | None
    """While it is there, the leg's ear hears it alone."""

    @property
    def reachable(self) -> bool:
        """Return whether we may send to the leg and know where and what."""

    def send_packet(self, packet: bytes) -> None:
        """Send one packet, already counted, to the far end."""


Leg = TypeVar("Leg", bound=Dialled)


class Dialling(Generic[Leg]):
    """All keys that one worker sends.

    `wake(when, call)` calls `call` at a time; `arrange(leg)` lets a leg, and its bridge, decide
    anew who feeds what the leg hears.
    """

    def __init__(
        self,
        wake: Callable[[float, Callable[[float], None]], object],
        arrange: Callable[[Leg], None],
    ) -> None:
        self._wake = wake
        self._arrange = arrange
        self._ended: list[tuple[Leg, ToneDialler]] = []

    def dial(self, leg: Leg, digits: str, duration_ms: int, now: float) -> None:
        """Send keys to a leg, each of so many milliseconds; without effect where nothing is sent
        to it."""
        payload = leg.payload
        if payload is None or not leg.reachable:
            return
        if payload.event_send is not None:
            self._dial_events(leg, payload, digits, duration_ms, now)
        elif payload.codec in ARRAY_CODECS:
            self._dial_tones(leg, payload, digits, duration_ms)

    def stop(self, leg: Leg) -> None:
        """Send no more: the leg is on its way elsewhere, or closed, or speaks otherwise."""
        if leg.events is not None or leg.tones is not None:
            leg.events = leg.tones = None
            self._arrange(leg)

    def end_tick(self) -> None:
        """Let legs whose tones have ended hear others again."""
        ended, self._ended = self._ended, []
        for leg, tones in ended:
            if leg.tones is tones:
                leg.tones = None
                self._arrange(leg)

    def _dial_events(
        self, leg: Leg, payload: PayloadMap, digits: str, duration_ms: int, now: float
    ) -> None:
        if leg.events is not None:
            leg.events.press(digits, duration_ms)
            return
        dialler = EventDialler(leg.out, payload)
        dialler.press(digits, duration_ms)
        if dialler.busy:
            leg.events = dialler
            self._arrange(leg)
            self._go_on(leg, dialler, now, now)

    def _go_on(self, leg: Leg, dialler: EventDialler, due: float, now: float) -> None:
        """Send what goes out at the time `due`, and come again while there is more."""
        if leg.events is not dialler:
            return  # stopped meanwhile
        payload = leg.payload
        packets = dialler.packets(payload, now) if payload is not None and leg.reachable else []
        for packet in packets:
            leg.send_packet(packet)
        if packets and dialler.busy:
            due += TICK
            self._wake(due, lambda at: self._go_on(leg, dialler, due, at))
        else:
            self.stop(leg)

    def _dial_tones(self, leg: Leg, payload: PayloadMap, digits: str, duration_ms: int) -> None:
        if leg.tones is None:
            codec = ARRAY_CODECS[payload.codec]
            tones = ToneDialler(codec, lambda: self._ended.append((leg, tones)))
            leg.tones = tones
            self._arrange(leg)
        leg.tones.press(digits, duration_ms)
