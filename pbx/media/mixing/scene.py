"""Who is where: rooms with their voices and listeners, turned into a `MixPlan` of column numbers.

Bridges describe themselves as a `Room` whose voices and ears are objects of any kind; only their
identity counts. A scene is what all rooms of one sample rate say at one moment. It is compiled for
a *layout*, the place of each voice among the frames, which may hold voices that the scene does not
know. After a change the tick fades from what was heard to what is heard now (`band.Before`,
`mixer.cross_fade`): that is how joins, leaves, mutes and whispers come about without a click,
whatever they are. Pure.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from pbx.media.mixing.mixer import EarRow, MixPlan

Layout = Mapping[Hashable, int]
"""The column number of each voice."""


class Listener(NamedTuple):
    """An ear of a room.

    `own` is its own voice, None where it has none. An ear that does not `hear` the room hears its
    `extra` voices alone, which nobody else does. `others` and `gains` are as in `EarRow`. One that
    begins `at_once` is not faded in.
    """

    ear: Hashable
    own: Hashable | None = None
    hears: bool = True
    others: float = 1.0
    gains: Mapping[Hashable, float] = MappingProxyType({})
    extra: tuple[Hashable, ...] = ()
    at_once: bool = False


class Room(NamedTuple):
    """A bridge as the mixer needs it: voices in a fixed order, and who listens."""

    rate: int
    voices: tuple[Hashable, ...]
    listeners: tuple[Listener, ...]


_NOWHERE: Final[tuple[int, Listener | None]] = (-1, None)
_NOBODY: Final = EarRow(-1)


class Scene:
    """All rooms of one rate."""

    def __init__(self, rooms: Sequence[Room]) -> None:
        self._rooms = tuple(rooms)
        self._voices = [frozenset(room.voices) for room in rooms]
        self._heard = {
            listener.ear: (n, listener)
            for n, room in enumerate(rooms)
            for listener in room.listeners
        }

    def is_like(self, other: Scene) -> bool:
        """Return whether all rooms are the same."""
        return self._rooms == other._rooms

    @property
    def voices(self) -> list[Hashable]:
        """Return all voices that rooms or single ears hear, room by room."""
        voices = [voice for room in self._rooms for voice in room.voices]
        extra = [
            voice for room in self._rooms for listener in room.listeners for voice in listener.extra
        ]
        return list(dict.fromkeys(voices + extra))

    @property
    def ears(self) -> list[Hashable]:
        """Return all ears, room by room."""
        return list(self._heard)

    def begins_at_once(self, ear: Hashable) -> bool:
        """Return whether an ear is not to be faded in."""
        listener = self._heard.get(ear, _NOWHERE)[1]
        return listener is not None and listener.at_once

    def compile(self, layout: Layout, ears: Sequence[Hashable]) -> MixPlan:
        """Return the plan that gives what these ears hear; ears that are not here hear nothing."""
        rooms = [
            [layout[voice] for voice in room.voices if voice in layout] for room in self._rooms
        ]
        return MixPlan(rooms, [self._row(ear, layout) for ear in ears])

    def _row(self, ear: Hashable, layout: Layout) -> EarRow:
        number, listener = self._heard.get(ear, _NOWHERE)
        if listener is None:
            return _NOBODY
        if listener.hears and not listener.gains and not listener.extra:  # nearly all
            own = layout.get(listener.own, -1) if listener.own in self._voices[number] else -1
            return EarRow(number, own, listener.others)
        extra = tuple(layout[voice] for voice in listener.extra if voice in layout)
        if not listener.hears:
            return EarRow(-1, extra=extra)
        voices = self._voices[number]
        own = layout.get(listener.own, -1) if listener.own in voices else -1
        gains = {
            layout[voice]: gain
            for voice, gain in listener.gains.items()
            if voice in layout and voice in voices
        }
        return EarRow(number, own, listener.others, gains, extra)
