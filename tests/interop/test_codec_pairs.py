"""Two phones that have no codec in common: each hears the other's tone, and keys cross, whatever
the codecs and however long their packets are."""

from __future__ import annotations

import time

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import OfficeMaker
from tests.kit.phones.baresip import Baresip
from tests.kit.phones.pjsua import SoftCall, SoftPhone
from tests.kit.phones.talker import Talker, talk, wait_for

pytestmark = pytest.mark.interop("pjsua2", "baresip")

SPOKEN = ("opus", "g722", "pcma", "pcmu", "l16")
NEAR = {"101": "PCMU", "102": "PCMA", "103": "G722"}
FAR = {"201": "PCMA", "202": "opus", "203": "G722", "204": "L16"}
PAIRS = (("101", "201"), ("101", "202"), ("102", "203"), ("102", "204"), ("103", "201"))
"""PJSIP's phones call baresip's, by number."""

NEAR_HZ, FAR_HZ = 430, 690
KEYS = "19#"


def test_phones_without_a_common_codec_hear_each_other_and_their_keys(
    serve: OfficeMaker, phones: Phones
) -> None:
    office = serve(codecs=SPOKEN)
    office.add_extensions((number, f"phone-{number}-secret") for number in FAR)
    started = phones.at_once(
        *(lambda n=n: phones.pjsua(office, n, codecs=NEAR[n]) for n in NEAR),
        *(lambda n=n: phones.baresip(office, n, codec=FAR[n], hz=FAR_HZ) for n in FAR),
    )
    phone_of = dict(zip([*NEAR, *FAR], started, strict=True))
    for near, far in PAIRS:
        alice, bob = phone_of[near], phone_of[far]
        caller, called = talk(office, alice, bob, far, (NEAR_HZ, FAR_HZ))
        wait_for({caller: {called}, called: {caller}})
        assert {leg["codec"] for leg in office.ask("calls")[0]["legs"]} == {NEAR[near], FAR[far]}
        assert_keys_cross(caller, called)
        caller.call.hang_up()
        called.call.wait("disconnected")


def assert_keys_cross(caller: Talker, called: Talker) -> None:
    """Press keys on both phones; the other hears each of them once."""
    alice, bob = caller.call.phone, called.call.phone
    assert isinstance(alice, SoftPhone)
    assert isinstance(bob, Baresip)
    since = len(alice.events), len(bob.events)
    caller.call.press(KEYS)
    called.call.press(KEYS)
    alice.wait("digit", digit=KEYS[-1], since=since[0])
    heard = alice.events.all("digit", since=since[0])
    assert "".join(event["digit"] for event in heard) == KEYS
    assert bob.keys(since=since[1], until=KEYS[-1]) == KEYS


def test_each_phone_gets_packets_as_long_as_it_asks_for(serve: OfficeMaker, phones: Phones) -> None:
    office = serve()
    of_30, of_40, of_60, of_10 = phones.at_once(
        lambda: phones.baresip(office, "101", codec="PCMA", hz=NEAR_HZ, ptime=30),
        lambda: phones.baresip(office, "102", codec="PCMA", hz=NEAR_HZ, ptime=40),
        lambda: phones.pjsua(office, "103", codecs="PCMU", ptime=60),
        lambda: phones.pjsua(office, "104", codecs="PCMU", ptime=10),
    )
    for near, far, number, asked in ((of_30, of_60, "103", 60), (of_40, of_10, "104", 10)):
        caller, called = talk(office, near, far, number, (NEAR_HZ, FAR_HZ))
        call = called.call
        assert isinstance(call, SoftCall)
        before, start = call.figures()["received"], time.monotonic()
        wait_for({caller: {called}, called: {caller}}, seconds=1.0)
        packets, seconds = call.figures()["received"] - before, time.monotonic() - start
        assert packets == pytest.approx(seconds * 1000 / asked, rel=0.2)
        caller.call.hang_up()
        call.wait("disconnected")
