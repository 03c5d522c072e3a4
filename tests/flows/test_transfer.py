"""Blind transfers: by REFER of either side and by an administrator, to all kinds of targets."""

from __future__ import annotations

import asyncio

import pytest

from pbx.call.transfer import transfer
from pbx.errors import NotFound, Refused
from pbx.events import TransferStarted
from pbx.plan.destination import Destination
from pbx.plan.model import Conference, Defaults, Plan
from pbx.sip import events as sip
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall
from tests.kit.transfers import results, segments, talking


async def accepted(call: PhoneCall) -> int:
    """Return the status of the newest request of a phone."""
    return (await call.saw(sip.RequestAnswered, 5)).response.status


def test_the_called_party_hands_the_caller_on() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        talk.bob.refer("103")
        rung = await talk.carol.rung()
        assert rung.request is not None
        assert rung.request.from_.uri.number == "101", "the new display shows the caller"
        rung.ring()
        await asyncio.sleep(4)
        assert await accepted(talk.bob) == 202
        assert talk.hears()["101"] == set()
        assert talk.played_to("101") == ["tone:ring"]
        rung.answer()
        await talk.bob.ended()
        assert talk.bob.noticed() == [100, 200]
        await asyncio.sleep(6)
        assert talk.hears() == {"101": {"103"}, "103": {"101"}}
        assert talk.alice.shown() == ['"Carol" <sip:103@192.0.2.1>']
        talk.alice.hang_up()
        await rung.ended()

    house = flow(scenario)
    record = house.record
    assert results(house) == ["completed"]
    assert segments(record) == [
        ("ring", "102", "answered"),
        ("talk", "102", "transferred"),
        ("ring", "103", "answered"),
        ("transfer", "103", "completed"),
        ("talk", "103", "ended"),
    ]
    assert (record.caller.number, record.result, record.ended_by) == ("101", "answered", "caller")
    assert record.talk_s == pytest.approx(16, abs=0.2)
    assert record.ring_s == pytest.approx(4, abs=0.2)
    assert record.duration_s == pytest.approx(20, abs=0.3)


def test_the_caller_hands_the_called_party_on() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        talk.alice.refer("103")
        rung = await talk.carol.rung()
        assert rung.request is not None
        assert rung.request.from_.uri.number == "102"
        rung.answer()
        await talk.alice.ended()
        await asyncio.sleep(5)
        assert talk.hears() == {"102": {"103"}, "103": {"102"}}
        rung.hang_up()
        await talk.bob.ended()

    record = flow(scenario).record
    assert (record.caller.number, record.called.number) == ("101", "102")
    assert [each for each in segments(record) if each[0] == "talk"] == [
        ("talk", "102", "transferred"),
        ("talk", "103", "ended"),
    ]
    assert record.ended_by == "called"


def test_a_transferrer_who_hangs_up_at_once_ends_nothing() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        talk.alice.refer("103")
        talk.alice.hang_up()
        rung = await talk.carol.rung()
        rung.answer()
        await asyncio.sleep(2)
        assert talk.hears() == {"102": {"103"}, "103": {"102"}}
        talk.bob.hang_up()
        await rung.ended()

    assert flow(scenario).record.result == "answered"


@pytest.mark.parametrize(
    ("answer", "status", "result"),
    [(486, 486, "busy"), (603, 603, "rejected"), (480, 480, "unavailable")],
)
def test_who_waits_for_a_target_that_refuses_has_the_party_back(
    answer: int, status: int, result: str
) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        talk.bob.refer("103")
        rung = await talk.carol.rung()
        rung.respond(answer)
        await asyncio.sleep(1)
        assert talk.bob.noticed() == [100, status]
        assert talk.hears() == {"101": {"102"}, "102": {"101"}}
        assert talk.played_to("101") == []
        talk.bob.hang_up()
        await talk.alice.ended()

    house = flow(scenario)
    assert results(house) == [result]
    assert [each[:2] for each in segments(house.record) if each[0] == "talk"] == [
        ("talk", "102"),
        ("talk", "102"),
    ]


def test_nobody_there_and_the_phone_still_waits() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        talk.bob.refer("103")
        rung = await talk.carol.rung()
        rung.ring()
        await asyncio.sleep(21)
        assert talk.bob.noticed() == [100, 480]
        assert talk.hears() == {"101": {"102"}, "102": {"101"}}
        talk.alice.hang_up()
        await talk.bob.ended()

    assert results(flow(scenario)) == ["no_answer"]


def test_nobody_there_and_the_transferrer_is_rung_again() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        talk.bob.refer("103")
        (await talk.carol.rung()).ring()
        talk.bob.hang_up()
        again = await talk.phones["102"].rung(25)
        assert again.request is not None
        assert again.request.from_.display_name == "Recall: Alice"
        again.answer()
        await asyncio.sleep(3)
        assert talk.hears() == {"101": {"102"}, "102": {"101"}}
        again.hang_up()
        await talk.alice.ended()

    house = flow(scenario)
    assert results(house) == ["recalled"]
    assert segments(house.record)[-3:] == [
        ("transfer", "103", "recalled"),
        ("ring", "102", "answered"),
        ("talk", "102", "ended"),
    ]


