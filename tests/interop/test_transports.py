"""Calls over TCP, over IPv6, and between a phone on UDP and one on TCP."""

from __future__ import annotations

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import OfficeMaker, TestedOffice
from tests.kit.phones.pjsua import SoftPhone
from tests.kit.tones import heard, read_wav


def assert_they_talk(
    office: TestedOffice, alice: SoftPhone, bob: SoftPhone, *, transport: str
) -> None:
    """Let 101 call 102 and check that each hears the other alone, and one record of it."""
    call = alice.dial(f"{office.uri('102')};transport={transport}")
    incoming = bob.incoming()
    incoming.answer()
    call.wait("confirmed")
    call.play(430)
    incoming.play(690)
    assert heard(read_wav(call.record(1.0))) == {690}
    assert heard(read_wav(incoming.record(1.0))) == {430}
    incoming.hang_up()
    call.wait("disconnected")
    assert office.record()["result"] == "answered"


@pytest.mark.interop("pjsua2")
@pytest.mark.parametrize(("from_", "to"), [("tcp", "tcp"), ("udp", "tcp"), ("tcp", "udp")])
def test_calls_cross_transports(office: TestedOffice, phones: Phones, from_: str, to: str) -> None:
    alice = phones.pjsua(office, "101", transport=from_)
    bob = phones.pjsua(office, "102", transport=to)
    assert_they_talk(office, alice, bob, transport=from_)


@pytest.mark.interop("baresip")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_calls_go_over_ipv6(serve: OfficeMaker, phones: Phones, transport: str) -> None:
    office = serve(hosts=["::1"])
    alice = phones.baresip(office, "101", codec="PCMA", hz=430, transport=transport)
    bob = phones.baresip(office, "102", codec="PCMA", hz=690, transport=transport)
    call = alice.dial(office.uri("102"))  # baresip adds its transport itself
    incoming = bob.incoming()
    incoming.answer()
    call.wait("confirmed")
    incoming.wait("confirmed")
    assert heard(call.record(1.5).part(0.5)) == {690}
    assert heard(incoming.record(1.0)) == {430}
    incoming.hang_up()
    call.wait("disconnected")
    assert office.record()["result"] == "answered"


@pytest.mark.interop("pjsua2", "baresip")
def test_a_phone_on_ipv4_talks_to_one_on_ipv6(serve: OfficeMaker, phones: Phones) -> None:
    office = serve(hosts=["127.0.0.1", "::1"])
    alice = phones.pjsua(office, "101")
    bob = phones.baresip(office, "102", codec="PCMA", hz=690, server=1)
    call = alice.dial(office.uri("102"))
    incoming = bob.incoming()
    incoming.answer()
    call.wait("confirmed")
    call.play(430)
    assert heard(read_wav(call.record(1.0))) == {690}
    assert heard(incoming.record(1.0)) == {430}
    call.hang_up()
    incoming.wait("disconnected")
