"""Who waits to be called back: booked, found, cancelled, kept across restarts.

Each call-back has a task of its own, its life (callback_life.py). There is one for each number and
queue. Who rings again and waits in that queue needs none any more and goes on with its place; who
got to talk to an agent needs none either.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pbx.acd.callback_life import Doing, Means, Served, joined_at, rules_of
from pbx.acd.callback_times import LOOK_AGAIN, rest_before
from pbx.acd.keeping import BookedCallback, CallbackState
from pbx.acd.places import OldPlace
from pbx.errors import NotFound, Refused
from pbx.events import AgentConnected, CallbackEnded, CallEnded, QueueEntered

if TYPE_CHECKING:
    from pbx.acd.calling_back import Attempt
    from pbx.acd.keeping import Keeping
    from pbx.acd.model import Skills
    from pbx.events.bus import Stamped

log = logging.getLogger(__name__)

STARTING_S: Final = 1.5
"""Seconds in which a server that starts can reach phones."""

SHORTEST_PREFIX: Final = 4
"""Characters of an id that are enough, where they name one call-back only."""


class Callbacks:
    """All call-backs that wait. `take` is a sink of the bus."""

    def __init__(self, means: Means, keeping: Keeping) -> None:
        self._means = means
        self._keeping = keeping
        self._lives: dict[str, tuple[Served, asyncio.Task[None]]] = {}
        self._tries: dict[str, Attempt] = {}

    # -- what others ask and want ------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._lives)

    def waiting(self) -> list[BookedCallback]:
        """Return the call-backs that are not over, by the beginning of their wait."""
        return sorted((served.booked for served in self._served()), key=lambda each: each.joined_at)

    def doing(self, callback: str) -> Doing:
        """Return what becomes of a call-back just now."""
        found = self._lives.get(callback)
        return "resting" if found is None else found[0].doing

    def book(
        self,
        *,
        call: str,
        queue: str,
        number: str,
        began: float,
        language: str,
        priority: int = 0,
        skills: Skills | None = None,
        agent: str | None = None,
        hours: str | None = None,
    ) -> BookedCallback:
        """Let somebody be called back who booked it in `call`, whose wait `began` then (monotonic).

        `hours` names a schedule in place of the queue's. Where one is booked for that number and
        queue already, that is returned.
        """
        known = self._of(number, queue)
        if known is not None:
            return known.booked
        clock, rules = self._means.clock, rules_of(self._means.exchange.plan, queue)
        wall = clock.wall()
        booked = BookedCallback(
            id=self._means.exchange.new_call_id(),
            call=call,
            queue=queue,
            number=number,
            joined_at=wall - max(0.0, clock.monotonic() - began),
            language=language,
            priority=priority,
            skills=dict(skills or {}),
            agent=agent,
            hours=hours or rules.hours,
            next_at=wall + rest_before(rules, 1),
        )
        self.keep(booked)
        self._begin(booked)
        return booked

    def load(self, kept: Iterable[BookedCallback]) -> None:
        """Go on with what the server before this one left; each keeps its time and its tries."""
        for booked in kept:
            if booked.state == "waiting" and booked.id not in self._lives:
                self._begin(booked, after=STARTING_S)

    def cancel(self, name: str) -> BookedCallback:
        """Cancel a call-back by its id, the beginning of it, or its number; return it.

        Raises NotFound where there is none, Refused where several are meant.
        """
        served = self._find(name)
        self.over(served.booked, "cancelled")
        return served.booked

    def hurry(self, name: str) -> BookedCallback:
        """Let a call-back wait in its line now, before the next try's time and outside its hours.

        It is put before nobody; one that waits already, or is tried, stays as it is. Named as in
        `cancel`.
        """
        served = self._find(name)
        if served.doing == "resting":
            served.hurry.set()
        return served.booked

    def reclaim(self, number: str, queue: str) -> OldPlace | None:
        """Return the place of a call-back whose customer rings again and waits; it is cancelled."""
        served = self._of(number, queue)
        if served is None:
            return None
        self.over(served.booked, "cancelled")
        return OldPlace(joined_at(served.booked, self._means.clock), served.booked.priority)

    def close(self) -> None:
        """Stop; what waits is kept, for the next server."""
        for served, task in self._lives.values():
            served.stop()
            task.cancel()
        self._lives.clear()

    # -- the bus -----------------------------------------------------------------------------

    def take(self, stamped: Stamped) -> None:
        """Hear of tries that are over, and of customers who need no call-back any more."""
        match stamped.event:
            case CallEnded(call=call):
                attempt = self._tries.pop(call, None)
                if attempt is not None:
                    attempt.over()
            case QueueEntered(call=call, queue=queue) if self._lives:
                self._need_none(call, queue)
            case AgentConnected(call=call) if self._lives and call not in self._tries:
                self._need_none(call, None)

    def _need_none(self, call: str, queue: str | None) -> None:
        """Cancel what the customer of a call has booked: in one queue, or (None) in all."""
        exchange = self._means.exchange
        live = exchange.calls.get(call)
        if live is None:
            return
        customer = exchange.plan.spelled(live.who.number)
        loop = asyncio.get_running_loop()
        for served in self._served():
            booked = served.booked
            if queue not in (None, booked.queue):
                continue
            if booked.call == call or exchange.plan.spelled(booked.number) == customer:
                loop.call_soon(self._cancel, booked.id)  # a sink emits nothing

    def _cancel(self, callback: str) -> None:
        found = self._lives.get(callback)
        if found is not None:
            self.over(found[0].booked, "cancelled")

    # -- what a life tells (callback_life.Book) ----------------------------------------------

    def keep(self, booked: BookedCallback) -> None:
        """Remember a call-back as it is now."""
        self._keeping.keep_callback(booked)

    def over(self, booked: BookedCallback, state: CallbackState, agent: str | None = None) -> None:
        """Let a call-back be over, once; a try that goes on is broken off, unless it was the last
        step of it."""
        found = self._lives.pop(booked.id, None)
        if found is None or state == "waiting":
            return
        served, task = found
        served.stop()
        self.keep(replace(booked, state=state, agent=agent or booked.agent))
        waited = max(0.0, self._means.clock.wall() - booked.joined_at)
        self._means.floor.bus.emit(
            CallbackEnded(
                call=booked.call,
                callback=booked.id,
                queue=booked.queue,
                result=state,
                waited_s=round(waited, 3),
                agent=agent,
            )
        )
        if state == "cancelled" and task is not asyncio.current_task():
            task.cancel()

    def tries(self, call: str, attempt: Attempt) -> None:
        """Let the end of that call be the end of a try."""
        self._tries[call] = attempt

    # -- inside ------------------------------------------------------------------------------

    def _begin(self, booked: BookedCallback, *, after: float = 0.0) -> None:
        served = Served(booked, self, self._means)
        loop = asyncio.get_running_loop()
        task = loop.create_task(served.serve(after), name=f"call-back {booked.id}")
        task.add_done_callback(partial(self._ended, booked.id))
        self._lives[booked.id] = served, task

    def _ended(self, callback: str, task: asyncio.Task[None]) -> None:
        """Log a defect; whom it befell is not called back any later than a minute for that."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        self._means.exchange.defects += 1
        log.error("a defect ended %s", task.get_name(), exc_info=error)
        found = self._lives.get(callback)
        if found is not None:
            self._begin(found[0].booked, after=LOOK_AGAIN)

    def _served(self) -> list[Served]:
        return [served for served, _ in self._lives.values()]

    def _of(self, number: str, queue: str) -> Served | None:
        """Return the call-back of a number, however it is written, in a queue."""
        spelled = self._means.exchange.plan.spelled
        customer = spelled(number)
        for served in self._served():
            if served.booked.queue == queue and spelled(served.booked.number) == customer:
                return served
        return None

    def _find(self, name: str) -> Served:
        exact = self._lives.get(name)
        if exact is not None:
            return exact[0]
        found = [served for served in self._served() if served.booked.number == name]
        if not found and len(name) >= SHORTEST_PREFIX:
            found = [served for served in self._served() if served.booked.id.startswith(name)]
        if not found:
            raise NotFound(f"no call-back {name} waits; callpbx callback list shows which do")
        if len(found) > 1:
            ids = ", ".join(served.booked.id for served in found)
            raise Refused(f"{name} means {len(found)} call-backs; name one of them: {ids}")
        return found[0]
