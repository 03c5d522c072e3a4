"""Keys of real phones: they cross a call whether it is relayed or mixed, each exactly once."""

from __future__ import annotations

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import TestedOffice
from tests.kit.phones.pjsua import SoftPhone

KEYS = "150#*779"


def heard(phone: SoftPhone, *, until: str) -> str:
    """Return all keys that a phone has heard, when the last one has come."""
    phone.wait("digit", digit=until)
    return "".join(event["digit"] for event in phone.events.all("digit"))


@pytest.mark.interop("pjsua2")
@pytest.mark.parametrize(
    "codecs",
    [("PCMU", "PCMU"), ("PCMU", "PCMA"), ("G722", "PCMA")],
    ids=["relayed", "mixed", "wide"],
)
def test_keys_cross_a_call_both_ways(
    office: TestedOffice, phones: Phones, codecs: tuple[str, str]
) -> None:
    alice = phones.pjsua(office, "101", codecs=codecs[0])
    bob = phones.pjsua(office, "102", codecs=codecs[1])
    call = alice.dial(office.uri("102"))
    incoming = bob.incoming()
    incoming.answer()
    call.wait("confirmed")
    incoming.wait("confirmed")
    call.wait_media()
    incoming.wait_media()
    call.press(KEYS)
    assert heard(bob, until="9") == KEYS
    incoming.press("429")
    assert heard(alice, until="9") == "429"
    call.hang_up()
    incoming.wait("disconnected")


@pytest.mark.interop("pjsua2", "baresip")
@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_keys_of_two_kinds_of_phone(office: TestedOffice, phones: Phones, codec: str) -> None:
    alice = phones.baresip(office, "101", codec=codec, hz=690)
    bob = phones.pjsua(office, "102", codecs="PCMU")
    call = alice.dial(office.uri("102"))
    incoming = bob.incoming()
    incoming.answer()
    call.wait("confirmed")
    incoming.wait("confirmed")
    incoming.wait_media()
    call.press("7*79")
    assert heard(bob, until="9") == "7*79"
    call.hang_up()
    incoming.wait("disconnected")
