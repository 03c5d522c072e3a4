"""One try to call somebody back: the agent's phone, the customer's, and then the two talk.

    agent first      an agent's phone rings and shows the customer; who answers hears what it is
                     and then the customer's phone ringing
    customer first   the agents who were chosen stay reserved while the customer is called; who
                     answers hears music until an agent's phone, rung at once, is answered

Either way the agent is the caller of this call and the customer is called, so the record says who
called whom. An agent who does not take it is reported to the floor, which chooses others; the try
goes on. A customer who waits for another agent already is before everybody else.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, Protocol

from pbx.acd import commands, inputs
from pbx.acd.callback_times import RING_CUSTOMER_S
from pbx.acd.connecting import record
from pbx.acd.ringing import AgentRinging
from pbx.call import bridge
from pbx.call.outcome import ABSENT, Outcome, OutcomeKind, no_answer
from pbx.call.speaking import say
from pbx.events import AgentConnected, AgentDeclined, AgentOffered, CallbackTried
from pbx.plan.destination import Destination
from pbx.plan.numbering import dialled
from pbx.speech.phrases import phrase

if TYPE_CHECKING:
    from pbx.acd.floor import Floor, Place
    from pbx.acd.keeping import BookedCallback
    from pbx.acd.model import DeclineReason, RandomSource
    from pbx.call.call import Call
    from pbx.call.contact import Contact
    from pbx.call.leg import Leg
    from pbx.call.leg_state import Role
    from pbx.plan.model import Queue

WRONG_NUMBER: Final = frozenset({404, 410, 484, 604})
"""What a line answers for a number that there is not (RFC 3261 §21): no further try helps."""

LONGEST_WHISPER: Final = 5.0
"""Seconds after which the customer is called, whatever the agent hears still."""

Result = Literal["answered", "no_answer", "busy", "failed", "no_agent", "wrong_number"]
"""What became of a try; `no_agent`: no agent stayed until the customer was there."""


class Booked(Protocol):
    """The call-back that is tried."""

    def dialling(self) -> BookedCallback:
        """The customer's phone is called now: count the try, and return what is booked then."""

    def connected(self, agent: str) -> None:
        """Agent and customer hear each other."""

    def moved(self, queue: str) -> BookedCallback:
        """A supervisor moved the call-back to another queue; return what is booked then."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a try, and whether it counts."""

    result: Result
    counts: bool


