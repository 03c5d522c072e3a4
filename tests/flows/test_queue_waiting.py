"""What a caller hears and may key while waiting: place, wait, prompts, the offer, the queue's keys.

A source here is the name of what is said, so that each prompt and phrase is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pbx.acd import inputs
from pbx.media.protocol import DigitHeard, Play
from pbx.plan.destination import CALLBACK, STAY, Destination
from pbx.plan.model import Flow, Menu, Prompt, PromptText, Queue
from pbx.plan.step import Step
from pbx.plan.text import parse_text as text
from pbx.speech.saying import Saying
from tests.flows.test_queues import heard_by, left, leg_of, plan, press, tech, the_record, waits
from tests.kit.exchange import House, flow

OFFER = Menu(
    "offer",
    ("wait_on",),
    {"1": STAY, "2": CALLBACK, "3": Destination("ext", "109"), "4": Destination("flow", "news")},
    give_up=STAY,
    timeout_s=5.0,
    tries=1,
)
NEWS = Flow("news", (Step("say", {"prompt": ("news",)}), Step("goto", {"to": STAY})))


class Names:
    """A speaker whose sources are the names and words of what is said."""

    async def sources(self, *sayings: Saying) -> tuple[str, ...]:
        return tuple(f"{saying.name}: {saying.words}" for saying in sayings)


def said(name: str, words: str = "") -> Prompt:
    return Prompt(name, {"zh": PromptText(text(words or name))})


def opened(house: House, queue: Queue, **agents: Any) -> None:
    """Open a queue in which everybody who says something says its name."""
    house.exchange.settings = replace(house.exchange.settings, speaker=Names())
    house.media.plays_through = True
    names = {name: said(name) for name in ("wait_on", "news", "please_hold")}
    names["ahead"] = said("ahead", "${queue.name} ${queue.ahead} ${queue.wait}")
    house.open(plan(queue, prompts=names, menus={"offer": OFFER}, flows={"news": NEWS}))


def told(house: House, number: str = "101") -> list[str]:
    """Return the names and words of all that was said to a party, without music."""
    return [
        source
        for play in house.media.sent(Play, leg_of(house, number))
        for source in play.sources
        if not source.startswith(("music:", "tone:"))
    ]


async def all_busy(house: House, *agents: str) -> list[Any]:
    """Let agents be on other calls; return their phones and these calls."""
    phones = await house.registered(*agents)
    calls = []
    for phone in phones:
        house.agent(phone.number)
        calls.append(phone.call("*43"))
        await calls[-1].answered()
    return [*phones, *calls]


# -- the place and the wait --------------------------------------------------------------------


def test_the_place_is_told_at_entry_and_again_once_it_is_better() -> None:
    async def scenario(house: House) -> None:
        opened(house, tech(position_every_s=30.0))
        _, busy = await all_busy(house, "102")
        first = await waits(house, "400", "201")
        second = await waits(house, "400", "202")
        assert told(house, "201") == ["queue-next: 您是下一位。"]
        assert told(house, "202") == ["queue-position: 您现在排在第二位。"]
        await asyncio.sleep(40)
        assert len(told(house, "202")) == 1
        assert heard_by(house, "202") == ["music:hold.wav"]
        first.hang_up()
        await asyncio.sleep(30)
        assert told(house, "202")[1:] == ["queue-next: 您是下一位。"]
        second.hang_up()
        busy.hang_up()

    flow(scenario)


def test_the_place_is_told_every_quarter_of_a_minute_at_most() -> None:
    async def scenario(house: House) -> None:
        opened(house, tech(position_every_s=1.0))
        _, busy = await all_busy(house, "102")
        first = await waits(house, "400", "201")
        second = await waits(house, "400", "202")
        first.hang_up()
        await asyncio.sleep(13)
        assert len(told(house, "202")) == 1
        await asyncio.sleep(3)
        assert len(told(house, "202")) == 2
        second.hang_up()
        busy.hang_up()

    flow(scenario)


def test_who_is_offered_at_once_is_told_no_place_until_the_agent_declines() -> None:
    async def scenario(house: House) -> None:
        opened(house, tech(position_every_s=30.0))
        (bob,) = await house.registered("102")
        house.agent("102")
        call = await waits(house)
        rung = await bob.rung()
        await asyncio.sleep(5)
        assert told(house) == []
        rung.respond(603)
        await asyncio.sleep(2)
        assert told(house) == ["queue-next: 您是下一位。"]
        call.hang_up()

    flow(scenario)


def test_a_prompt_is_said_again_and_again_with_what_is_known_of_the_queue() -> None:
    async def scenario(house: House) -> None:
        opened(house, tech(announce="ahead", announce_every_s=40.0))
        _, busy = await all_busy(house, "102")
        call = await waits(house)
        await asyncio.sleep(85)
        assert told(house) == ["ahead: tech 0 0", "ahead: tech 0 1"]
        assert heard_by(house, "101") == ["music:hold.wav"]
        call.hang_up()
        busy.hang_up()

    flow(scenario)


# -- an agent who answers meanwhile ------------------------------------------------------------


@pytest.mark.parametrize("what", ["prompt", "menu", "submenu"])
def test_nothing_that_is_said_delays_an_agent_and_phones_ring_meanwhile(what: str) -> None:
    async def scenario(house: House) -> None:
        offer = {} if what == "prompt" else {"offer_after_s": 20.0, "offer_menu": "offer"}
        opened(house, tech(announce="please_hold", announce_every_s=20.0, **offer))
        bob, busy = await all_busy(house, "102")
        call = await waits(house)
        house.media.plays_through = False
        await asyncio.sleep(20)
        name = heard_by(house, "101")[0]
        if what != "prompt":
            house.media.finish_playing(leg_of(house, "101"))
            await asyncio.sleep(0.1)
            name = heard_by(house, "101")[0]
        if what == "submenu":
            await press(house, "101", "4")
            name = heard_by(house, "101")[0]
        assert not name.startswith("music")
        busy.hang_up()
        rung = await bob.rung()
        rung.ring()
        await asyncio.sleep(1)
        assert heard_by(house, "101") == [name]
        answered = house.clock.monotonic()
        rung.answer()
        while not house.media.joined:
            await asyncio.sleep(0.01)
        assert house.clock.monotonic() - answered < 0.1
        assert heard_by(house, "101") == []
        await asyncio.sleep(3)
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert left(house) == [("tech", "answered")]
    assert the_record(house).result == "answered"


# -- the offer ---------------------------------------------------------------------------------


async def offered(house: House, *keys: str, **fields: Any) -> Any:
    """Let a caller wait until the offer, and key something; return its call, and the busy one."""
    opened(house, tech(offer_after_s=20.0, offer_menu="offer", **fields))
    _, busy = await all_busy(house, "102")
    call = await waits(house)
    await asyncio.sleep(20.5)
    assert told(house) == ["wait_on: wait_on"]
    for key in keys:
        await press(house, "101", key)
        await asyncio.sleep(0.5)
    return call, busy


@pytest.mark.parametrize("keys", [(), ("1",), ("9",), ("4",)])
def test_who_wants_to_wait_on_or_says_nothing_keeps_the_place(keys: tuple[str, ...]) -> None:
    async def scenario(house: House) -> None:
        call, busy = await offered(house, *keys)
        await asyncio.sleep(8)
        assert left(house) == []
        assert heard_by(house, "101") == ["music:hold.wav"]
        await asyncio.sleep(20)
        assert told(house)[-1] == "wait_on: wait_on"
        assert len([name for name in told(house) if name == "wait_on: wait_on"]) == 2
        call.hang_up()
        busy.hang_up()

    house = flow(scenario)
    assert left(house) == [("tech", "abandoned")]
    assert the_record(house).result == "abandoned"


def test_music_goes_on_while_the_offer_waits_for_a_key() -> None:
    async def scenario(house: House) -> None:
        call, busy = await offered(house)
        assert heard_by(house, "101") == ["music:hold.wav"]
        call.hang_up()
        busy.hang_up()

    flow(scenario)


def test_who_goes_elsewhere_leaves_the_queue() -> None:
    async def scenario(house: House) -> None:
        (desk,) = await house.registered("109")
        call, busy = await offered(house, "3")
        rung = await desk.rung(within=1)
        assert left(house) == [("tech", "left")]
        rung.answer()
        await asyncio.sleep(3)
        assert heard_by(house, "101") == []
        busy.hang_up()
        await asyncio.sleep(3)
        rung.hang_up()
        await call.ended()

    house = flow(scenario)
    assert the_record(house).path[-1] == "ext:109"
    assert the_record(house).talk_s == pytest.approx(6, abs=0.1)


def test_a_callback_takes_the_caller_out_of_the_queue() -> None:
    async def scenario(house: House) -> None:
        call, busy = await offered(house, "2")
        assert left(house) == []
        await press(house, "101", "1")
        assert left(house) == [("tech", "callback")]
        await call.ended()
        house.floor.tell(inputs.LoggedOut("102"))
        busy.hang_up()

    flow(scenario)


def test_whose_callback_is_not_booked_keeps_the_place() -> None:
    async def scenario(house: House) -> None:
        call, busy = await offered(house, "2")
        await asyncio.sleep(40)
        assert left(house) == []
        call.hang_up()
        busy.hang_up()

    flow(scenario)


def test_an_agent_who_answers_takes_the_caller_out_of_the_booking() -> None:
    async def scenario(house: House) -> None:
        call, busy = await offered(house, "2")
        busy.hang_up()
        rung = await house.phones[0].rung()
        rung.answer()
        await asyncio.sleep(0.1)
        assert heard_by(house, "101") == []
        await press(house, "101", "1")
        await asyncio.sleep(3)
        call.hang_up()
        await rung.ended()

    house = flow(scenario)
    assert left(house) == [("tech", "answered")]
    assert house.keeping.callbacks == {}


# -- the queue's keys --------------------------------------------------------------------------


KEYS = {
    "0": Destination("ext", "109"),
    "5": (Step("say", {"prompt": ("news",)}), Step("goto", {"to": STAY})),
    "77": Destination("hangup"),
}


@pytest.mark.parametrize("during", ["music", "prompt"])
def test_the_queues_keys_work_at_any_time(during: str) -> None:
    async def scenario(house: House) -> None:
        (desk,) = await house.registered("109")
        opened(house, tech(keys=KEYS, announce="please_hold", announce_every_s=30.0))
        _, busy = await all_busy(house, "102")
        call = await waits(house)
        house.media.plays_through = False
        await asyncio.sleep(30 if during == "prompt" else 10)
        expected = "please_hold: please_hold" if during == "prompt" else "music:hold.wav"
        assert heard_by(house, "101") == [expected]
        await press(house, "101", "0")
        rung = await desk.rung(within=1)
        assert left(house) == [("tech", "left")]
        rung.answer()
        await asyncio.sleep(1)
        call.hang_up()
        busy.hang_up()

    house = flow(scenario)
    assert the_record(house).path[-1] == "ext:109"


@pytest.mark.parametrize("keys", ["9", "5", "78", "7"])
def test_keys_that_mean_nothing_or_lead_back_change_nothing(keys: str) -> None:
    async def scenario(house: House) -> None:
        opened(house, tech(keys=KEYS))
        _, busy = await all_busy(house, "102")
        call = await waits(house)
        for key in keys:
            await press(house, "101", key)
        await asyncio.sleep(5)
        assert ("news: news" in told(house)) is (keys == "5")
        assert left(house) == []
        assert heard_by(house, "101") == ["music:hold.wav"]
        call.hang_up()
        busy.hang_up()

    flow(scenario)


def test_several_keys_may_be_one_choice() -> None:
    async def scenario(house: House) -> None:
        opened(house, tech(keys=KEYS))
        _, busy = await all_busy(house, "102")
        call = await waits(house)
        await press(house, "101", "7")
        await press(house, "101", "7")
        await call.ended(within=2)
        busy.hang_up()

    assert left(flow(scenario)) == [("tech", "left")]


def test_a_caller_may_change_the_queue_by_a_key_and_waits_there() -> None:
    async def scenario(house: House) -> None:
        opened(house, tech(keys={"1": Destination("queue", "sales")}, skills={"a": 1}))
        queues = {**house.plan.queues, "sales": tech("sales", music="jazz")}
        house.open(replace(house.plan, queues=queues))
        (bob,) = await house.registered("102")
        house.agent("103", a=1)
        call = await waits(house)
        house.agent("102")
        await press(house, "101", "1")
        rung = await bob.rung(within=1)
        rung.answer()
        await asyncio.sleep(1)
        house.floor.tell(inputs.LoggedOut("103"))
        call.hang_up()
        await rung.ended()

    assert left(flow(scenario)) == [("tech", "left"), ("sales", "answered")]


def after(steps: int, deed: Callable[[], None]) -> None:
    """Do something so many steps of the loop later, before whatever else that step does."""
    if steps == 0:
        deed()
    else:
        asyncio.get_running_loop().call_soon(after, steps - 1, deed)


@pytest.mark.parametrize("steps", range(6))
@pytest.mark.parametrize("first", ["key", "moved"])
def test_who_goes_by_a_key_at_the_moment_of_being_moved_waits_or_goes_and_is_never_lost(
    first: str, steps: int
) -> None:
    """So many `steps` of the loop lie between the key and what the supervisor does."""

    async def scenario(house: House) -> None:
        (desk,) = await house.registered("109")
        opened(house, tech(keys=KEYS))
        house.open(plan(tech(keys=KEYS), tech("sales")))
        _, busy = await all_busy(house, "102")
        call = await waits(house)
        (name,) = (one.id for one in house.exchange.calls.values() if one.called == "400")
        leg = leg_of(house, "101")
        deeds: list[Callable[[], None]] = [
            lambda: house.media.report(DigitHeard(leg, "0", 100)),
            lambda: house.floor.tell(inputs.CallerMoved(name, "sales")),
        ]
        now, then = deeds if first == "key" else reversed(deeds)
        after(steps, then)
        now()
        await asyncio.sleep(1)
        if ("tech", "left") in left(house) or ("sales", "left") in left(house):
            (await desk.rung(within=1)).answer()
            await asyncio.sleep(1)
            assert house.exchange.calls[name].caller.other is not None, "it talks"
            assert house.floor.engine.waiting(name) is None
        else:
            waiting = house.floor.engine.waiting(name)
            assert waiting is not None
            assert waiting.queue == "sales"
        call.hang_up()
        busy.hang_up()

    flow(scenario)
