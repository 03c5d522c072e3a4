"""Hold and mute, by ear: who waits hears the music and nobody else; who is muted is heard by
nobody."""

from __future__ import annotations

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import MUSIC_HZ, OfficeMaker, TestedOffice
from tests.kit.phones.talker import Talker, talk, wait_for

pytestmark = pytest.mark.interop("pjsua2", "baresip")


@pytest.mark.parametrize("codecs", [("PCMU", "PCMU"), ("G722", "PCMA")], ids=["relayed", "mixed"])
def test_who_waits_hears_music_and_then_the_holder_again(
    office: TestedOffice, phones: Phones, codecs: tuple[str, str]
) -> None:
    desk, mobile = phones.at_once(
        lambda: phones.pjsua(office, "101", codecs=codecs[0]),
        lambda: phones.baresip(office, "102", codec=codecs[1], hz=690),
    )
    alice, bob = talk(office, desk, mobile, "102", (430, 690))
    together = {alice: {bob}, bob: {alice}}
    wait_for(together)
    alice.call.hold()
    wait_for({bob: {MUSIC_HZ}, alice: set()})
    alice.call.resume()
    wait_for(together)
    bob.call.hold()
    wait_for({alice: {MUSIC_HZ}})
    bob.call.resume()
    wait_for({alice: {bob}})  # what baresip hears after a hold of its own, it does not write down
    alice.call.hang_up()
    bob.call.wait("disconnected")


def test_who_is_muted_in_a_conference_hears_and_is_not_heard(
    serve: OfficeMaker, phones: Phones
) -> None:
    office = serve(rooms={"7001": "tones: no, mix_only_talkers: no"})
    numbers, tones = ("101", "102", "103"), (430, 560, 690)
    started = phones.at_once(*(lambda n=n: phones.pjsua(office, n) for n in numbers))
    members = []
    for phone, hz in zip(started, tones, strict=True):
        call = phone.dial(office.uri("7001"))
        call.wait("confirmed")
        members.append(Talker(call, hz))
    a, b, c = members
    everybody = {a: {b, c}, b: {a, c}, c: {a, b}}
    without_a = everybody | {b: {c}, c: {b}}
    wait_for(everybody)
    office.cli("conference", "mute", "7001", "101")
    wait_for(without_a)
    office.cli("conference", "unmute", "7001", "101")
    wait_for(everybody)
    a.call.press("*6")
    wait_for(without_a)
    a.call.press("*6")
    wait_for(everybody)
    a.call.hold()
    wait_for(without_a | {a: set()})
    a.call.resume()
    wait_for(everybody)
