"""The destinations `queue` and `callback`.

No agent can log in to this version, so every queue is without agents: the caller hears that all of
them are busy, and what follows is what the dialplan says for `if_no_agents`. Nobody can be called
back either; the caller is told so, and the step's `refused` follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pbx.acd.floor import Floor
from pbx.acd.model import RandomSource, Skills, Waiting
from pbx.acd.places import Places
from pbx.acd.screen_pop import History, NoHistory
from pbx.acd.waiting import Visit
from pbx.call.outcome import TEMPORARY_FAILURE, Outcome, OutcomeKind, failed
from pbx.call.routing import Destinations
from pbx.call.speaking import say
from pbx.events import QueueEntered, QueueLeft
from pbx.plan.destination import Destination
from pbx.plan.model import Queue
from pbx.speech.phrases import phrase

if TYPE_CHECKING:
    from pbx.call.call import Call

NO_AGENTS: Final = Outcome(
    OutcomeKind.NO_AGENTS, "failed", "no_agents", 480, TEMPORARY_FAILURE, "system"
)


class Queues:
    """The queues of the office, where callers wait for agents."""

    def __init__(
        self,
        floor: Floor,
        *,
        places: Places,
        rng: RandomSource,
        history: History | None = None,
    ) -> None:
        self.floor = floor
        self.places = places
        self.rng = rng
        self.history = history or NoHistory()

    def register(self, destinations: Destinations) -> None:
        """Put the kind `queue` into the registry."""
        destinations.register("queue", self.queue)

    async def queue(
        self,
        call: Call,
        name: str,
        *,
        priority: int = 0,
        agent: str | None = None,
        skills: Skills | None = None,
        fields: Mapping[str, str] | None = None,
        comes_back: bool = False,
    ) -> Outcome:
        """Let a caller wait in a queue and talk to an agent; the destination kind `queue`.

        `priority`, `agent` and `skills` are the caller's wishes, `fields` go to the agent's screen.
        What follows when nobody takes the call says the queue, unless the caller `comes_back` to a
        dialplan that does.
        """
        queue = call.plan.queues.get(name)
        if queue is None:
            return failed(404, "unknown_number")
        if fields is not None:
            call.facts.fields = fields
        now = call.exchange.now()
        old = self.places.old(call.who.number, name, now)
        waiting = Waiting(
            call=call.id,
            queue=name,
            joined_at=now if old is None else old.joined_at,
            priority=priority if old is None else max(priority, old.priority),
            skills=skills or {},
            agent=agent or None,
            number=call.who.number,
            language=call.language,
        )
        outcome = await Visit(self, call, queue, waiting).run()
        following = None if comes_back else _following(queue, outcome)
        return outcome if following is None else await call.go(following)


def _following(queue: Queue, outcome: Outcome) -> Destination | None:
    """Return where the queue sends a caller whom nobody took."""
    return {
        OutcomeKind.FULL: queue.if_full,
        OutcomeKind.NO_AGENTS: queue.if_no_agents,
        OutcomeKind.TIMEOUT: queue.if_timeout,
    }.get(outcome.kind)


def register(destinations: Destinations) -> None:
    """Add the kinds of this package."""
    destinations.register("queue", queue)
    destinations.register("callback", callback)


async def queue(call: Call, name: str, **_wishes: object) -> Outcome:
    """Tell a caller that all agents are busy; the destination kind `queue`.

    Wishes (`priority`, `agent`, `skills`) say which agent, and there is none.
    """
    if name not in call.plan.queues:
        return failed(404, "unknown_number")
    call.emit(QueueEntered(call=call.id, queue=name))
    result = "left"
    try:
        with call.if_left("abandoned"):
            await _tell(call, "all-agents-busy")
        result = "no_agents"
    finally:
        call.emit(QueueLeft(call=call.id, queue=name, result=result))
    return NO_AGENTS


async def callback(
    call: Call, _name: str = "", *, number: str = "", window: str | None = None
) -> Outcome:
    """Tell a caller that nobody calls back; the destination kind `callback`.

    `number` is whom to call, `window` the schedule that says when.
    """
    call.caller.answer(call.caller.speaks())
    call.connected()
    await _tell(call, "callback-not-available")
    return failed(480, "callback_not_available")


async def _tell(call: Call, name: str) -> None:
    """Answer a call that was not yet, and say a phrase."""
    caller = call.caller
    caller.answer(caller.speaks())
    await say(caller, phrase(name, call.language))
