"""Calls out by lines: which line, which number, when the next one, and who may not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pbx.cdr.record import CallRecord
from pbx.events import LegInvited
from pbx.plan.destination import Destination
from pbx.plan.model import Defaults, NumberRoute, OutboundRule, Plan, RingGroup
from pbx.sip import events as sip
from pbx.sip.flow import Flow
from pbx.sip.headers import Uri
from tests.kit.carrier import USER, Carrier
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall

MOBILE = "13800138000"
HELP = OutboundRule("emergency", ("110", "120"), ("main",), emergency=True)


def plan_of(*rules: OutboundRule, **numbers: str) -> Plan:
    routes = {}
    for key, place in numbers.items():
        number = key.removeprefix("n")
        routes[number] = NumberRoute(number, Destination(*place.split(":")))
    return Plan("test", routes, outbound={rule.name: rule for rule in rules})


def national(*trunks: str, **told: object) -> OutboundRule:
    rule = OutboundRule("national", ("0", "1"), trunks or ("main",))
    return replace(rule, **told)


def lines(house: House, *hosts: str, **told: object) -> list[Carrier]:
    """Make carriers without a password; their lines are called main, backup, third."""
    carriers = [Carrier(house, host) for host in hosts]
    for name, carrier in zip(("main", "backup", "third"), carriers, strict=False):
        house.trunk(carrier.trunk(name, **told))
    return carriers


async def talk(call: PhoneCall, far: PhoneCall) -> None:
    far.answer()
    await call.answered()
    await asyncio.sleep(2)
    call.hang_up()
    await far.ended()


def test_a_number_goes_out_by_its_line_and_is_recorded_as_outbound() -> None:
    async def scenario(house: House) -> None:
        (carrier,) = lines(house, "198.51.100.7")
        house.exchange.plan = plan_of(national(caller_id="02888886666"))
        (alice,) = await house.registered("101")
        call = alice.call(MOBILE)
        far = await carrier.called()
        request = far.request
        assert request is not None
        assert str(request.uri) == f"sip:{MOBILE}@198.51.100.7"
        assert str(request.to.uri) == f"sip:{MOBILE}@198.51.100.7"
        assert request.from_.uri.user == "02888886666"
        assert request.headers.get("P-Asserted-Identity") == "<sip:02888886666@192.0.2.1>"
        assert request.headers.get("Privacy") is None
        await talk(call, far)

    house = flow(scenario)
    record = house.record
    assert (record.direction, record.caller.number, record.called.number) == (
        "outbound",
        "101",
        MOBILE,
    )
    assert (record.result, record.path) == ("answered", (f"number:{MOBILE}",))
    legs = [event for event in house.happened(LegInvited) if isinstance(event, LegInvited)]
    assert [(leg.number, leg.trunk) for leg in legs] == [("101", None), (MOBILE, "main")]


def test_the_longest_beginning_wins_and_digits_are_taken_off_and_put_on() -> None:
    async def scenario(house: House) -> None:
        main, backup = lines(house, "198.51.100.7", "198.51.100.8")
        house.exchange.plan = plan_of(
            national("main"),
            OutboundRule("nine", ("9",), ("main",), strip=1),
            OutboundRule("abroad", ("90",), ("backup",), strip=1, add="+"),
        )
        (alice,) = await house.registered("101")
        for dialled, carrier, sent in (
            ("913800138000", main, "13800138000"),
            ("90013", backup, "+0013"),
            ("10086", main, "10086"),
        ):
            call = alice.call(dialled)
            far = await carrier.called()
            assert far.request is not None
            assert far.request.uri.user == sent
            far.respond(486)
            assert await call.failed() == 486
        assert await alice.call("5551234").failed() == 404

    house = flow(scenario)
    assert next(iter(house.records.values())).called.number == "913800138000"


@pytest.mark.parametrize("status", [408, 500, 503, 504])
def test_the_next_line_is_tried_where_one_fails(status: int) -> None:
    async def scenario(house: House) -> None:
        main, backup = lines(house, "198.51.100.7", "198.51.100.8")
        main.answers = [status]
        house.exchange.plan = plan_of(national("main", "backup"))
        (alice,) = await house.registered("101")
        call = alice.call(MOBILE)
        await talk(call, await backup.called())

    assert flow(scenario).record.result == "answered"


@pytest.mark.parametrize(
    ("status", "heard", "result"),
    [
        (403, 403, "failed"),
        (404, 404, "failed"),
        (480, 480, "unavailable"),
        (486, 486, "busy"),
        (488, 488, "failed"),
        (600, 600, "busy"),
        (603, 603, "rejected"),
    ],
)
def test_no_other_line_is_tried_where_the_party_says_no(
    status: int, heard: int, result: str
) -> None:
    async def scenario(house: House) -> None:
        main, backup = lines(house, "198.51.100.7", "198.51.100.8")
        main.answers = [status]
        house.exchange.plan = plan_of(national("main", "backup"))
        (alice,) = await house.registered("101")
        assert await alice.call(MOBILE).failed() == heard
        assert not backup.was_called

    assert flow(scenario).record.result == result


def test_a_silent_line_is_left_after_4_s_and_tried_last_for_a_minute() -> None:
    async def scenario(house: House) -> None:
        (backup,) = lines(house, "198.51.100.8")
        house.trunk(backup.trunk("backup"))
        house.trunk(replace(backup.trunk("main"), host="203.0.113.1"))  # nobody is there
        house.exchange.plan = plan_of(national("main", "backup"))
        (alice,) = await house.registered("101")
        for most in (4.5, 0.5):
            began = house.clock.monotonic()
            call = alice.call(MOBILE)
            far = await backup.called()
            assert house.clock.monotonic() - began < most
            await talk(call, far)
        main = house.lines.get("main")
        assert main is not None
        assert main.trouble == "a call had no answer"
        await asyncio.sleep(61)
        assert main.is_reachable(house.clock.monotonic())
        await house.settle(40)

    flow(scenario)


def test_all_lines_fail_and_the_caller_hears_so() -> None:
    async def scenario(house: House) -> None:
        main, backup = lines(house, "198.51.100.7", "198.51.100.8")
        main.answers, backup.answers = [503], [500]
        house.exchange.plan = plan_of(national("main", "backup"))
        (alice,) = await house.registered("101")
        assert await alice.call(MOBILE).failed() == 500

    assert flow(scenario).record.result == "failed"


# -- proving who we are ----------------------------------------------------------------------------


def test_a_challenge_of_the_carrier_is_answered_in_and_out_of_the_dialog() -> None:
    async def scenario(house: House) -> None:
        carrier = Carrier(house, "198.51.100.7", password="geheim")
        house.trunk(carrier.trunk("main"))
        house.exchange.plan = plan_of(national())
        (alice,) = await house.registered("101")
        call = alice.call(MOBILE)
        far = await carrier.called()
        first, second = carrier.asked
        assert first.headers.get("Proxy-Authorization") is None
        assert (first.call_id, first.from_tag) == (second.call_id, second.from_tag)
        assert second.cseq.number == first.cseq.number + 1
        assert second.from_.uri.user == USER
        await talk(call, far)
        alarms = house.alarms
        assert not alarms

    assert flow(scenario).record.result == "answered"


def test_a_wrong_password_is_an_error_of_the_line() -> None:
    async def scenario(house: House) -> None:
        carrier = Carrier(house, "198.51.100.7", password="geheim")
        house.trunk(replace(carrier.trunk("main"), password="falsch"))
        house.exchange.plan = plan_of(national())
        (alice,) = await house.registered("101")
        assert await alice.call(MOBILE).failed() == 480
        assert len(carrier.asked) == 2, "it is not tried for ever"
        line = house.lines.get("main")
        assert line is not None
        assert line.trouble == "a call was refused: 407"

    flow(scenario)


def test_another_realm_than_the_first_gets_nothing_and_raises_one_alarm() -> None:
    async def scenario(house: House) -> None:
        carrier = Carrier(house, "198.51.100.7", password="geheim")
        house.trunk(carrier.trunk("main"))
        house.exchange.plan = plan_of(national())
        (alice,) = await house.registered("101")
        call = alice.call(MOBILE)
        await talk(call, await carrier.called())
        carrier.realm = "evil.example"
        for _ in range(2):
            assert await alice.call(MOBILE).failed() == 480
        proofs = [each.headers.get("Proxy-Authorization") for each in carrier.asked]
        assert [proof is not None for proof in proofs] == [False, True, False, False]
        (alarm,) = house.alarms
        assert "realm 'evil.example'" in alarm

    flow(scenario)


def test_a_phone_that_challenges_us_learns_no_digest() -> None:
    async def scenario(house: House) -> None:
        carrier = Carrier(house, "198.51.100.7", password="geheim")
        house.trunk(carrier.trunk("main"))
        house.exchange.plan = plan_of(national())
        alice, bob = await house.registered("101", "102")
        call = alice.call("102")
        rung = await bob.rung()
        challenge = ("Proxy-Authenticate", 'Digest realm="carrier.example", nonce="n", qop="auth"')
        rung.respond(407, headers=(challenge,))
        assert await call.failed() == 480
        assert not bob.was_rung

    assert "Proxy-Authorization" not in flow(scenario).network.ladder()


# -- the number that is shown ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owned", "extension", "rule", "shown"),
    [
        (("02888886666", "02888886667"), "02888886667", None, "02888886667"),
        (("02888886666", "02888886667"), None, "02888886667", "02888886667"),
        (("02888886666", "02888886667"), None, None, "02888886666"),
        (("02888886666", "02888886667"), "02812345678", "+862888886667", "02888886667"),
        (("02888886666",), None, "02812345678", "02888886666"),
        ((), "02888886667", "02888886666", "02888886666"),
        ((), None, None, None),
    ],
)
def test_only_a_number_of_the_line_is_shown(
    owned: tuple[str, ...], extension: str | None, rule: str | None, shown: str | None
) -> None:
    async def scenario(house: House) -> None:
        (carrier,) = lines(house, "198.51.100.7", numbers=owned)
        house.exchange.plan = plan_of(national(caller_id=rule))
        (alice,) = await house.registered("101")
        house.directory.extensions["101"].caller_id = extension
        call = alice.call(MOBILE)
        far = await carrier.called()
        assert far.request is not None
        headers = far.request.headers
        if shown is None:
            assert str(far.request.from_.uri) == "sip:anonymous@anonymous.invalid"
            assert headers.get("Privacy") == "id"
        else:
            assert far.request.from_.uri.user == shown
            assert shown in (headers.get("P-Asserted-Identity") or "")
        far.respond(486)
        await call.failed()

    flow(scenario)


# -- limits ----------------------------------------------------------------------------------------


def test_a_full_line_is_passed_over_and_none_left_is_503_and_an_alarm() -> None:
    async def scenario(house: House) -> None:
        main, backup = lines(house, "198.51.100.7", "198.51.100.8", max_calls=1)
        house.exchange.plan = plan_of(national("main", "backup"))
        alice, bob, carol = await house.registered("101", "102", "103")
        first, far = alice.call(MOBILE), await main.called()
        second, away = bob.call(MOBILE), await backup.called()
        assert await carol.call(MOBILE).failed() == 503
        assert "no line has room" in house.alarms[-1]
        for call, end in ((first, far), (second, away)):
            await talk(call, end)
        call = carol.call(MOBILE)
        await talk(call, await main.called())

    house = flow(scenario)
    refused = [each for each in house.records.values() if each.reason == "no_line"]
    assert [(each.result, each.caller.number) for each in refused] == [("unavailable", "103")]


def test_calls_go_on_counting_where_their_line_changes() -> None:
    async def scenario(house: House) -> None:
        (main,) = lines(house, "198.51.100.7", max_calls=1)
        house.exchange.plan = plan_of(national())
        (alice,) = await house.registered("101")
        call, far = alice.call(MOBILE), await main.called()
        house.trunk(main.trunk("main", max_calls=1, numbers=("02888886666",)))
        assert await alice.call(MOBILE).failed() == 503
        await talk(call, far)
        again = alice.call(MOBILE)
        await talk(again, await main.called())

    flow(scenario)


def test_calls_in_and_out_count_together() -> None:
    async def scenario(house: House) -> None:
        (main,) = lines(house, "198.51.100.7", max_calls=1)
        house.exchange.plan = plan_of(national("main"), n400="ext:102")
        alice, bob = await house.registered("101", "102")
        call = alice.call(MOBILE)
        far = await main.called()
        refused = main.call_in("400")
        assert await refused.failed() == 503
        assert "trunk main is full" in house.alarms[-1]
        await talk(call, far)
        inbound = main.call_in("400")
        await talk(inbound, await bob.rung())

    flow(scenario)


def test_only_so_many_calls_go_out_within_a_minute() -> None:
    async def scenario(house: House) -> None:
        (main,) = lines(house, "198.51.100.7", per_minute=2)
        house.exchange.plan = plan_of(national("main"))
        (alice,) = await house.registered("101")
        for status in (486, 486, 503):
            main.answers = [486]
            assert await alice.call(MOBILE).failed() == status
        await asyncio.sleep(61)
        assert await alice.call(MOBILE).failed() == 486

    flow(scenario)


# -- toll fraud ------------------------------------------------------------------------------------


def test_an_extension_has_three_calls_abroad_at_once_and_the_fourth_is_denied() -> None:
    async def scenario(house: House) -> None:
        (carrier,) = lines(house, "198.51.100.7")
        house.exchange.plan = plan_of(national())
        phones = await house.registered("101", "102")
        calls = [(phones[0].call("0085221234567"), await carrier.called()) for _ in range(3)]
        assert await phones[0].call("0085221234567").failed() == 403
        assert "extension 101 was refused" in house.alarms[-1]
        near = phones[0].call(MOBILE)
        calls.append((near, await carrier.called()))
        calls.append((phones[1].call("0085221234567"), await carrier.called()))
        for call, far in calls:
            await talk(call, far)
        last = phones[0].call("0085221234567")
        await talk(last, await carrier.called())

    house = flow(scenario)
    (denied,) = [each for each in house.records.values() if each.reason == "denied"]
    assert (denied.result, denied.caller.number) == ("rejected", "101")


@pytest.mark.parametrize("abroad", ["0085221234567", "00-852-2123-4567"])
def test_no_number_of_calls_at_one_moment_gets_around_the_limits(
    abroad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(house: House) -> None:
        (carrier,) = lines(house, "198.51.100.7", max_calls=5)
        house.exchange.plan = plan_of(national())
        phones = await house.registered("101", "102", "103", "104")
        outward = house.exchange.outward
        flows = outward.flows_for(Uri("sip", None, host=carrier.address[0]))

        async def resolve(_uri: Uri) -> list[Flow]:
            await asyncio.sleep(0.5)
            return flows or []

        with monkeypatch.context() as patched:
            patched.setattr(outward, "flows_for", lambda _uri: None)
            patched.setattr(outward, "resolve", resolve)
            calls = [phones[0].call(abroad) for _ in range(6)]
            calls += [phone.call(MOBILE) for phone in phones[1:]]
            out = [await carrier.called() for _ in range(5)]
            await asyncio.sleep(5)
        refused = [
            event.status
            for call in calls
            for event in call.events
            if isinstance(event, sip.InviteFailed) and event.status != 401
        ]
        assert sorted(refused) == [403, 403, 403, 503], "three abroad, five by the line"
        assert len({str(far.request.uri) for far in out if far.request is not None}) == 2
        for call in calls:
            call.hang_up()
        await asyncio.sleep(1)

    flow(scenario)


def test_twenty_calls_abroad_within_an_hour_are_enough() -> None:
    async def scenario(house: House) -> None:
        (carrier,) = lines(house, "198.51.100.7")
        house.exchange.plan = plan_of(national())
        (alice,) = await house.registered("101")
        for _ in range(20):
            carrier.answers = [486]
            assert await alice.call("0085221234567").failed() == 486
        assert await alice.call("0085221234567").failed() == 403
        await asyncio.sleep(3601)
        carrier.answers = [486]
        await alice.register()
        assert await alice.call("0085221234567").failed() == 486

    flow(scenario)


def test_a_carriers_call_never_goes_out_again_but_by_the_dialplans_own_word() -> None:
    async def scenario(house: House) -> None:
        main, backup = lines(house, "198.51.100.7", "198.51.100.8")
        house.exchange.plan = plan_of(national("backup"), HELP, n400=f"number:{MOBILE}")
        for number in (MOBILE, "0085221234567", "110"):
            assert await main.call_in(number).failed() == 404
        call = main.call_in("400", from_="02012345678")
        await talk(call, await backup.called())

    house = flow(scenario)
    last = list(house.records.values())[-1]
    assert (last.direction, last.path) == ("inbound", ("numbers:400", f"number:{MOBILE}"))


# -- emergency -------------------------------------------------------------------------------------


def test_help_is_called_before_everything_else_and_by_any_line() -> None:
    async def scenario(house: House) -> None:
        main, backup = lines(house, "198.51.100.7", "198.51.100.8", max_calls=1, per_minute=1)
        house.exchange.plan = plan_of(HELP, national("main"), n110="ext:102")
        alice, _ = await house.registered("101", "102")
        busy, far = alice.call(MOBILE), await main.called()
        main.answers = [503]
        call = alice.call("110")
        helper = await backup.called()
        assert len(main.asked) == 2, "a full line is tried all the same"
        assert helper.request is not None
        assert helper.request.uri.user == "110"
        await talk(call, helper)
        await talk(busy, far)
        assert "emergency call: 101 calls 110" in house.alarms

    flow(scenario)


def test_help_is_called_where_the_office_is_congested() -> None:
    async def scenario(house: House) -> None:
        (main,) = lines(house, "198.51.100.7")
        house.exchange.plan = plan_of(HELP)
        (alice,) = await house.registered("101")
        house.exchange.congested = lambda: True
        assert await alice.call("102").failed() == 503
        call = alice.call("120")
        await talk(call, await main.called())

    flow(scenario)


def test_an_emergency_number_is_matched_whole() -> None:
    async def scenario(house: House) -> None:
        lines(house, "198.51.100.7")
        house.exchange.plan = plan_of(HELP)
        (alice,) = await house.registered("101")
        assert await alice.call("1101").failed() == 404

    flow(scenario)


@pytest.mark.parametrize("dialled", ["911", "9911"])
def test_help_is_called_where_a_digit_gets_a_line(dialled: str) -> None:
    async def scenario(house: House) -> None:
        (main,) = lines(house, "198.51.100.7", max_calls=0)
        nine = OutboundRule("nine", ("9",), ("main",), strip=1)
        house.exchange.plan = replace(plan_of(nine), defaults=Defaults(country="US"))
        (alice,) = await house.registered("101")
        house.exchange.congested = lambda: True
        call = alice.call(dialled)
        helper = await main.called()
        assert helper.request is not None
        assert helper.request.uri.user == "911"
        await talk(call, helper)

    flow(scenario)


def test_what_the_country_has_for_help_goes_out_where_the_dialplan_forgot_it() -> None:
    async def scenario(house: House) -> None:
        (main,) = lines(house, "198.51.100.7")
        house.exchange.plan = plan_of()
        (alice,) = await house.registered("101")
        call = alice.call("119")
        await talk(call, await main.called())
        house.add("120")
        assert await alice.call("120").failed() == 480, "an extension of that number is meant"

    flow(scenario)


# -- by others -------------------------------------------------------------------------------------


def test_a_member_of_a_ring_group_may_be_outside_and_the_next_line_stands_in() -> None:
    async def scenario(house: House) -> None:
        main, backup = lines(house, "198.51.100.7", "198.51.100.8")
        main.answers = [503]
        plan = plan_of(national("main", "backup"), n400="ring:desk")
        group = RingGroup("desk", (Destination("ext", "102"), Destination("number", MOBILE)))
        house.exchange.plan = replace(plan, ring_groups={"desk": group})
        alice, bob = await house.registered("101", "102")
        call = alice.call("400")
        rung, far = await bob.rung(), await backup.called()
        await talk(call, far)
        assert rung.events

    record = flow(scenario).record
    assert record.result == "answered"


def test_click_to_dial_calls_out_as_the_extension() -> None:
    async def scenario(house: House) -> None:
        (carrier,) = lines(house, "198.51.100.7", numbers=("02888886666", "02888886667"))
        house.exchange.plan = plan_of(national())
        (alice,) = await house.registered("101")
        house.directory.extensions["101"].caller_id = "02888886667"
        await house.exchange.originate("101", MOBILE)
        (await alice.rung()).answer()
        far = await carrier.called()
        assert far.request is not None
        assert far.request.from_.uri.user == "02888886667"
        far.answer()
        await asyncio.sleep(1)
        far.hang_up()

    record: CallRecord = flow(scenario).record
    assert (record.direction, record.result) == ("outbound", "answered")


def test_a_redirection_by_a_carrier_is_followed_nowhere() -> None:
    async def scenario(house: House) -> None:
        (carrier,) = lines(house, "198.51.100.7")
        house.exchange.plan = plan_of(national())
        alice, bob = await house.registered("101", "102")
        carrier.answers = [100]
        call = alice.call(MOBILE)
        far = await carrier.called()
        far.respond(302, headers=(("Contact", "<sip:102@192.0.2.1>"),))
        assert await call.failed() == 480
        assert not bob.was_rung

    flow(scenario)
