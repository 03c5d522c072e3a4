"""The destination `queue`: a caller waits there for an agent, and then talks to one.

Who waits, who rings and who talks is `waiting.py`; here is what it begins with: the wishes of the
caller, an old place that is given back, and what follows where nobody took the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pbx.acd.floor import Floor
from pbx.acd.model import RandomSource, Skills, Waiting
from pbx.acd.places import Places
from pbx.acd.screen_pop import History, NoHistory
from pbx.acd.waiting import Visit
from pbx.call.outcome import Outcome, OutcomeKind, failed
from pbx.call.routing import Destinations
from pbx.plan.destination import Destination
from pbx.plan.model import Queue

if TYPE_CHECKING:
    from pbx.call.call import Call


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
