"""Two phones talk through callpbx: who hears whom, hold, every way to end, and what the record
says."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import TestedOffice
from tests.kit.phones.pjsua import SoftCall, SoftPhone
from tests.kit.tones import heard, read_wav

pytestmark = pytest.mark.interop("pjsua2")

ALICE_HZ = 430
BOB_HZ = 690
TOLERANCE_S = 0.1


class Conversation(NamedTuple):
    """Two phones in one call, each speaking its tone; the call as each of them sees it."""

    alice: SoftPhone
    bob: SoftPhone
    caller: SoftCall
    called: SoftCall


@pytest.fixture
def talk(office: TestedOffice, phones: Phones) -> Conversation:
    """Let 101 call 102, who answers."""
    alice, bob = phones.pjsua(office, "101"), phones.pjsua(office, "102")
    caller = alice.dial(office.uri("102"))
    called = bob.incoming()
    caller.wait("early")
    called.answer()
    caller.wait("confirmed")
    called.wait("confirmed")
    caller.play(ALICE_HZ)
    called.play(BOB_HZ)
    return Conversation(alice, bob, caller, called)


def test_each_hears_the_other_and_not_itself(talk: Conversation) -> None:
    assert heard(read_wav(talk.caller.record(1.0))) == {BOB_HZ}
    assert heard(read_wav(talk.called.record(1.0))) == {ALICE_HZ}


def test_nothing_of_one_leg_reaches_the_other(talk: Conversation) -> None:
    assert talk.called.invitation
    message = talk.called.invitation["message"]
    assert talk.caller.wait("confirmed")["sip_call_id"] not in message
    assert talk.alice.address not in message
    assert talk.alice.address.rpartition(":")[2] not in message


@pytest.mark.parametrize("holder", ["caller", "called"])
def test_hold_silences_and_resume_brings_back(
    talk: Conversation, office: TestedOffice, holder: str
) -> None:
    holding, held = (talk.caller, talk.called) if holder == "caller" else (talk.called, talk.caller)
    holding.hold()
    on_hold = heard(read_wav(held.record(1.0)).part(0.3))
    assert not on_hold & {ALICE_HZ, BOB_HZ}
    assert not heard(read_wav(holding.record(1.0)).part(0.3)) & {ALICE_HZ, BOB_HZ}
    holding.resume()
    assert heard(read_wav(talk.caller.record(1.0)).part(0.3)) == {BOB_HZ}
    assert heard(read_wav(talk.called.record(1.0)).part(0.3)) == {ALICE_HZ}
    talk.caller.hang_up()
    talk.caller.wait("disconnected")
    assert 1.5 < office.record()["hold_s"] < 6


@pytest.mark.parametrize("ends", ["caller", "called"])
def test_either_may_hang_up_and_the_times_are_right(
    talk: Conversation, office: TestedOffice, ends: str
) -> None:
    talk.caller.record(1.5)
    (talk.caller if ends == "caller" else talk.called).hang_up()
    ended = talk.caller.wait("disconnected")
    assert talk.called.wait("disconnected")["status"] == 200
    dialled, ringing, answered = (
        talk.caller.wait(state) for state in ("calling", "early", "confirmed")
    )
    record = office.record()
    assert (record["caller"]["number"], record["called"]["number"]) == ("101", "102")
    assert (record["result"], record["cause"], record["sip_status"]) == ("answered", 16, 200)
    assert (record["direction"], record["ended_by"]) == ("internal", ends)
    assert record["path"] == ["ext:102"]
    near = pytest.approx
    assert record["talk_s"] == near(ended["at"] - answered["at"], abs=TOLERANCE_S)
    assert record["ring_s"] == near(answered["at"] - ringing["at"], abs=TOLERANCE_S)
    assert record["duration_s"] == near(ended["at"] - dialled["at"], abs=TOLERANCE_S)
    assert record["hold_s"] == 0.0
    assert [segment["kind"] for segment in record["segments"]] == ["ring", "talk"]


def test_the_record_knows_how_good_the_call_was(talk: Conversation, office: TestedOffice) -> None:
    talk.caller.record(2.0)
    talk.caller.hang_up()
    talk.caller.wait("disconnected")
    for row in office.record()["quality"]:
        assert row["codec"] == "PCMU"
        assert row["packets"] > 50
        assert row["loss_percent"] == 0.0


def test_a_digit_crosses_the_call(talk: Conversation) -> None:
    talk.caller.press("5")
    assert talk.bob.wait("digit")["digit"] == "5"


@pytest.mark.parametrize(
    ("refusal", "result", "cause"), [(486, "busy", 17), (603, "rejected", 21), (480, None, None)]
)
def test_a_refusal_reaches_the_caller_and_the_record(
    office: TestedOffice, phones: Phones, refusal: int, result: str | None, cause: int | None
) -> None:
    office.cli("extension", "set", "102", "--voicemail", "no")
    alice, bob = phones.pjsua(office, "101"), phones.pjsua(office, "102")
    call = alice.dial(office.uri("102"))
    bob.incoming().answer(refusal)
    assert call.wait("disconnected")["status"] == refusal
    record = office.record()
    assert record["sip_status"] == refusal
    assert record["talk_s"] == 0.0
    assert record["answered_at"] is None
    if result:
        assert (record["result"], record["cause"]) == (result, cause)


def test_the_caller_gives_up_while_it_rings(office: TestedOffice, phones: Phones) -> None:
    alice, bob = phones.pjsua(office, "101"), phones.pjsua(office, "102")
    call = alice.dial(office.uri("102"))
    incoming = bob.incoming()
    call.wait("early")
    call.hang_up()
    assert call.wait("disconnected")["status"] == 487
    incoming.wait("disconnected")
    record = office.record()
    assert (record["result"], record["ended_by"]) == ("cancelled", "caller")
    assert office.ask("calls") == []


@pytest.mark.parametrize(("number", "status"), [("104", 480), ("999", 404)])
def test_nobody_there_and_nobody_known(
    office: TestedOffice, phones: Phones, number: str, status: int
) -> None:
    office.cli("extension", "set", "104", "--voicemail", "no")
    alice = phones.pjsua(office, "101")
    call = alice.dial(office.uri(number))
    assert call.wait("disconnected")["status"] == status
    assert office.record()["called"]["number"] == number


def test_all_phones_of_an_extension_ring_and_one_wins(office: TestedOffice, phones: Phones) -> None:
    alice = phones.pjsua(office, "101")
    desk, mobile = phones.pjsua(office, "102"), phones.pjsua(office, "102")
    call = alice.dial(office.uri("102"))
    at_desk, on_the_road = desk.incoming(), mobile.incoming()
    on_the_road.answer()
    call.wait("confirmed")
    at_desk.wait("disconnected")
    call.play(ALICE_HZ)
    assert heard(read_wav(on_the_road.record(1.0))) == {ALICE_HZ}
    assert office.ask("calls")[0]["to"] == "102"


def test_a_call_is_seen_while_it_lasts_and_can_be_ended_from_outside(
    talk: Conversation, office: TestedOffice
) -> None:
    (live,) = office.ask("calls")
    assert (live["from"], live["to"]) == ("101", "102")
    office.cli("hangup", live["id"])
    talk.caller.wait("disconnected")
    talk.called.wait("disconnected")
    assert office.record()["ended_by"] in {"system", "supervisor"}
