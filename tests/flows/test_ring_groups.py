"""Ring groups and the verb `ring`: who rings when, who takes the call, and what is left of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest

from pbx.call.call import Call
from pbx.call.outcome import Outcome, no_answer
from pbx.cdr.record import CallRecord
from pbx.events import CallRouted
from pbx.ivr.verbs import VOCABULARY
from pbx.media.protocol import DigitHeard, Play
from pbx.plan.destination import Destination
from pbx.plan.model import Flow, NumberRoute, Plan, Prompt, PromptText, RingGroup
from pbx.plan.step import Step
from pbx.plan.text import parse_text
from pbx.sip import events as sip
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall, Softphone

RINGBACK = "tone:ring"
How = Literal["all", "in_order", "rotate"]


def ext(*numbers: str) -> tuple[Destination, ...]:
    return tuple(Destination("ext", number) for number in numbers)


def group(members: Sequence[Destination], how: How = "all", ring_s: float = 20.0) -> Plan:
    """Return a plan in which 400 rings these."""
    sales = RingGroup("sales", tuple(members), how, ring_s)
    route = NumberRoute("400", Destination("ring", "sales"))
    return Plan("test", {"400": route}, ring_groups={"sales": sales})


def step(members: Sequence[Destination], *, answer: bool = True, **arguments: Any) -> Plan:
    """Return a plan in which 400 is answered and then rings these by a step."""
    assert "ring" in VOCABULARY.verbs
    ring = Step("ring", {"to": tuple(members), "each": 20.0, **arguments})
    steps = (Step("answer", {}), ring) if answer else (ring,)
    whose = PromptText(parse_text("Order line."))
    return Plan(
        "test",
        {"400": NumberRoute("400", Destination("flow", "go"))},
        flows={"go": Flow("go", (*steps, Step("hangup", {})))},
        prompts={"whose": Prompt("whose", {"zh": whose})},
    )


async def phones(house: House, plan: Plan, *numbers: str) -> list[Softphone]:
    house.exchange.plan = plan
    return await house.registered(*numbers)


async def talk(call: PhoneCall, taken: PhoneCall, seconds: float = 5.0) -> None:
    await call.answered()
    await asyncio.sleep(seconds)
    call.hang_up()
    await taken.ended()


def leg_of(house: House, number: str) -> int:
    """Return the media's number of a party's leg."""
    (call,) = house.exchange.calls.values()
    (leg,) = (leg for leg in call.legs.values() if leg.number == number and leg.ending is None)
    return leg.id


async def press(house: House, number: str, key: str) -> None:
    house.media.report(DigitHeard(leg_of(house, number), key, 100))
    await asyncio.sleep(0.1)


def played_to(house: House, number: str) -> list[str]:
    """Return what a party hears now."""
    leg = leg_of(house, number)
    return [
        source
        for key, play in house.media.playing.items()
        if key[0] == leg
        for source in play.sources
    ]


def segments(record: CallRecord) -> list[tuple[str, str, str]]:
    return [(segment.kind, segment.with_, segment.result) for segment in record.segments]


# -- all at once -----------------------------------------------------------------------------


def test_all_members_ring_at_once_and_the_first_answer_wins() -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol = await phones(house, group(ext("102", "103")), "101", "102", "103")
        call = alice.call("400")
        first, second = await bob.rung(), await carol.rung()
        first.ring()
        second.ring()
        await asyncio.sleep(4)
        assert call.progress() == [180]
        second.answer()
        cancelled = await first.saw(sip.InviteCancelled)
        assert [(reason.protocol, reason.cause) for reason in cancelled.reasons] == [("SIP", 200)]
        await talk(call, second)

    record = flow(scenario).record
    assert record.path == ("numbers:400", "ring:sales")
    assert (record.result, record.reason, record.ended_by) == ("answered", "bye", "caller")
    assert segments(record) == [
        ("ring", "103", "answered"),
        ("ring", "102", "answered_elsewhere"),
        ("talk", "103", "ended"),
    ]
    assert (round(record.ring_s), round(record.talk_s)) == (4, 5)


def test_nobody_answers_within_the_time() -> None:
    async def scenario(house: House) -> None:
        plan = group(ext("102", "103"), ring_s=15)
        alice, bob, carol = await phones(house, plan, "101", "102", "103")
        call = alice.call("400")
        first, second = await bob.rung(), await carol.rung()
        first.ring()
        assert await call.failed() == 480
        await first.saw(sip.InviteCancelled)
        await second.saw(sip.InviteCancelled)

    record = flow(scenario).record
    assert (record.result, record.reason, round(record.ring_s)) == ("no_answer", "no_answer", 15)


@pytest.mark.parametrize(
    ("statuses", "told", "result"),
    [((486, 486), 486, "busy"), ((486, 603), 486, "busy"), ((486, 480), 480, "no_answer")],
)
def test_a_group_is_busy_where_all_of_it_is(
    statuses: tuple[int, int], told: int, result: str
) -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol = await phones(house, group(ext("102", "103")), "101", "102", "103")
        call = alice.call("400")
        for phone, status in zip((bob, carol), statuses, strict=True):
            (await phone.rung()).respond(status)
        assert await call.failed() == told

    assert flow(scenario).record.result == result


def test_who_declines_speaks_for_all_own_phones_and_for_no_other_member() -> None:
    async def scenario(house: House) -> None:
        alice, desk, carol = await phones(house, group(ext("102", "103")), "101", "102", "103")
        mobile = house.phone("102")
        await mobile.register()
        call = alice.call("400")
        on_desk, on_mobile, other = await desk.rung(), await mobile.rung(), await carol.rung()
        on_mobile.ring()
        on_desk.respond(603)
        await on_mobile.saw(sip.InviteCancelled)
        await asyncio.sleep(1)
        other.answer()
        await talk(call, other)

    assert flow(scenario).record.result == "answered"


def test_members_without_a_phone_are_left_out() -> None:
    async def scenario(house: House) -> None:
        house.add("104")
        plan = group((*ext("104", "999", "102"), Destination("number", "13900139000")))
        alice, bob = await phones(house, plan, "101", "102")
        call = alice.call("400")
        rung = await bob.rung()
        rung.answer()
        await talk(call, rung)

    assert segments(flow(scenario).record)[0] == ("ring", "102", "answered")


@pytest.mark.parametrize(
    ("members", "status", "result", "reason"),
    [
        (ext("104", "999"), 480, "unavailable", "not_registered"),
        ((*ext("104"), Destination("number", "139")), 480, "unavailable", "not_registered"),
        ((Destination("number", "139"),), 404, "failed", "unknown_number"),
    ],
)
def test_a_group_of_which_nobody_can_be_rung(
    members: tuple[Destination, ...], status: int, result: str, reason: str
) -> None:
    async def scenario(house: House) -> None:
        house.add("104")
        (alice,) = await phones(house, group(members), "101")
        assert await alice.call("400").failed() == status

    record = flow(scenario).record
    assert (record.result, record.reason) == (result, reason)


def test_a_group_that_the_plan_does_not_have_is_unknown() -> None:
    async def scenario(house: House) -> None:
        plan = Plan("test", {"400": NumberRoute("400", Destination("ring", "moon"))})
        (alice,) = await phones(house, plan, "101")
        assert await alice.call("400").failed() == 404

    assert flow(scenario).record.reason == "unknown_number"


def test_a_redirection_is_followed_inside_and_never_outside() -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol, dave = await phones(
            house, group(ext("102", "103")), "101", "102", "103", "104"
        )
        call = alice.call("400")
        outside = [("Contact", "<sip:13900139000@198.51.100.9>")]
        (await bob.rung()).respond(302, headers=outside)
        (await carol.rung()).respond(302, headers=[("Contact", "<sip:104@192.0.2.1>")])
        rung = await dave.rung()
        rung.answer()
        await talk(call, rung)

    house = flow(scenario)
    assert house.record.path == ("numbers:400", "ring:sales", "ext:104")
    assert not any(
        b"INVITE" in c.octets[:6]
        for c in house.network.carried
        if c.flow.remote[0] == "198.51.100.9"
    )


def test_a_members_own_mailbox_never_takes_the_call() -> None:
    async def scenario(house: House) -> None:
        house.destinations.register("voicemail", _never)
        alice, bob = await phones(house, group(ext("102", "103")), "101", "102")
        house.add("103")
        call = alice.call("400")
        (await bob.rung()).respond(486)
        assert await call.failed() == 486

    routed = [
        event.destination
        for event in flow(scenario).happened(CallRouted)
        if isinstance(event, CallRouted)
    ]
    assert routed == ["numbers:400", "ring:sales"]


async def _never(call: Call, name: str, **overrides: Any) -> Outcome:
    raise AssertionError(f"{name} got the call")


# -- one after the other -----------------------------------------------------------------------


def test_members_ring_one_after_the_other() -> None:
    async def scenario(house: House) -> None:
        plan = group(ext("102", "103", "104"), "in_order", 10)
        alice, bob, carol, dave = await phones(house, plan, "101", "102", "103", "104")
        call = alice.call("400")
        first = await bob.rung()
        first.ring()
        await first.saw(sip.InviteCancelled)
        (await carol.rung()).respond(486)
        third = await dave.rung()
        assert not carol.was_rung
        third.answer()
        await talk(call, third)

    record = flow(scenario).record
    assert segments(record) == [
        ("ring", "102", "no_answer"),
        ("ring", "103", "busy"),
        ("ring", "104", "answered"),
        ("talk", "104", "ended"),
    ]
    assert round(record.ring_s) == 10


def test_a_rotating_group_begins_one_further_each_time_and_remembers_over_reloads() -> None:
    async def scenario(house: House) -> None:
        plan = group(ext("102", "103", "104"), "rotate")
        alice, *others = await phones(house, plan, "101", "102", "103", "104")
        for turn in range(5):
            if turn == 2:
                house.exchange.plan = group(ext("102", "103", "104"), "rotate")
            call = alice.call("400")
            rung = await others[turn % 3].rung()
            rung.answer()
            await talk(call, rung, 1.0)
        house.exchange.plan = group(ext("102"), "rotate")  # it became shorter
        call = alice.call("400")
        (await others[0].rung()).respond(486)
        assert await call.failed() == 486

    assert len(flow(scenario).records) == 6


def test_two_calls_at_once_begin_with_two_members() -> None:
    async def scenario(house: House) -> None:
        plan = group(ext("103", "104"), "rotate")
        alice, bob, carol, dave = await phones(house, plan, "101", "102", "103", "104")
        calls = alice.call("400"), bob.call("400")
        rung = await carol.rung(), await dave.rung()
        for each in rung:
            each.answer()
        for call, taken in zip(calls, rung, strict=True):
            await talk(call, taken, 1.0)

    assert len(flow(scenario).records) == 2


def test_who_heard_early_media_of_one_member_hears_the_next_one_ring() -> None:
    async def scenario(house: House) -> None:
        plan = group(ext("102", "103"), "in_order", 10)
        alice, bob, carol = await phones(house, plan, "101", "102", "103")
        call = alice.call("400")
        (await bob.rung()).early_media()
        second = await carol.rung()
        second.ring()
        await asyncio.sleep(1)
        assert call.progress() == [183]
        assert played_to(house, "101") == [RINGBACK]
        second.answer()
        await asyncio.sleep(1)
        assert not house.media.playing
        await talk(call, second)

    flow(scenario)


# -- by a step ---------------------------------------------------------------------------------


def test_an_answered_caller_hears_it_ring_and_the_talk_is_counted_from_the_person() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await phones(house, step(ext("102")), "101", "102")
        call = alice.call("400")
        rung = await bob.rung()
        await call.answered()
        rung.ring()
        await asyncio.sleep(6)
        assert played_to(house, "101") == [RINGBACK]
        rung.answer()
        await asyncio.sleep(1)
        assert not house.media.playing
        await talk(call, rung, 9.0)

    record = flow(scenario).record
    assert (round(record.ring_s), round(record.talk_s)) == (6, 10)
    assert record.answered_at is not None
    assert record.answered_at < record.segments[-1].started_at
    assert record.result == "answered"


def test_a_caller_who_leaves_while_it_rings_has_given_up_though_a_menu_answered() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await phones(house, step(ext("102")), "101", "102")
        call = alice.call("400")
        rung = await bob.rung()
        rung.ring()
        await call.answered()
        await asyncio.sleep(3)
        call.hang_up()
        await rung.saw(sip.InviteCancelled)

    record = flow(scenario).record
    assert (record.result, record.ended_by, record.sip_status) == ("cancelled", "caller", 200)
    assert segments(record) == [("ring", "102", "cancelled")]


def test_the_parties_see_the_number_that_the_step_says() -> None:
    async def scenario(house: House) -> None:
        plan = step(ext("102"), caller_id=parse_text("4008001234"))
        alice, bob = await phones(house, plan, "101", "102")
        alice.call("400")
        rung = await bob.rung()
        assert rung.request is not None
        shown = rung.request.from_
        assert (shown.uri.number, shown.display_name) == ("4008001234", None)
        rung.respond(486)

    flow(scenario)


def test_who_answers_has_to_press_the_key_while_the_others_ring_on() -> None:
    async def scenario(house: House) -> None:
        plan = step(ext("102", "103"), confirm_key="1")
        alice, bob, carol = await phones(house, plan, "101", "102", "103")
        call = alice.call("400")
        first, second = await bob.rung(), await carol.rung()
        second.ring()
        first.answer()
        await asyncio.sleep(2)
        assert played_to(house, "102"), "the question"
        assert played_to(house, "101") == [RINGBACK]
        assert not house.media.joined
        await press(house, "102", "1")
        await second.saw(sip.InviteCancelled)
        assert house.media.joined == {
            leg_of(house, "101"): leg_of(house, "102"),
            leg_of(house, "102"): leg_of(house, "101"),
        }
        await talk(call, first)

    record = flow(scenario).record
    assert ("talk", "102", "ended") in segments(record)
    assert (round(record.talk_s), record.result) == (5, "answered")


def test_a_wrong_key_or_none_costs_only_that_member() -> None:
    async def scenario(house: House) -> None:
        plan = step(ext("102", "103", "104"), confirm_key="1", each=60.0)
        alice, bob, carol, dave = await phones(house, plan, "101", "102", "103", "104")
        call = alice.call("400")
        first, second, third = await bob.rung(), await carol.rung(), await dave.rung()
        first.answer()
        second.answer()
        await asyncio.sleep(1)
        await press(house, "102", "9")
        await first.ended()
        house.media.finish_playing(leg_of(house, "103"))
        began = house.clock.monotonic()
        await second.ended()
        assert abs(house.clock.monotonic() - began - 10.0) < 0.1
        third.answer()
        await asyncio.sleep(1)
        await press(house, "104", "1")
        await talk(call, third)

    record = flow(scenario).record
    assert [segment.with_ for segment in record.segments if segment.kind == "talk"] == ["104"]


def test_of_two_who_are_asked_the_first_key_has_the_call() -> None:
    async def scenario(house: House) -> None:
        plan = step(ext("102", "103"), confirm_key="1")
        alice, bob, carol = await phones(house, plan, "101", "102", "103")
        call = alice.call("400")
        first, second = await bob.rung(), await carol.rung()
        first.answer()
        second.answer()
        await asyncio.sleep(1)
        await press(house, "103", "1")
        ended = await first.ended()
        assert ended.request is not None
        assert [(each.protocol, each.cause) for each in ended.request.reasons] == [("SIP", 200)]
        await talk(call, second)

    assert flow(scenario).record.result == "answered"


def test_a_question_is_over_after_half_a_minute_whatever_is_announced() -> None:
    async def scenario(house: House) -> None:
        plan = step(ext("102"), confirm_key="1", announce="whose")
        alice, bob = await phones(house, plan, "101", "102")
        call = alice.call("400")
        rung = await bob.rung()
        rung.answer()
        began = house.clock.monotonic()
        await rung.ended()
        assert abs(house.clock.monotonic() - began - 30.0) < 0.1
        await call.ended()

    assert flow(scenario).record.talk_s == 0.0


def test_who_was_asked_by_the_end_of_the_ringing_may_still_take_the_call() -> None:
    async def scenario(house: House) -> None:
        plan = step(ext("102", "103"), confirm_key="1")
        alice, bob, carol = await phones(house, plan, "101", "102", "103")
        call = alice.call("400")
        first, second = await bob.rung(), await carol.rung()
        await asyncio.sleep(18)
        first.answer()
        await second.saw(sip.InviteCancelled)
        await asyncio.sleep(3)
        await press(house, "102", "1")
        await talk(call, first)

    assert flow(scenario).record.result == "answered"


@pytest.mark.parametrize("confirm", ["1", None])
def test_who_hangs_up_before_being_joined_has_not_answered(confirm: str | None) -> None:
    async def scenario(house: House) -> None:
        plan = step(ext("102"), confirm_key=confirm, announce="whose")
        alice, bob = await phones(house, plan, "101", "102")
        call = alice.call("400")
        rung = await bob.rung()
        rung.answer()
        await asyncio.sleep(2)
        rung.hang_up()
        await call.ended()

    record = flow(scenario).record
    assert (record.talk_s, record.sip_status) == (0.0, 200)


def test_what_is_announced_is_heard_before_the_two_are_joined() -> None:
    async def scenario(house: House) -> None:
        plan = step(ext("102", "103"), announce="whose", answer=False)
        alice, bob, carol = await phones(house, plan, "101", "102", "103")
        call = alice.call("400")
        first, second = await bob.rung(), await carol.rung()
        first.early_media()
        second.ring()
        first.answer()
        await second.saw(sip.InviteCancelled)
        await asyncio.sleep(2)
        (play,) = house.media.sent(Play, leg_of(house, "102"))
        assert not play.stop_on_key
        assert not house.media.joined
        assert call.progress() == [180]
        house.media.finish_playing(leg_of(house, "102"))
        await talk(call, first)
        assert house.media.joined == {}

    assert round(flow(scenario).record.talk_s) == 5


def test_the_caller_leaves_while_somebody_is_asked() -> None:
    async def scenario(house: House) -> None:
        plan = step(ext("102", "103"), confirm_key="1")
        alice, bob, carol = await phones(house, plan, "101", "102", "103")
        call = alice.call("400")
        first, second = await bob.rung(), await carol.rung()
        first.answer()
        await asyncio.sleep(2)
        call.hang_up()
        await first.ended()
        await second.saw(sip.InviteCancelled)

    record = flow(scenario).record
    assert (record.result, record.ended_by) == ("cancelled", "caller")


def test_a_defect_in_a_question_costs_the_one_who_was_asked() -> None:
    class Broken:
        async def sources(self, *sayings: object) -> tuple[str, ...]:
            raise ValueError("no voice")

    async def scenario(house: House) -> None:
        house.defects = 1
        house.exchange.settings = replace(house.exchange.settings, speaker=Broken())
        plan = step(ext("102", "103"), confirm_key="1")
        alice, bob, carol = await phones(house, plan, "101", "102", "103")
        call = alice.call("400")
        first, second = await bob.rung(), await carol.rung()
        first.answer()
        await first.ended()
        second.respond(486)
        await call.ended()

    record = flow(scenario).record
    assert (record.reason, record.talk_s) == ("hung_up_by_dialplan", 0.0)


# -- an extension's own mailbox ----------------------------------------------------------------


def _mailboxes(house: House) -> list[tuple[str, str]]:
    """Register mailboxes that end the call at once; return who came to which, and why."""
    seen: list[tuple[str, str]] = []

    async def leave(call: Call, name: str, *, reason: str) -> Outcome:
        seen.append((name, reason))
        return no_answer()

    house.destinations.register("voicemail", leave)
    return seen


@pytest.mark.parametrize(
    ("status", "reason"),
    [(486, "busy"), (600, "busy"), (603, "busy"), (480, "unavailable"), (503, "unavailable")],
)
def test_a_call_that_an_extension_does_not_take_goes_to_its_mailbox(
    status: int, reason: str
) -> None:
    seen: list[tuple[str, str]] = []

    async def scenario(house: House) -> None:
        nonlocal seen
        seen = _mailboxes(house)
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        (await bob.rung()).respond(status)
        await call.failed()

    assert flow(scenario).record.path == ("ext:102", "voicemail:102")
    assert seen == [("102", reason)]


def test_an_extension_that_does_not_answer_or_has_no_phone_has_a_mailbox_too() -> None:
    seen: list[tuple[str, str]] = []

    async def scenario(house: House) -> None:
        nonlocal seen
        seen = _mailboxes(house)
        house.add("103")
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        (await bob.rung()).ring()
        await call.failed()
        await alice.call("103").failed()

    flow(scenario)
    assert seen == [("102", "no_answer"), ("103", "unavailable")]


@pytest.mark.parametrize("status", [488, 404, 500])
def test_a_call_that_failed_for_another_reason_goes_nowhere(status: int) -> None:
    async def scenario(house: House) -> None:
        house.destinations.register("voicemail", _never)
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        (await bob.rung()).respond(status)
        assert await call.failed() == status

    assert flow(scenario).record.path == ("ext:102",)


def test_an_extension_that_wants_no_mailbox_has_none() -> None:
    async def scenario(house: House) -> None:
        house.destinations.register("voicemail", _never)
        alice, bob = await house.registered("101", "102")
        house.directory.extensions["102"].voicemail = False
        call = alice.call("102")
        (await bob.rung()).respond(486)
        assert await call.failed() == 486

    flow(scenario)


def test_an_answered_call_ends_without_a_mailbox() -> None:
    async def scenario(house: House) -> None:
        house.destinations.register("voicemail", _never)
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        rung.hang_up()
        await call.ended()

    assert flow(scenario).record.result == "answered"
