"""The book of call-backs, and the order in which they are served among callers."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from random import Random

import pytest

from pbx.acd import commands, inputs
from pbx.acd.engine import Engine
from pbx.acd.keeping import BookedCallback
from pbx.acd.model import Profile, Waiting
from pbx.errors import NotFound, Refused
from pbx.plan.model import Callback, Plan, Queue
from tests.kit.exchange import House, flow

# -- the book ----------------------------------------------------------------------------------


def with_book(scenario: Callable[[House], Awaitable[None]]) -> House:
    """Run a scenario in an office with two queues and nobody on duty."""

    async def play(house: House) -> None:
        queues = {
            "tech": Queue("tech"),
            "sales": Queue("sales", callback=Callback(again_s=(3600.0,), hours="office")),
        }
        house.open(Plan("test", queues=queues))
        await scenario(house)

    return flow(play)


def book(house: House, number: str, queue: str = "tech", *, waited: float = 60.0) -> BookedCallback:
    return house.callbacks.book(
        call=f"call of {number}",
        queue=queue,
        number=number,
        began=house.clock.monotonic() - waited,
        language="en",
        priority=2,
        skills={"en": 3},
        agent="102",
    )


def test_what_is_booked_is_kept_with_its_time_and_its_wishes() -> None:
    async def scenario(house: House) -> None:
        booked = book(house, "13800138000")
        assert booked.joined_at == house.clock.wall() - 60
        assert (booked.language, booked.priority, booked.skills) == ("en", 2, {"en": 3})
        assert (booked.agent, booked.state, booked.tries) == ("102", "waiting", 0)
        assert house.keeping.kept.callbacks == (booked,)
        later = book(house, "13800138001", "sales")
        assert (later.hours, later.next_at) == ("office", house.clock.wall() + 3600)

    with_book(scenario)


def test_booking_twice_keeps_the_first_however_the_number_is_written() -> None:
    async def scenario(house: House) -> None:
        first = book(house, "13800138000")
        assert book(house, "+8613800138000", waited=5.0) == first
        assert book(house, "13800138000", "sales") != first
        assert len(house.callbacks) == 2

    with_book(scenario)


def test_call_backs_are_listed_by_their_wait_and_stand_so_in_the_line() -> None:
    async def scenario(house: House) -> None:
        book(house, "13800138000", waited=10)
        book(house, "13800138001", waited=50)
        await asyncio.sleep(1)
        waiting = house.callbacks.waiting()
        assert [each.number for each in waiting] == ["13800138001", "13800138000"]
        (view,) = [each for each in house.floor.engine.queues(0.0) if each.name == "tech"]
        stands = [house.floor.engine.waiting(call) for call in view.waiting]
        assert [each and each.number for each in stands] == ["13800138001", "13800138000"]
        assert all(each is not None and each.callback for each in stands)
        assert house.callbacks.doing(waiting[0].id) == "waiting"

    with_book(scenario)


def test_one_is_found_by_its_id_the_beginning_of_it_or_its_number() -> None:
    async def scenario(house: House) -> None:
        first = book(house, "13800138000")
        book(house, "13800138001")
        book(house, "13800138001", "sales")
        with pytest.raises(NotFound):
            house.callbacks.cancel("13900139000")
        with pytest.raises(NotFound):
            house.callbacks.cancel(first.id[:3])
        with pytest.raises(Refused, match="means 2 call-backs"):
            house.callbacks.cancel("13800138001")
        house.callbacks.cancel(first.id[:8])
        assert house.keeping.callbacks[first.id].state == "cancelled"
        assert [each.id for each in house.keeping.kept.callbacks] != [first.id]
        with pytest.raises(NotFound):
            house.callbacks.hurry(first.id)

    with_book(scenario)


def test_closing_keeps_what_waits_for_the_next_server() -> None:
    async def scenario(house: House) -> None:
        booked = book(house, "13800138000")
        over = replace(booked, id="over", state="answered")
        await asyncio.sleep(1)
        house.callbacks.close()
        assert house.keeping.kept.callbacks == (booked,)
        house.callbacks.load([booked, over, booked])
        assert house.callbacks.waiting() == [booked]

    with_book(scenario)


def test_a_defect_puts_a_call_back_off_and_loses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_waiting: Waiting) -> None:
        raise ValueError("a defect")

    async def scenario(house: House) -> None:
        house.defects = 1
        with monkeypatch.context() as patched:
            patched.setattr(house.floor, "join", broken)
            booked = book(house, "13800138000")
            await asyncio.sleep(1)
        assert house.callbacks.waiting() == [booked]
        assert house.callbacks.doing(booked.id) == "resting"
        await asyncio.sleep(60)
        assert house.callbacks.doing(booked.id) == "waiting"

    with_book(scenario)


# -- nobody is overtaken -----------------------------------------------------------------------


class Morning:
    """Callers come every twelve seconds to ten agents. One in three hangs up after a while to be
    called back, one in five of those is not reached at first."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waiting: dict[str, Waiting] = {}
        self.asked: set[str] = set()
        self.served: list[Waiting] = []
        self.overtaken = 0
        self._rng = Random(4)
        self._engine = Engine(explains=False)
        self._count = 0
        self._todo: list[tuple[float, int, Callable[[], None]]] = []
        self.tell(inputs.QueuesChanged({"tech": Queue("tech", wrap_up_s=0.0)}))
        agents = [str(100 + index) for index in range(10)]
        self.tell(inputs.AgentsChanged(tuple(Profile(number=agent) for agent in agents)))
        for agent in agents:
            self.tell(inputs.LoggedIn(agent))
            self.tell(inputs.PhoneReachable(agent))

    def run(self, callers: int) -> None:
        """Let so many come, until nobody waits."""
        for index in range(callers):
            self.later(index * 12.0, partial(self.arrive, f"c{index}"))
        while self._todo:
            self.now, _, what = heapq.heappop(self._todo)
            what()

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._todo, (self.now + seconds, self._count, what))

    def tell(self, event: inputs.AnyInput) -> None:
        for command in self._engine.step(event, self.now, self._rng):
            if isinstance(command, commands.Offer):
                self.offered(command)

    def arrive(self, call: str) -> None:
        one = Waiting(call=call, queue="tech", joined_at=self.now)
        self.join(one)
        if self._rng.random() < 1 / 3:
            self.later(30.0, partial(self.book, one))

    def join(self, one: Waiting) -> None:
        self.waiting[one.call] = one
        self.tell(inputs.CallerJoined(one))

    def book(self, one: Waiting) -> None:
        if self.leave(one.call):
            self.tell(inputs.CallerGone(one.call))
            self.join(replace(one, call=f"{one.call} back", callback=True))

    def leave(self, call: str) -> bool:
        self.asked.discard(call)
        return self.waiting.pop(call, None) is not None

    def offered(self, offer: commands.Offer) -> None:
        """Count those who came before and are not asked for yet."""
        (agent,) = offer.agents
        one = self.waiting[offer.call]
        self.asked.add(offer.call)
        left_out = (each for each in self.waiting.values() if each.call not in self.asked)
        self.overtaken += sum(each.joined_at < one.joined_at for each in left_out)
        self.later(1.0, partial(self.take, one, agent))

    def take(self, one: Waiting, agent: str) -> None:
        if not self.leave(one.call):
            return
        self._count += 1
        leg = self._count
        self.tell(inputs.PhoneRings(agent, one.call, leg))
        self.tell(inputs.PhoneTalks(agent, one.call, leg))
        self.tell(inputs.AgentTook(one.call, agent))
        missed = one.callback and self._rng.random() < 0.2
        if missed:
            self.later(300.0, partial(self.join, replace(one, call=f"{one.call}+")))
        else:
            self.served.append(one)
        talk_s = 5.0 if missed else self._rng.uniform(60, 190)
        self.later(talk_s, partial(self.tell, inputs.PhoneFree(agent, one.call, leg)))


def test_of_a_thousand_callers_and_call_backs_nobody_is_overtaken() -> None:
    morning = Morning()
    morning.run(1000)
    assert morning.overtaken == 0
    assert len(morning.served) == 1000
    assert sum(one.callback for one in morning.served) > 100
