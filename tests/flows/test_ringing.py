"""Several contacts at once: who wins, what the losers are told, redirections."""

from __future__ import annotations

import asyncio

from pbx.sip import events as sip
from tests.kit.exchange import House, flow


def test_the_first_answer_wins_and_the_others_are_cancelled_with_a_reason() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        desk, mobile = house.phone("102"), house.phone("102")
        await desk.register()
        await mobile.register()
        call = alice.call("102")
        first, second = await desk.rung(), await mobile.rung()
        first.ring()
        second.ring()
        await asyncio.sleep(1)
        assert call.progress() == [180]
        second.answer()
        await call.answered()
        cancelled = await first.saw(sip.InviteCancelled)
        assert [(reason.protocol, reason.cause) for reason in cancelled.reasons] == [("SIP", 200)]
        call.hang_up()
        await second.ended()

    flow(scenario)


def test_two_answers_at_once_leave_one_call() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        desk, mobile = house.phone("102"), house.phone("102")
        await desk.register()
        await mobile.register()
        call = alice.call("102")
        first, second = await desk.rung(), await mobile.rung()
        first.answer()
        second.answer()
        await call.answered()
        await asyncio.sleep(2)
        ended = [
            rung
            for rung in (first, second)
            if any(isinstance(event, sip.InviteEnded) for event in rung.events)
        ]
        assert len(ended) == 1, "the late one gets ACK and BYE"
        call.hang_up()
        await asyncio.sleep(1)

    flow(scenario)


def test_all_refuse_and_busy_tells_most() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        desk, mobile = house.phone("102"), house.phone("102")
        await desk.register()
        await mobile.register()
        call = alice.call("102")
        (await desk.rung()).respond(480)
        (await mobile.rung()).respond(486)
        assert await call.failed() == 486

    flow(scenario)


def test_several_ringing_phones_give_no_early_media() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        desk, mobile = house.phone("102"), house.phone("102")
        await desk.register()
        await mobile.register()
        call = alice.call("102")
        first, second = await desk.rung(), await mobile.rung()
        first.early_media()
        second.ring()
        await asyncio.sleep(1)
        assert call.progress() == [180]
        first.answer()
        await call.answered()
        call.hang_up()
        await first.ended()

    flow(scenario)


def test_a_phones_own_redirection_is_followed_to_an_internal_number() -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol = await house.registered("101", "102", "103")
        call = alice.call("102")
        (await bob.rung()).respond(302, headers=[("Contact", "<sip:103@192.0.2.1>")])
        rung = await carol.rung()
        rung.answer()
        await call.answered()
        call.hang_up()
        await rung.ended()

    record = flow(scenario).record
    assert list(record.path) == ["ext:102", "ext:103"]


def test_redirections_in_a_circle_are_482() -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol = await house.registered("101", "102", "103")
        call = alice.call("102")
        (await bob.rung()).respond(302, headers=[("Contact", "<sip:103@192.0.2.1>")])
        (await carol.rung()).respond(302, headers=[("Contact", "<sip:102@192.0.2.1>")])
        assert await call.failed() == 482

    assert flow(scenario).record.reason == "loop"


def test_a_redirection_to_the_outside_is_not_followed() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        (await bob.rung()).respond(302, headers=[("Contact", "<sip:0900123456@192.0.2.99>")])
        assert await call.failed() == 480

    flow(scenario)


def test_five_redirections_are_enough() -> None:
    async def scenario(house: House) -> None:
        numbers = [str(number) for number in range(101, 109)]
        alice, *others = await house.registered(*numbers)
        call = alice.call("102")
        for phone, to in zip(others[:6], numbers[2:], strict=False):
            rung = await phone.rung()
            rung.respond(302, headers=[("Contact", f"<sip:{to}@192.0.2.1>")])
        assert await call.failed() == 482

    flow(scenario)


