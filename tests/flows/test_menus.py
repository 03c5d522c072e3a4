"""Live calls in menus and flows: what callers hear, key and get, and what their records say."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pbx.call import supervision
from pbx.errors import Refused
from pbx.events import DigitReceived
from pbx.media.protocol import DigitHeard, Play, SetCodes, UpdateLeg, Watch
from pbx.plan.model import Plan
from pbx.sip import events as sip
from tests.flows.test_voicemail import Line, dialled
from tests.kit.exchange import House, RoomPins, Trunk, flow
from tests.kit.mailboxes import Voice, with_mailboxes
from tests.kit.plans import plan_of

MENU = """
defaults: {language: en}
numbers: {"400": menu:main}
menus:
  main:
    prompt: choose
    keys: {1: ext:102, 2: {goto: flow:ring}, 3: menu:other, 4: "conference:7001"}
    dial_extension: 100-199
    no_input: repeat
    give_up: voicemail:100
  other: {prompt: hello, keys: {9: back}, give_up: operator}
flows:
  ring:
    - ring: {to: ["ext:102"], each: 5s}
      no_answer: menu:main
      busy: menu:main
      failed: menu:main
conferences: {"7001": {}}
"""


def office(house: House, text: str) -> Plan:
    """Put a dialplan in force whose sounds are named as what they say."""
    house.exchange.settings = replace(house.exchange.settings, speaker=Voice())
    house.exchange.plan = plan_of(text)
    return house.exchange.plan


def test_a_caller_who_leaves_a_menu_was_answered() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        line = await dialled(house, "400")
        assert line.hears() == ["say:en:choose"]
        await asyncio.sleep(2)
        await line.hang_up()

    record = flow(scenario).record
    assert (record.result, record.reason, record.ended_by) == ("answered", "bye", "caller")
    assert record.path == ("numbers:400", "menu:main")
    assert (record.talk_s, record.ring_s, record.wait_s) == (0.0, 0.0, 0.0)
    (segment,) = record.segments
    assert (segment.kind, segment.with_, segment.result) == ("menu", "main", "ended")


def test_who_was_called_and_hangs_up_is_who_ended_the_call() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        (bob,) = await house.registered("102")
        line = await dialled(house, "400")
        await line.key("1")
        rung = await bob.rung()
        rung.ring()
        await asyncio.sleep(2)
        rung.answer()
        await asyncio.sleep(10)
        rung.hang_up()
        await line.call.ended()

    record = flow(scenario).record
    assert (record.result, record.reason, record.ended_by) == ("answered", "bye", "called")
    assert record.path == ("numbers:400", "menu:main:1", "ext:102")
    assert record.ring_s == pytest.approx(2.0, abs=0.3)
    assert record.talk_s == pytest.approx(10.0, abs=0.3)


def test_a_menu_held_and_resumed_takes_keys_as_before() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        (bob,) = await house.registered("102")
        line = await dialled(house, "400")
        phone = line.call.phone
        line.call.reinvite(phone.describe(direction="sendonly", version=2))
        await line.call.saw(sip.ReinviteAnswered)
        assert line.hears() == ["say:en:choose"], "what is said goes on"
        house.media.finish_playing(line.leg)
        await asyncio.sleep(1)
        line.call.reinvite(phone.describe(version=3))
        await asyncio.sleep(0.5)
        assert house.media.parts[line.leg].hears
        await line.key("1")
        (await bob.rung()).answer()
        await asyncio.sleep(3)
        await line.hang_up()

    record = flow(scenario).record
    assert (record.result, record.path[-1]) == ("answered", "ext:102")
    assert record.talk_s == pytest.approx(3.0, abs=0.5)


def test_a_caller_who_holds_is_not_taken_for_silent() -> None:
    async def scenario(house: House) -> None:
        house.add("100")
        with_mailboxes(house)
        office(house, MENU)
        line = await dialled(house, "400")
        await line.listen()
        phone = line.call.phone
        line.call.reinvite(phone.describe(direction="sendonly", version=2))
        await asyncio.sleep(100)
        assert line.hears() == []
        line.call.reinvite(phone.describe(version=3))
        await asyncio.sleep(1.5)
        assert line.hears() == ["say:en:choose"], "who is back hears it again"
        line.call.reinvite(phone.describe(direction="sendonly", version=4))
        house.media.finish_playing(line.leg)
        await asyncio.sleep(1000)
        assert line.hears() == ["say:en:choose"], "nobody is waited for for ever"
        await line.hang_up()

    record = flow(scenario).record
    assert record.path == ("numbers:400", "menu:main")
    assert record.hold_s == 0.0, "a hold is of a talk"


def test_a_caller_without_an_offer_hears_the_menu() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        (alice,) = await house.registered("101")
        call = alice.call("400", offer=False)
        await call.answered()
        await asyncio.sleep(0.1)
        line = Line(house, "101", call)
        assert line.hears() == ["say:en:choose"]
        assert await line.key("3") == ["say:en:hello"]
        await line.hang_up()

    house = flow(scenario)
    assert house.record.result == "answered"
    kinds = [
        type(command) for command in house.media.commands if isinstance(command, UpdateLeg | Play)
    ]
    assert kinds == [UpdateLeg, Play, Play], "the worker knows the codec first"


def test_a_caller_whose_answer_never_comes_leaves_nothing() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        (alice,) = await house.registered("101")
        call = alice.call("400", offer=False)
        call.acks_with = b""
        await call.answered()
        await call.ended()

    record = flow(scenario).record
    assert (record.result, record.reason) == ("answered", "no_answer_body")


@pytest.mark.parametrize("codecs", [("G722",), ("opus",), ("opus", "PCMA")])
def test_a_menu_speaks_what_the_phone_does(codecs: tuple[str, ...]) -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        phone = house.phone("101", codecs=codecs)
        await phone.register()
        call = phone.call("400")
        await call.answered()
        await asyncio.sleep(0.1)
        line = Line(house, "101", call)
        assert line.hears() == ["say:en:choose"]
        payload = house.media.update_of(line.leg).payload
        assert payload is not None
        assert payload.codec == codecs[0]
        await line.hang_up()

    flow(scenario, codecs=("PCMA", "PCMU", "G722", "opus"))


def test_a_phone_without_a_codec_of_ours_is_refused_with_488() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        phone = house.phone("101", codecs=("opus",))
        await phone.register()
        assert await phone.call("400").failed() == 488

    record = flow(scenario).record
    assert (record.result, record.reason, record.sip_status) == ("failed", "no_common_codec", 488)


# -- before the answer -------------------------------------------------------------------------


EARLY = """
defaults: {language: en}
numbers: {"400": flow:early}
flows:
  early:
    - answer: {early: yes}
    - say: hello
    - hangup: busy
