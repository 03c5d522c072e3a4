"""Every scenario, with its script cancelled at each await in turn: nothing leaks, one record each.

Cancelling the script at an arbitrary await stands for everything that can end a call at an
arbitrary moment. The phones act on their own here, since the call may be gone at any time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal

import pytest

from pbx.call import conference, supervision
from pbx.call.call import Call
from pbx.call.lookup import find_call
from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind
from pbx.call.supervision import ReleaseMode
from pbx.errors import NotFound, Refused
from pbx.events import ConferenceJoined, PartyReleased
from pbx.ivr.verbs import VOCABULARY
from pbx.media.protocol import DigitHeard
from pbx.plan.destination import Destination
from pbx.plan.model import Conference, Flow, NumberRoute, Plan, Queue, RingGroup
from pbx.plan.step import Step
from tests.kit.exchange import House, RoomPins
from tests.kit.loop import VirtualLoop, cancel_everywhere
from tests.kit.softphone import PhoneCall, Softphone

How = Literal["all", "in_order"]
Act = Callable[[PhoneCall], Awaitable[None]]


async def answer_soon(call: PhoneCall) -> None:
    call.ring()
    await asyncio.sleep(1)
    call.answer()


async def _early_media_then_answer(call: PhoneCall) -> None:
    call.early_media()
    await asyncio.sleep(1)
    call.answer()


async def _busy(call: PhoneCall) -> None:
    call.respond(486)


async def _only_ring(call: PhoneCall) -> None:
    call.ring()


async def _forward(call: PhoneCall) -> None:
    call.respond(302, headers=[("Contact", "<sip:103@192.0.2.1>")])


async def act_when_rung(phone: Softphone, act: Act) -> None:
    while True:
        await act(await phone.rung(within=100_000))


async def _everybody_calls(house: House, dialled: str, act: Act, *, phones: int) -> None:
    alice, carol = await house.registered("101", "103")
    rung = [house.phone("102") for _ in range(phones)]
    for phone in rung:
        await phone.register()
    actors = [asyncio.create_task(act_when_rung(phone, act)) for phone in rung]
    actors.append(asyncio.create_task(act_when_rung(carol, answer_soon)))
    call = alice.call(dialled)
    await asyncio.sleep(25)
    call.hang_up()
    for phone in (*rung, carol):
        for other in list(phone.calls.values()):
            other.hang_up()
    await asyncio.sleep(40)
    for actor in actors:
        actor.cancel()


async def _click(house: House, _dialled: str, act: Act, *, phones: int) -> None:
    (bob,) = await house.registered("102")
    alice = house.phone("101")
    await alice.register()
    actors = [
        asyncio.create_task(act_when_rung(alice, answer_soon)),
        asyncio.create_task(act_when_rung(bob, act)),
    ]
    await house.exchange.originate("101", "102")
    await asyncio.sleep(25)
    for phone in (alice, bob):
        for call in list(phone.calls.values()):
            call.hang_up()
    await asyncio.sleep(40)
    for actor in actors:
        actor.cancel()


async def press(house: House, keys: str) -> None:
    """Let every caller hear the end of what is played and press keys."""
    for key in keys:
        for call in list(house.exchange.calls.values()):
            if call.caller_leg is not None and call.caller_leg.media.open:
                house.media.finish_playing(call.caller_leg.id)
                house.media.report(DigitHeard(call.caller_leg.id, key, 100))
        await asyncio.sleep(0.2)


async def _conference(house: House) -> None:
    """Two come in by PIN, name and moderator; one is muted and put out, one more is rung."""
    rules = Conference("7001", pin=True, record=True, announce_names=True, wait_for_moderator=True)
    house.exchange.plan = Plan("test", conferences={"7001": rules})
    house.directory.pins["7001"] = RoomPins("1234", "9999")
    alice, bob, carol = await house.registered("101", "102", "103")
    actor = asyncio.create_task(act_when_rung(carol, answer_soon))
    calls = []
    for phone, pin in ((alice, "1234#"), (bob, "5555#9999#")):
        calls.append(phone.call("7001"))
        await asyncio.sleep(0.1)
        await press(house, pin)
        await asyncio.sleep(5)
        await press(house, "#")
    await conference.dial_out(house.exchange, "7001", "103")
    await asyncio.sleep(5)
    with suppress(NotFound, Refused):
        room = house.exchange.conferences.find("7001")
        room.mute(room.member("101"), True)
        await press(house, "*6")
        room.member("101").put_out("kicked")
    await asyncio.sleep(1)
    for call in (*calls, *carol.calls.values()):
        call.hang_up()
    await asyncio.sleep(40)
    actor.cancel()


async def _supervised(house: House, *modes: ReleaseMode) -> None:
    """A recorded call is listened to, whispered in and taken over; the supervisor ends it."""
    alice, bob, carol = await house.registered("101", "102", "103")
    actors = [asyncio.create_task(act_when_rung(phone, answer_soon)) for phone in (bob, carol)]
    call = alice.call("102")
    await asyncio.sleep(2)
    with suppress(NotFound, Refused):
        house.recordings.begin(find_call(house.exchange.calls, "101"))
        await supervision.supervise(house.exchange, "101", "103", "listen")
    for mode in (*modes, None):
        await asyncio.sleep(3)
        with suppress(NotFound, Refused):
            if mode is None:
                await supervision.supervise(house.exchange, "101", "103", "barge")
            else:
                supervision.release(house.exchange, "101", mode)
    await asyncio.sleep(2)
    for other in (call, *bob.calls.values(), *carol.calls.values()):
        other.hang_up()
    await asyncio.sleep(40)
    for actor in actors:
        actor.cancel()


async def _group(house: House, how: How, act: Act, *, confirm: str | None) -> None:
    """101 calls a group, or a step that asks who answers; its members act, some press the key."""
    members = tuple(Destination("ext", number) for number in ("102", "103", "104"))
    step = {"to": members, "together": how == "all", "each": 8.0, "confirm_key": confirm}
    assert "ring" in VOCABULARY.verbs
    house.exchange.plan = Plan(
        "test",
        numbers={
            "400": NumberRoute("400", Destination("ring", "sales")),
            "401": NumberRoute("401", Destination("flow", "go")),
        },
        flows={"go": Flow("go", (Step("answer", {}), Step("ring", step)))},
        ring_groups={"sales": RingGroup("sales", members, how, 8.0)},
    )
    alice, *others = await house.registered("101", "102", "103", "104")
    actors = [asyncio.create_task(act_when_rung(phone, act)) for phone in others]
    call = alice.call("401" if confirm else "400")
    for key in ("9", "1", "1"):
        await asyncio.sleep(3)
        for live in list(house.exchange.calls.values()):
            for leg in [leg for leg in live.legs.values() if leg.up]:
                house.media.report(DigitHeard(leg.id, key, 100))
                await asyncio.sleep(0.1)
    await asyncio.sleep(25)
    call.hang_up()
    for phone in others:
        for other in list(phone.calls.values()):
            other.hang_up()
    await asyncio.sleep(40)
    for actor in actors:
        actor.cancel()


async def _mailbox(house: House) -> None:
    """101 calls 102, who is busy; the mailbox takes its time."""

    async def leave(call: Call, _name: str, *, reason: str) -> Outcome:
        call.caller.answer(call.caller.speaks())
        with call.if_left("voicemail"):
            await asyncio.sleep(5)
        return Outcome(OutcomeKind.LEFT, "voicemail", reason, 200, NORMAL_CLEARING, "system")

    house.destinations.register("voicemail", leave)
    alice, bob = await house.registered("101", "102")
    actor = asyncio.create_task(act_when_rung(bob, _busy))
    call = alice.call("102")
    await asyncio.sleep(3)
    call.hang_up()
    await asyncio.sleep(40)
    actor.cancel()


async def _no_agents(house: House) -> None:
    """101 calls a queue that has no agents."""
    house.open(
        Plan(
            "test",
            numbers={"400": NumberRoute("400", Destination("queue", "service"))},
            queues={"service": Queue("service")},
        )
    )
    (alice,) = await house.registered("101")
    call = alice.call("400")
    await asyncio.sleep(2)
    await press(house, "#")
    await asyncio.sleep(20)
    call.hang_up()
    await asyncio.sleep(40)


def everywhere(play: Callable[[House], Awaitable[None]]) -> list[House]:
    """Run a scenario with each await of each call cancelled in turn; return the houses."""
    houses: list[House] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        house = House(loop.clock)
        houses.append(house)
        try:
            await play(house)
        finally:
            house.close()

    def check() -> None:
        house = houses[-1]
        assert not house.leaks(), f"{house.leaks()}\n{house.network.ladder()}"

    assert cancel_everywhere(scenario, tasks="call *", check=check) > 0
    return houses


@pytest.mark.parametrize("confirm", [None, "1"])
@pytest.mark.parametrize("act", [answer_soon, _busy, _only_ring, _early_media_then_answer])
@pytest.mark.parametrize("how", ["all", "in_order"])
def test_a_ring_group_leaves_nothing_wherever_it_is_cancelled(
    how: How, act: Act, confirm: str | None
) -> None:
    houses = everywhere(lambda house: _group(house, how, act, confirm=confirm))
    assert all(len(house.records) == 1 for house in houses)


def test_an_own_mailbox_leaves_nothing_wherever_it_is_cancelled() -> None:
    houses = everywhere(_mailbox)
    assert houses[0].record.result == "voicemail"
    assert all(len(house.records) == 1 for house in houses)


def test_a_queue_without_agents_leaves_nothing_wherever_it_is_cancelled() -> None:
    houses = everywhere(_no_agents)
    assert all(len(house.records) == 1 for house in houses)


def test_a_conference_leaves_nothing_wherever_it_is_cancelled() -> None:
    houses = everywhere(_conference)
    assert all(len(house.records) in (2, 3) for house in houses)
    assert max(len(house.happened(ConferenceJoined)) for house in houses) == 3


@pytest.mark.parametrize(
    "modes", [(), ("takeover",), ("agent",), ("agent", "takeover"), ("takeover", "agent"), ("all",)]
)
def test_supervision_leaves_nothing_wherever_it_is_cancelled(
    modes: tuple[ReleaseMode, ...],
) -> None:
    houses = everywhere(lambda house: _supervised(house, *modes))
    assert all(len(house.records) == 1 for house in houses)
    assert max(len(house.happened(PartyReleased)) for house in houses) == len(modes)


@pytest.mark.parametrize(
    ("play", "dialled", "act", "phones"),
    [
        (_everybody_calls, "102", answer_soon, 1),
        (_everybody_calls, "102", answer_soon, 2),
        (_everybody_calls, "102", _early_media_then_answer, 1),
        (_everybody_calls, "102", _busy, 2),
        (_everybody_calls, "102", _only_ring, 2),
        (_everybody_calls, "102", _forward, 1),
        (_everybody_calls, "*43", _busy, 1),
        (_everybody_calls, "*999", _busy, 1),
        (_click, "102", answer_soon, 1),
        (_click, "102", _busy, 1),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).strip("_"),
)
def test_nothing_leaks_wherever_it_is_cancelled(
    play: Callable[..., Awaitable[None]], dialled: str, act: Act, phones: int
) -> None:
    houses = everywhere(lambda house: play(house, dialled, act, phones=phones))
    assert all(len(house.records) == 1 for house in houses)
