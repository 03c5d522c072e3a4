"""The lamp for waiting messages: told unasked after REGISTER, told in subscriptions, and to whom
never."""

from __future__ import annotations

import asyncio

import pytest

from pbx.call.message_waiting import BURST, MAX_SUBSCRIPTIONS, PAUSE
from pbx.sip.message import Request
from tests.kit.exchange import EXCHANGE, House, flow
from tests.kit.lamp import LampPhone, lamp_phones

ROUND_TRIP = 0.01


async def changed(house: House, box: str, new: int, old: int = 0) -> None:
    """Let a box hold other messages, and its phones hear of it."""
    house.messages[box] = (new, old)
    house.message_waiting.changed(box)
    await asyncio.sleep(PAUSE + ROUND_TRIP)


async def keep_asking(house: House, seconds: int) -> None:
    """Let phones be asked whether they are there, as housekeeping does each second."""
    for _ in range(seconds):
        await asyncio.sleep(1)
        house.registrations.qualify()


def quiet(house: House) -> bool:
    """Tell whether the exchange waits for no phone and keeps no subscription."""
    counts = house.message_waiting.snapshot()
    return not (counts["subscriptions"] or counts["waiting"] or counts["under_way"])


# -- unasked -------------------------------------------------------------------------------------


def test_a_phone_that_registers_is_told_how_its_box_is() -> None:
    async def scenario(house: House) -> None:
        house.messages["101"] = (2, 8)
        (phone,) = lamp_phones(house, "101")
        assert await phone.register() == 200
        await asyncio.sleep(ROUND_TRIP)
        (notify,) = phone.told
        assert notify.body == (
            b"Messages-Waiting: yes\r\n"
            b"Message-Account: sip:101@192.0.2.1\r\n"
            b"Voice-Message: 2/8 (0/0)\r\n"
        )
        assert notify.headers.get("Event") == "message-summary"
        assert notify.headers.get("Content-Type") == "application/simple-message-summary"
        assert phone.states == ["terminated"]
        assert phone.asked_for == [False]
        assert notify.uri_text == "sip:101@192.0.2.100:5060"
        assert str(notify.to.uri) == "sip:101@192.0.2.1"
        assert str(notify.contacts[0].uri) == "sip:101@192.0.2.1:5060"
        assert quiet(house)

    flow(scenario)


def test_every_renewal_tells_it_again() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        for _ in range(3):
            await phone.register()
            await asyncio.sleep(PAUSE + ROUND_TRIP)
        assert phone.shown == ["0/0"] * 3
        assert phone.lamp is False

    flow(scenario)


def test_a_change_lights_the_lamps_of_all_phones_of_the_box_and_of_no_other() -> None:
    async def scenario(house: House) -> None:
        first, second, other = phones = lamp_phones(house, "101", "101", "102")
        for phone in phones:
            await phone.register()
        await asyncio.sleep(1)
        await changed(house, "101", 1)
        assert (first.lamp, second.lamp, other.lamp) == (True, True, False)
        await changed(house, "101", 0, 1)
        assert (first.shown[-1], second.shown[-1]) == ("0/1", "0/1")
        assert (first.lamp, len(other.told)) == (False, 1)

    flow(scenario)


def test_changes_before_the_answer_are_told_once_more() -> None:
    async def scenario(house: House) -> None:
        house.network.delay = 1.0
        (phone,) = lamp_phones(house, "101")
        await phone.register()
        for new in range(1, 6):
            house.messages["101"] = (new, 0)
            house.message_waiting.changed("101")
            await asyncio.sleep(0.05)
        assert house.message_waiting.snapshot()["under_way"] == 1
        await asyncio.sleep(8)
        seen = list(dict.fromkeys(phone.shown))
        assert seen == ["0/0", "5/0"] or seen == ["1/0", "5/0"]

    flow(scenario)


@pytest.mark.parametrize("status", [403, 404, 405, 481, 489, 501])
def test_a_phone_that_wants_none_is_asked_again_only_when_it_starts_anew(status: int) -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        phone.answers = lambda notify: status
        await phone.register()
        await asyncio.sleep(PAUSE + ROUND_TRIP)
        await changed(house, "101", 1)
        await phone.register()
        await asyncio.sleep(PAUSE + ROUND_TRIP)
        assert phone.shown == ["0/0"]
        phone.restart()
        await phone.register()
        await asyncio.sleep(PAUSE + ROUND_TRIP)
        assert phone.shown == ["0/0", "1/0"]

    flow(scenario)


