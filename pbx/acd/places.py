"""The places of callers in queues, and how a caller who lost the line gets the old one back.

While a caller waits its place is kept across restarts. Who loses the line (hangs up, is cut off, or
was waiting when the server died) and rings the same queue from the same number within five minutes
goes on where it was: the wait that counts is the old one, and so is a higher priority. Each lost
place is given back once. Callers who withhold their number are nobody's, so they have no old place.

A lost line cannot be told from one that was hung up, and is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from pbx.acd.keeping import Keeping, Place
from pbx.acd.model import Waiting
from pbx.events.bus import Clock
from pbx.plan.numbering import spelling_of

KEPT_FOR: Final = 300.0
"""Seconds after the line was lost in which the old place is given back."""

OLDEST: Final = 3600.0
"""Seconds of waiting after which a place is forgotten that a dead server left behind."""


def known_as(number: str) -> str | None:
    """Return the spelling by which a caller is known again; None for a withheld number."""
    return spelling_of(number) if re.fullmatch(r"\+?[0-9]+", number) else None


@dataclass(frozen=True, slots=True)
class OldPlace:
    """What a caller had before the line was lost; `joined_at` is monotonic."""

    joined_at: float
    priority: int


class Places:
    """The places that callers have, and those that were lost lately."""

    def __init__(self, keeping: Keeping, clock: Clock) -> None:
        self._keeping = keeping
        self._clock = clock
        self.booked: Callable[[str, str], OldPlace | None] = lambda _number, _queue: None
        """What gives up the place of who waits to be called back, by number and queue."""
        self._held: dict[str, tuple[Place, float]] = {}
        """Each with the monotonic time of its beginning, for the wall clock may be set."""
        self._lost: dict[str, Place] = {}  # by call, in the order in which they were lost

    def load(self, kept: Iterable[Place]) -> None:
        """Take the places that were kept when the server died: who waited then lost the line now,
        for nobody could ring again before."""
        now = self._clock.wall()
        found = [place if place.left_at is not None else _left(place, now) for place in kept]
        for place in sorted(found, key=_left_at):
            if now - place.joined_at <= OLDEST:
                self._lost[place.call] = place
                self._keeping.keep_place(place)
            else:
                self._keeping.forget_place(place.call)
        self._forget_stale(now)

    def entered(self, waiting: Waiting) -> None:
        """A caller waits, or waits in another queue than before."""
        if known_as(waiting.number) is None:
            return
        wall = self._clock.wall()
        self._forget_stale(wall)
        place = Place(
            call=waiting.call,
            queue=waiting.queue,
            number=waiting.number,
            priority=waiting.priority,
            joined_at=self._wall(waiting.joined_at),
        )
        self._held[place.call] = place, waiting.joined_at
        self._keeping.keep_place(place)

    def left(self, call: str, *, lost_line: bool) -> None:
        """A caller waits no longer: served or gone elsewhere, or the line was lost meanwhile."""
        held = self._held.pop(call, None)
        if held is None:
            return
        if lost_line:
            place = replace(held[0], joined_at=self._wall(held[1]))
            place = self._lost[call] = _left(place, self._clock.wall())
            self._keeping.keep_place(place)
        else:
            self._keeping.forget_place(call)

    def old(self, number: str, queue: str, now: float) -> OldPlace | None:
        """Return the place that a caller of `number` lost in `queue`, and give it back with that.

        None where there is none, or no longer. Of several the one that waited longest is given. Who
        waits to be called back, and rings again, has that place.
        """
        if known_as(number) is None:
            return None
        lost, booked = self._lost_by(number, queue, now), self.booked(number, queue)
        if lost is None or booked is None:
            return lost or booked
        return min(lost, booked, key=lambda place: place.joined_at)

    def _wall(self, moment: float) -> float:
        """Return a monotonic time by the wall clock, as that is now."""
        return self._clock.wall() - (self._clock.monotonic() - moment)

    def _lost_by(self, number: str, queue: str, now: float) -> OldPlace | None:
        wall = self._clock.wall()
        self._forget_stale(wall)
        spelling = known_as(number)
        mine = [
            place
            for place in self._lost.values()
            if place.queue == queue and known_as(place.number) == spelling
        ]
        if not mine:
            return None
        place = min(mine, key=lambda place: place.joined_at)
        del self._lost[place.call]
        self._keeping.forget_place(place.call)
        return OldPlace(now - max(0.0, wall - place.joined_at), place.priority)

    def _forget_stale(self, wall: float) -> None:
        stale = [call for call, place in self._lost.items() if wall - _left_at(place) > KEPT_FOR]
        for call in stale:
            del self._lost[call]
            self._keeping.forget_place(call)


def _left(place: Place, at: float) -> Place:
    return replace(place, left_at=at)


def _left_at(place: Place) -> float:
    return place.joined_at if place.left_at is None else place.left_at
