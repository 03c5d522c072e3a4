"""A registered line through Kamailio as the carrier: calls out and in, with phones at both ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.phones.kamailio import ACCOUNT, PASSWORD, SERVER, Kamailio
from tests.kit.phones.pjsua import SoftPhone
from tests.kit.phones.talker import Talker, talk, wait_for

pytestmark = pytest.mark.interop("pjsua2", "kamailio")

MOBILE = "13800138000"
NUMBER = "02888886666"
INSIDE_HZ, OUTSIDE_HZ = 430, 690

DIALPLAN = f"""\
version: 1
numbers:
  "{NUMBER}": ext:101
outbound:
  emergency: {{match: [110], trunks: [main], emergency: yes}}
  national: {{match: ["0", "1"], trunks: [dead, main]}}
"""


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[Kamailio]:
    """Return a carrier that runs."""
    with Kamailio(tmp_path / "carrier") as kamailio:
        yield kamailio


@pytest.fixture
def office(carrier: Kamailio, serve: OfficeMaker) -> TestedOffice:
    """Return an office whose line is registered; the line before it in the rule is dead."""
    office = serve(dialplan=DIALPLAN)
    with office.api() as api:
        for body in (
            {"name": "dead", "server": "sip:127.0.0.1:15999", "max_calls": 2},
            {
                "name": "main",
                "server": f"sip:{SERVER}",
                "username": ACCOUNT,
                "password": PASSWORD,
                "register": True,
                "numbers": [NUMBER],
            },
        ):
            api.post("/trunks", json=body).raise_for_status()
    eventually(lambda: office.ask("trunk", "list"), is_registered)
    return office


def is_registered(rows: list[dict[str, object]]) -> bool:
    """Tell whether the line that registers is there."""
    states = {row["name"]: row["state"] for row in rows}
    main = states["main"]
    return isinstance(main, dict) and main["registered"] is True


@pytest.fixture
def outside(carrier: Kamailio, tmp_path: Path) -> Iterator[SoftPhone]:
    """Return a phone that is registered behind the carrier."""
    with SoftPhone("outside", tmp_path, codecs="PCMU,PCMA") as phone:
        phone.register(f"sip:{MOBILE}@{SERVER}", PASSWORD, transport="udp")
        yield phone
        phone.quit()


def test_a_call_out_is_proved_fails_over_and_both_hear_each_other(
    office: TestedOffice, outside: SoftPhone, phones: Phones
) -> None:
    alice = phones.pjsua(office, "101")
    call = alice.dial(office.uri(MOBILE))
    incoming = outside.incoming()
    assert incoming.invitation is not None
    assert f"sip:{NUMBER}@" in incoming.invitation["message"]
    incoming.answer()
    call.wait("confirmed")
    inside, far = Talker(call, INSIDE_HZ), Talker(incoming, OUTSIDE_HZ)
    wait_for({inside: {far}, far: {inside}})
    call.hang_up()
    assert incoming.wait("disconnected")["status"] == 200
    record = office.record()
    assert (record["direction"], record["result"]) == ("outbound", "answered")
    assert (record["caller"]["number"], record["called"]["number"]) == ("101", MOBILE)


def test_the_far_end_hangs_up_through_the_carrier(
    office: TestedOffice, outside: SoftPhone, phones: Phones
) -> None:
    alice = phones.pjsua(office, "101")
    call = alice.dial(office.uri(MOBILE))
    incoming = outside.incoming()
    incoming.answer()
    call.wait("confirmed")
    incoming.wait("confirmed")
    incoming.hang_up()
    call.wait("disconnected")
    assert office.record()["ended_by"] == "called"


def test_a_call_in_finds_its_number_and_both_hear_each_other(
    office: TestedOffice, outside: SoftPhone, phones: Phones
) -> None:
    alice = phones.pjsua(office, "101")
    call = outside.dial(f"sip:+86{NUMBER[1:]}@{SERVER}")
    incoming = alice.incoming()
    assert incoming.invitation is not None
    assert f"sip:{MOBILE}@" in incoming.invitation["message"]
    incoming.answer()
    call.wait("confirmed")
    inside, far = Talker(incoming, INSIDE_HZ), Talker(call, OUTSIDE_HZ)
    wait_for({inside: {far}, far: {inside}})
    incoming.hang_up()
    call.wait("disconnected")
    record = office.record()
    assert (record["direction"], record["result"]) == ("inbound", "answered")
    assert (record["caller"]["number"], record["called"]["number"]) == (MOBILE, NUMBER)


def test_a_busy_party_is_told_and_no_other_line_tried(
    office: TestedOffice, outside: SoftPhone, phones: Phones
) -> None:
    alice = phones.pjsua(office, "101")
    call = alice.dial(office.uri(MOBILE))
    outside.incoming().answer(486)
    assert call.wait("disconnected")["status"] == 486
    assert office.record()["result"] == "busy"


def test_two_phones_of_the_office_do_not_go_by_the_line(
    office: TestedOffice, phones: Phones
) -> None:
    alice, bob = phones.pjsua(office, "101"), phones.pjsua(office, "102")
    inside, other = talk(office, alice, bob, "102", (INSIDE_HZ, OUTSIDE_HZ))
    wait_for({inside: {other}, other: {inside}})
    inside.call.hang_up()
    assert office.record()["direction"] == "internal"
