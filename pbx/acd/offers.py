"""The agents whose phones ring for one caller, and those who have answered.

The floor says who is offered the caller; what becomes of each goes back to the floor and into the
record. Whoever answers waits in `answered` until the caller's script has come out of whatever it
listened to; `called` tells it to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from pbx import events
from pbx.acd import inputs
from pbx.acd.ringing import AgentRinging

if TYPE_CHECKING:
    from pbx.acd.floor import Floor
    from pbx.acd.model import DeclineReason, Waiting
    from pbx.acd.screen_pop import ScreenPop
    from pbx.call.call import Call
    from pbx.plan.model import Queue


class Offers:
    """Who is asked to take one caller."""

    def __init__(
        self, call: Call, floor: Floor, screen: ScreenPop, called: Callable[[], None]
    ) -> None:
        self.answered: deque[AgentRinging] = deque()
        """Those who have answered, the first one first."""
        self._call = call
        self._floor = floor
        self._screen = screen
        self._called = called
        self._ringing: dict[str, AgentRinging] = {}

    @property
    def going_on(self) -> bool:
        """Tell whether a phone rings, or somebody has answered."""
        return bool(self._ringing)

    def add(self, agent: str, queue: Queue, waiting: Waiting, seconds: float) -> None:
        """Let an agent's phones ring for so long."""
        ringing = self._ringing[agent] = AgentRinging(self._call, agent, queue, seconds)

        async def show() -> None:
            await self._screen.ready()
            known = self._floor.engine.waiting(self._call.id) or waiting
            self._screen.show(agent, known, self._call.exchange.now() - known.joined_at)

        ringing.start(show, self._rung)

    def withdraw(self, agent: str, *, elsewhere: bool = False) -> None:
        """Ask an agent no longer, because the caller is served `elsewhere`, or gone."""
        ringing = self._ringing.pop(agent, None)
        if ringing is not None:
            ringing.stop(elsewhere=elsewhere)
            self._tell(ringing, "withdrawn")

    def stop(self, *, elsewhere: bool = False) -> None:
        """Ask nobody any more."""
        for agent in tuple(self._ringing):
            self.withdraw(agent, elsewhere=elsewhere)
        self.answered.clear()

    def took(self, ringing: AgentRinging) -> None:
        """Note that this agent has the call: the leg is the caller's script's from now on."""
        del self._ringing[ringing.agent]
        self._floor.tell(inputs.AgentTook(self._call.id, ringing.agent))

    def declined(self, ringing: AgentRinging, reason: DeclineReason) -> None:
        """Note that an agent does not take the call; without effect on one who was withdrawn."""
        if self._ringing.get(ringing.agent) is ringing:
            del self._ringing[ringing.agent]
            self._tell(ringing, reason)
            self._floor.tell(inputs.AgentDeclined(self._call.id, ringing.agent, reason))

    def _rung(self, ringing: AgentRinging, reason: DeclineReason | None) -> None:
        """Note what became of an agent's phones."""
        if reason is not None:
            self.declined(ringing, reason)
        elif self._ringing.get(ringing.agent) is ringing:
            self.answered.append(ringing)
            self._called()

    def _tell(self, ringing: AgentRinging, reason: str) -> None:
        self._call.emit(
            events.AgentDeclined(
                call=self._call.id, agent=ringing.agent, queue=ringing.queue.name, reason=reason
            )
        )
