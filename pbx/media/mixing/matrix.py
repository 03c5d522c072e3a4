"""The tick: pop → decode → sounds → detect → mix → encode → packetise → send, for all legs at once.

The matrix knows rooms, not bridges: a bridge describes itself when something has changed, and the
columns and ears of legs are objects whose identity counts (`scene.py`). What changes is noted by
`change` and worked out once, at the start of the next tick: all voices of a rate side by side
(`band.py`), all ears of a codec side by side (`ear.py`). Between changes a tick is a few dozen
numpy calls, whatever the number of legs, and one `send` for each ear.

Nothing here reads a clock or a socket; `now` comes in, packets go out by the ears' `send`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pbx.media.codecs.array_codec import Frames
from pbx.media.codecs.resample import DOWN
from pbx.media.mixing.band import Band
from pbx.media.mixing.column import VoiceColumn
from pbx.media.mixing.ear import Ear, EarBank, Shape
from pbx.media.mixing.scene import Room
from pbx.media.recording.tape import Tape

NARROW: Final = 8000
WIDE: Final = 16000
"""Sample rates, Hz; a room has one of them."""

Key = TypeVar("Key", VoiceColumn, Ear)

log = logging.getLogger(__name__)


class Described(Protocol):
    """A bridge, as the matrix sees it."""

    def room(self) -> Room:
        """Return who speaks and who listens now."""

    @property
    def tapes(self) -> Iterable[Tape]:
        """Return the recordings; their ears are among the room's listeners."""


class Feed:
    """Where ears of a bank find what they hear: rows of what a band has mixed."""

    __slots__ = ("_ears", "_first", "_lowering", "rate")

    def __init__(self, rate: int, first: int, ears: Sequence[Ear]) -> None:
        self.rate = rate
        self._first = first
        self._ears = ears
        self._lowering: NDArray[np.int16] | None = None
        if ears and ears[0].codec.rate < rate:
            states = [DOWN.state(1) if ear.lowering is None else ear.lowering for ear in ears]
            self._lowering = np.concatenate(states)

    def frames(self, heard: Frames) -> Frames:
        """Return 20 ms for the ears, at their codec's rate."""
        rows = heard[self._first : self._first + len(self._ears)]
        return rows if self._lowering is None else DOWN.apply(self._lowering, rows)

    def settle(self) -> None:
        """Leave the filter's memory with the ears."""
        if self._lowering is not None:
            for n, ear in enumerate(self._ears):
                ear.lowering = self._lowering[n : n + 1].copy()