def test_max_forwards_goes_down_by_one() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        alice.call("102", max_forwards=5)
        rung = await bob.rung()
        assert rung.request is not None
        assert rung.request.max_forwards == 4
        rung.respond(486)

    flow(scenario)


def test_a_phone_that_answers_no_options_is_left_out_while_another_does() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        desk, mobile = house.phone("102"), house.phone("102")
        await desk.register()
        await mobile.register()
        house.network.loses = lambda octets, flow: desk.address in (flow.remote, flow.local)
        for _ in range(150):
            await asyncio.sleep(1)
            house.registrations.qualify()
        house.network.loses = lambda octets, flow: False
        reachable = {
            binding.flow.remote: binding.reachable
            for binding in house.registrar.bindings("102", house.clock.monotonic())
        }
        assert reachable == {desk.address: False, mobile.address: True}
        call = alice.call("102")
        rung = await mobile.rung()
        assert not desk.was_rung
        rung.answer()
        await call.answered()
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_phone_that_vanished_is_known_within_a_minute() -> None:
    async def scenario(house: House) -> None:
        (bob,) = await house.registered("102")
        for _ in range(45):  # it answers, and vanishes at the worst moment: just after that
            await asyncio.sleep(1)
            house.registrations.qualify()
            (binding,) = house.registrar.bindings("102", house.clock.monotonic())
            if binding.round_trip_ms is not None:
                break
        house.network.loses = lambda octets, flow: bob.address in (flow.remote, flow.local)
        seconds = 0
        while binding.reachable:
            await asyncio.sleep(1)
            seconds += 1
            house.registrations.qualify()
            (binding,) = house.registrar.bindings("102", house.clock.monotonic())
        assert 40 < seconds <= 55

    flow(scenario)


def test_a_phone_that_answers_options_has_a_round_trip_time() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        for _ in range(35):
            await asyncio.sleep(1)
            house.registrations.qualify()
        (binding,) = house.registrar.bindings("101", house.clock.monotonic())
        assert binding.flow.remote == alice.address
        assert binding.round_trip_ms is not None
        assert abs(binding.round_trip_ms - 2.0) < 0.5

    flow(scenario)


def test_the_best_of_several_contacts_is_rung_and_the_next_when_nobody_rings_any_more() -> None:
    async def scenario(house: House) -> None:
        alice, bob, carol, dave = await house.registered("101", "102", "103", "104")
        call = alice.call("102")
        contacts = "<sip:103@192.0.2.1>;q=0.3, <sip:0900@198.51.100.1>, <sip:104@192.0.2.1>;q=0.7"
        (await bob.rung()).respond(302, headers=[("Contact", contacts)])
        first = await dave.rung()
        assert not carol.was_rung
        first.respond(486)
        second = await carol.rung()
        second.answer()
        await call.answered()
        call.hang_up()
        await second.ended()

    assert list(flow(scenario).record.path) == ["ext:102", "ext:104", "ext:103"]


def test_a_redirection_to_a_number_without_a_phone_is_unavailable() -> None:
    async def scenario(house: House) -> None:
        house.add("103")
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        (await bob.rung()).respond(302, headers=[("Contact", "<sip:103@192.0.2.1>")])
        assert await call.failed() == 480

    record = flow(scenario).record
    assert (record.result, record.reason, record.cause) == ("unavailable", "not_registered", 20)


def test_a_redirection_past_a_number_without_a_phone_goes_to_the_next() -> None:
    async def scenario(house: House) -> None:
        house.add("103")
        alice, bob, dave = await house.registered("101", "102", "104")
        call = alice.call("102")
        contacts = "<sip:103@192.0.2.1>, <sip:104@192.0.2.1>;q=0.5"
        (await bob.rung()).respond(302, headers=[("Contact", contacts)])
        rung = await dave.rung()
        rung.answer()
        await call.answered()
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_redirection_to_a_device_that_never_registers_is_followed() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        door = house.phone("103")
        house.directory.extensions["103"].contact = f"sip:103@{door.address[0]}"
        call = alice.call("102")
        (await bob.rung()).respond(302, headers=[("Contact", "<sip:103@192.0.2.1>")])
        rung = await door.rung()
        rung.answer()
        await call.answered()
        call.hang_up()
        await rung.ended()

    flow(scenario)


