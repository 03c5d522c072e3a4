"""A caller in a queue, from the first note of music to the end of the talk with an agent.

Theory. The caller's own script listens (listening.py): music, announcements, menus, keys, one
after the other, in one `asyncio.timeout` that has no time of its own. Beside it one task takes the
floor's orders, and one for each agent lets phones ring (offers.py). None of them does anything to
the caller; once an agent has answered, or the caller is sent away, they end that timeout, and the
script, wherever it was, acts. So no announcement ever delays an agent, and whatever a menu does is
done by the caller's script.

The place in the queue is given up at one point only (`leave`), once: when an agent has taken the
call, when the caller goes elsewhere, is sent away, or hangs up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pbx import events
from pbx.acd import inputs
from pbx.acd.commands import Moved, Offer, Relaxed, SendAway, Withdraw
from pbx.acd.connecting import record
from pbx.acd.listening import Listening
from pbx.acd.offers import Offers
from pbx.acd.screen_pop import ScreenPop
from pbx.call import bridge
from pbx.call.outcome import TEMPORARY_FAILURE, Outcome, OutcomeKind
from pbx.call.speaking import say
from pbx.plan.destination import Destination
from pbx.speech.phrases import phrase

if TYPE_CHECKING:
    from pbx.acd.floor import Place
    from pbx.acd.model import SentAway, Waiting
    from pbx.acd.queue import Queues
    from pbx.acd.ringing import AgentRinging
    from pbx.call.call import Call
    from pbx.call.leg import Leg
    from pbx.plan.model import Queue

SENT_AWAY: Final[Mapping[SentAway, OutcomeKind]] = {
    "no_agents": OutcomeKind.NO_AGENTS,
    "full": OutcomeKind.FULL,
    "timeout": OutcomeKind.TIMEOUT,
}


class Visit:
    """One caller's way through a queue; satisfies `pbx.call.queued.Queued`."""

    def __init__(self, queues: Queues, call: Call, queue: Queue, waiting: Waiting) -> None:
        self.call = call
        self.queue = queue
        self.waiting = waiting
        self.waits = False
        self._queues = queues
        self._floor = queues.floor
        self._screen = ScreenPop(call, queues.history)
        self._offers = Offers(call, queues.floor, self._screen, self._call_away)
        self._ears = self._new_ears()
        self._again = False
        """Whether the customer waits again after the talk."""
        self._asks = False
        """Whether the agent sent the customer to the survey."""
        self._records = False
        """Whether it was decided that the call is recorded, or not."""
        self._sent: SentAway | None = None
        self._moved = False
        self._listening: asyncio.Timeout | None = None
        self._orders: asyncio.Task[None] | None = None
        self._scope = ExitStack()

    async def run(self) -> Outcome:
        """Let the caller wait, and talk to whoever takes the call; return what became of it."""
        call = self.call
        before, call.queued = call.queued, self
        try:
            outcome = await self._visit()
            while outcome is None:
                self.waiting = replace(self.waiting, at_head=True)
                outcome = await self._visit()
            return outcome
        finally:
            self._screen.close()
            call.queued = before

    async def _visit(self) -> Outcome | None:
        """Wait once; None where the caller has to wait again."""
        self._again = self._asks = False
        try:
            await self._enter()
            ended = await self._wait()
        finally:
            self.leave("abandoned")
        return ended if isinstance(ended, Outcome) else await self._talk(ended)

    # -- what others ask (Queued) ------------------------------------------------------------

    @property
    def caller_id(self) -> str | None:
        """Return the number that the outside is shown for calls of the queue."""
        return self.queue.caller_id

    def values(self) -> Mapping[str, str]:
        """Return the variables `queue.…`."""
        return self._ears.values(self._waited())

    def rest(self) -> None:
        """Let a waiting caller hear music."""
        if self.waits:
            self._ears.rest()

    def leave(self, result: str = "left") -> None:
        """Give up the place, once. Who goes by a key just when an agent answers, is answered."""
        if not self.waits or (result in ("left", "callback") and self._offers.answered):
            return
        call = self.call
        self.waits = False
        self._call_away_at(None)  # whoever was about to call the caller away comes too late
        self._listening = None
        if self._orders is not None:
            self._orders.cancel()
        self._offers.stop(elsewhere=result == "answered")
        self._floor.leave(call.id)
        self._queues.places.left(call.id, lost_line=result == "abandoned")
        if call.caller_leg is not None:
            call.caller_leg.media.stop_music()
        call.emit(events.QueueLeft(call=call.id, queue=self.queue.name, result=result))
        self._scope.close()

    def again(self) -> None:
        """Let the customer wait again before all others once the talk ends."""
        self._again = True

    def released(self, agent: Leg) -> None:
        """Let an agent take a break whom a supervisor takes off the call."""
        self._floor.tell(inputs.PauseAsked(agent.number, "supervisor"))

    def ask(self, agent: Leg) -> bool:
        """Release the agent, who sends the customer to the survey."""
        if self.queue.survey is None or agent.other is not self.call.caller_leg:
            return False
        self._asks = True
        agent.close(reason="survey")
        return True

    # -- entering ----------------------------------------------------------------------------

    async def _enter(self) -> None:
        """Take the place; music begins."""
        call = self.call
        self.waits = True
        self._sent = None
        self._ears = self._new_ears()
        self._entered()
        self._scope.enter_context(call.if_left("abandoned"))
        call.caller.answer(call.caller.speaks())
        call.caller.media.watch(keys=True)
        call.caller.keys.clear()
        self.rest()
        await self._remember_agent()
        place = self._floor.join(self.waiting)
        self._orders = asyncio.get_running_loop().create_task(
            self._obey(place), name=f"call {call.id}: orders of {self.queue.name}"
        )
        self._orders.add_done_callback(self._obeyed)

    async def _remember_agent(self) -> None:
        """Wish for the agent whom the caller talked to last, where the queue wants so."""
        seconds = self.queue.last_agent_s
        if seconds is None or self.waiting.at_head:
            return
        agent = self.waiting.agent
        if agent is None:
            await self._screen.ready()
            agent = self._screen.last_agent()
        self.waiting = replace(self.waiting, agent=agent, agent_s=seconds)

    def _entered(self) -> None:
        """Tell that the caller waits in the queue, and keep the place."""
        self._queues.places.entered(self.waiting)
        self.call.emit(
            events.QueueEntered(
                call=self.call.id,
                queue=self.queue.name,
                waited_s=round(self._waited(), 3),
                priority=self.waiting.priority,
            )
        )

    def _new_ears(self) -> Listening:
        return Listening(self.call, self.queue, self._floor, rings=lambda: self._offers.going_on)

    def _waited(self) -> float:
        return max(0.0, self.call.exchange.now() - self.waiting.joined_at)

    # -- waiting -----------------------------------------------------------------------------

    async def _wait(self) -> Outcome | AgentRinging:
        """Return the agent who took the call, or what became of a caller whom nobody took."""
        while True:
            outcome = await self._listen_until_called()
            if outcome is not None:
                self.leave()
                return replace(outcome, kind=OutcomeKind.LEFT)  # of another place, not of ours
            taker = await self._taker()
            if taker is not None:
                return taker
            if self._sent is not None:
                return await self._send_away(self._sent)
            self._moved = False

    async def _listen_until_called(self) -> Outcome | None:
        """Let the caller listen; None once something else is to be done."""
        if self._offers.answered or self._sent is not None or self._moved:
            return None
        try:
            async with asyncio.timeout(None) as listening:
                self._listening = listening
                return await self._ears.listen()
        except TimeoutError:
            if not listening.expired():
                raise
            return None
        finally:
            self._listening = None

    def _call_away(self) -> None:
        """End the listening, wherever it is."""
        self._call_away_at(asyncio.get_running_loop().time())

    def _call_away_at(self, moment: float | None) -> None:
        """End the listening at a moment of the loop's time; None: not at all."""
        if self._listening is not None and not self._listening.expired():
            self._listening.reschedule(moment)

    # -- the floor's orders ------------------------------------------------------------------

    async def _obey(self, place: Place) -> None:
        while True:
            match await place.orders.get():
                case Offer(agents=agents, seconds=seconds):
                    for agent in agents:
                        self._offers.add(agent, self.queue, self.waiting, seconds)
                case Withdraw(agent=agent, reason=reason):
                    self._offers.withdraw(agent, elsewhere=reason == "taken")
                case SendAway(reason=sent):
                    self._sent = sent
                    self._call_away()
                case Moved(queue=queue):
                    self._move(queue)
                case Relaxed() as relaxed:
                    self._tell_relaxed(relaxed)

    def _obeyed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.call.fail(error)

    def _move(self, name: str) -> None:
        """Wait in another queue from now on."""
        call = self.call
        queue = call.plan.queues.get(name) or call.exchange.plan.queues.get(name)
        if queue is None or name == self.queue.name:
            return
        call.emit(events.QueueLeft(call=call.id, queue=self.queue.name, result="moved"))
        self.queue, self.waiting = queue, replace(self.waiting, queue=name)
        self._ears = self._new_ears()
        self._entered()
        call.caller.media.stop_music()
        self._moved = True
        self._call_away()

    def _tell_relaxed(self, relaxed: Relaxed) -> None:
        self.call.emit(
            events.RequirementRelaxed(
                call=self.call.id,
                queue=relaxed.queue,
                waited_s=round(relaxed.waited_s, 3),
                skills=dict(relaxed.skills),
            )
        )

    # -- how it ends -------------------------------------------------------------------------

    async def _taker(self) -> AgentRinging | None:
        """Return the agent who has the call; None where none of those who answered stayed."""
        answered = self._offers.answered
        while answered:
            ringing = answered.popleft()
            leg = ringing.leg
            if leg is None:
                continue  # withdrawn meanwhile
            if not self._records:
                self._records = True
                record(self.call, ringing.queue, self._queues.rng)
            if await ringing.introduction.hold(leg):
                self._take(ringing, leg)
                return ringing
            self._offers.declined(ringing, "failed")
        return None

    def _take(self, ringing: AgentRinging, leg: Leg) -> None:
        """Join the caller with the agent."""
        call, queue = self.call, self.queue.name
        self._offers.took(ringing)
        call.music = self.queue.music
        call.connect(leg)
        agent = ringing.agent
        call.emit(events.AgentConnected(call=call.id, agent=agent, queue=queue, leg=leg.id))
        self.leave("answered")

    async def _send_away(self, reason: SentAway) -> Outcome:
        self.leave(reason)
        if reason != "timeout":
            with self.call.if_left("abandoned"):
                await say(self.call.caller, phrase("all-agents-busy", self.call.language))
        kind = SENT_AWAY[reason]
        return Outcome(kind, "failed", reason, 480, TEMPORARY_FAILURE, "system")

    async def _talk(self, ringing: AgentRinging) -> Outcome | None:
        """Wait until the talk is over, and for what follows; None: the customer waits again."""
        call, leg, caller = self.call, ringing.leg, self.call.caller
        assert leg is not None
        outcome = await bridge.talk(call, leg)
        if not caller.up or call.caller_leg is not caller:
            return outcome
        if self._again:
            return None
        survey = self.queue.survey
        if survey is not None and (self._asks or self._is_asked(outcome)):
            return await call.go(Destination("survey", survey))
        return outcome

    def _is_asked(self, outcome: Outcome) -> bool:
        """Tell whether a customer is asked for an opinion: whoever it talked to hung up."""
        hung_up = outcome.reason == "bye" and outcome.ended_by == "called"
        return hung_up and self._queues.rng.random() * 100 < self.queue.survey_percent
