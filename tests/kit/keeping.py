"""What the call centre keeps across restarts, in memory."""

from __future__ import annotations

from pbx.acd.keeping import BookedCallback, Duty, Kept, Place, Stretch


class Memory:
    """Satisfies `pbx.acd.keeping.Keeping`; `kept` is what a server that starts again finds."""

    def __init__(self) -> None:
        self.duties: dict[str, Duty] = {}
        self.stretches: list[Stretch] = []
        self.places: dict[str, Place] = {}
        self.callbacks: dict[str, BookedCallback] = {}

    def keep_duty(self, duty: Duty) -> None:
        """Note it."""
        self.duties[duty.agent] = duty

    def keep_stretch(self, stretch: Stretch) -> None:
        """Note it."""
        self.stretches.append(stretch)

    def keep_place(self, place: Place) -> None:
        """Note it."""
        self.places[place.call] = place

    def forget_place(self, call: str) -> None:
        """Forget it."""
        self.places.pop(call, None)

    def keep_callback(self, callback: BookedCallback) -> None:
        """Note it."""
        self.callbacks[callback.id] = callback

    @property
    def kept(self) -> Kept:
        """Return what a new server would load."""
        waiting = [each for each in self.callbacks.values() if each.state == "waiting"]
        return Kept(tuple(self.duties.values()), tuple(self.places.values()), tuple(waiting))
