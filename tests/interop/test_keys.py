"""Keys of real phones: they cross a call whether it is relayed or mixed, each exactly once."""

from __future__ import annotations

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.phones.pjsua import SoftCall, SoftPhone
from tests.kit.phones.talker import Talker, wait_for

KEYS = "150#*779"
ROOM, PIN = "7001", "2580"


def heard(phone: SoftPhone, *, until: str) -> str:
    """Return all keys that a phone has heard, when the last one has come."""
    phone.wait("digit", digit=until)
    return "".join(event["digit"] for event in phone.events.all("digit"))


@pytest.mark.interop("pjsua2")
@pytest.mark.parametrize(
    "codecs",
    [("PCMU", "PCMU"), ("G722", "PCMA")],
    ids=["relayed", "mixed"],
)
def test_keys_cross_a_call_both_ways_as_events_and_as_info(
    office: TestedOffice, phones: Phones, codecs: tuple[str, str]
) -> None:
    alice, bob = phones.at_once(
        lambda: phones.pjsua(office, "101", codecs=codecs[0]),
        lambda: phones.pjsua(office, "102", codecs=codecs[1]),
    )
    assert isinstance(alice, SoftPhone)
    assert isinstance(bob, SoftPhone)
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
    for key in "68":  # PJSIP has one INFO at a time
        call.press(key, method="info")
        bob.wait("digit", digit=key)
    call.press("3")
    assert heard(bob, until="3") == f"{KEYS}683"
    call.hang_up()
    incoming.wait("disconnected")


@pytest.mark.interop("pjsua2", "baresip")
def test_keys_of_two_kinds_of_phone(office: TestedOffice, phones: Phones) -> None:
    alice = phones.baresip(office, "101", codec="PCMU", hz=690)
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


@pytest.mark.interop("pjsua2")
def test_a_pin_may_be_keyed_as_tones_as_info_and_as_events(
    serve: OfficeMaker, phones: Phones
) -> None:
    office = serve(rooms={ROOM: "pin: yes, mix_only_talkers: no"})
    office.cli("conference", "set", ROOM, "--pin", PIN)
    alice, bob, carol = phones.at_once(
        lambda: phones.pjsua(office, "101", events=False),
        lambda: phones.pjsua(office, "102"),
        lambda: phones.pjsua(office, "103"),
    )
    members: list[Talker] = []
    keyed = ((alice, "tones", 430), (bob, "info", 560), (carol, "rfc4733", 690))
    for phone, method, hz in keyed:
        call = phone.dial(office.uri(ROOM))
        assert isinstance(call, SoftCall)
        call.wait("confirmed")
        call.wait_media()
        for keys in f"{PIN}#" if method == "info" else (f"{PIN}#",):
            call.press(keys, method=method)
        eventually(
            lambda: len(office.ask("conference", "list")[0]["members"]),
            lambda inside: inside > len(members),
        )
        members.append(Talker(call, hz))
        wait_for({member: set(members) - {member} for member in members})
