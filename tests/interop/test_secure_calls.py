"""TLS and SRTP with real phones: who can call whom, what is on the wire, and what attackers get."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import assert_stopped_properly
from tests.kit.certificates import Authority
from tests.kit.office import TLS_PORT, TestedOffice, eventually
from tests.kit.phones.baresip import Baresip
from tests.kit.phones.pjsua import SoftPhone, Srtp
from tests.kit.phones.talker import Talker
from tests.kit.rtp import RtpPhone
from tests.kit.tones import heard, read_wav

HOST = "127.0.0.1"
MEDIA = (10_000, 10_399)


class SecureOffice:
    """An office with TLS, and phones that believe its certificate."""

    def __init__(self, folder: Path, stack: ExitStack, **settings: Any) -> None:
        self.authority = Authority(folder)
        self.tls = self.authority.issue(HOST)
        self.office = TestedOffice(folder / "office", tls=self.tls, **settings)
        stack.enter_context(self.office)
        self.office.start()
        self._folder = folder
        self._stack = stack
        self._started = 0

    def pjsua(self, number: str, *, srtp: Srtp = "off", transport: str = "tls") -> SoftPhone:
        """Start a PJSIP phone and register it."""
        phone = SoftPhone(
            f"pjsua-{number}", self._folder, tls_ca=self.authority.ca, srtp=srtp, codecs="PCMA"
        )
        return self._register(phone, number, transport)

    def baresip(self, number: str, *, srtp: Srtp = "off", transport: str = "tls") -> Baresip:
        """Start a baresip phone, which speaks 690 Hz, and register it."""
        self._started += 1
        phone = Baresip(
            f"baresip-{number}",
            self._folder,
            number=self._started,
            codec="PCMA",
            hz=690,
            tls=self.tls,
            srtp=srtp,
        )
        return self._register(phone, number, transport)

    def uri(self, number: str, transport: str = "tls") -> str:
        """Return how a phone dials."""
        if transport == "tls":
            return f"{self.office.tls_uri(number)};transport=tls"
        return self.office.uri(number)

    def _register(self, phone: Any, number: str, transport: str) -> Any:
        self._stack.enter_context(phone)
        self._stack.callback(phone.quit)
        uri = self.office.tls_uri(number) if transport == "tls" else self.office.uri(number)
        phone.register(uri, self.office.passwords[number], transport=transport)
        return phone

    def ladder(self) -> str:
        """Return the whole ladder of the last call."""
        return str(self.office.ask("trace", self.office.record()["id"]))

    def profiles(self) -> list[str]:
        """Return the profile of each description of the last call, in order, with `+` for keys."""
        text = self.ladder()
        return [
            profile + ("+" if "a=crypto" in rest.partition("v=0")[0] else "")
            for profile, rest in re.findall(r"m=audio \d+ (\S+)(.*?)(?=m=audio|$)", text, re.S)
        ]


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[SecureOffice]:
    """Return an office with TLS that serves; afterwards it must stop properly."""
    with ExitStack() as stack:
        made = SecureOffice(tmp_path, stack)
        stack.callback(assert_stopped_properly, made.office)
        with ExitStack() as phones:
            made._stack = phones
            yield made


def assert_they_talk(alice: Any, bob: Any, uri: str) -> tuple[Any, Any]:
    """Let one phone call the other, and check that each hears the other alone."""
    call = alice.dial(uri)
    incoming = bob.incoming()
    incoming.answer()
    call.wait("confirmed")
    incoming.wait("confirmed")
    for own in (call, incoming):
        if isinstance(own.phone, SoftPhone):
            own.wait_media()
            own.play(430)
    for own in (call, incoming):
        recorded = own.record(1.5)
        sound = read_wav(recorded) if isinstance(recorded, Path) else recorded
        assert heard(sound.part(0.7)) == {690 if isinstance(own.phone, SoftPhone) else 430}
    return call, incoming


@pytest.mark.interop("pjsua2", "baresip")
@pytest.mark.parametrize("theirs", ["optional", "required"])
@pytest.mark.parametrize("mine", ["optional", "required"])
def test_pjsua_and_baresip_speak_srtp_over_tls(
    secure: SecureOffice, mine: Srtp, theirs: Srtp
) -> None:
    if theirs == "required":
        secure.office.cli("extension", "set", "102", "--srtp", "required")
    alice, bob = secure.pjsua("101", srtp=mine), secure.baresip("102", srtp=theirs)
    call, _ = assert_they_talk(alice, bob, secure.uri("102"))
    call.hang_up()
    call.wait("disconnected")
    assert all(profile.endswith("+") for profile in secure.profiles())
    assert "inline:…" in secure.ladder()
    assert {row["transport"] for row in secure.office.ask("registrations")} == {"tls"}


@pytest.mark.interop("pjsua2", "baresip")
@pytest.mark.parametrize("theirs", ["optional", "required"])
@pytest.mark.parametrize("mine", ["optional", "required"])
def test_baresip_and_pjsua_speak_srtp_over_tls(
    secure: SecureOffice, mine: Srtp, theirs: Srtp
) -> None:
    if theirs == "required":
        secure.office.cli("extension", "set", "102", "--srtp", "required")
    alice, bob = secure.baresip("101", srtp=mine), secure.pjsua("102", srtp=theirs)
    # baresip adds its transport itself
    call, _ = assert_they_talk(alice, bob, secure.office.tls_uri("102"))
    call.hang_up()
    call.wait("disconnected")


OUTCOMES = {
    ("off", "off"): "plain",
    ("off", "optional"): "plain",
    ("off", "required"): "refused",
    ("optional", "off"): "plain",
    ("optional", "optional"): "encrypted",
    ("optional", "required"): "refused",
    ("required", "off"): "refused",
    ("required", "optional"): "encrypted",
    ("required", "required"): "encrypted",
}
"""What becomes of a call to a phone, by its extension's policy and by its own setting."""


