"""What a caller lives through while waiting: music, what is due, the queue's menu, its keys.

`listen` ends only with a caller who goes elsewhere. Whoever has something better for the caller
cancels it, wherever it is; listening again goes on with what is due.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from pbx.acd.announcing import Due, Told, gap, prompt_of
from pbx.call.queued import STAYS
from pbx.call.speaking import say
from pbx.plan.destination import Destination

if TYPE_CHECKING:
    from pbx.acd.floor import Floor
    from pbx.call.call import Call
    from pbx.call.outcome import Outcome
    from pbx.plan.model import Queue
    from pbx.speech.saying import Saying

REST: Final = 3600.0
"""Seconds after which a caller who is told nothing is looked at again."""

ASIDE: Final = 1.0
"""Seconds by which the first word of the place is put off while a phone rings already."""


class Listening:
    """A caller's ears and keys in one queue. `rings` tells whether an agent's phone does."""

    def __init__(
        self, call: Call, queue: Queue, floor: Floor, *, rings: Callable[[], bool]
    ) -> None:
        self._call = call
        self._queue = queue
        self._engine = floor.engine
        self._rings = rings
        self._told = Told()
        self._due = Due.of(queue, call.exchange.now())

    def values(self, waited_s: float) -> Mapping[str, str]:
        """Return `queue.name`, how many are ahead, and minutes: waited so far, and expected."""
        ahead = self._engine.ahead(self._call.id)
        estimate = self._engine.estimate(self._call.id, self._call.exchange.now())
        return {
            "queue.name": self._queue.name,
            "queue.ahead": "" if ahead is None else str(ahead),
            "queue.wait": str(int(waited_s // 60)),
            "queue.estimate": "" if estimate is None else str(math.ceil(estimate.high_s / 60)),
        }

    def rest(self) -> None:
        """Let the caller hear music, where nothing else is heard."""
        call = self._call
        call.caller.media.start_music(call.settings.hold_music(self._queue.music))

    async def listen(self) -> Outcome:
        """Let the caller hear music and what is due; return what becomes of one who leaves."""
        keys, now = self._call.caller.keys, self._call.exchange.now
        while True:
            self.rest()
            left = max(0.0, min(REST, self._due.next - now()))
            outcome = await (self._keyed() if await keys.arrives(left) else self._tell())
            if outcome is not None and outcome != STAYS:
                return outcome

    async def _keyed(self) -> Outcome | None:
        """Do what a key of the queue means; any other is forgotten."""
        call, queue = self._call, self._queue
        keys = call.caller.keys
        known = queue.keys if queue.name in call.plan.queues else ()
        if any(keyed.startswith(keys.first or "-") for keyed in known):
            return await call.go(Destination("queue_keys", queue.name))
        await keys.next(0.0)
        return None

    async def _tell(self) -> Outcome | None:
        """Say what is due, or offer the queue's menu."""
        due, queue, now = self._due, self._queue, self._call.exchange.now()
        if now >= due.place:
            if self._told.ahead is None and self._rings():
                due.place = now + ASIDE  # it may be answered before it knew that it waits
                return None
            due.place = now + gap(queue)
            await self._say(*self._news(now))
        elif now >= due.prompt:
            due.prompt = now + queue.announce_every_s
            await self._say(*self._prompt(queue.announce or ""))
        elif now >= due.offer:
            return await self._offer(queue.offer_menu or "")
        return None

    async def _offer(self, menu: str) -> Outcome | None:
        self._due.offer = math.inf
        if menu not in self._call.plan.menus:
            return None  # of a queue of a newer dialplan than the call's
        outcome = await self._call.go(Destination("menu", menu))
        self._due.offer = self._call.exchange.now() + (self._queue.offer_after_s or REST)
        return outcome

    def _news(self, now: float) -> tuple[Saying, ...]:
        call = self._call
        ahead = self._engine.ahead(call.id)
        if ahead is None:
            return ()
        estimate = self._engine.estimate(call.id, now) if self._queue.say_estimate else None
        return self._told.news(ahead, estimate, call.language)

    def _prompt(self, name: str) -> tuple[Saying, ...]:
        call = self._call
        values = call.queued.values() if call.queued is not None else {}
        said = prompt_of(call, name, call.language, {**call.facts.fields, **values})
        return () if said is None else (said,)

    async def _say(self, *sayings: Saying) -> None:
        if sayings:
            await say(self._call.caller, *sayings, interrupt=bool(self._queue.keys))