@pytest.mark.parametrize("operator", [False, True])
def test_nobody_anywhere_ends_at_the_operator(operator: bool) -> None:
    async def scenario(house: House) -> None:
        if operator:
            house.exchange.plan = Plan(
                "test", defaults=Defaults(operator=Destination("ext", "104"))
            )
        talk = await talking(house)
        fourth = house.phone("104")
        await fourth.register()
        transfer(house.exchange, talk.call.id, "103")
        await talk.bob.ended()
        (await talk.carol.rung()).respond(486)
        (await talk.phones["102"].rung()).respond(486)
        if operator:
            rung = await fourth.rung()
            rung.answer()
            await asyncio.sleep(2)
            rung.hang_up()
        await talk.alice.ended()

    house = flow(scenario)
    assert results(house) == ["busy"]
    assert house.record.result == "answered"


def test_an_administrator_hands_the_customer_on() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        transfer(house.exchange, talk.call.id, "103")
        await talk.bob.ended()
        rung = await talk.carol.rung()
        with pytest.raises(Refused):
            transfer(house.exchange, talk.call.id, "104")
        rung.answer()
        await asyncio.sleep(1)
        assert talk.hears() == {"101": {"103"}, "103": {"101"}}
        for nowhere in ("999", "*43", "queue:none", "hangup", "ext:"):
            with pytest.raises(NotFound):
                transfer(house.exchange, talk.call.id, nowhere)
        talk.alice.hang_up()
        await rung.ended()

    house = flow(scenario)
    (started,) = house.happened(TransferStarted)
    assert isinstance(started, TransferStarted)
    assert (started.leg, started.to) == (None, "103")


@pytest.mark.parametrize("to", ["7001", "conference:7001"])
def test_a_place_is_entered_for_good(to: str) -> None:
    async def scenario(house: House) -> None:
        house.exchange.plan = Plan("test", conferences={"7001": Conference("7001")})
        talk = await talking(house)
        if ":" in to:
            transfer(house.exchange, talk.call.id, to)
        else:
            talk.bob.refer(to)
        await talk.bob.ended()
        await asyncio.sleep(2)
        assert talk.call.caller_leg is not None
        assert len(house.exchange.conferences) == 1
        talk.alice.hang_up()
        await asyncio.sleep(2)

    house = flow(scenario)
    assert results(house) == ["completed"]
    assert house.record.result == "answered"


@pytest.mark.parametrize(
    ("to", "status"), [("999", 404), ("*43", 404), ("<sip:103@h;method=BYE>", 403), ("<sip:", 400)]
)
def test_what_cannot_be_referred_to_is_refused_and_changes_nothing(to: str, status: int) -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        talk.bob.refer(to)
        assert await accepted(talk.bob) == status
        assert talk.hears() == {"101": {"102"}, "102": {"101"}}
        talk.bob.hang_up()
        await talk.alice.ended()

    assert results(flow(scenario)) == []


def test_a_phone_that_wants_no_notice_gets_none() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        talk.bob.refer("103", ("Refer-Sub", "false"))
        rung = await talk.carol.rung()
        rung.answer()
        await talk.bob.ended()
        assert talk.bob.noticed() == []
        talk.alice.hang_up()
        await rung.ended()

    assert results(flow(scenario)) == ["completed"]


def test_a_party_that_leaves_meanwhile_ends_the_call() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        talk.bob.refer("103")
        rung = await talk.carol.rung()
        rung.ring()
        await asyncio.sleep(3)
        talk.alice.hang_up()
        await talk.bob.ended()
        await house.settle()

    house = flow(scenario)
    assert results(house) == ["cancelled"]
    assert house.record.result == "answered"


def test_calls_that_go_round_in_circles_are_stopped() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        phone: PhoneCall = talk.bob
        for turn in range(5):
            to = ("103", "102")[turn % 2]
            phone.refer(to)
            rung = await talk.phones[to].rung()
            rung.answer()
            await phone.ended()
            phone = rung
        phone.refer("103")
        assert await accepted(phone) == 603
        await asyncio.sleep(61)
        phone.refer("103")
        last = await talk.carol.rung()
        last.answer()
        await phone.ended()
        talk.alice.hang_up()
        await last.ended()

    assert results(flow(scenario)) == ["completed"] * 6


def test_hold_by_the_phone_before_the_transfer_ends_with_it() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        talk.bob.reinvite(talk.phones["102"].describe(direction="sendonly"))
        await asyncio.sleep(2)
        assert talk.played_to("101") == ["music:hold.wav"]
        talk.bob.refer("103")
        rung = await talk.carol.rung()
        rung.ring()
        await asyncio.sleep(1)
        assert talk.played_to("101") == ["tone:ring"]
        rung.answer()
        await talk.bob.ended()
        assert talk.played_to("101") == []
        talk.alice.hang_up()
        await rung.ended()

    record = flow(scenario).record
    assert record.hold_s == pytest.approx(2, abs=0.1)
    assert record.duration_s == pytest.approx(
        record.hold_s + record.talk_s + record.ring_s + record.wait_s, abs=0.1
    )


def test_the_recording_goes_on() -> None:
    async def scenario(house: House) -> None:
        talk = await talking(house)
        house.recordings.begin(talk.call)
        talk.bob.refer("103")
        rung = await talk.carol.rung()
        rung.answer()
        await talk.bob.ended()
        assert len(house.media.recording) == 1
        talk.alice.hang_up()
        await rung.ended()

    assert len(flow(scenario).record.recordings) == 1
