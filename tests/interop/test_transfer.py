"""Transfers with real phones: who hears whom afterwards, by tone, and the one record of them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import MUSIC_HZ, Record, TestedOffice
from tests.kit.phones.pjsua import SoftCall, SoftPhone
from tests.kit.phones.talker import Talker, talk, wait_for
from tests.kit.records import sums_up

pytestmark = pytest.mark.interop("pjsua2")

TONES = {"101": 430, "102": 560, "103": 690}


@dataclass
class Three:
    """Alice (101) talks to Bob (102); Carol (103) has a phone."""

    office: TestedOffice
    phones: dict[str, SoftPhone]
    alice: Talker
    bob: Talker

    def carol(self, answer: int = 200) -> SoftCall:
        """Let Carol answer, or refuse."""
        call = self.phones["103"].incoming()
        call.answer(answer)
        return call

    def carol_talks(self) -> Talker:
        """Let Carol answer and speak."""
        call = self.carol()
        call.wait("confirmed")
        return Talker(call, TONES["103"])

    def uri(self, number: str) -> str:
        """Return how phones dial a number."""
        return self.office.uri(number)


@pytest.fixture
def three(office: TestedOffice, phones: Phones) -> Three:
    """Return three phones, two of which talk."""
    started = phones.at_once(*(lambda n=n: phones.pjsua(office, n) for n in TONES))
    desks = [phone for phone in started if isinstance(phone, SoftPhone)]
    by_number = dict(zip(TONES, desks, strict=True))
    alice, bob = talk(
        office, by_number["101"], by_number["102"], "102", (TONES["101"], TONES["102"])
    )
    wait_for({alice: {bob}, bob: {alice}})
    return Three(office, by_number, alice, bob)


def hang_up(one: Talker, other: Talker) -> None:
    """End the call at one side; the other side notices."""
    assert isinstance(one.call, SoftCall)
    one.call.hang_up()
    other.call.wait("disconnected")


def the_record(three: Three, result: str) -> Record:
    """Return the only record, whose segments are as they must be; its transfer ended so."""
    record = three.office.record()
    transfers = [each["result"] for each in record["segments"] if each["kind"] == "transfer"]
    assert transfers == [result], record["segments"]
    assert sums_up(record), record
    assert (record["caller"]["number"], record["called"]["number"]) == ("101", "102")
    assert record["result"] == "answered"
    return record


@pytest.mark.parametrize("by", ["102", "101"], ids=["callee", "caller"])
def test_blind(three: Three, by: str) -> None:
    mine, stays = (three.bob, three.alice) if by == "102" else (three.alice, three.bob)
    assert isinstance(mine.call, SoftCall)
    mine.call.refer(three.uri("103"))
    carol = three.carol_talks()
    wait_for({stays: {carol}, carol: {stays}})
    mine.call.told(200)
    mine.call.wait("disconnected")
    hang_up(carol, stays)
    the_record(three, "completed")


@pytest.mark.parametrize("by", ["102", "101"], ids=["callee", "caller"])
def test_attended(three: Three, by: str) -> None:
    mine, stays = (three.bob, three.alice) if by == "102" else (three.alice, three.bob)
    assert isinstance(mine.call, SoftCall)
    mine.call.hold()
    wait_for({stays: {MUSIC_HZ}})
    second = three.phones[by].dial(three.uri("103"))
    carol = three.carol_talks()
    second.wait("confirmed")
    mine.call.refer_to(second)
    wait_for({stays: {carol}, carol: {stays}})
    mine.call.wait("disconnected")
    second.wait("disconnected")
    hang_up(stays, carol)
    record = the_record(three, "completed")
    assert record["hold_s"] > 0.5


def test_to_a_number_that_is_busy(three: Three) -> None:
    assert isinstance(three.bob.call, SoftCall)
    three.bob.call.refer(three.uri("103"))
    three.carol(486)
    three.bob.call.told(486)
    wait_for({three.alice: {three.bob}, three.bob: {three.alice}})
    hang_up(three.alice, three.bob)
    the_record(three, "busy")


def test_to_nobody_and_back(three: Three) -> None:
    assert isinstance(three.bob.call, SoftCall)
    three.bob.call.refer(three.uri("103"))
    three.carol(180)
    three.bob.call.hang_up()
    again = three.phones["102"].incoming(timeout=30)
    again.answer()
    again.wait("confirmed")
    bob = Talker(again, TONES["102"])
    wait_for({three.alice: {bob}, bob: {three.alice}})
    hang_up(bob, three.alice)
    the_record(three, "recalled")


def test_blonde(three: Three) -> None:
    assert isinstance(three.bob.call, SoftCall)
    three.bob.call.press("*2")
    wait_for({three.alice: {MUSIC_HZ}})
    three.bob.call.press("103#")
    ringing = three.phones["103"].incoming()
    ringing.answer(180)
    three.bob.call.hang_up()
    ringing.answer()
    ringing.wait("confirmed")
    carol = Talker(ringing, TONES["103"])
    wait_for({three.alice: {carol}, carol: {three.alice}})
    hang_up(three.alice, carol)
    the_record(three, "completed")


def test_two_hashes(three: Three) -> None:
    assert isinstance(three.alice.call, SoftCall)
    three.alice.call.press("##")
    wait_for({three.bob: {MUSIC_HZ}})
    three.alice.call.press("103#")
    three.alice.call.wait("disconnected")
    carol = three.carol_talks()
    wait_for({three.bob: {carol}, carol: {three.bob}})
    hang_up(carol, three.bob)
    the_record(three, "completed")


def test_asking_first_then_all_three_then_two(three: Three) -> None:
    assert isinstance(three.bob.call, SoftCall)
    three.bob.call.press("*2")
    wait_for({three.alice: {MUSIC_HZ}})
    three.bob.call.press("103#")
    carol = three.carol_talks()
    wait_for({three.alice: {MUSIC_HZ}, three.bob: {carol}, carol: {three.bob}})
    three.bob.call.press("*3")
    everybody = {three.alice, three.bob, carol}
    wait_for({each: everybody - {each} for each in everybody})
    three.bob.call.hang_up()
    wait_for({three.alice: {carol}, carol: {three.alice}})
    hang_up(carol, three.alice)
    the_record(three, "three_way")


def test_asking_first_and_back(three: Three) -> None:
    assert isinstance(three.bob.call, SoftCall)
    three.bob.call.press("*2")
    wait_for({three.alice: {MUSIC_HZ}})
    three.bob.call.press("103#")
    carol = three.carol_talks()
    wait_for({three.bob: {carol}, carol: {three.bob}})
    three.bob.call.press("*2")
    carol.call.wait("disconnected")
    wait_for({three.alice: {three.bob}, three.bob: {three.alice}})
    hang_up(three.bob, three.alice)
    the_record(three, "cancelled")


def test_by_command(three: Three) -> None:
    three.office.cli("transfer", "101", "103")
    three.bob.call.wait("disconnected")
    carol = three.carol_talks()
    wait_for({three.alice: {carol}, carol: {three.alice}})
    hang_up(carol, three.alice)
    the_record(three, "completed")
