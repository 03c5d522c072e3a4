"""The drivers themselves: real phones call each other without callpbx, real tools meet a server
that gives way.

What is proven here need not be doubted when a test with callpbx fails; and the attackers show that
they would find something if there were something to find.
"""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.phones.baresip import Baresip
from tests.kit.phones.pjsua import PhoneError, SoftPhone
from tests.kit.phones.sipp import Sipp, SippError, write_users
from tests.kit.phones.sipvicious import crack_password, enumerate_numbers
from tests.kit.tones import heard, read_wav


@pytest.mark.interop("pjsua2")
def test_pjsua_phones_hear_each_other_hold_and_press_keys(tmp_path: Path) -> None:
    with SoftPhone("alice", tmp_path) as alice, SoftPhone("bob", tmp_path) as bob:
        alice.answer_as("sip:101@127.0.0.1")
        bob.answer_as("sip:102@127.0.0.1")
        call = alice.dial(f"sip:102@{bob.address}")
        incoming = bob.incoming()
        call.wait("early")
        incoming.answer()
        call.wait("confirmed")
        call.play(430)
        incoming.play(560)
        assert heard(read_wav(call.record(1.0))) == {560}
        assert heard(read_wav(incoming.record(1.0))) == {430}
        call.hold()
        bob.wait("media", hold="remote")
        call.resume()
        incoming.press("5#")
        assert [alice.wait("digit", digit=key)["digit"] for key in "5#"] == ["5", "#"]
        incoming.hang_up()
        assert call.wait("disconnected")["status"] == 200
        alice.quit()
        bob.quit()


@pytest.mark.interop("pjsua2")
def test_a_phone_says_what_it_waited_for_in_vain(tmp_path: Path) -> None:
    with SoftPhone("alice", tmp_path) as alice:
        with pytest.raises(PhoneError, match=r"alice: no incoming, not within 0\.1 s"):
            alice.incoming(timeout=0.1)
        with pytest.raises(PhoneError, match=r"alice: dial: .*no identity"):
            alice.dial("sip:102@127.0.0.1")
        alice.answer_as("sip:101@127.0.0.1")
        with pytest.raises(PhoneError, match=r"alice: dial: .*URI"):
            alice.dial("no address at all")


@pytest.mark.interop("pjsua2", "baresip")
@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722"])
def test_pjsua_and_baresip_hear_each_other(tmp_path: Path, codec: str) -> None:
    with (
        SoftPhone("alice", tmp_path) as alice,
        Baresip("bob", tmp_path, codec=codec, hz=690) as bob,
    ):
        alice.answer_as("sip:101@127.0.0.1")
        bob.answer_as("102")
        call = alice.dial(f"sip:102@127.0.0.1:{bob.port}")
        incoming = bob.incoming()
        incoming.answer()
        call.wait("confirmed")
        call.play(430)
        assert call.wait_media()["codec"] == codec
        assert heard(read_wav(call.record(1.0))) == {690}
        assert heard(incoming.record(1.0)) == {430}
        call.hang_up()
        incoming.wait("disconnected")


@pytest.mark.interop("baresip")
def test_baresip_phones_speak_opus(tmp_path: Path) -> None:
    with (
        Baresip("alice", tmp_path, number=1, codec="opus", hz=430) as alice,
        Baresip("bob", tmp_path, number=2, codec="opus", hz=690) as bob,
    ):
        alice.answer_as("101")
        bob.answer_as("102")
        call = alice.dial(f"sip:102@127.0.0.1:{bob.port}")
        incoming = bob.incoming()
        incoming.answer()
        call.wait("confirmed")
        incoming.wait("confirmed")
        assert heard(call.record(1.5).part(0.5)) == {690}
        assert heard(incoming.record(1.0)) == {430}
        call.hang_up()
        incoming.wait("disconnected")


