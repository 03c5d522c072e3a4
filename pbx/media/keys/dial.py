"""Keys that we press towards a far end: as telephone-events, or as tones where it takes none.

Meanwhile the far end gets no sound: the stream is the dialler's. An `EventDialler` makes whole
packets, one every 20 ms, whose sequence numbers go on from where the stream stands, and whose
timeline goes on beneath the event's own timestamp. So whoever feeds the stream afterwards — a relay
row, an ear — goes on as after any pause, and the far end sees no jump. A `ToneDialler` is a source
that an ear hears alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.array_codec import ArrayCodec
from pbx.media.keys.event_sender import MOST_WAITING, TICK_MS, EventSender
from pbx.media.keys.key_tones import key_frames
from pbx.media.keys.telephone_event import DIGITS
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.rtp import RtpPacket
from pbx.media.protocol import PayloadMap

TICK: Final = TICK_MS / 1000
"""Seconds from one call of `EventDialler.packets` to the next."""

_MOST_SECONDS = 60  # of tones that wait


class EventDialler:
    """Sends keys on one leg's stream. `payload` must have a number for telephone-event."""

    __slots__ = ("_began", "_out", "_sender", "_step", "_timestamp")

    def __init__(self, out: OutgoingStream, payload: PayloadMap) -> None:
        self._out = out
        self._sender = EventSender(payload.event_clock or payload.clock, payload.clock)
        self._step = payload.clock * TICK_MS // 1000
        self._timestamp = 0
        self._began = False

    @property
    def busy(self) -> bool:
        """Return whether there is anything left to send."""
        return self._sender.busy

    def press(self, digits: str, duration_ms: int) -> None:
        """Send keys after those that wait; what is no key is left out."""
        self._sender.press(digits, duration_ms)

    def packets(self, payload: PayloadMap, now: float) -> list[bytes]:
        """Return what goes out in these 20 ms; the stream counts it as sent.

        Nothing where `payload`, which may have changed, has no telephone-event any more.
        """
        number, out = payload.event_send, self._out
        if number is None:
            return []
        if self._began:
            self._timestamp = (self._timestamp + self._step) & 0xFFFF_FFFF
        else:
            self._began = True
            out.settle()
            _, self._timestamp = out.next(now)
        packets = []
        for event in self._sender.tick(self._timestamp):
            sequence = (out.sequence + 1) & 0xFFFF
            packet = RtpPacket(
                number, sequence, event.timestamp, out.ssrc, event.payload, event.marker
            )
            out.sent(sequence, self._timestamp, len(event.payload), now)
            packets.append(bytes(packet))
        return packets


class ToneDialler:
    """Keys as a source for the one ear that speaks `codec`.

    `on_end` is called once, with the packet that would follow the last.
    """

    __slots__ = ("_codec", "_on_end", "_samples", "_states")

    def __init__(self, codec: ArrayCodec, on_end: Callable[[], None]) -> None:
        self._codec = codec
        self._on_end: Callable[[], None] | None = on_end
        self._samples: NDArray[np.int16] = np.zeros(0, dtype=np.int16)
        encoder = codec.encoder()
        self._states: list[Any] | None = None if encoder is None else [encoder]

    def press(self, digits: str, duration_ms: int) -> None:
        """Send keys after those that wait; what is no key is left out.

        So is all that comes while more than a minute of keys waits.
        """
        if self._samples.size > _MOST_SECONDS * self._codec.rate:
            return
        keys = "".join(digit for digit in digits if digit in DIGITS)[:MOST_WAITING]
        more = key_frames(keys, duration_ms, self._codec.rate).ravel()
        self._samples = np.concatenate((self._samples, more))

    def next_payload(self, codec: ArrayCodec, ptime: int) -> bytes | None:
        """Return the next `ptime` milliseconds as a payload, or None after the last.

        `codec` is the one that the keys were made for.
        """
        if not self._samples.size:
            if self._on_end is not None:
                on_end, self._on_end = self._on_end, None
                on_end()
            return None
        size = codec.rate * ptime // 1000
        frame = np.zeros((1, size), dtype=np.int16)
        sound, self._samples = self._samples[:size], self._samples[size:]
        frame[0, : sound.size] = sound
        return codec.encode(self._states, frame)[0]