@pytest.mark.interop("pjsua2", "baresip")
@pytest.mark.parametrize("phone", ["pjsua", "baresip"])
@pytest.mark.parametrize(("policy", "setting"), OUTCOMES)
def test_a_phone_is_offered_what_its_policy_says(
    secure: SecureOffice, phone: str, policy: str, setting: Srtp
) -> None:
    secure.office.cli("extension", "set", "102", "--srtp", policy)
    called = getattr(secure, phone)("102", srtp=setting)
    caller = secure.baresip("101", transport="udp")
    outcome = OUTCOMES[policy, setting]
    if outcome == "refused":
        call = caller.dial(secure.office.uri("102"))
        assert "488" in call.wait("disconnected")["param"]
        return
    if phone == "pjsua":
        call, _ = assert_they_talk(caller, called, secure.office.uri("102"))
    else:
        call, _ = assert_they_talk(
            secure.pjsua("103", transport="udp"), called, secure.office.uri("102")
        )
    call.hang_up()
    call.wait("disconnected")
    *_, offered, answered, _ = secure.profiles()  # a challenged INVITE comes twice
    assert (offered == answered == "RTP/SAVP+" or offered == answered == "RTP/AVP+") == (
        outcome == "encrypted"
    )


@pytest.mark.interop("pjsua2", "baresip")
@pytest.mark.parametrize("caller", ["101", "102"])
def test_a_plain_phone_and_a_secure_one_talk(secure: SecureOffice, caller: str) -> None:
    plain = secure.baresip("101", transport="udp")
    encrypted = secure.pjsua("102", srtp="required")
    secure.office.cli("extension", "set", "102", "--srtp", "required")
    if caller == "101":
        assert_they_talk(plain, encrypted, secure.uri("102", "udp"))
    else:
        assert_they_talk(encrypted, plain, secure.uri("101"))