def test_a_phone_that_did_not_answer_is_asked_at_its_next_register() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        phone.answers = lambda notify: 0
        await phone.register()
        await asyncio.sleep(40)
        tried = len(phone.told)
        assert tried > 1
        await changed(house, "101", 1)
        assert len(phone.told) == tried
        phone.answers = lambda notify: 200
        await phone.register()
        await asyncio.sleep(PAUSE + ROUND_TRIP)
        assert phone.shown[tried:] == ["1/0"]

    flow(scenario)


def test_a_phone_that_failed_for_once_is_told_of_the_next_change() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        phone.answers = lambda notify: 500
        await phone.register()
        await asyncio.sleep(PAUSE + ROUND_TRIP)
        await changed(house, "101", 3)
        assert phone.shown == ["0/0", "3/0"]

    flow(scenario)


def test_a_phone_that_is_unreachable_is_told_when_it_answers_again() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        await phone.register()
        house.network.loses = lambda octets, flow: octets.startswith(b"OPTIONS")
        await keep_asking(house, 140)
        await changed(house, "101", 1)
        assert phone.shown == ["0/0"]
        house.network.loses = lambda octets, flow: False
        await keep_asking(house, 60)
        assert phone.shown == ["0/0", "1/0"]

    flow(scenario)


def test_many_phones_at_once_are_told_in_small_bursts() -> None:
    async def scenario(house: House) -> None:
        phones = lamp_phones(house, *(str(1000 + n) for n in range(150)))
        before = len(house.network.carried)
        await asyncio.gather(*(phone.register() for phone in phones))
        await asyncio.sleep(3)
        assert all(phone.shown == ["0/0"] for phone in phones)
        times = [each.at for each in house.network.carried[before:] if each.octets[:6] == b"NOTIFY"]
        assert len(times) == len(phones)
        for at in times:
            assert sum(at <= other < at + PAUSE * 0.9 for other in times) <= BURST
        assert max(times) - min(times) > 0.6
        assert quiet(house)

    flow(scenario)


def test_a_phone_that_leaves_before_its_turn_is_told_nothing() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        await phone.register()
        await asyncio.sleep(ROUND_TRIP)
        house.message_waiting.changed("101")  # in the pause after the first
        await phone.register(expires=0)
        await asyncio.sleep(1)
        assert len(phone.told) == 1
        assert quiet(house)

    flow(scenario)


def test_a_phone_that_has_left_is_forgotten_as_one_that_wants_none() -> None:
    async def scenario(house: House) -> None:
        first, second = lamp_phones(house, "101", "101")
        for phone in (first, second):
            phone.answers = lambda notify: 405
            await phone.register()
            await asyncio.sleep(PAUSE + ROUND_TRIP)
            await phone.register(expires=0)
        assert house.message_waiting.snapshot()["silent"] == 1
        house.directory.extensions.clear()
        house.registrations.directory_changed()
        assert house.message_waiting.snapshot()["silent"] == 0

    flow(scenario)


# -- subscribed ----------------------------------------------------------------------------------


def test_a_subscriber_is_told_at_once_at_each_change_and_at_the_end() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        response = await phone.subscribe(expires=600)
        assert (response.status, response.expires) == (200, 600)
        await asyncio.sleep(ROUND_TRIP)
        await changed(house, "101", 2, 8)
        await phone.subscribe(expires=0)
        await asyncio.sleep(ROUND_TRIP)
        assert phone.shown == ["0/0", "2/8", "2/8"]
        assert phone.states == [
            "active;expires=600",
            "active;expires=600",
            "terminated;reason=timeout",
        ]
        assert phone.told[1].body.endswith(b"Voice-Message: 2/8 (0/0)\r\n")
        assert quiet(house)

    flow(scenario)


def test_a_subscriber_that_registers_is_told_in_its_subscription_alone() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        await phone.subscribe()
        await asyncio.sleep(ROUND_TRIP)
        await phone.register()
        await asyncio.sleep(PAUSE + ROUND_TRIP)
        await changed(house, "101", 1)
        assert phone.asked_for == [True, True, True]
        assert phone.shown == ["0/0", "0/0", "1/0"]

    flow(scenario)


def test_a_phone_that_was_switched_off_and_on_sees_its_lamp_again() -> None:
    """Its subscription of before still seems to live; the phone no longer knows of it."""

    async def scenario(house: House) -> None:
        house.messages["101"] = (1, 0)
        (phone,) = lamp_phones(house, "101")
        await phone.register()
        await phone.subscribe()
        await asyncio.sleep(1)
        phone.restart()
        phone.told.clear()
        await phone.register()
        await asyncio.sleep(1)
        assert phone.asked_for == [True, False]
        assert phone.lamp is True
        assert quiet(house)

    flow(scenario)


