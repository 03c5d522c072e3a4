"""A caller in a queue, from the first note of music to the end of the talk with an agent.

Theory. The caller's own script listens: music, announcements, menus, keys, one after the other, in
one `asyncio.timeout` that has no time of its own. Beside it one task takes the floor's orders, and
one for each agent lets phones ring. None of them does anything to the caller; once an agent has
answered, or the caller is sent away, they end that timeout, and the script, wherever it was, acts.
So no announcement ever delays an agent, and whatever a menu does is done by the caller's script.

The place in the queue is given up at one point only (`leave`), once: when an agent has taken the
call, when the caller goes elsewhere, is sent away, or hangs up.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pbx import events
from pbx.acd import inputs
from pbx.acd.announcing import Due, Told, gap, prompt_of
from pbx.acd.commands import Moved, Offer, Relaxed, SendAway, Withdraw
from pbx.acd.connecting import record
from pbx.acd.ringing import AgentRinging
from pbx.acd.screen_pop import ScreenPop
from pbx.call import bridge
from pbx.call.outcome import TEMPORARY_FAILURE, Outcome, OutcomeKind
from pbx.call.queued import STAYS
from pbx.call.speaking import say
from pbx.plan.destination import Destination
from pbx.speech.phrases import phrase

if TYPE_CHECKING:
    from pbx.acd.floor import Place
    from pbx.acd.model import DeclineReason, SentAway, Waiting
    from pbx.acd.queue import Queues
    from pbx.call.call import Call
    from pbx.call.leg import Leg
    from pbx.plan.model import Queue
    from pbx.speech.saying import Saying

REST: Final = 3600.0
"""Seconds after which a caller who is told nothing is looked at again."""

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
        self._again = False
        """Whether the customer waits again after the talk."""
        self._asks = False
        """Whether the agent sent the customer to the survey."""
        self._records = False
        """Whether it was decided that the call is recorded, or not."""
        self._told = Told()
        self._due = Due()
        self._ringing: dict[str, AgentRinging] = {}
        self._answered: deque[AgentRinging] = deque()
        self._sent: SentAway | None = None
        self._moved = False
        self._listening: asyncio.Timeout | None = None
        self._orders: asyncio.Task[None] | None = None
        self._screen = ScreenPop(call, queues.history)
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
            self._enter()
            ended = await self._wait()
        finally:
            self.leave("abandoned")
        return ended if isinstance(ended, Outcome) else await self._talk(ended)

    # -- what others ask (Queued) --------------------------------------------------------------

    def values(self) -> Mapping[str, str]:
        """Return `queue.name`, how many are ahead, and minutes: waited so far, and expected."""
        engine, now = self._floor.engine, self._now()
        ahead = engine.ahead(self.call.id)
        estimate = engine.estimate(self.call.id, now)
        return {
            "queue.name": self.queue.name,
            "queue.ahead": "" if ahead is None else str(ahead),
            "queue.wait": str(round(self._waited() // 60)),
            "queue.estimate": "" if estimate is None else str(math.ceil(estimate.high_s / 60)),
        }

    def rest(self) -> None:
        """Let a waiting caller hear music."""
        if self.waits:
            music = self.call.settings.hold_music(self.queue.music)
            self.call.caller.media.start_music(music)

    def leave(self, result: str = "left") -> None:
        """Give up the place, once. Who goes by a key just when an agent answers, is answered."""
        if not self.waits or (result == "left" and self._answered):
            return
        call = self.call
        self.waits = False
        self._listening = None
        if self._orders is not None:
            self._orders.cancel()
        for ringing in tuple(self._ringing.values()):
            self._withdraw(ringing, elsewhere=result == "answered")
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

    # -- entering ------------------------------------------------------------------------------

    def _enter(self) -> None:
        """Take the place; music begins."""
        call = self.call
        self.waits = True
        self._sent = None
        self._told, self._due = Told(), Due.of(self.queue, self._now())
        self._entered()
        self._scope.enter_context(call.if_left("abandoned"))
        call.caller.answer(call.caller.speaks())
        call.caller.media.watch(keys=True)
        call.caller.keys.clear()
        place = self._floor.join(self.waiting)
        self._orders = asyncio.get_running_loop().create_task(
            self._obey(place), name=f"call {call.id}: orders of {self.queue.name}"
        )
        self._orders.add_done_callback(self._obeyed)

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

    def _waited(self) -> float:
        return max(0.0, self._now() - self.waiting.joined_at)

    def _now(self) -> float:
        return self.call.exchange.now()

    # -- waiting -------------------------------------------------------------------------------

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
        if self._answered or self._sent is not None or self._moved:
            return None
        try:
            async with asyncio.timeout(None) as listening:
                self._listening = listening
                return await self._listen()
        except TimeoutError:
            if not listening.expired():
                raise
            return None
        finally:
            self._listening = None

    def _call_away(self) -> None:
        """End the listening, wherever it is."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.reschedule(asyncio.get_running_loop().time())

    async def _listen(self) -> Outcome:
        """Let the caller hear music and what is due; return what becomes of one who leaves."""
        keys = self.call.caller.keys
        while True:
            self.rest()
            left = max(0.0, min(REST, self._due.next - self._now()))
            outcome = await (self._keyed() if await keys.arrives(left) else self._tell())
            if outcome is not None and outcome != STAYS:
                return outcome

    async def _keyed(self) -> Outcome | None:
        """Do what a key of the queue means; any other is forgotten."""
        keys, queue = self.call.caller.keys, self.queue
        known = queue.keys if queue.name in self.call.plan.queues else ()
        if any(keyed.startswith(keys.first or "-") for keyed in known):
            return await self.call.go(Destination("queue_keys", queue.name))
        await keys.next(0.0)
        return None

    async def _tell(self) -> Outcome | None:
        """Say what is due, or offer the queue's menu."""
        due, queue, now = self._due, self.queue, self._now()
        if now >= due.place:
            if self._told.ahead is None and self._ringing:
                due.place = now + 1.0  # may be answered before it knew that it waits
                return None
            due.place = now + gap(queue)
            await self._say(*self._news())
        elif now >= due.prompt:
            due.prompt = now + queue.announce_every_s
            values = {**self.call.facts.fields, **self.values()}
            said = prompt_of(self.call, queue.announce or "", self.call.language, values)
            await self._say(*((said,) if said is not None else ()))
        elif now >= due.offer:
            due.offer = math.inf
            menu = queue.offer_menu or ""
            if menu in self.call.plan.menus:
                outcome = await self.call.go(Destination("menu", menu))
                due.offer = self._now() + (queue.offer_after_s or REST)
                return outcome
        return None

    def _news(self) -> tuple[Saying, ...]:
        engine, call = self._floor.engine, self.call
        ahead = engine.ahead(call.id)
        if ahead is None:
            return ()
        estimate = engine.estimate(call.id, self._now()) if self.queue.say_estimate else None
        return self._told.news(ahead, estimate, call.language)

    async def _say(self, *sayings: Saying) -> None:
        if sayings:
            await say(self.call.caller, *sayings, interrupt=bool(self.queue.keys))

    # -- the floor's orders ----------------------------------------------------------------------

    async def _obey(self, place: Place) -> None:
        while True:
            match await place.orders.get():
                case Offer(agents=agents, seconds=seconds):
                    for agent in agents:
                        self._ring(agent, seconds)
                case Withdraw(agent=agent, reason=reason):
                    ringing = self._ringing.get(agent)
                    if ringing is not None:
                        self._withdraw(ringing, elsewhere=reason == "taken")
                case SendAway(reason=sent):
                    self._sent = sent
                    self._call_away()
                case Moved(queue=queue):
                    self._move(queue)
                case Relaxed(queue=queue, waited_s=waited_s, skills=skills):
                    self.call.emit(
                        events.RequirementRelaxed(
                            call=self.call.id,
                            queue=queue,
                            waited_s=round(waited_s, 3),
                            skills=dict(skills),
                        )
                    )

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
        self._told, self._due = Told(), Due.of(queue, self._now())
        self._entered()
        call.caller.media.stop_music()
        self._moved = True
        self._call_away()

    def _ring(self, agent: str, seconds: float) -> None:
        ringing = self._ringing[agent] = AgentRinging(self.call, agent, self.queue, seconds)

        async def show() -> None:
            await self._screen.ready()
            waiting = self._floor.engine.waiting(self.call.id) or self.waiting
            self._screen.show(agent, waiting, self._waited())

        ringing.start(show, self._rung)

    def _rung(self, ringing: AgentRinging, reason: DeclineReason | None) -> None:
        """Note what became of an agent's phones."""
        if self._ringing.get(ringing.agent) is not ringing:
            return
        if reason is None:
            self._answered.append(ringing)
            self._call_away()
        else:
            self._declined(ringing, reason)

    def _declined(self, ringing: AgentRinging, reason: DeclineReason) -> None:
        del self._ringing[ringing.agent]
        self._tell_declined(ringing, reason)
        self._floor.tell(inputs.AgentDeclined(self.call.id, ringing.agent, reason))

    def _withdraw(self, ringing: AgentRinging, *, elsewhere: bool) -> None:
        del self._ringing[ringing.agent]
        ringing.stop(elsewhere=elsewhere)
        self._tell_declined(ringing, "withdrawn")

    def _tell_declined(self, ringing: AgentRinging, reason: str) -> None:
        self.call.emit(
            events.AgentDeclined(
                call=self.call.id, agent=ringing.agent, queue=ringing.queue.name, reason=reason
            )
        )

    # -- how it ends -----------------------------------------------------------------------------

    async def _taker(self) -> AgentRinging | None:
        """Return the agent who has the call; None where none of those who answered stayed."""
        while self._answered:
            ringing = self._answered.popleft()
            leg = ringing.leg
            if leg is None:
                continue
            if not self._records:
                self._records = True
                record(self.call, ringing.queue, self._queues.rng)
            if await ringing.introduction.hold(leg):
                self._take(ringing, leg)
                return ringing
            if self._ringing.get(ringing.agent) is ringing:
                self._declined(ringing, "failed")
        return None

    def _take(self, ringing: AgentRinging, leg: Leg) -> None:
        """Join the caller with the agent."""
        call, agent = self.call, ringing.agent
        del self._ringing[agent]
        self._answered.clear()
        self._floor.tell(inputs.AgentTook(call.id, agent))
        call.connect(leg)
        connected = events.AgentConnected(
            call=call.id, agent=agent, queue=self.queue.name, leg=leg.id
        )
        call.emit(connected)
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
