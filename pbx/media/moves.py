"""Legs that are on their way from one worker to another, as the signalling process sees them. Pure.

Asking to move a leg returns at once, though the leg arrives only after its old worker has answered
with the leg's state and sockets. Commands for it that are sent meanwhile wait here, in order, and
follow it; so do announcements to a bridge that it enters, which may begin with it. A leg that is
asked to move on while it is on its way is simply led elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pbx.media.protocol import Announce, AnyCommand, Enter


@dataclass(slots=True)
class Move:
    """One leg on its way to the worker numbered `taker`, with the commands that follow it."""

    taker: int
    held: list[AnyCommand] = field(default_factory=list)
    bridges: set[int] = field(default_factory=set)
    """Those that it will enter."""

    def hold(self, command: AnyCommand) -> None:
        """Keep a command until the leg is there."""
        self.held.append(command)
        if isinstance(command, Enter):
            self.bridges.add(command.bridge)


class Moves:
    """All legs that are on their way."""

    def __init__(self) -> None:
        self._moves: dict[int, Move] = {}

    def __len__(self) -> int:
        return len(self._moves)

    def lead(self, leg: int, taker: int) -> bool:
        """Let `leg` go to the worker `taker`; return false if it was on its way elsewhere."""
        move = self._moves.get(leg)
        if move is None:
            self._moves[leg] = Move(taker)
            return True
        move.taker = taker
        return False

    def hold(self, worker: int, command: AnyCommand) -> bool:
        """Keep a command to `worker` if it must wait for a leg; return whether it does."""
        if isinstance(command, Announce):
            for move in self._moves.values():
                if move.taker == worker and command.bridge in move.bridges:
                    move.hold(command)
                    return True
            return False
        move_of_leg = self._moves.get(getattr(command, "leg", -1))
        if move_of_leg is None:
            return False
        move_of_leg.hold(command)
        return True

    def end(self, leg: int) -> Move | None:
        """Take a leg off the list: it is there, or lost."""
        return self._moves.pop(leg, None)

    def forget(self, legs: Iterable[int]) -> None:
        """Take legs off the list that died with the worker they were leaving."""
        for leg in legs:
            self._moves.pop(leg, None)