@pytest.mark.interop("sipp")
def test_sipp_calls_sipp(tmp_path: Path) -> None:
    with (
        Sipp("answerer", tmp_path, port=5080),
        Sipp(
            "caller",
            tmp_path,
            port=5081,
            target="127.0.0.1:5080",
            calls=50,
            rate=100,
            pause_ms=100,
            number="900",
        ) as caller,
    ):
        report = caller.finish(timeout=20)
    assert (report.created, report.succeeded, report.failed) == (50, 50, 0)


@pytest.mark.interop("sipp")
def test_sipp_that_cannot_finish_is_an_error(tmp_path: Path) -> None:
    with (
        Sipp("caller", tmp_path, port=5081, target="127.0.0.1:5080", calls=1, number="1") as caller,
        pytest.raises(SippError, match="not done after 2 s"),
    ):
        caller.finish(timeout=2)


@contextmanager
def careless_registrar(port: int, passwords: dict[str, str]) -> Iterator[None]:
    """Run a registrar with every mistake: it tells who exists, and lets anybody guess forever."""
    stop = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", port))
        server.settimeout(0.1)
        thread = threading.Thread(target=_serve_carelessly, args=(server, passwords, stop))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _serve_carelessly(
    server: socket.socket, passwords: dict[str, str], stop: threading.Event
) -> None:
    while not stop.is_set():
        try:
            datagram, source = server.recvfrom(65536)
        except TimeoutError:
            continue
        server.sendto(_answer(datagram.decode(errors="replace"), passwords).encode(), source)


def _answer(request: str, passwords: dict[str, str]) -> str:
    def header(name: str) -> str:
        found = re.search(rf"^{name}:\s*(.*?)\r?$", request, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""

    match = re.search(r"sip:(\w+)@", header("To"))
    password = passwords.get(match[1]) if match else None
    status = "404 Not Found" if password is None else "401 Unauthorized"
    if match and password and _right(header("Authorization"), match[1], password):
        status = "200 OK"
    copied = "".join(f"{name}: {header(name)}\r\n" for name in ("Via", "From", "Call-ID", "CSeq"))
    challenge = 'WWW-Authenticate: Digest realm="x", nonce="abc", algorithm=MD5\r\n'
    return (
        f"SIP/2.0 {status}\r\n{copied}To: {header('To')};tag=1\r\n"
        f"{challenge if status.startswith('4') else ''}Content-Length: 0\r\n\r\n"
    )


def _right(authorization: str, user: str, password: str) -> bool:
    found = dict(re.findall(r'(\w+)="?([^",]*)', authorization))
    ha1 = hashlib.md5(f"{user}:x:{password}".encode()).hexdigest()
    ha2 = hashlib.md5(f"REGISTER:{found.get('uri')}".encode()).hexdigest()
    return found.get("response") == hashlib.md5(f"{ha1}:abc:{ha2}".encode()).hexdigest()


@pytest.mark.interop("svwar", "svcrack")
def test_the_attackers_find_what_a_careless_server_gives_away(tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("111111\nletmein\nsecret\nqwerty\n")
    with careless_registrar(5060, {"101": "secret", "103": "x"}):
        found = enumerate_numbers(tmp_path, port=5060, numbers="100-105", method="REGISTER")
        assert found == ["101", "103"]
        assert crack_password(tmp_path, port=5060, user="101", words=words) == ["secret"]


@pytest.mark.interop("sipp")
def test_sipp_registers_with_the_right_password_alone(tmp_path: Path) -> None:
    users = write_users(tmp_path / "users.csv", [("101", "secret"), ("103", "wrong")])
    with (
        careless_registrar(5060, {"101": "secret", "103": "x"}),
        Sipp(
            "register", tmp_path, port=5099, target="127.0.0.1:5060", calls=2, users=users
        ) as sipp,
    ):
        report = sipp.finish(timeout=20)
    assert (report.succeeded, report.failed) == (1, 1)