def test_a_subscriber_that_is_gone_is_told_unasked_what_it_missed() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        await phone.register()
        await phone.subscribe()
        await asyncio.sleep(1)
        phone.restart()
        await changed(house, "101", 4)
        assert phone.asked_for[-2:] == [True, False]
        assert phone.shown[-1] == "4/0"

    flow(scenario)


def test_a_subscription_that_is_not_refreshed_ends() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        await phone.subscribe(expires=60)
        await asyncio.sleep(61)
        assert phone.states == ["active;expires=60", "terminated;reason=timeout"]
        assert quiet(house)

    flow(scenario)


def test_an_extension_that_is_removed_loses_its_subscriptions() -> None:
    async def scenario(house: House) -> None:
        gone, kept = lamp_phones(house, "101", "102")
        for phone in (gone, kept):
            await phone.subscribe()
            await asyncio.sleep(ROUND_TRIP)
        del house.directory.extensions["101"]
        house.registrations.directory_changed()
        await asyncio.sleep(ROUND_TRIP)
        assert gone.states[-1] == "terminated;reason=noresource"
        assert house.message_waiting.snapshot()["subscriptions"] == 1
        assert len(kept.told) == 1

    flow(scenario)


# -- who may not ---------------------------------------------------------------------------------


def test_nobody_subscribes_without_a_password() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        assert (await phone.subscribe(password="")).status == 401
        assert (await phone.subscribe(password="wrong")).status == 401
        packages = ("presence", "dialog", "message-summary", "reg", "nonsense", "refer")
        for event in packages:
            response = await phone.subscribe(password="", fields=[("Event", event)])
            assert response.status == 401
        assert phone.told == []
        assert quiet(house)

    flow(scenario)


@pytest.mark.parametrize(("box", "status"), [("102", 403), ("555", 404), ("*97", 404)])
def test_nobody_subscribes_to_the_box_of_somebody_else(box: str, status: int) -> None:
    async def scenario(house: House) -> None:
        house.add("102")
        (phone,) = lamp_phones(house, "101")
        assert (await phone.subscribe(box)).status == status
        assert phone.told == []
        assert quiet(house)

    flow(scenario)


def test_another_event_is_refused_with_those_there_are() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        response = await phone.subscribe(fields=[("Event", "presence")])
        assert response.status == 489
        assert response.headers.get("Allow-Events") == "message-summary"
        assert quiet(house)

    flow(scenario)


def test_a_header_that_cannot_be_read_is_400_and_no_defect() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        fields = [("Event", "message-summary"), ("Accept", "no type at all")]
        assert (await phone.subscribe(fields=fields)).status == 400

    flow(scenario)


def test_a_flood_of_subscriptions_by_one_user_stops_at_the_cap() -> None:
    async def scenario(house: House) -> None:
        (phone,) = lamp_phones(house, "101")
        statuses = []
        for _ in range(100):
            phone.tag = ""
            response = await phone.subscribe()
            statuses.append(response.status)
            await asyncio.sleep(0)
        assert statuses == [200] * MAX_SUBSCRIPTIONS + [403] * (100 - MAX_SUBSCRIPTIONS)
        assert house.message_waiting.snapshot()["subscriptions"] == MAX_SUBSCRIPTIONS

    flow(scenario)


def notify_of(account: str) -> bytes:
    """Return a stranger's NOTIFY."""
    fields = [
        ("Via", "SIP/2.0/UDP 192.0.2.66:5060;rport;branch=z9hG4bKn"),
        ("Max-Forwards", "70"),
        ("From", "<sip:eve@192.0.2.66>;tag=e"),
        ("To", "<sip:101@192.0.2.1>"),
        ("Call-ID", "n"),
        ("CSeq", "1 NOTIFY"),
        ("Contact", "<sip:eve@192.0.2.66>"),
        ("Event", "message-summary"),
        ("Subscription-State", "active"),
        ("Content-Type", "application/simple-message-summary"),
    ]
    body = f"Messages-Waiting: yes\r\nMessage-Account: sip:{account}@x\r\n".encode()
    return bytes(Request("NOTIFY", "sip:101@192.0.2.1", fields, body))


def test_a_strangers_notify_is_refused_however_long_its_account_is() -> None:
    async def scenario(house: House) -> None:
        stranger = LampPhone(house, "102", host="192.0.2.66")
        stranger.network.carry(notify_of("1" * 5000), stranger.flow_to(EXCHANGE))
        await asyncio.sleep(ROUND_TRIP)
        refused = house.network.carried[-1].octets
        assert refused.startswith(b"SIP/2.0 405 ")
        assert b"SUBSCRIBE" in refused
        assert (await stranger.ask("OPTIONS", "101", call_id="o")).status == 200

    flow(scenario)
