"""The life of one call-back, top to bottom: rest, wait in line, try; until it is over.

It rests until the next try is due and the hours are open. In the line it has the time at which the
caller began to wait, and the id of the call that the try will be, so that the engine sees the
agent's phone ring for whom it was chosen. When agents are chosen, it is tried (calling_back.py).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, Protocol

from pbx.acd import commands
from pbx.acd.callback_times import LOOK_AGAIN, closed_s, rest_before
from pbx.acd.calling_back import Attempt, Tried
from pbx.acd.model import Waiting
from pbx.call.admission import Identity
from pbx.plan.model import Callback

if TYPE_CHECKING:
    from pbx.acd.floor import Floor, Place
    from pbx.acd.keeping import BookedCallback, CallbackState
    from pbx.acd.model import RandomSource
    from pbx.call.exchange import Exchange
    from pbx.events.bus import Clock
    from pbx.plan.hours import Schedule, State
    from pbx.plan.model import Plan

AGAIN_AFTER: Final = 5.0
"""Seconds of rest after a try that came to nothing through no fault of the customer's."""

Doing = Literal["resting", "waiting", "calling"]
"""What becomes of a call-back just now: nothing yet; it is in the line; phones ring or talk."""

BUSY_WITH_US: Final = 30.0
"""Seconds of rest for a customer who is in a menu of ours just now."""


class Switches(Protocol):
    """The day/night switches."""

    def state(self, schedule: Schedule, at: datetime) -> State | None:
        """Return what a schedule was switched to; None where it was not."""


@dataclass(frozen=True, slots=True)
class Means:
    """What all call-backs work with."""

    floor: Floor
    exchange: Exchange
    clock: Clock
    switches: Switches
    rng: RandomSource


class Book(Protocol):
    """Where call-backs stand."""

    def keep(self, booked: BookedCallback) -> None:
        """Remember a call-back as it is now."""

    def over(self, booked: BookedCallback, state: CallbackState, agent: str | None = None) -> None:
        """A call-back is over: its life too, unless it knows already."""

    def tries(self, call: str, attempt: Attempt) -> None:
        """A try begins; the end of that call is the end of it."""


def joined_at(booked: BookedCallback, clock: Clock) -> float:
    """Return when the wait of a call-back began, by the monotonic clock."""
    return clock.monotonic() - max(0.0, clock.wall() - booked.joined_at)


def rules_of(plan: Plan, queue: str) -> Callback:
    """Return how a queue calls back."""
    found = plan.queues.get(queue)
    return Callback() if found is None else found.callback


