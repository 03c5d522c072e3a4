"""Phones register: by UDP and TCP, refused with a wrong password, seen in `registrations`, alive
after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.conftest import Phones, assert_stopped_properly
from tests.kit.office import TestedOffice, eventually
from tests.kit.phones.pjsua import SoftPhone

pytestmark = pytest.mark.interop("pjsua2")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_phone_registers_and_is_listed(
    office: TestedOffice, phones: Phones, transport: str
) -> None:
    phones.pjsua(office, "101", transport=transport)
    (binding,) = office.ask("registrations")
    assert binding["number"] == "101"
    assert binding["transport"] == transport
    assert "phone" in binding["user_agent"]
    assert 200 < binding["expires_in_s"] <= 300
    assert "127.0.0.1" in binding["contact"]


def test_a_wrong_password_is_refused(office: TestedOffice, tmp_path: Path) -> None:
    with SoftPhone("stranger", tmp_path) as stranger:
        refused = stranger.register(office.uri("101"), "not the password", expect=401)
        assert not refused["active"]
    assert office.ask("registrations") == []


def test_an_unknown_number_is_refused_alike(office: TestedOffice, tmp_path: Path) -> None:
    with SoftPhone("stranger", tmp_path) as stranger:
        stranger.register(office.uri("555"), "any password", expect=401)
    assert office.ask("registrations") == []


def test_a_renewal_keeps_one_binding_and_leaving_removes_it(
    office: TestedOffice, phones: Phones
) -> None:
    phone = phones.pjsua(office, "101")
    assert phone.renew()["status"] == 200
    assert len(office.ask("registrations")) == 1
    assert phone.renew(on=False)["status"] == 200
    assert office.ask("registrations") == []


def test_a_phone_is_asked_how_far_away_it_is(office: TestedOffice, phones: Phones) -> None:
    """The first phone's turn is 18 s after it came, the second one's 7 s: turns are spread."""
    phones.at_once(lambda: phones.pjsua(office, "101"), lambda: phones.pjsua(office, "102"))
    found = eventually(
        lambda: [each["round_trip_ms"] for each in office.ask("registrations")], any, timeout=40
    )
    assert all(0 < each < 1000 for each in found if each is not None)


def test_bindings_outlive_a_restart_and_calls_reach_them(
    office: TestedOffice, phones: Phones
) -> None:
    alice = phones.pjsua(office, "101")
    bob = phones.pjsua(office, "102")
    before = office.ask("registrations")
    assert_stopped_properly(office)
    office.start()
    after = office.ask("registrations")
    assert [(row["number"], row["contact"]) for row in after] == [
        (row["number"], row["contact"]) for row in before
    ]
    call = alice.dial(office.uri("102"))
    bob.incoming().answer()
    call.wait("confirmed")