@pytest.mark.interop("pjsua2", "baresip")
def test_bad_srtp_ends_nothing_and_nobody_hears_it(secure: SecureOffice) -> None:
    alice, bob = secure.pjsua("101", srtp="required"), secure.baresip("102", srtp="optional")
    call, incoming = assert_they_talk(alice, bob, secure.uri("102"))
    ears = Talker(call, 430), Talker(incoming, 690)
    marks = [ear.mark() for ear in ears]
    with RtpPhone(HOST) as stranger:
        for port in range(*MEDIA, 2):
            stranger.to = port
            stranger.say(500 if port < MEDIA[0] + 40 else 5)
        assert stranger.hear() == []
    eventually(lambda: min(ear.mark() for ear in ears), lambda now: now > max(marks) + 1.5)
    assert heard(ears[0].since(marks[0] + 0.5)) == {690}
    assert heard(ears[1].since(marks[1] + 0.5)) == {430}
    call.hang_up()
    incoming.wait("disconnected")
    assert secure.office.record()["result"] == "answered"


@pytest.mark.interop("pjsua2")
def test_srtp_in_the_open_is_refused_or_plain(secure: SecureOffice) -> None:
    bob = secure.pjsua("102", transport="udp")
    must = secure.pjsua("101", srtp="required", transport="udp")
    refused = must.dial(secure.uri("102", "udp"))
    assert refused.wait("disconnected")["status"] == 488
    may = secure.pjsua("103", srtp="optional", transport="udp")
    call = may.dial(secure.uri("102", "udp"))
    bob.incoming().answer()
    call.wait("confirmed")
    call.hang_up()
    call.wait("disconnected")


@pytest.mark.interop("pjsua2")
def test_srtp_in_the_open_where_the_office_wants_it(tmp_path: Path) -> None:
    with ExitStack() as stack:
        office = SecureOffice(tmp_path, stack, srtp_over_plain=True)
        bob = office.pjsua("102", transport="udp", srtp="optional")
        alice = office.pjsua("101", srtp="required", transport="udp")
        call = alice.dial(office.uri("102", "udp"))
        bob.incoming().answer()
        call.wait("confirmed")
        call.hang_up()
        call.wait("disconnected")
        assert all(profile.endswith("+") for profile in office.profiles())


@pytest.mark.interop("pjsua2")
def test_a_phone_that_must_encrypt_and_cannot_is_refused(secure: SecureOffice) -> None:
    secure.office.cli("extension", "set", "101", "--srtp", "required")
    secure.pjsua("102")
    call = secure.pjsua("101").dial(secure.uri("102"))
    assert call.wait("disconnected")["status"] == 488


@pytest.mark.interop("pjsua2")
def test_a_line_with_the_wrong_name_is_refused_and_the_log_says_so(
    secure: SecureOffice, tmp_path: Path
) -> None:
    (tmp_path / "carrier").mkdir()
    wrong = secure.authority.issue("other.example", file="wrong")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(wrong.certificate, wrong.key)
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        contact = f"sip:door@{HOST}:{port};transport=tls"
        secure.office.add_extension("110", "unused-secret-1", "--contact", contact)
        secure.office.cli("extension", "set", "110", "--voicemail", "no")
        call = secure.pjsua("101").dial(secure.uri("110"))
        accepted, _ = listener.accept()
        with accepted, pytest.raises(ssl.SSLError, match="SSL"):
            context.wrap_socket(accepted, server_side=True)
    assert call.wait("disconnected")["status"] == 480  # what a caller is told of a phone
    assert f"is not trusted as {HOST}" in secure.office.errors()


@pytest.mark.interop("pjsua2")
def test_certificates_change_while_calls_go_on(secure: SecureOffice) -> None:
    alice, bob = secure.pjsua("101", srtp="required"), secure.pjsua("102", srtp="required")
    secure.office.cli("extension", "set", "102", "--srtp", "required")
    call = alice.dial(secure.uri("102"))
    bob.incoming().answer()
    call.wait("confirmed")
    before = _certificate()
    secure.authority.issue(HOST)
    os.kill(secure.office.pid, signal.SIGHUP)
    eventually(_certificate, lambda now: now != before)
    call.hang_up()
    call.wait("disconnected")
    assert secure.office.record()["ended_by"] == "caller"


def _certificate() -> str:
    return ssl.get_server_certificate((HOST, TLS_PORT))
