"""What is heard of one leg: its jitter buffer, its decoder, and all that hides the network.

A `LegVoice` stands behind each leg that is mixed, recorded or listened to. Every tick
`decode_tick` writes the next 20 ms of many voices into the rows of one array. Voices in the good
case (*plain*: packets of 20 ms, none missing, no delay to change) cost one `pop` each and share one
look-up per codec; all others go through `LegVoice.play` one by one: packets of other lengths are
queued as samples, losses concealed, delays adapted by stretching the sound, preferably in a
silence. A voice that must be stretched is stretched by a whole tick in all, so that it is plain
again afterwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from pbx.media.codecs.array_codec import ArrayCodec, Frames
from pbx.media.mixing.conceal import HISTORY_MS, Concealer
from pbx.media.mixing.stretch import are_quiet, is_quiet, lengthen, period_of, shorten
from pbx.media.packets.jitter import Hole, JitterBuffer, Slot
from pbx.media.protocol import PayloadMap

TICK_MS: Final = 20

URGENT_TICKS: Final = 5
"""Ticks that an urgent change of the delay waits for a silence."""

PATIENT_TICKS: Final = 250
"""Ticks that any other one waits."""

REST_TICKS: Final = 25
"""Ticks that the rest of a change waits, when a part of it was made in speech."""

_LOOK_BACK: Final = HISTORY_MS // TICK_MS  # frames kept for concealment
_CODEC_CONCEALS_MS: Final = 120  # after which a codec's own concealment is faded out
_NOTHING: Final = np.zeros(0, np.int16)


class LegVoice:
    """One leg's voice. `push` takes its packets, `decode_tick` plays it.

    `codec` is the row of its codec, `rate` the samples a second it comes out at; `silent` tells
    whether the last tick was nothing but zeros because nothing was there to play.
    """

    __slots__ = (
        *("_ahead", "_concealed_here", "_concealer", "_goal", "_held", "_kept", "_mark"),
        *("_patience", "_rest", "_sound", "buffer", "codec", "plain", "push", "rate"),
        *("samples", "silent", "size", "skip", "state"),
    )

    push: Callable[[int, int, bytes, float], None]
    skip: Callable[[int], None]

    def __init__(self, payload_map: PayloadMap, codec: ArrayCodec) -> None:
        """Begin with no stream, in the codec and RTP clock that the leg agreed on."""
        self.retune(payload_map, codec)

    def retune(self, payload_map: PayloadMap, codec: ArrayCodec) -> None:
        """Go over to another codec or clock. The figures begin anew."""
        self.codec = codec
        self.rate = codec.rate
        self.samples = codec.rate * TICK_MS // 1000
        """Samples of a tick."""
        self.size = codec.octets_per_ms * TICK_MS
        """Octets of a plain payload; 0 where its octets do not tell its duration."""
        self.buffer = JitterBuffer(payload_map.clock, codec.duration_ms)
        self.push = self.buffer.push
        """push(sequence, timestamp, payload, now): take a packet. Never raises."""
        self.skip = self.buffer.skip
        """skip(sequence): hear of a packet that is no voice, so that it is no loss."""
        self._concealer = Concealer(codec.rate)
        self._begin()

    def reset(self) -> None:
        """Forget the stream: another sender takes over, or the same after a rest."""
        self.buffer.restart()
        self._concealer.forget()
        self._begin()

    def follow(self, sequence: int, timestamp: int, payload: bytes) -> None:
        """Begin at once, behind a packet that was heard by another way.

        Until the next one comes its sound is carried on.
        """
        self.buffer.follow(sequence, timestamp, payload)
        self._sound = self._decode_once(payload)

    def _begin(self) -> None:
        self.state: Any = self.codec.decoder()
        """The decoder's."""
        self.plain = False
        """Whether the next payload may go through the batch, as far as the voice knows."""
        self.silent = True
        self._sound = _NOTHING  # what was played last, and behind it what is held
        self._held = 0  # samples at the end of `_sound` that are still to be played
        self._kept: deque[Frames] = deque(maxlen=_LOOK_BACK)  # decoded with memory, while plain
        self._mark = 0  # the buffer's position when the voice became plain
        self._goal = 0  # samples that are still to be added, or taken away
        self._patience = 0  # ticks that a wish has waited
        self._rest = 0  # ticks that the rest of it has
        self._concealed_here = 0  # samples that the codec itself concealed in this gap
        self._ahead: tuple[bytes, Frames] | None = None  # decoded before its time

    @property
    def concealed_ms(self) -> int:
        """Return the milliseconds that were filled up for what was lost or late."""
        return self.buffer.concealed * 1000 // self.buffer.clock

    @property
    def buffer_ms(self) -> float:
        """Return the milliseconds that sound waits in here."""
        return self.buffer.delay_ms

    @property
    def late(self) -> int:
        """Return the packets that came too late to be played."""
        return self.buffer.late

    @property
    def lost(self) -> int:
        """Return the packets that were missing when they were due."""
        return self.buffer.lost

    @property
    def underruns(self) -> int:
        """Return the ticks that sound was awaited and came after all."""
        return self.buffer.underruns

    def is_plain(self, payload: bytes) -> bool:
        """Tell whether a payload that is no slice of octets lasts a tick."""
        return not self.size and self.codec.duration_ms(payload) == TICK_MS

    def keep(self, frame: Frames) -> None:
        """Keep a reference to a plain frame, int16 (samples,), of a codec with memory."""
        self._kept.append(frame)

    def consider(self, *, quiet: bool) -> None:
        """Begin to stretch behind this plain frame, int16 (samples,), if it is time for it."""
        self._patience += 1
        if quiet or self._is_forced():
            self._goal = self.buffer.wish * self.samples
            self.buffer.wish = 0
            if self.plain:
                self._leave_plain()

    def play(self, out: Frames, slot: Slot | None = None) -> None:
        """Write the next tick into `out`, int16 (samples,); `slot` was popped already.

        The buffer's clock was moved on for this tick.
        """
        if self.plain:
            self._leave_plain(lost=slot is Hole.LOST)
        self.silent = False
        while self._held < self.samples:
            if slot is None:
                slot = self.buffer.pop(self._units(self.samples - self._held))
            if slot is Hole.EMPTY and not self._held and self._rests():
                out[:] = 0
                self.silent = True
                self._goal = 0
                return
            self._append(self._make_sound(slot))
            slot = None
        if self._goal:
            self._stretch()
        self._play_held(out)
        if self.buffer.wish and not self._goal:
            self.consider(quiet=is_quiet(out))

    # -- sound

    def _rests(self) -> bool:
        """Tell whether there is nothing to go on with: no stream yet, or faded out long ago."""
        return self._concealer.silent or not (self._sound.size or self._concealer.active)

    def _make_sound(self, slot: Slot) -> Frames:
        if isinstance(slot, bytes):
            return self._decode(slot)
        if slot is Hole.LOST:
            return self._replace(max(1, self.buffer.frame * self.rate // self.buffer.clock))
        return self._conceal(self.samples - self._held)

    def _decode(self, payload: bytes) -> Frames:
        frame = self._decode_once(payload)
        self._ahead = None
        if not len(frame):  # not a payload of this codec at all
            return self._conceal(self.samples)
        if self._concealer.active or not self._sound.size:
            frame = self._concealer.merge(frame)
        self._concealed_here = 0
        return frame

    def _decode_once(self, payload: bytes) -> Frames:
        """Return the samples of a payload; decoders with memory must see each only once."""
        if self._ahead is not None and self._ahead[0] is payload:
            return self._ahead[1]
        states = None if self.state is None else (self.state,)
        return self.codec.decode(states, (payload,)).reshape(-1)

    def _replace(self, samples: int) -> Frames:
        """Return so many samples in place of a lost packet, which others may have followed."""
        ahead = self.buffer.peek()
        concealed = self._conceal_by_codec(samples, ahead)
        if concealed is not None:
            return concealed
        if ahead is None:
            return self._concealer.fill(self._sound, samples)
        self._ahead = (ahead, self._decode_once(ahead))
        return self._concealer.fill(self._sound, samples, self._ahead[1])

    def _conceal(self, samples: int) -> Frames:
        """Return so many samples while nothing comes."""
        concealed = self._conceal_by_codec(samples, None)
        return self._concealer.fill(self._sound, samples) if concealed is None else concealed

    def _conceal_by_codec(self, samples: int, ahead: bytes | None) -> Frames | None:
        """Return the codec's own concealment, if it has one, while it is of use."""
        if not self._sound.size or self._concealer.active:
            return None
        self._concealed_here += samples
        if self._concealed_here * 1000 > _CODEC_CONCEALS_MS * self.rate:
            return None
        concealed = self.codec.conceal(self.state, samples, ahead)
        return None if concealed is None else concealed.reshape(-1)

    def _append(self, sound: Frames) -> None:
        self._sound = np.concatenate((self._sound, sound))
        self._held += len(sound)

    def _play_held(self, out: Frames) -> None:
        begin = len(self._sound) - self._held
        out[:] = self._sound[begin : begin + self.samples]
        self._held -= self.samples
        self._sound = self._sound[-(self._concealer.history + self._held) :]
        self.buffer.held = self._units(self._held)
        odd = self._held or self._goal or self._concealed_here or self._ahead
        if not odd and not self._concealer.active and self.buffer.frame == self.buffer.tick:
            self.plain = True
            self._mark = self.buffer.position
            self._kept.clear()

    def _units(self, samples: int) -> int:
        """Return so many samples in units of the RTP clock."""
        return samples * self.buffer.clock // self.rate

    def _leave_plain(self, *, lost: bool = False) -> None:
        """Bring `_sound` up to date with what was played in batches."""
        self.plain = False
        played = ((self.buffer.position - self._mark) & 0xFFFF) - lost
        if self.state is not None:
            frames = list(self._kept)
        else:
            payloads = self.buffer.recent(min(played, _LOOK_BACK))
            frames = list(self.codec.decode(None, payloads)) if payloads else []
        self._sound = np.concatenate((self._sound, *frames))[-self._concealer.history :]

    # -- adaptation

    def _stretch(self) -> None:
        """Come nearer to the goal, in a silence all of the way, in speech by a period."""
        if self._concealer.active or len(self._sound) < 3 * self.samples:
            return
        if self._goal < 0 and not self._look_ahead():
            return
        begin = len(self._sound) - self._held
        before, sound = self._sound[:begin], self._sound[begin:]
        by = self._step(before, sound)
        if not by:
            return
        if self._goal < 0:
            sound = shorten(sound, by, self.rate)
            self._goal += by
        else:
            sound = lengthen(before, sound, by, self.rate)
            self._goal -= by
        self._sound = np.concatenate((before, sound))
        self._held = len(sound)
        if not self._goal:
            self._patience = self._rest = 0

    def _look_ahead(self) -> bool:
        """Hold two ticks, to have what to shorten; false when they are not there."""
        while self._held < 2 * self.samples:
            if self.buffer.depth - self.buffer.held < self.buffer.frame:
                return False
            slot = self.buffer.pop()
            if slot is Hole.EMPTY:
                return False
            self._append(self._make_sound(slot))
        return not self._concealer.active

    def _step(self, before: Frames, sound: Frames) -> int:
        """Return by how many samples to stretch now; 0: not here."""
        goal = abs(self._goal)
        if is_quiet(sound):
            return goal
        if goal == self.samples and not self._is_forced():  # the silence is over: wait for another
            self.buffer.wish = 1 if self._goal > 0 else -1
            self._goal = 0
            return 0
        period = period_of(np.concatenate((before, sound))[-2 * self.samples :], self.rate)
        if period <= goal:
            return period
        self._rest += 1
        return goal if self._rest > REST_TICKS else 0

    def _is_forced(self) -> bool:
        """Tell whether a change has waited for a silence long enough."""
        return self._patience > (URGENT_TICKS if self.buffer.urgent else PATIENT_TICKS)


def decode_tick(voices: Sequence[LegVoice], frames: Frames, now: float) -> None:
    """Write the next 20 ms of each voice into its row of `frames`, int16 (n, samples), in place.

    All voices have one rate. Rows of voices that have nothing to play become zeros, and their
    `silent` true. `now` is the time of the tick, seconds; the voices themselves count ticks.
    """
    batches: dict[ArrayCodec, tuple[list[int], list[bytes]]] = {}
    wishing: list[int] = []
    for row, voice in enumerate(voices):
        buffer = voice.buffer
        buffer.local += buffer.tick
        if voice.plain:
            slot = buffer.pop()
            if isinstance(slot, bytes) and (len(slot) == voice.size or voice.is_plain(slot)):
                batch = batches.get(voice.codec)
                if batch is None:
                    batch = batches[voice.codec] = ([], [])
                batch[0].append(row)
                batch[1].append(slot)
                if buffer.wish:
                    wishing.append(row)
            else:
                voice.play(frames[row], slot)
        else:
            voice.play(frames[row])
    for codec, (rows, payloads) in batches.items():
        _decode_batch(codec, voices, frames, rows, payloads)
    if wishing:
        for row, quiet in zip(wishing, are_quiet(frames[wishing]), strict=True):
            voices[row].consider(quiet=quiet)


def _decode_batch(
    codec: ArrayCodec,
    voices: Sequence[LegVoice],
    frames: Frames,
    rows: list[int],
    payloads: list[bytes],
) -> None:
    """Decode the plain payloads of one codec into their rows."""
    if codec.expand is not None:
        octets = np.frombuffer(b"".join(payloads), np.uint8).reshape(len(rows), -1)
        if len(rows) == len(voices):
            np.take(codec.expand, octets, out=frames, mode="clip")
        else:
            frames[rows] = codec.expand[octets]
        return
    remembers = voices[rows[0]].state is not None
    decoded = codec.decode([voices[row].state for row in rows] if remembers else None, payloads)
    if decoded.shape[1] != frames.shape[1]:  # nothing in them could be decoded
        decoded = np.zeros((len(rows), frames.shape[1]), np.int16)
    frames[rows] = decoded
    if remembers:
        for row, frame in zip(rows, decoded, strict=True):
            voices[row].keep(frame)
