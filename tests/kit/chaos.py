"""A call centre in which anything may happen, and what must hold all the same.

`Chaos.run(n)` tells an engine n random inputs, sensible or not: log-ins, phones that vanish, calls
of no queue, agents who take, decline or never answer, callers who leave, moves, other skills, other
queues. It keeps its own plain books beside and compares each command with them:

- an agent goes only where the table lets it, and the watchdog finds nothing that cannot be;
- nobody is offered who does not wait, nor twice at once, nor to an agent who is not free for it;
- nobody is overtaken by a later one who wants the same, called back or live;
- who joined was answered, left, was sent away, or waits;
- no agent is idle while a caller waits whom it could serve;
- each decision tells of every agent there is, one by one or counted.

`drain` lets everything come to its end: every agent rests then, and nothing is left behind.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pbx.acd import commands, inputs
from pbx.acd.agent import AIMS, LEGAL, LONGEST_RING
from pbx.acd.engine import Engine
from pbx.acd.model import AgentState, DeclineReason, Profile, Waiting
from pbx.acd.offering import Between
from pbx.plan.model import Queue, Relaxation

NUMBERS: Final = tuple(str(number) for number in range(101, 113))
SKILLS: Final = ("service", "english", "tech")
QUEUES: Final = (
    Queue("sales", wrap_up_s=0.0, strategy="round_robin", max_callers=12, if_full=None),
    Queue(
        "service",
        skills={"service": 5},
        relax=(Relaxation(30.0, {"service": 2}), Relaxation(90.0, {})),
        max_wait_s=400.0,
        wrap_up_s=10.0,
    ),
    Queue("tech", skills={"tech": 3}, strategy="skills", priority=2, wrap_up_s=5.0),
    Queue("alarm", strategy="ring_all", priority=5, wrap_up_s=20.0, missed=3),
)
REASONS: Final[tuple[DeclineReason, ...]] = (
    "rejected",
    "no_answer",
    "busy",
    "unreachable",
    "failed",
)
BETWEEN: Final[tuple[Between, ...]] = ("oldest", "strict", "weighted")
AGAIN_S: Final = {"rejected": 60.0, "no_answer": 0.0}
RESTING: Final = {
    AgentState.AVAILABLE,
    AgentState.LOGGED_OUT,
    AgentState.PAUSED,
    AgentState.UNREACHABLE,
}


class Chaos:
    """An engine, chance, and the books."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.engine = Engine()
        self.now = 0.0
        self.counts: Counter[str] = Counter()
        self.waiting: dict[str, Waiting] = {}
        self.ready: set[str] = set()
        self.offers: dict[str, set[str]] = {}
        self.declined: dict[tuple[str, str], float] = {}
        self.unheard: dict[tuple[str, str], float] = {}
        self.legs: dict[int, tuple[str, str]] = {}
        self.ringing: dict[int, float] = {}
        self.queues = {queue.name: queue for queue in QUEUES}
        self.profiles = {number: self._profile(number) for number in NUMBERS}
        self.states = dict.fromkeys(NUMBERS, AgentState.LOGGED_OUT)
        self.silent = 0
        """Offers of which nobody will hear again: the watchdog may find so many."""
        self.tell(inputs.AgentsChanged(tuple(self.profiles.values())))
        self.between = self.chance.choice(BETWEEN)
        self.tell(inputs.QueuesChanged(self.queues, self.between))
        for number in NUMBERS:
            self.tell(inputs.LoggedIn(number))
        self._does: list[Callable[[], None]] = []
        for does, often in (
            (self._joins, 14),
            (self._leaves, 2),
            (self._rings, 14),
            (self._answers, 14),
            (self._declines, 5),
            (self._hangs_up, 16),
            (self._dials, 3),
            (self._holds, 3),
            (self._duty, 6),
            (self._breaks, 6),
            (self._phone, 3),
            (self._moves, 2),
            (self._calls_back, 2),
            (self._nonsense, 1),
            (self._waits, 8),
        ):
            self._does += [does] * often
        self._rare = (self._learns, self._staffs, self._replans, self._closes)

    def run(self, events: int) -> None:
        """Let so many things happen."""
        for count in range(events):
            self._until(self.now + self.chance.expovariate(2.0))
            if count % 997 == 0:
                self.chance.choice(self._rare)()
            self.chance.choice(self._does)()
            if count % 101 == 0:
                self.check()

    # -- what happens ------------------------------------------------------------------------

    def _joins(self) -> None:
        if len(self.waiting) > 25:
            return self._hangs_up()
        self.counts["joined"] += 1
        call = f"c{self.counts['joined']}"
        draw = self.chance.random
        waiting = Waiting(
            call=call,
            queue=self.chance.choice(tuple(self.queues)),
            joined_at=self.now - (self.chance.choice((0.0, 20.0, 100.0)) if draw() < 0.2 else 0.0),
            priority=self.chance.choice((0, 0, 0, 1, 3)),
            skills={"english": self.chance.randint(1, 9)} if draw() < 0.2 else {},
            agent=self._agent() if draw() < 0.15 else None,
            callback=draw() < 0.2,
            at_head=draw() < 0.05,
        )
        self.waiting[call] = waiting
        self.ready.add(call)
        return self.tell(inputs.CallerJoined(waiting))

    def _leaves(self) -> None:
        if self.waiting:
            call = self._caller()
            self._gone(call, "left")
            self.tell(inputs.CallerGone(call))

    def _rings(self) -> None:
        """A phone of somebody who was chosen rings; or two of them."""
        offer = self._offer()
        if offer is not None:
            self._leg(offer[1], offer[0])

    def _leg(self, agent: str, call: str, *, outbound: bool = False) -> int:
        self.counts["legs"] += 1
        leg = self.counts["legs"]
        self.legs[leg] = agent, call
        self.ringing[leg] = self.now
        self.tell(inputs.PhoneRings(agent, call, leg, outbound))
        return leg

    def _answers(self) -> None:
        """An agent picks up and has the caller, told in either order."""
        offer = self._offer()
        if offer is None:
            return
        call, agent = offer
        told: list[inputs.AnyInput] = [inputs.AgentTook(call, agent)]
        leg = next((leg for leg, of in self.legs.items() if of == (agent, call)), None)
        if leg is not None:
            told.append(inputs.PhoneTalks(agent, call, leg))
        elif self.chance.random() < 0.9:
            leg = self._leg(agent, call)
            told.append(inputs.PhoneTalks(agent, call, leg))
        else:
            self.silent += 1
        self.ringing.pop(leg or 0, None)
        self.chance.shuffle(told)
        for event in told:
            if isinstance(event, inputs.AgentTook):
                self.offers[call].discard(agent)
                self._gone(call, "answered")
            self.tell(event)

    def _declines(self) -> None:
        offer = self._offer()
        if offer is not None:
            reason = self.chance.choice(REASONS)
            self._declined(*offer, reason)
            self.tell(inputs.AgentDeclined(*offer, reason))

    def _declined(self, call: str, agent: str, reason: str) -> None:
        self.offers[call].discard(agent)
        self.declined[call, agent] = self.now + AGAIN_S.get(reason, 10.0)

    def _hangs_up(self) -> None:
        if self.legs:
            leg = self.chance.choice(tuple(self.legs))
            agent, call = self.legs.pop(leg)
            self.ringing.pop(leg, None)
            self.tell(inputs.PhoneFree(agent, call, leg))

    def _dials(self) -> None:
        leg = self._leg(self._agent(), "private", outbound=self.chance.random() < 0.5)
        if self.chance.random() < 0.7:
            del self.ringing[leg]
            self.tell(inputs.PhoneTalks(self.legs[leg][0], "private", leg))

    def _holds(self) -> None:
        if self.legs:
            leg = self.chance.choice(tuple(self.legs))
            on = self.chance.random() < 0.5
            self.tell(inputs.PhoneHolds(*self.legs[leg], leg, on))

    def _duty(self) -> None:
        kind = inputs.LoggedIn if self.chance.random() < 0.8 else inputs.LoggedOut
        self.tell(kind(self._agent()))

    def _breaks(self) -> None:
        agent, draw = self._agent(), self.chance.random()
        if draw < 0.3:
            for_s = 20.0 if self.chance.random() < 0.5 else None
            self.tell(inputs.PauseAsked(agent, self.chance.choice(("lunch", "coffee")), for_s))
        elif draw < 0.9:
            self.tell(inputs.ResumeAsked(agent))
        else:
            self.tell(inputs.WrapUpExtended(agent, 30.0))

    def _phone(self) -> None:
        agent = self._agent()
        if self.chance.random() < 0.3:
            self.tell(inputs.PhoneUnreachable(agent, "registration expired"))
        else:
            self.tell(inputs.PhoneReachable(agent))

    def _moves(self) -> None:
        if not self.waiting:
            return
        call = self._caller()
        waiting = self.waiting[call]
        if self.chance.random() < 0.3:
            skills = {"english": self.chance.randint(1, 9)}
            self.waiting[call] = replace(waiting, skills=skills)
            self.tell(inputs.SkillsWanted(call, skills))
        else:
            # Whoever was moved has a place of its own, which is compared with nobody's.
            self.waiting[call] = replace(waiting, agent="moved")
            self.tell(inputs.CallerMoved(call, self.chance.choice((None, *self.queues))))

    def _calls_back(self) -> None:
        backs = [call for call, waiting in self.waiting.items() if waiting.callback]
        if backs:
            call, ready = self.chance.choice(backs), self.chance.random() < 0.6
            (self.ready.add if ready else self.ready.discard)(call)
            self.tell(inputs.CallbackReady(call, ready))

    def _nonsense(self) -> None:
        self.tell(
            self.chance.choice(
                (
                    inputs.AgentTook("nobody", "101"),
                    inputs.AgentDeclined("c1", "999", "busy"),
                    inputs.CallerGone("nobody"),
                    inputs.CallerMoved("nobody", "sales"),
                    inputs.PhoneTalks("999", "x", -1),
                    inputs.PhoneFree("101", "x", -1),
                    inputs.PhoneHolds("101", "x", -1, True),
                    inputs.LoggedIn("999"),
                    inputs.QueueOpened("none", False),
                    inputs.DayBegan(),
                )
            )
        )

    def _waits(self) -> None:
        self._until(self.now + self.chance.choice((1.0, 3.0, 10.0)))

    def _until(self, moment: float) -> None:
        while (due := self.engine.next_timer()) is not None and due <= moment:
            self.now = max(self.now, due)
            self.tell(inputs.TimePassed())
        self.now = moment

    # -- what happens seldom -----------------------------------------------------------------

    def _learns(self) -> None:
        number = self.chance.choice(tuple(self.profiles))
        self.profiles[number] = self._profile(number)
        self.tell(inputs.AgentsChanged(tuple(self.profiles.values())))

    def _staffs(self) -> None:
        """Somebody leaves the house for good, or comes back as a stranger."""
        number = self.chance.choice(NUMBERS)
        self.legs = {leg: of for leg, of in self.legs.items() if of[0] != number}
        if number in self.profiles:
            del self.profiles[number]
        else:
            self.profiles[number] = self._profile(number)
            self.states[number] = AgentState.LOGGED_OUT
        self.tell(inputs.AgentsChanged(tuple(self.profiles.values())))

    def _replans(self) -> None:
        self.queues = {queue.name: queue for queue in self.chance.sample(QUEUES, 3)}
        self.tell(inputs.QueuesChanged(self.queues, self.between))

    def _closes(self) -> None:
        queue = self.chance.choice(QUEUES).name
        self.tell(inputs.QueueOpened(queue, self.chance.random() < 0.5))

    # -- chance ------------------------------------------------------------------------------

    def _profile(self, number: str) -> Profile:
        skills = {skill: self.chance.randint(1, 9) for skill in self.chance.sample(SKILLS, 2)}
        return Profile(
            number=number,
            skills=skills,
            capacity=2 if number in NUMBERS[:2] else 1,
            weight=self.chance.randint(1, 5),
        )

    def _agent(self) -> str:
        return self.chance.choice(NUMBERS)

    def _caller(self) -> str:
        return self.chance.choice(tuple(self.waiting))

    def _offer(self) -> tuple[str, str] | None:
        """Return a caller and an agent who is asked for it."""
        if not self.offers:
            return None
        call = self.chance.choice(tuple(self.offers))
        return call, self.chance.choice(sorted(self.offers[call]))

    # -- the books ---------------------------------------------------------------------------

    def tell(self, event: inputs.AnyInput) -> None:
        """Tell the engine, and compare what it wants with the books."""
        self.counts["told"] += 1
        joined = event.waiting.call if isinstance(event, inputs.CallerJoined) else None
        for command in self.engine.step(event, self.now, self.chance):
            self._compare(command, joined)
        self.offers = {call: asked for call, asked in self.offers.items() if asked}

    def _compare(self, command: commands.Command, joined: str | None) -> None:
        match command:
            case commands.Offer():
                self._offered(command)
            case commands.Decided():
                told = len(command.candidates) + sum(command.others.values())
                assert told == len(self.profiles), command
            case commands.Withdraw(call, agent, reason):
                assert agent in self.offers[call], command
                self.offers[call].remove(agent)
                if reason == "no_answer":
                    self._unheard(call, agent)
            case commands.SendAway(call):
                assert call in self.waiting, command
                assert not self.offers.get(call), command
                assert call == joined or not self.waiting[call].callback, command
                self._gone(call, "sent away")
            case commands.StateChanged(agent, before, after):
                assert self.states[agent] is before, command
                assert any(AIMS[happening] is after for happening in LEGAL[before]), command
                self.states[agent] = after
            case commands.Healed(agent, sentence):
                assert "cannot be" not in sentence, command
                self.counts["healed"] += 1
                if "rings" in sentence:
                    self._forget_ringing(agent)

    def _forget_ringing(self, agent: str) -> None:
        """The watchdog believes no phone that rings for minutes."""
        for leg, since in tuple(self.ringing.items()):
            if since + LONGEST_RING <= self.now and self.legs.get(leg, ("",))[0] == agent:
                del self.legs[leg], self.ringing[leg]

    def _unheard(self, call: str, agent: str) -> None:
        """The watchdog ended an offer. Whether the agent is asked again soon, is not compared."""
        self.unheard[call, agent] = self.now + 10.0

    def _offered(self, offer: commands.Offer) -> None:
        waiting = self.waiting[offer.call]
        assert not self.offers.get(offer.call), f"offered twice: {offer}"
        assert len(set(offer.agents)) == len(offer.agents)
        for agent in offer.agents:
            capacity = self.profiles[agent].capacity
            legs = {call for number, call in self.legs.values() if number == agent}
            asked = {call for call, agents in self.offers.items() if agent in agents}
            assert len(legs | asked) < capacity, f"{agent} is not free: {offer}"
            assert self.declined.get((offer.call, agent), 0.0) <= self.now, f"declined: {offer}"
        self.offers[offer.call] = set(offer.agents)
        self.counts["offers"] += 1
        for call, other in self.waiting.items():
            if self._overtaken(waiting, call, other, offer.agents):
                raise AssertionError(f"{other} was overtaken: {offer}, {waiting}")

    def _overtaken(self, one: Waiting, call: str, other: Waiting, agents: tuple[str, ...]) -> bool:
        """Tell whether `other` wants the same, was before `one`, and could have been offered."""
        if (one.queue, one.skills) != (other.queue, other.skills) or one.agent or other.agent:
            return False
        if call in self.offers or call not in self.ready:
            return False
        if any(self._refuses(call, agent) for agent in agents):
            return False
        if self._rungs(other, self.now - 0.001) < self._rungs(one, self.now):
            return False
        return _place(other) < _place(one)

    def _rungs(self, waiting: Waiting, now: float) -> int:
        """Return how often a caller needed less already."""
        queue = next(queue for queue in QUEUES if queue.name == waiting.queue)
        return sum(step.after_s <= now - waiting.joined_at for step in queue.relax)

    def _refuses(self, call: str, agent: str) -> bool:
        """Tell whether an agent declined a caller just now."""
        until = max(self.declined.get((call, agent), 0.0), self.unheard.get((call, agent), 0.0))
        return until > self.now - 0.001

    def _gone(self, call: str, how: str) -> None:
        waiting = self.waiting.pop(call)
        self.ready.discard(call)
        self.counts["called back" if how == "answered" and waiting.callback else how] += 1
        for books in (self.declined, self.unheard):
            for key in [key for key in books if key[0] == call]:
                del books[key]

    def check(self) -> None:
        """Compare everything that can be seen with the books."""
        views = self.engine.queues(self.now)
        assert {call for view in views for call in view.waiting} == self.waiting.keys()
        over = ("answered", "called back", "left", "sent away")
        count = sum(self.counts[how] for how in over) + len(self.waiting)
        assert self.counts["joined"] == count
        agents = {view.number: view for view in self.engine.agents()}
        assert agents.keys() == self.profiles.keys()
        for number, view in agents.items():
            assert self.states[number] is view.state
        idle = [view for view in agents.values() if view.state is AgentState.AVAILABLE]
        for call, waiting in self.waiting.items():
            if waiting.agent or call in self.offers or call not in self.ready or waiting.skills:
                continue
            for view in idle:
                if not self._refuses(call, view.number):
                    assert waiting.queue not in view.queues, f"{view} idles, {waiting} waits"

    # -- the end -----------------------------------------------------------------------------

    def drain(self) -> None:
        """Let everything come to its end."""
        for call in tuple(self.waiting):
            self._gone(call, "left")
            self.tell(inputs.CallerGone(call))
        while self.legs:
            self._hangs_up()
        self._until(self.now + 3600.0)
        self.check()
        for view in self.engine.agents():
            assert view.state in RESTING, f"stuck: {view}"
            self.tell(inputs.PhoneReachable(view.number))
            self.tell(inputs.LoggedIn(view.number))
            self.tell(inputs.ResumeAsked(view.number))
        assert {view.state for view in self.engine.agents()} == {AgentState.AVAILABLE}
        room = self.engine._room
        left = room.callers or room.groups or room.held or room.stirred or self.offers
        assert not left


def _place(waiting: Waiting) -> tuple[bool, float]:
    return not waiting.at_head, waiting.joined_at - 60.0 * waiting.priority
