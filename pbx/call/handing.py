"""What a call needs to be handed on: the wish that its talk is to act on, and who comes after whom.

A talk (`bridge.talk`) waits for its called party's end or for a *turn*: something that is to happen
to it in the call's own script, such as a transfer. Whoever wants one takes the transferrer out of
the talk at once, so that nothing which happens meanwhile ends the call, and says `wish`. There is
one turn at a time; while it goes on the call is not `ready` for another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from pbx.call.outcome import Outcome

if TYPE_CHECKING:
    from pbx.call.consult import Consultation
    from pbx.call.leg import Leg

Turn = Callable[[], Awaitable["Leg | Outcome"]]
"""What happens next in a talk. It returns the leg that the caller talks to then, whose end ends the
talk, or what became of the call."""

MOST = 5
"""Transfers of one call within `WITHIN`; more are a loop."""

WITHIN = 60.0
"""Seconds."""


def _nothing() -> None:
    pass


class Handing:
    """How a call goes from hand to hand."""

    def __init__(self) -> None:
        self.succession: asyncio.Future[Leg] | None = None
        """Who takes the place of a called leg that a supervisor let go; None while none was."""
        self.heir: Leg | None = None
        """Whose call it is once its caller's leg is gone; None: the call ends."""
        self.consultation: Consultation | None = None
        """What goes on between the transferrer and whoever is asked first."""
        self.reached: Callable[[], None] = _nothing
        """Called when the party that is handed on has reached somebody."""
        self._turn: asyncio.Future[Turn] | None = None
        self._begun: deque[float] = deque(maxlen=MOST)

    @property
    def ready(self) -> bool:
        """Tell whether two talk, and nothing is happening to that."""
        return self._turn is not None and not self._turn.done()

    def wish(self, turn: Turn) -> None:
        """Let something happen to the talk; only where it is `ready`."""
        assert self._turn is not None
        self._turn.set_result(turn)

    def loops(self, now: float) -> bool:
        """Tell whether one transfer more were too many; if not, it counts from now on."""
        if len(self._begun) == MOST and now - self._begun[0] < WITHIN:
            return True
        self._begun.append(now)
        return False

    def keep_going(self) -> None:
        """Let the talk go on without its called leg until `succeed` brings another."""
        self.succession = asyncio.get_running_loop().create_future()

    def succeed(self, successor: Leg) -> None:
        """Put `successor` in the place of the called leg that was let go."""
        if self.succession is not None and not self.succession.done():
            self.succession.set_result(successor)

    async def next_turn(self, leg: Leg) -> Turn | None:
        """Wait until something is to happen to the talk; None: the leg has ended first."""
        self._turn = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait((leg.ended, self._turn), return_when=asyncio.FIRST_COMPLETED)
            return self._turn.result() if self._turn.done() else None
        finally:
            self._turn = None