def test_a_redirection_to_oneself_is_a_loop_and_one_to_nowhere_is_told() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        (await bob.rung()).respond(302, headers=[("Contact", "<sip:102@192.0.2.1>")])
        assert await call.failed() == 482
        call = alice.call("102")
        (await bob.rung()).respond(302)
        assert await call.failed() == 480

    assert [record.reason for record in flow(scenario).records.values()] == ["loop", "status_302"]


def test_a_decline_speaks_for_all_phones_of_a_number() -> None:
    async def scenario(house: House) -> None:
        (alice,) = await house.registered("101")
        desk, mobile = house.phone("102"), house.phone("102")
        await desk.register()
        await mobile.register()
        call = alice.call("102")
        ringing = await desk.rung()
        ringing.ring()
        (await mobile.rung()).respond(603)
        assert await call.failed() == 603
        await ringing.saw(sip.InviteCancelled)

    assert flow(scenario).record.result == "rejected"


def test_what_concerns_our_own_request_is_not_told_to_the_caller() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        for status, told in ((401, 480), (420, 480), (503, 480), (501, 500)):
            call = alice.call("102")
            (await bob.rung()).respond(status)
            assert await call.failed() == told

    flow(scenario)


def test_a_phone_that_is_silent_is_unavailable() -> None:
    async def scenario(house: House) -> None:
        house.add("102", no_answer_s=60.0)
        alice, bob = await house.registered("101", "102")
        house.network.loses = lambda octets, flow: flow.remote == bob.address
        assert await alice.call("102").failed() == 408

    record = flow(scenario).record
    assert (record.result, record.reason, record.cause) == ("unavailable", "no_response", 102)


def test_a_caller_who_was_answered_elsewhere_takes_that_reason_to_every_phone() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.ring()
        await asyncio.sleep(1)
        elsewhere = [("Reason", 'SIP;cause=200;text="Call completed elsewhere"')]
        alice.ua.end(call.invite, headers=elsewhere, now=alice.now())
        alice.node.transmit_soon()
        cancelled = await rung.saw(sip.InviteCancelled)
        assert [(reason.protocol, reason.cause) for reason in cancelled.reasons] == [("SIP", 200)]

    record = flow(scenario).record
    assert (record.result, record.reason, record.ended_by) == (
        "cancelled",
        "answered_elsewhere",
        "caller",
    )


def test_the_cause_that_a_bye_gives_is_recorded_and_passed_on() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        rung.answer()
        await call.answered()
        reason = [("Reason", 'Q.850;cause=31;text="Normal, unspecified", SIP;cause=200')]
        alice.ua.end(call.invite, headers=reason, now=alice.now())
        alice.node.transmit_soon()
        ended = await rung.ended()
        assert ended.request is not None
        assert [(each.protocol, each.cause) for each in ended.request.reasons] == [("Q.850", 31)]

    assert flow(scenario).record.cause == 31


def test_the_last_hop_is_used_up_and_no_hop_left_reaches_nobody() -> None:
    async def scenario(house: House) -> None:
        alice, bob = await house.registered("101", "102")

        def sent() -> list[bytes]:
            carried = [c.octets for c in house.network.carried if c.flow.remote == bob.address]
            return [octets for octets in carried if octets.startswith(b"INVITE")]

        assert await alice.call("102", max_forwards=0).failed() == 483
        assert not sent()
        await alice.call("102", max_forwards=1).failed()
        assert b"\r\nMax-Forwards: 0\r\n" in sent()[0]

    assert len(flow(scenario).records) == 1