"""


def test_what_is_said_early_is_said_without_an_answer() -> None:
    async def scenario(house: House) -> None:
        office(house, EARLY)
        (alice,) = await house.registered("101")
        call = alice.call("400")
        await asyncio.sleep(0.5)
        assert call.progress()[-1] == 183
        line = Line(house, "101", call)
        assert await line.listen() == ["say:en:hello"]
        assert await call.failed() == 486

    record = flow(scenario).record
    assert (record.result, record.reason, record.sip_status) == (
        "busy",
        "hung_up_by_dialplan",
        486,
    )
    assert (record.answered_at, record.ended_by, record.cause) == (None, "system", 17)


def test_a_caller_who_cannot_hear_early_is_answered() -> None:
    async def scenario(house: House) -> None:
        office(house, EARLY)
        (alice,) = await house.registered("101")
        call = alice.call("400", offer=False)
        await call.answered()
        await asyncio.sleep(0.1)
        assert await Line(house, "101", call).listen() == ["say:en:hello"]
        await call.ended()

    record = flow(scenario).record
    assert (record.result, record.sip_status) == ("answered", 200)


@pytest.mark.parametrize(
    ("cause", "status", "result"),
    [("normal", 480, "unavailable"), ("busy", 486, "busy"), ("rejected", 603, "rejected")],
)
def test_a_flow_that_hangs_up_unanswered_says_why(cause: str, status: int, result: str) -> None:
    async def scenario(house: House) -> None:
        office(house, f'numbers: {{"400": flow:f}}\nflows: {{f: [{{hangup: {cause}}}]}}')
        (alice,) = await house.registered("101")
        assert await alice.call("400").failed() == status

    record = flow(scenario).record
    assert (record.result, record.reason, record.sip_status, record.answered_at) == (
        result,
        "hung_up_by_dialplan",
        status,
        None,
    )


def test_a_caller_may_give_up_before_a_flow_answers() -> None:
    async def scenario(house: House) -> None:
        office(house, 'numbers: {"400": flow:f}\nflows: {f: [{pause: 30s}, {say: hello}]}')
        (alice,) = await house.registered("101")
        call = alice.call("400")
        await asyncio.sleep(5)
        call.hang_up()

    record = flow(scenario).record
    assert (record.result, record.reason, record.sip_status) == ("cancelled", "cancelled", 487)
    assert record.ended_by == "caller"


# -- keys --------------------------------------------------------------------------------------


def test_a_key_by_info_ends_what_is_said_at_once() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        line = await dialled(house, "400")
        line.call.info(b"Signal=3\r\nDuration=100\r\n", "application/dtmf-relay")
        await asyncio.sleep(0.1)
        assert line.hears() == ["say:en:hello"]
        await line.hang_up()

    assert flow(scenario).record.path == ("numbers:400", "menu:main:3", "menu:other")


def test_keys_pressed_ahead_are_taken_one_after_the_other() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        (bob,) = await house.registered("102")
        line = await dialled(house, "400")
        for key in "391":
            house.media.report(DigitHeard(line.leg, key, 100))
        await bob.rung()
        said = [source for play in house.media.sent(Play, line.leg) for source in play.sources]
        assert said == ["say:en:choose"], "the second menu and the first again are passed over"
        await line.hang_up()

    path = flow(scenario).record.path
    assert path == ("numbers:400", "menu:main:3", "menu:other:9", "menu:main:1", "ext:102")


def test_keys_pressed_while_a_phone_rings_choose_nothing_later() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        (bob,) = await house.registered("102")
        line = await dialled(house, "400")
        await line.key("2")
        rung = await bob.rung()
        rung.ring()
        await asyncio.sleep(1)
        assert line.hears() == ["tone:ring"]
        await line.key("33")
        rung.respond(486)
        await asyncio.sleep(0.5)
        assert line.hears() == ["say:en:choose"], "the caller hears again, and may choose anew"
        assert house.media.legs == {line.leg}
        await line.key("2")
        again = await bob.rung()
        again.answer()
        await asyncio.sleep(2)
        assert set(house.media.hears(line.leg))
        await line.hang_up()

    record = flow(scenario).record
    assert record.path == ("numbers:400", "menu:main:2", "menu:main:2")
    assert record.result == "answered"


def test_what_may_not_be_interrupted_is_heard_to_its_end() -> None:
    async def scenario(house: House) -> None:
        office(
            house,
            """
            defaults: {language: en}
            numbers: {"400": menu:main}
            menus:
              main: {prompt: choose, interrupt: no, keys: {1: menu:two}, give_up: operator}
              two: {prompt: hello, keys: {1: operator}, give_up: operator}
            """,
        )
        line = await dialled(house, "400")
        assert await line.key("1") == ["say:en:choose"]
        house.media.finish_playing(line.leg)
        await asyncio.sleep(0.1)
        assert line.hears() == ["say:en:hello"], "the key was kept"
        await line.hang_up()

    flow(scenario)


@pytest.mark.parametrize("click", [False, True])
def test_keys_in_the_sound_are_listened_for_wherever_the_call_was_answered(click: bool) -> None:
    """A queue answers before the menu; a click to dial answers before all."""
    plan = """
    defaults: {language: en}
    numbers: {"400": queue:service, "401": menu:main}
    queues: {service: {if_no_agents: menu:main}}
    menus: {main: {prompt: choose, keys: {1: operator}, give_up: operator}}
    """

    async def scenario(house: House) -> None:
        office(house, plan)
        house.open(house.exchange.plan)
        (alice,) = await house.registered("101")
        offer = alice.describe().replace(b" 101", b"").replace(b"a=fmtp:101 0-15\r\n", b"")
        offer = offer.replace(b"a=rtpmap:101 telephone-event/8000\r\n", b"")
        if click:
            await house.exchange.originate("101", "401")
            call = await alice.rung()
            call.answer(offer)
        else:
            call = alice.call("400", body=offer)
            await call.answered()
            await asyncio.sleep(0.1)
            house.media.finish_playing(Line(house, "101", call).leg)
        await asyncio.sleep(0.1)
        line = Line(house, "101", call)
        assert line.hears() == ["say:en:choose"]
        assert house.media.sent(Watch, line.leg)[-1].keys
        await line.hang_up()

    record = flow(scenario).record
    assert (record.result, record.reason, record.ended_by) == ("answered", "bye", "caller")


# -- recording and music -----------------------------------------------------------------------


RECORDED = """
defaults: {language: en}
numbers: {"400": flow:f}
flows:
  f:
    - say: hello
    - record: {action: start, beep: yes}
    - ask: {prompt: choose, save: pin, digits: 4-8, secret: yes, timeout: 50s, give_up: hangup}
    - music: {for: 20s}
    - record: stop
    - goto: ext:102