class Attempt:
    """A try; `script` is what its call lives through."""

    def __init__(
        self,
        booked: BookedCallback,
        queue: Queue,
        place: Place,
        offer: commands.Offer,
        *,
        floor: Floor,
        book: Booked,
        rng: RandomSource,
    ) -> None:
        self.booked = booked
        self.done: asyncio.Future[Tried] = asyncio.get_running_loop().create_future()
        """Set once both talk, or else when the call is over."""
        self._queue = queue
        self._place = place
        self._offer: commands.Offer | None = offer
        self._floor = floor
        self._book = book
        self._rng = rng
        self._tried = Tried("no_agent", counts=False)
        self._told = False
        self._ringing: dict[str, AgentRinging] = {}
        self._took: asyncio.Future[Leg] | None = None

    @property
    def answered(self) -> bool:
        """Tell whether agent and customer talk, or have."""
        return self._tried.result == "answered"

    def over(self) -> None:
        """The call is over, or what is said of it is so already."""
        if not self.done.done():
            self.done.set_result(self._tried)

    async def script(self, call: Call) -> Outcome:
        """Bring an agent and the customer together."""
        call.language = self.booked.language
        orders = call.attend(self._obey(call), "orders of the queue")
        try:
            if self._queue.callback.first == "customer":
                return await self._customer_first(call)
            return await self._agent_first(call)
        finally:
            orders.cancel()
            self._stop_ringing(call, elsewhere=False)
            self._tell(call)

    async def _agent_first(self, call: Call) -> Outcome:
        language = call.plan.defaults.language
        agent = call.caller_leg = await self._agent(call)
        if self._queue.whisper:
            told = phrase("callback-for", language, number=self.booked.number)
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_WHISPER):
                    await say(agent, told)
        if not agent.up:  # it hung up before it was the caller
            return no_answer()
        customer = await self._customer(call)
        if isinstance(customer, Outcome):
            await say(agent, phrase("number-not-available", language))
            return customer
        return await self._talk(call, customer)

    async def _customer_first(self, call: Call) -> Outcome:
        customer = await self._customer(call)
        if isinstance(customer, Outcome):
            return customer
        self._tried = Tried("no_agent", counts=True)
        leaving = call.attend(_ends_with(customer), "the customer's end")
        customer.media.start_music(call.settings.hold_music(self._queue.music))
        self._floor.tell(inputs.CallerMoved(call.id))
        call.caller_leg = await self._agent(call)
        leaving.cancel()
        return await self._talk(call, customer)

    async def _talk(self, call: Call, customer: Leg) -> Outcome:
        """Join the two, and wait until they have talked."""
        if not (customer.up and call.caller.up):
            return no_answer()
        self._tried = Tried("failed", counts=True)
        record(call, self._queue, self._rng)
        call.connect(customer)
        agent, queue = call.caller, self.booked.queue
        call.emit(AgentConnected(call=call.id, agent=agent.number, queue=queue, leg=agent.id))
        self._tried = Tried("answered", counts=True)
        self._tell(call)
        self._book.connected(agent.number)
        self.over()
        return await bridge.talk(call, customer)

    def _tell(self, call: Call) -> None:
        """Say what became of the try, once."""
        if self._told:
            return
        self._told = True
        result = self._tried.result
        call.emit(
            CallbackTried(
                call=call.id,
                callback=self.booked.id,
                origin=self.booked.call,
                result="failed" if result == "wrong_number" else result,
                tries=self.booked.tries,
            )
        )

    # -- the customer ------------------------------------------------------------------------

    async def _customer(self, call: Call) -> Leg | Outcome:
        """Call the customer; the try counts from now on, unless the agent breaks it off."""
        self.booked = self._book.dialling()
        call.routed(str(Destination("callback", self.booked.queue)))
        contacts = await _contacts(call, self.booked.number, self._queue.caller_id)
        first = contacts if isinstance(contacts, Outcome) else await _ring(call, contacts)
        if isinstance(first, Outcome):
            self._tried = Tried(_result_of(first), counts=True)
        return first

    # -- agents ------------------------------------------------------------------------------

    async def _agent(self, call: Call) -> Leg:
        """Return the leg of the first agent who answers, however many that takes."""
        self._took = asyncio.get_running_loop().create_future()
        self._ring_chosen(call)
        leg = await self._took
        self._stop_ringing(call, elsewhere=True)
        return leg

    async def _obey(self, call: Call) -> None:
        """Take the floor's orders."""
        while True:
            match await self._place.orders.get():
                case commands.Offer() as offer:
                    self._offer = offer
                    if self._took is not None:
                        self._ring_chosen(call)
                case commands.Withdraw(agent=agent, reason=reason):
                    self._withdrawn(call, agent, elsewhere=reason == "taken")
                case commands.Moved(queue=queue):
                    self.booked = self._book.moved(queue)
                case commands.SendAway():
                    call.hang_up("no_agents")
                case _:
                    pass

    def _ring_chosen(self, call: Call) -> None:
        """Ring the agents who were chosen last."""
        offer, self._offer = self._offer, None
        if offer is None or self._took is None or self._took.done():
            return
        for agent in offer.agents:
            ringing = AgentRinging(call, agent, self._queue, offer.seconds)
            self._ringing[agent] = ringing
            ringing.start(partial(self._show, call, agent), partial(self._rang, call))

    async def _show(self, call: Call, agent: str) -> None:
        """Let the agent's screen show whom the call is for."""
        booked = self.booked
        call.emit(
            AgentOffered(
                call=call.id,
                agent=agent,
                queue=booked.queue,
                caller=booked.number,
                waited_s=round(self._floor.clock.wall() - booked.joined_at, 3),
                priority=booked.priority,
                path=(str(Destination("callback", booked.queue)),),
            )
        )

    def _rang(self, call: Call, ringing: AgentRinging, refused: DeclineReason | None) -> None:
        """Take an agent's answer, or the reason why there is none."""
        agent, leg, took = ringing.agent, ringing.leg, self._took
        if self._ringing.pop(agent, None) is None or took is None:
            return  # not wanted any more, and stopped
        if refused is None and leg is not None and leg.up and not took.done():
            took.set_result(leg)
            self._floor.tell(inputs.AgentTook(call.id, agent))
        elif refused is None:
            ringing.stop(elsewhere=took.done())
            self._declined(call, agent, "failed")
        else:
            self._declined(call, agent, refused)

    def _declined(self, call: Call, agent: str, reason: DeclineReason) -> None:
        queue = self.booked.queue
        call.emit(AgentDeclined(call=call.id, agent=agent, queue=queue, reason=reason))
        self._floor.tell(inputs.AgentDeclined(call.id, agent, reason))

    def _withdrawn(self, call: Call, agent: str, *, elsewhere: bool) -> None:
        """Ask an agent no more, whether its phone rings already or not yet."""
        ringing = self._ringing.pop(agent, None)
        if ringing is not None:
            ringing.stop(elsewhere=elsewhere)
            queue = self.booked.queue
            call.emit(AgentDeclined(call=call.id, agent=agent, queue=queue, reason="withdrawn"))
        elif self._offer is not None:
            left = tuple(each for each in self._offer.agents if each != agent)
            self._offer = commands.Offer(
                self._offer.call, self._offer.queue, left, self._offer.seconds
            )

    def _stop_ringing(self, call: Call, *, elsewhere: bool) -> None:
        for agent in tuple(self._ringing):
            self._withdrawn(call, agent, elsewhere=elsewhere)


async def _contacts(call: Call, number: str, caller_id: str | None) -> list[Contact] | Outcome:
    """Return what to ring for a customer: a phone of the office, or a number of the outside, which
    is shown `caller_id`."""
    exchange = call.exchange
    extension = exchange.directory.extension(number)
    if extension is not None:
        return await exchange.contacts(extension) or ABSENT
    number = dialled(number, call.plan.defaults.country)
    contact = await exchange.lines.dial(number, plan=call.plan, by=None, caller_id=caller_id)
    return contact if isinstance(contact, Outcome) else [contact]


async def _ring(call: Call, contacts: list[Contact]) -> Leg | Outcome:
    """Ring the customer; an agent who is there already hears it."""
    role: Role | None = "called" if call.caller_leg is None else None
    async with call.ring(role=role) as ringing:
        for contact in contacts:
            ringing.add(contact)
        return await ringing.first(RING_CUSTOMER_S)


async def _ends_with(customer: Leg) -> None:
    """End the call when the customer leaves who waits for an agent."""
    await asyncio.wait((customer.ended,))
    customer.call.hang_up("customer_left", by="called")


def _result_of(outcome: Outcome) -> Result:
    if outcome.status in WRONG_NUMBER:
        return "wrong_number"
    if outcome.kind is OutcomeKind.BUSY:
        return "busy"
    return "no_answer" if outcome.kind is OutcomeKind.NO_ANSWER else "failed"
