"""The echo test: dial *43 and hear yourself."""

from __future__ import annotations

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import TestedOffice
from tests.kit.tones import heard, read_wav


@pytest.mark.interop("pjsua2")
@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722"])
def test_the_echo_test_says_what_it_hears(office: TestedOffice, phones: Phones, codec: str) -> None:
    alice = phones.pjsua(office, "101", codecs=codec)
    call = alice.dial(office.uri("*43"))
    call.wait("confirmed")
    call.play(560)
    assert heard(read_wav(call.record(1.5)).part(0.5)) == {560}
    call.hang_up()
    call.wait("disconnected")
    record = office.record()
    assert (record["called"]["number"], record["result"]) == ("*43", "answered")
    assert record["ended_by"] == "caller"


@pytest.mark.interop("baresip")
def test_opus_is_echoed_too(office: TestedOffice, phones: Phones) -> None:
    alice = phones.baresip(office, "101", codec="opus", hz=560)
    call = alice.dial(office.uri("*43"))
    call.wait("confirmed")
    assert heard(call.record(2.0).part(1.0)) == {560}
    call.hang_up()
    call.wait("disconnected")
