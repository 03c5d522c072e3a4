"""What happens to agents: log-in, breaks, phones, and the watchdog over them.

Each function changes facts and lets the table say what follows (`Room.settle`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pbx.acd.agent import LEGLESS, LONGEST_RING, NEVER, Agent, Leg, Offered, Served, Work
from pbx.acd.commands import Healed, WrapUpDone
from pbx.acd.model import AgentState, DeclineReason, Profile
from pbx.acd.room import Room
from pbx.plan.model import Queue

MISSED: Final = "missed"
"""The reason of a break that an agent did not ask for, having missed calls in a row."""

Unheard = Callable[[str, Agent, DeclineReason, float], None]
"""Told when an offer is over of which nothing was heard: call, agent, reason, now."""


class Staff:
    """The agents' side of the engine."""

    def __init__(self, room: Room, unheard: Unheard) -> None:
        self.room = room
        self.unheard = unheard

    # -- who there is ------------------------------------------------------------------------

    def change(self, profiles: Sequence[Profile], now: float) -> None:
        """Let these be all agents."""
        room = self.room
        named = {profile.number: profile for profile in profiles}
        for number in room.agents.keys() - named.keys():
            self._dismiss(room.agents[number], now)
        for number, profile in named.items():
            agent = room.agents.get(number)
            if agent is None:
                room.enter(Agent(profile, now))
            else:
                agent.profile = profile
        room.by_number = tuple(sorted(room.agents.values(), key=lambda agent: agent.order))
        room.requirements.survey(room.by_number)
        for requirement in room.requirements:
            room.watch(requirement, now)
        room.free.clear()
        for agent in room.by_number:
            room.settle(agent, now)

    def _dismiss(self, agent: Agent, now: float) -> None:
        self.log_out(agent, now)
        agent.legs.clear()
        agent.serving.clear()
        self.room.settle(agent, now)
        self.room.dismiss(agent)

    # -- duty and breaks ---------------------------------------------------------------------

    def log_in(self, agent: Agent, now: float) -> None:
        """Let an agent take calls; one who was about to go home, stays."""
        if not agent.logged_in:
            agent.logged_in = True
            if not agent.serving:
                agent.idle_since = now
            self.room.settle(agent, now)

    def log_out(self, agent: Agent, now: float) -> None:
        """Let an agent go home, after the call that is up. Work after it falls away."""
        if not agent.logged_in:
            return
        agent.logged_in = False
        agent.missed = 0
        self._resume(agent)
        self._work_done(agent, now)
        self.room.withdraw_all(agent, "logged_out", now)
        self.room.settle(agent, now)

    def pause(self, agent: Agent, reason: str, for_s: float | None, now: float) -> None:
        """Let an agent take a break, after the call that is up or rings."""
        if not agent.logged_in:
            return
        agent.pause, agent.pause_for, agent.pause_until = reason, for_s, NEVER
        if agent.state is AgentState.PAUSED and for_s is not None:
            agent.pause_for, agent.pause_until = None, now + for_s
        self._work_done(agent, now)
        self.room.settle(agent, now)

    def resume(self, agent: Agent, now: float) -> None:
        """Let an agent be back from its break, and done with its work."""
        agent.missed = 0
        self._resume(agent)
        self._work_done(agent, now)
        self.room.settle(agent, now)

    def _resume(self, agent: Agent) -> None:
        agent.pause, agent.pause_for, agent.pause_until = None, None, NEVER

    # -- work after a call -------------------------------------------------------------------

    def extend(self, agent: Agent, seconds: float, now: float) -> None:
        """Give an agent more time for the work after the call that is up, or was."""
        if agent.work is not None:
            agent.work.extend(seconds)
        else:
            for served in agent.serving.values():
                served.wrap_up_s += seconds
        self.room.settle(agent, now)

    def _work_done(self, agent: Agent, now: float) -> None:
        work, agent.work = agent.work, None
        if work is None:
            return
        work.stop(now)
        agent.idle_since = now
        self._handled(work.queue, work.talk_s + work.spent)
        self.room.out.append(WrapUpDone(agent.number, work.call, work.queue, work.spent))

    def _handled(self, queue: str, seconds: float) -> None:
        line = self.room.lines.get(queue)
        if line is not None:
            line.handle.handled(seconds)

    # -- phones ------------------------------------------------------------------------------

    def reachable(self, agent: Agent, now: float) -> None:
        """Let an agent have a phone that can be rung."""
        agent.reachable, agent.cause = True, ""
        self.room.settle(agent, now)

    def unreachable(self, agent: Agent, cause: str, now: float) -> None:
        """Let an agent have no phone that can be rung; whoever it was chosen for is for others."""
        agent.reachable, agent.cause = False, cause
        self.room.withdraw_all(agent, "unreachable", now)
        self.room.settle(agent, now)

    def rings(self, agent: Agent, call: str, leg: int, outbound: bool, now: float) -> None:
        """Note that a phone rings, or dials."""
        agent.legs[leg] = Leg(call, now, up=False, outbound=outbound)
        offer = agent.offers.get(call)
        if offer is not None:
            offer.rang = True
        self._bound(agent, call)
        self.room.settle(agent, now)

    def talks(self, agent: Agent, call: str, leg: int, now: float) -> None:
        """Note that a leg is up. Who answered an offer is busy until it hangs up or declines."""
        found = agent.legs.setdefault(leg, Leg(call, now, up=True))
        found.up = True
        offer = agent.offers.get(call)
        if offer is not None:
            offer.rang, offer.deadline = True, NEVER
        self._bound(agent, call)
        self.room.settle(agent, now)

    def _bound(self, agent: Agent, call: str) -> None:
        """An agent who took the call has a leg of it: nothing to watch any more."""
        served = agent.serving.get(call)
        if served is not None:
            served.deadline = NEVER

    def holds(self, agent: Agent, leg: int, on: bool, now: float) -> None:
        """Note that the other party is on hold, or no more."""
        found = agent.legs.get(leg)
        if found is not None and found.up:
            found.held = on
            self.room.settle(agent, now)

    def frees(self, agent: Agent, leg: int, now: float) -> None:
        """Note that a leg is over, and with the last one of a queue's call that call."""
        found = agent.legs.pop(leg, None)
        if found is None:
            return
        if found.up:
            agent.idle_since = now
        self._left(agent, found.call, now)
        self.room.settle(agent, now)

    def _left(self, agent: Agent, call: str, now: float) -> None:
        """See what becomes of a call one leg of which is over."""
        if agent.has_leg_of(call):
            return
        offer = agent.offers.get(call)
        if offer is not None:
            offer.deadline = min(offer.deadline, now + LEGLESS)
        served = agent.serving.pop(call, None)
        if served is not None:
            self._served(agent, served, now)

    # -- calls of queues ---------------------------------------------------------------------

    def takes(self, agent: Agent, call: str, queue: Queue, now: float) -> None:
        """Let an agent have a queue's call."""
        offer = agent.offers.pop(call, None)
        agent.missed = 0
        agent.calls += 1
        has_leg = agent.has_leg_of(call)
        deadline = NEVER if has_leg else now + LEGLESS
        served = Served(call, queue.name, now, queue.wrap_up_s, deadline)
        if offer is not None and offer.rang and not has_leg:
            self._served(agent, served, now)  # hung up at once
        else:
            agent.serving[call] = served
        self.room.settle(agent, now)

    def _served(self, agent: Agent, served: Served, now: float) -> None:
        """Count a call that is over, and let the work after it begin.

        Who goes home or on a break has none.
        """
        talk_s = now - served.since
        agent.talk_s += talk_s
        agent.idle_since = now
        self._work_done(agent, now)
        if served.wrap_up_s > 0 and agent.logged_in and agent.pause is None:
            agent.work = Work(served.call, served.queue, talk_s, served.wrap_up_s)
        else:
            self._handled(served.queue, talk_s)

    def declines(
        self, agent: Agent, call: str, queue: Queue, reason: DeclineReason, now: float
    ) -> None:
        """Let an agent have not taken a call; who missed too many in a row is paused."""
        agent.offers.pop(call, None)
        if reason == "no_answer":
            agent.missed += 1
            if agent.missed >= queue.missed and agent.logged_in and agent.pause is None:
                agent.missed = 0
                agent.pause, agent.pause_for, agent.pause_until = MISSED, None, NEVER
        self.room.settle(agent, now)

    # -- time --------------------------------------------------------------------------------

    def begin_day(self) -> None:
        """Count calls and talk time from zero."""
        for agent in self.room.by_number:
            agent.calls, agent.talk_s = 0, 0.0

    def wake(self, agent: Agent, now: float) -> None:
        """Do what is due: breaks and work end by themselves, what cannot be is healed."""
        if agent.pause is not None and agent.pause_until <= now:
            self._resume(agent)
        if agent.work is not None and agent.work.until is not None and agent.work.until <= now:
            self._work_done(agent, now)
        self._heal(agent, now)
        self.room.settle(agent, now)

    def _heal(self, agent: Agent, now: float) -> None:
        for number, leg in tuple(agent.legs.items()):
            if not leg.up and leg.since + LONGEST_RING <= now:
                sentence = f"its phone rings in call {leg.call} for {now - leg.since:.0f} s"
                self._healed(agent, sentence)
                del agent.legs[number]
                self._left(agent, leg.call, now)
        for served in tuple(agent.serving.values()):
            if served.deadline <= now:
                self._healed(agent, f"it took call {served.call} and no phone of it is in it")
                del agent.serving[served.call]
                self._served(agent, served, now)
        for offer in tuple(agent.offers.values()):
            if offer.deadline <= now:
                self._unheard(agent, offer, now)

    def _unheard(self, agent: Agent, offer: Offered, now: float) -> None:
        self._healed(agent, f"it was asked for call {offer.call} and nothing was heard of it")
        # A phone that rang and stopped was heard; that nobody told why is not the agent's fault.
        reason: DeclineReason = "failed" if offer.rang else "no_answer"
        self.unheard(offer.call, agent, reason, now)

    def _healed(self, agent: Agent, sentence: str) -> None:
        self.room.out.append(Healed(agent.number, sentence))