class Matrix:
    """All that one worker decodes, mixes and encodes.

    `on_change` is called with each change: ticks may be needed from then on, or no longer.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._bridges: dict[int, Described] = {}
        self._rooms: dict[int, Room] = {}
        """What bridges said of themselves last; those that have changed are not here."""
        self._taps: dict[VoiceColumn, None] = {}
        self._alone: dict[Ear, None] = {}
        self._narrow = Band(NARROW)
        self._wide = Band(WIDE, self._narrow)
        self._banks: dict[Shape, EarBank] = {}
        self._feeds: list[tuple[EarBank, list[Feed]]] = []
        self._tapes: list[tuple[Tape, int, int]] = []
        self._changed = False

    def use(self, number: int, bridge: Described | None) -> None:
        """Mix the bridge of that number, described anew; or, with None, no longer."""
        if bridge is not None:
            self._bridges[number] = bridge
        elif self._bridges.pop(number, None) is None:
            return  # relayed as before: that is nothing to work out anew
        self.change(number)

    def tap(self, voice: VoiceColumn, on: bool) -> None:
        """Decode a voice that no bridge needs, because somebody listens to it; or no longer."""
        self._switch(self._taps, voice, on)

    def feed_alone(self, ear: Ear, on: bool) -> None:
        """Send an ear's source to it; or no longer."""
        self._switch(self._alone, ear, on)

    def _switch(self, those: dict[Key, None], one: Key, on: bool) -> None:
        if (one in those) == on:
            return
        if on:
            those[one] = None
        else:
            del those[one]
        self.change()

    def change(self, bridge: int | None = None) -> None:
        """Work out anew who is where before the next tick; that bridge may have changed."""
        if bridge is not None:
            self._rooms.pop(bridge, None)
        self._changed = True
        self._on_change()

    @property
    def needed(self) -> bool:
        """Return whether there is anything to do in a tick."""
        return bool(self._bridges or self._taps or self._alone)

    def tick(self, now: float) -> None:
        """Go on by 20 ms."""
        if self._narrow.outdated() | self._wide.outdated() | self._changed:
            self._changed = False
            self._arrange(now)
        self._narrow.decode(now)
        self._wide.decode(now)
        heard = {NARROW: self._narrow.run(), WIDE: self._wide.run()}
        for tape, rate, first in self._tapes:
            tape.write(heard[rate][first : first + 2], rate)
        for bank, feeds in self._feeds:
            try:
                bank.send(_gather([feed.frames(heard[feed.rate]) for feed in feeds], bank), now)
            except Exception:  # the fence: other banks go on; told once a bank
                if not bank.failed:
                    bank.failed = True
                    log.exception("what %s ears hear cannot be sent", bank.codec.name)

    def _arrange(self, now: float) -> None:
        """Work out who is where."""
        for _, feeds in self._feeds:
            for feed in feeds:
                feed.settle()
        for number in self._bridges.keys() - self._rooms.keys():
            self._rooms[number] = self._bridges[number].room()
        rooms = [(bridge, self._rooms[number]) for number, bridge in self._bridges.items()]
        rooms.sort(key=lambda described: len(described[1].voices))  # as the mixer wants them
        ears: dict[int, list[Hashable]] = {NARROW: [], WIDE: []}
        self._feeds = []
        for shape, mixed in self._mixed_ears(room for _, room in rooms).items():
            feeds = [_feed(rate, ears[rate], those) for rate, those in mixed.items() if those]
            self._feeds.append((self._arrange_bank(shape, mixed, now), feeds))
        for shape in self._banks.keys() - {bank.shape for bank, _ in self._feeds}:
            self._banks.pop(shape).arrange((), (), now)
        self._tapes = [
            (tape, room.rate, _place(ears[room.rate], tape.ears))
            for bridge, room in rooms
            for tape in bridge.tapes
        ]
        for band in (self._wide, self._narrow):  # in this order: the wide one says what it lifts
            taps = [voice for voice in self._taps if voice.rate == band.rate]
            if band is self._narrow:
                taps += self._wide.lifted
            there = [room for _, room in rooms if room.rate == band.rate]
            band.arrange(there, taps, ears[band.rate])

    def _mixed_ears(self, rooms: Iterable[Room]) -> dict[Shape, dict[int, list[Ear]]]:
        """Return the ears that hear rooms, by bank and by the room's rate; no bank is left out."""
        shapes: dict[Shape, dict[int, list[Ear]]] = {
            ear.shape: {NARROW: [], WIDE: []} for ear in self._alone
        }
        for room in rooms:
            for listener in room.listeners:
                if isinstance(ear := listener.ear, Ear):
                    by_rate = shapes.get(ear.shape)
                    if by_rate is None:
                        by_rate = shapes[ear.shape] = {NARROW: [], WIDE: []}
                    by_rate[room.rate].append(ear)
        return shapes

    def _arrange_bank(self, shape: Shape, mixed: dict[int, list[Ear]], now: float) -> EarBank:
        bank = self._banks.get(shape)
        if bank is None:
            bank = self._banks[shape] = EarBank(shape)
        alone = [ear for ear in self._alone if ear.shape == shape]
        bank.arrange([*mixed[NARROW], *mixed[WIDE]], alone, now)
        return bank


def _feed(rate: int, ears: list[Hashable], mixed: list[Ear]) -> Feed:
    """Append a bank's ears to those of a band; return where they are."""
    return Feed(rate, _place(ears, mixed), mixed)


def _place(ears: list[Hashable], more: Sequence[Hashable]) -> int:
    """Append ears; return the number of the first."""
    ears.extend(more)
    return len(ears) - len(more)


def _gather(parts: list[Frames], bank: EarBank) -> Frames:
    """Return what all mixed ears of a bank hear, (ears, samples)."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([np.zeros((0, bank.codec.rate // 50), dtype=np.int16), *parts])
