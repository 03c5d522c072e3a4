"""One listener's playback: sounds behind each other, frame by frame.

The matrix asks for frames of samples, a leg that hears nothing else for payloads in its own codec,
straight from what was coded for all. Both may change at any frame. Who plays is the 20 ms tick; a
playback says what goes out for the time that passed, so that timestamps come from counted samples
and never from the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, takewhile

from pbx.errors import Refused
from pbx.media.codecs.array_codec import ArrayCodec
from pbx.media.sounds.clip import PER_MS, Clip, Frame
from pbx.media.sounds.live_music import LiveMusic, Sound
from pbx.media.sounds.reel import FRAME, FRAME_MS, Reel


class Playback:
    """Plays `sounds` one after the other, with `loop` round and round.

    `number` is signalling's name for it, `others` the gain of what its listener hears besides.
    Live music does not end: what is behind it is never heard.
    """

    __slots__ = ("_credit", "_live", "_on_air", "_packet", "_reel", "error", "number", "others")

    def __init__(
        self, number: int, sounds: Sequence[Sound], *, loop: bool = False, others: float = 0.0
    ) -> None:
        self.number = number
        self.others = others
        self.error: str | None = None
        """A sentence, when it ended because a file could not be read on."""
        clips = [sound for sound in takewhile(_is_clip, sounds) if isinstance(sound, Clip)]
        self._live = next((sound for sound in sounds if isinstance(sound, LiveMusic)), None)
        endless = loop and self._live is None and any(clip.length for clip in clips)
        self._reel = Reel(cycle(clips) if endless else iter(clips))
        self._on_air: LiveMusic | None = None
        """The live music, once it has been heard as payloads: nothing else follows."""
        self._credit = 0
        self._packet: int | None = None
        """The next packet of live music, where it comes in other packets than 20 ms."""

    @property
    def live(self) -> LiveMusic | None:
        """Return the music that is heard now, or None while it is anything else.

        Its `payload(codec)` is what all who hear it in that codec get in this tick.
        """
        return self._live if self._reel.ended else None

    def due(self, milliseconds: int, ptime: int) -> int:
        """Let time pass; return how many packets of `ptime` milliseconds it makes."""
        packets, self._credit = divmod(self._credit + milliseconds, ptime)
        return packets

    def next_frame(self, rate: int) -> Frame | None:
        """Return the next 20 ms at 8000 or 16000 Hz; None after the end.

        int16 (rate / 50,), shared with others: not to be written to. The last frame is filled up
        with zeros.
        """
        reel = self._reel
        if reel.ended:
            return None if self._live is None else self._live.frame(rate)
        try:
            frame = reel.frame(rate)
        except Refused as refusal:
            self._fail(refusal)
            return None
        reel.move(FRAME)
        return frame

    def next_payload(self, codec: ArrayCodec, ptime: int = FRAME_MS) -> bytes | None:
        """Return the next `ptime` milliseconds coded; None after the end.

        The last payload is filled up with the codec's silence.
        """
        if self._on_air is not None and ptime == FRAME_MS:  # nearly all who are held
            return self._on_air.payload(codec)
        reel = self._reel
        if reel.ended:
            self._on_air = self._live
            return None if self._live is None else self._hear_live(self._live, codec, ptime)
        try:
            payload = reel.payload(codec, ptime)
        except Refused as refusal:
            self._fail(refusal)
            return None
        reel.move(ptime * PER_MS, whole=not codec.octets_per_ms)
        return payload

    def _hear_live(self, live: LiveMusic, codec: ArrayCodec, ptime: int) -> bytes:
        if ptime == FRAME_MS:
            return live.payload(codec)
        payload, number = live.packets(codec, ptime).packet(self._packet)
        self._packet = number + 1
        return payload

    def _fail(self, refusal: Refused) -> None:
        self.error = str(refusal)
        self._live = None
        self._reel = Reel(iter(()))


def _is_clip(sound: Sound) -> bool:
    return isinstance(sound, Clip)