class Served:
    """A call-back that is not over yet; `serve` is its life, the task that the book runs."""

    def __init__(self, booked: BookedCallback, book: Book, means: Means) -> None:
        self.booked = booked
        self.doing: Doing = "resting"
        self.hurry = asyncio.Event()
        """Set where somebody wants it in the line now, whatever the hours."""
        self._hurried = False
        self._over = False
        self._book = book
        self._floor = means.floor
        self._exchange = means.exchange
        self._clock = means.clock
        self._switches = means.switches
        self._rng = means.rng

    async def serve(self, after: float = 0.0) -> None:
        """Rest, wait and try until somebody talked, or no further try helps; begin `after` so many
        seconds."""
        await asyncio.sleep(after)
        while not self._over:
            await self._rest()
            before = self.booked
            tried = await self._try()
            if tried is not None:
                self._count(before, tried)

    async def _rest(self) -> None:
        """Wait until the next try is due and the hours are open, or somebody is in a hurry."""
        self._hurried = False
        while (seconds := self._resting_s()) > 0 and not self.hurry.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.hurry.wait()
        self._hurried = self.hurry.is_set()
        self.hurry.clear()

    def _resting_s(self) -> float:
        """Return for how many seconds nothing is to be done; 0: it is time."""
        seconds = self.booked.next_at - self._clock.wall()
        return min(seconds, LOOK_AGAIN) if seconds > 0 else self._closed_s()

    def _closed_s(self) -> float:
        """Return when the hours are to be looked at again; 0 where they are open."""
        plan = self._exchange.plan
        if self.booked.queue not in plan.queues:
            return LOOK_AGAIN
        schedule = plan.hours.get(self.booked.hours or "")
        now = datetime.fromtimestamp(self._clock.wall(), UTC)
        switched = None if schedule is None else self._switches.state(schedule, now)
        return closed_s(schedule, now, switched)

    async def _try(self) -> Tried | None:
        """Wait in line, and try once agents are chosen; None where it did not come to a try."""
        call = self._exchange.new_call_id()
        place = self._floor.join(self._waiting(call))
        self.doing = "waiting"
        try:
            offer = await self._chosen(place)
            if offer is None or not self._may_try():
                return None
            self.doing = "calling"
            return await self._attempt(place, offer)
        finally:
            self.doing = "resting"
            self._floor.leave(call)

    def _waiting(self, call: str) -> Waiting:
        booked = self.booked
        return Waiting(
            call=call,
            queue=booked.queue,
            joined_at=joined_at(booked, self._clock),
            priority=booked.priority,
            skills=booked.skills,
            agent=booked.agent,
            number=booked.number,
            language=booked.language,
            callback=True,
        )

    async def _chosen(self, place: Place) -> commands.Offer | None:
        """Return the agents chosen for a call-back; None where it is to leave the line for now."""
        while True:
            match await place.orders.get():
                case commands.Offer() as offer:
                    return offer
                case commands.Moved(queue=queue):
                    self.moved(queue)
                case commands.SendAway():
                    self._put_off(LOOK_AGAIN)
                    return None
                case _:
                    pass

    def _may_try(self) -> bool:
        """Tell whether the customer may be called now that there are agents; what speaks against
        it is acted on."""
        exchange = self._exchange
        no_more = exchange.draining or exchange.congested()
        if no_more or self.booked.queue not in exchange.plan.queues:
            self._put_off(LOOK_AGAIN)
            return False
        if self._closed_s() and not self._hurried:
            return False
        there = self._is_there()
        if there == "talking":
            self._book.over(self.booked, "cancelled")
        elif there == "calling":
            self._put_off(BUSY_WITH_US)
        return not there

    def _is_there(self) -> Literal["", "calling", "talking"]:
        """Tell whether the customer talks to us, or is in another call of ours."""
        spelled = self._exchange.plan.spelled
        customer = spelled(self.booked.number)
        there: Literal["", "calling"] = ""
        for call in self._exchange.calls.values():
            for leg in call.legs.values():
                if leg.ending is None and spelled(leg.number) == customer:
                    if leg.other is not None and not leg.is_extension:
                        return "talking"
                    there = "calling"
        return there

    async def _attempt(self, place: Place, offer: commands.Offer) -> Tried:
        booked, exchange = self.booked, self._exchange
        attempt = Attempt(
            booked,
            exchange.plan.queues[booked.queue],
            place,
            offer,
            floor=self._floor,
            book=self,
            rng=self._rng,
        )
        agent = exchange.directory.extension(offer.agents[0])
        who = Identity(offer.agents[0], None if agent is None else agent.name, "outbound")
        self._book.tries(place.call, attempt)
        call = exchange.begin(place.call, who, booked.number, attempt.script)
        try:
            return await attempt.done
        finally:
            if not attempt.answered:
                call.hang_up("callback_cancelled")  # without effect on a call that is over

    def _count(self, before: BookedCallback, tried: Tried) -> None:
        """Draw the conclusion from a try that was not answered; of one that the server broke off
        because it stops, there is none."""
        if tried.result == "answered":
            return
        rules = rules_of(self._exchange.plan, self.booked.queue)
        if not tried.counts or self._exchange.draining:
            self.booked = replace(before, queue=self.booked.queue)
            self._put_off(AGAIN_AFTER)
        elif tried.result == "wrong_number" or self.booked.tries >= rules.tries:
            self._book.over(self.booked, "failed")

    def stop(self) -> None:
        """Live no longer, once what is done just now is."""
        self._over = True

    def _put_off(self, seconds: float) -> None:
        self._change(replace(self.booked, next_at=self._clock.wall() + seconds))

    def _change(self, booked: BookedCallback) -> BookedCallback:
        self.booked = booked
        if not self._over:
            self._book.keep(booked)
        return booked

    # -- what an attempt tells (calling_back.Booked) -----------------------------------------

    def dialling(self) -> BookedCallback:
        """Count the try, and say when the next one is due."""
        tries = self.booked.tries + 1
        rest = rest_before(rules_of(self._exchange.plan, self.booked.queue), tries + 1)
        next_at = self._clock.wall() + rest
        return self._change(replace(self.booked, tries=tries, next_at=next_at))

    def connected(self, agent: str) -> None:
        """The call-back is answered."""
        self._book.over(self.booked, "answered", agent)

    def moved(self, queue: str) -> BookedCallback:
        """The call-back waits in another queue."""
        return self._change(replace(self.booked, queue=queue))
