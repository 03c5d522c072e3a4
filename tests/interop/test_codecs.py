"""Two kinds of phone and four codecs: whatever both speak is relayed; what only one speaks is
488."""

from __future__ import annotations

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import OfficeMaker, TestedOffice
from tests.kit.tones import heard, read_wav


@pytest.mark.interop("pjsua2", "baresip")
@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722"])
def test_pjsua_calls_baresip(office: TestedOffice, phones: Phones, codec: str) -> None:
    alice = phones.pjsua(office, "101")
    bob = phones.baresip(office, "102", codec=codec, hz=690)
    call = alice.dial(office.uri("102"))
    incoming = bob.incoming()
    incoming.answer()
    call.wait("confirmed")
    call.play(430)
    assert call.wait_media()["codec"] == codec
    assert heard(read_wav(call.record(1.0))) == {690}
    assert heard(incoming.record(1.0)) == {430}
    incoming.hang_up()
    call.wait("disconnected")
    assert {row["codec"] for row in office.record()["quality"]} == {codec}


@pytest.mark.interop("pjsua2", "baresip")
@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722"])
def test_baresip_calls_pjsua(office: TestedOffice, phones: Phones, codec: str) -> None:
    alice = phones.baresip(office, "101", codec=codec, hz=690)
    bob = phones.pjsua(office, "102")
    call = alice.dial(office.uri("102"))
    incoming = bob.incoming()
    incoming.answer()
    call.wait("confirmed")
    incoming.wait("confirmed")
    incoming.play(430)
    assert heard(read_wav(incoming.record(1.0))) == {690}
    assert heard(call.record(1.0)) == {430}
    call.press("7")
    assert bob.wait("digit")["digit"] == "7"
    call.hang_up()
    incoming.wait("disconnected")


@pytest.mark.interop("baresip")
def test_baresip_calls_baresip_in_opus(office: TestedOffice, phones: Phones) -> None:
    alice = phones.baresip(office, "101", codec="opus", hz=430)
    bob = phones.baresip(office, "102", codec="opus", hz=690)
    call = alice.dial(office.uri("102"))
    incoming = bob.incoming()
    incoming.answer()
    call.wait("confirmed")
    incoming.wait("confirmed")
    assert heard(call.record(1.5).part(0.5)) == {690}
    assert heard(incoming.record(1.0)) == {430}
    call.hang_up()
    incoming.wait("disconnected")
    assert {row["codec"] for row in office.record()["quality"]} == {"opus"}


@pytest.mark.interop("pjsua2", "baresip")
def test_no_codec_in_common_is_not_acceptable_here(serve: OfficeMaker, phones: Phones) -> None:
    office = serve(codecs=["g722", "pcma", "pcmu"])
    alice = phones.pjsua(office, "101")
    phones.baresip(office, "102", codec="opus", hz=690)
    call = alice.dial(office.uri("102"))
    assert call.wait("disconnected")["status"] == 488
    record = office.record()
    assert (record["sip_status"], record["result"]) == (488, "failed")