"""


def test_a_secret_is_recorded_by_nobody_however_long_it_takes() -> None:
    """Neither by a pause that runs out meanwhile, nor by a recording that begins in it."""

    async def scenario(house: House) -> None:
        office(house, RECORDED)
        line = await dialled(house, "400")
        house.media.finish_playing(line.leg)
        await asyncio.sleep(0.1)
        (call,) = house.exchange.calls.values()
        (recording,) = house.recordings.of(call.bridge)
        silent = house.media.paused
        assert line.hears() == ["tone:beep"], "which no prompt cuts off"
        assert not silent
        recording.pause()
        house.media.finish_playing(line.leg)
        for _ in range(3):
            await asyncio.sleep(0.1)
            assert silent == {recording.number}
            await line.listen()
            await asyncio.sleep(45)
        assert silent == {recording.number}, "it goes on by itself only when the secret is over"
        recording.stop()
        await asyncio.sleep(0.1)
        other = house.recordings.begin(call)
        assert silent == {other.number}
        await line.key("4711#")
        await asyncio.sleep(0.1)
        assert not silent
        assert line.hears() == ["music:hold.wav"]
        await asyncio.sleep(20)
        assert other.stopping, "any recording of the call is meant"
        await line.hang_up()

    house = flow(scenario)
    keyed = [stamped.event for stamped in house.events if isinstance(stamped.event, DigitReceived)]
    assert [event.digit for event in keyed] == ["?"] * 5
    assert len(house.record.recordings) == 2


@pytest.mark.parametrize("stopped", [False, True])
def test_a_recording_that_is_wanted_before_the_answer_begins_with_it(stopped: bool) -> None:
    steps = "{record: start}, {record: stop}" if stopped else "{record: start}"

    async def scenario(house: House) -> None:
        plan = f'numbers: {{"400": flow:f}}\nflows: {{f: [{steps}, {{ring: ["ext:102"]}}]}}'
        office(house, plan)
        alice, bob = await house.registered("101", "102")
        call = alice.call("400")
        rung = await bob.rung()
        assert not house.media.recording
        rung.answer()
        await call.answered()
        await asyncio.sleep(2)
        assert len(house.media.recording) == (not stopped)
        call.hang_up()

    assert len(flow(scenario).record.recordings) == (not stopped)


def test_a_call_that_is_never_answered_is_not_recorded() -> None:
    async def scenario(house: House) -> None:
        plan = 'numbers: {"400": flow:f}\nflows: {f: [{record: start}, {hangup: busy}]}'
        office(house, plan)
        (alice,) = await house.registered("101")
        assert await alice.call("400").failed() == 486

    assert flow(scenario).record.recordings == ()


def test_a_full_disk_costs_a_call_nothing_but_its_recording() -> None:
    async def scenario(house: House) -> None:
        house.recordings.refused = "the disk is full"
        office(house, RECORDED)
        line = await dialled(house, "400")
        house.media.finish_playing(line.leg)
        await asyncio.sleep(0.1)
        assert line.hears() == ["say:en:choose"], "no beep tells that it is recorded"
        await line.hang_up()

    assert flow(scenario).record.recordings == ()


def test_nobody_is_told_of_a_talk_where_there_is_none() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        await house.registered("103")
        line = await dialled(house, "400")
        with pytest.raises(Refused, match="its caller is in a menu, a mailbox or a conference"):
            await supervision.supervise(house.exchange, "101", "103", "listen")
        assert not house.media.sent(SetCodes, line.leg), "codes are of a talk too"
        await line.hang_up()

    flow(scenario)


# -- what others do ----------------------------------------------------------------------------


def test_an_administrator_ends_a_call_in_a_menu() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        line = await dialled(house, "400")
        (call_id,) = house.exchange.calls
        house.exchange.hangup(call_id)
        await line.call.ended()

    record = flow(scenario).record
    assert (record.result, record.reason) == ("answered", "hung_up_by_administrator")
    assert record.ended_by == "supervisor"
    assert record.segments[-1].result == "ended"


def test_the_server_stops_and_calls_in_menus_get_a_bye() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        one, two = await dialled(house, "400"), await dialled(house, "400", "102")
        await house.exchange.drain(1.0)
        await one.call.ended()
        await two.call.ended()

    for record in flow(scenario).records.values():
        assert (record.result, record.reason) == ("answered", "shutdown")
        assert record.segments[-1].result == "ended"


def test_a_media_worker_that_dies_ends_the_calls_in_its_menus() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        line = await dialled(house, "400")
        house.media.lose_worker()
        await line.call.ended()

    record = flow(scenario).record
    assert (record.result, record.reason) == ("answered", "media_worker_lost")
    assert record.path == ("numbers:400", "menu:main")


def test_two_callers_of_a_menu_share_nothing() -> None:
    plan = """
    defaults: {language: en}
    numbers: {"400": flow:f}
    flows:
      f:
        - ask: {prompt: hello, save: pin, digits: 1, give_up: hangup}
        - choose: pin
          "1": menu:one
          "2": menu:two
    menus:
      one: {prompt: choose, keys: {1: operator}, give_up: operator}
      two: {prompt: choose, keys: {1: operator}, give_up: operator}
    """

    async def scenario(house: House) -> None:
        office(house, plan)
        one, two = await dialled(house, "400"), await dialled(house, "400", "102")
        await two.key("2")
        await one.key("1")
        await one.hang_up()
        await two.hang_up()

    house = flow(scenario)
    paths = {record.caller.number: record.path for record in house.records.values()}
    assert paths == {"101": ("numbers:400", "menu:one"), "102": ("numbers:400", "menu:two")}


def test_a_defect_costs_the_call_that_it_happened_in() -> None:
    plan = """
    defaults: {language: en}
    numbers: {"400": flow:f, "401": menu:main}
    lookups: {one: {sql: shop, query: "SELECT 1"}}
    flows: {f: [{say: hello}, {lookup: one}]}
    menus: {main: {prompt: choose, keys: {1: operator}, give_up: operator}}
    """

    async def scenario(house: House) -> None:
        house.defects = 1
        office(house, plan)

        async def broken(*_: object) -> None:
            raise RuntimeError("a defect")

        house.enquiries.look_up = broken  # type: ignore[method-assign, assignment]
        one, two = await dialled(house, "400"), await dialled(house, "401", "102")
        house.media.finish_playing(one.leg)
        await one.call.ended()
        assert two.hears() == ["say:en:choose"]
        await two.hang_up()

    reasons = sorted(record.reason for record in flow(scenario).records.values())
    assert reasons == ["bye", "internal_error"]


def test_a_call_keeps_the_dialplan_that_it_began_with() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        line = await dialled(house, "400")
        house.exchange.plan = plan_of('numbers: {"400": hangup}')
        assert await line.key("3") == ["say:en:hello"]
        await line.hang_up()

    assert flow(scenario).record.path[-1] == "menu:other"


def test_a_carriers_caller_comes_by_a_menu_to_a_phone() -> None:
    plan = """
    defaults: {language: en}
    numbers: {"4008001234": {to: flow:f, tag: sales}}
    flows:
      f:
        - if: caller.verified is yes
          then: hangup
        - record: start
        - say: hello
        - goto: menu:main
    menus: {main: {prompt: choose, keys: {1: ext:102}, give_up: hangup}}
    """

    async def scenario(house: House) -> None:
        house.trunk(Trunk("carrier", "198.51.100.7"))
        office(house, plan)
        (bob,) = await house.registered("102")
        call = house.phone("13800138000", host="198.51.100.7").call("4008001234")
        await call.answered()
        await asyncio.sleep(0.1)
        line = Line(house, "13800138000", call)
        house.media.finish_playing(line.leg)
        await asyncio.sleep(0.1)
        await line.key("1")
        rung = await bob.rung()
        assert rung.request is not None
        assert rung.request.from_.uri.number == "13800138000"
        rung.answer()
        await asyncio.sleep(4)
        rung.hang_up()
        await call.ended()

    record = flow(scenario).record
    assert (record.direction, record.result, record.ended_by) == ("inbound", "answered", "called")
    assert record.path == ("numbers:4008001234", "menu:main:1", "ext:102")
    assert record.tags == ("sales",)
    assert len(record.recordings) == 1
    assert record.talk_s == pytest.approx(4.0, abs=0.3)


# -- places that a menu leads to ---------------------------------------------------------------


def test_a_phone_without_a_common_codec_leads_back_to_the_menu() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        bob = house.phone("102", codecs=("opus",))
        await bob.register()
        line = await dialled(house, "400")
        await line.key("2")
        (await bob.rung()).answer()
        await asyncio.sleep(0.5)
        assert line.hears() == ["say:en:choose"]
        await line.hang_up()

    flow(scenario)


def test_early_media_of_a_phone_that_fails_leaves_the_menu_audible() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        (bob,) = await house.registered("102")
        line = await dialled(house, "400")
        await line.key("2")
        rung = await bob.rung()
        rung.ring()
        await asyncio.sleep(0.5)
        rung.early_media()
        await asyncio.sleep(0.5)
        assert line.hears() == [], "the phone is heard instead of our ringing"
        assert house.media.hears(line.leg)
        rung.respond(486)
        await asyncio.sleep(0.5)
        assert line.hears() == ["say:en:choose"]
        assert not house.media.hears(line.leg)
        await line.hang_up()

    flow(scenario)


def test_the_rung_phone_shows_what_the_dialplan_says() -> None:
    plan = """
    numbers: {"400": flow:f}
    flows:
      f:
        - caller_name: "Order desk"
        - ring: {to: ["ext:102"], caller_id: "4008001234"}
    """

    async def scenario(house: House) -> None:
        office(house, plan)
        alice, bob = await house.registered("101", "102")
        call = alice.call("400")
        rung = await bob.rung()
        assert rung.request is not None
        shown = rung.request.from_
        assert (shown.display_name, shown.uri.user) == ("Order desk", "4008001234")
        call.hang_up()

    flow(scenario)


@pytest.mark.parametrize("place", ["voicemail:100", "queue:service", "conference:7001"])
def test_the_language_of_a_call_goes_with_it(place: str) -> None:
    plan = f"""
    numbers: {{"400": flow:f}}
    flows: {{f: [{{language: yue}}, {{goto: "{place}"}}]}}
    voicemail: {{"100": {{}}}}
    queues: {{service: {{if_no_agents: hangup}}}}
    conferences: {{"7001": {{pin: yes}}}}
    """

    async def scenario(house: House) -> None:
        with_mailboxes(house)
        house.directory.pins["7001"] = RoomPins("1234", "9999")
        office(house, plan)
        house.open(house.exchange.plan)
        line = await dialled(house, "400")
        heard = line.hears()
        assert heard
        assert all(source.startswith("say:yue:") for source in heard), heard
        await line.hang_up()

    flow(scenario)


def test_a_conference_that_ends_says_nothing_more_to_who_was_in_it() -> None:
    async def scenario(house: House) -> None:
        office(house, MENU)
        line = await dialled(house, "400")
        await line.key("4")
        await line.listen()
        room = house.exchange.conferences.find("7001")
        house.media.commands.clear()
        room.member("101").put_out("kicked")
        await asyncio.sleep(0.1)
        await line.listen()
        said = [source for play in house.media.sent(Play) for source in play.sources]
        assert said == ["tone:leave"]
        await line.call.ended()

    record = flow(scenario).record
    assert (record.result, record.reason) == ("answered", "kicked")
    assert record.path == ("numbers:400", "menu:main:4", "conference:7001")


def test_a_menu_given_up_ends_in_its_mailbox() -> None:
    async def scenario(house: House) -> None:
        house.add("100")
        with_mailboxes(house)
        office(house, MENU)
        line = await dialled(house, "400")
        for _ in range(3):
            await line.listen()
            await asyncio.sleep(6)
        await line.listen()
        await line.speak(5)
        await line.key("#")
        await line.listen()
        await line.call.ended()

    record = flow(scenario).record
    assert (record.result, record.reason) == ("voicemail", "message")
    assert record.path == ("numbers:400", "menu:main:give_up", "voicemail:100")
    kinds = [(segment.kind, segment.with_) for segment in record.segments]
    assert kinds == [("menu", "main"), ("voicemail", "100")]
