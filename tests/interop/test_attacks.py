"""Attackers find nothing: no number, no password, no open audio port."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import OfficeMaker, TestedOffice
from tests.kit.phones.sipvicious import crack_password, enumerate_numbers
from tests.kit.tones import heard, read_wav

STRANGER = "127.0.0.66"
PACKETS = 100_000
MEDIA_PORTS = range(10000, 10400)


@pytest.mark.interop("svwar")
@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "OPTIONS"])
def test_nobody_learns_which_numbers_exist(
    office: TestedOffice, tmp_path: Path, method: str
) -> None:
    assert enumerate_numbers(tmp_path, port=5060, numbers="100-150", method=method) == []


@pytest.mark.interop("svcrack")
def test_guessing_passwords_ends_before_the_fiftieth_guess(
    make_office: OfficeMaker, tmp_path: Path
) -> None:
    office = make_office()
    office.start()
    office.add_extension("110", "guess-0049-right")
    words = tmp_path / "words"
    words.write_text(
        "".join(f"guess-{n:04}-{'right' if n == 49 else 'wrong'}\n" for n in range(1, 70))
    )
    assert crack_password(tmp_path, port=5060, user="110", words=words) == []
    bans = office.ask("status")["server"]["bans"]
    assert "127.0.0.1" in str(bans)
    office.cli("unban", "127.0.0.1")
    assert "127.0.0.1" not in str(office.ask("status")["server"]["bans"])
    assert office.stop() == 0
    assert "Traceback" not in office.errors()


@pytest.mark.interop("pjsua2")
def test_strangers_audio_reaches_nobody_and_is_answered_by_nothing(
    office: TestedOffice, phones: Phones
) -> None:
    alice, bob = phones.pjsua(office, "101"), phones.pjsua(office, "102")
    call = alice.dial(office.uri("102"))
    incoming = bob.incoming()
    incoming.answer()
    call.wait("confirmed")
    call.play(430)
    incoming.play(690)
    call.record(0.5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((STRANGER, 0))
        stranger.setblocking(False)
        spray(stranger, PACKETS // 2)
        assert heard(read_wav(call.record(1.0))) == {690}
        spray(stranger, PACKETS - PACKETS // 2)
        assert heard(read_wav(incoming.record(1.0))) == {430}
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)
    call.hang_up()
    call.wait("disconnected")
    for row in office.record()["quality"]:
        assert row["packets"] < 1000, "strangers' packets were counted as the phone's"


def spray(stranger: socket.socket, packets: int) -> None:
    """Send loud PCMU packets, each port's in a sequence of its own, over the whole media range."""
    loud = bytes([0x00, 0x80] * 80)  # full-scale square wave of 4 kHz
    for n in range(packets):
        sequence, port = divmod(n, len(MEDIA_PORTS))
        header = struct.pack("!BBHII", 0x80, 0, sequence & 0xFFFF, sequence * 160, 0xBADBAD)
        try:
            stranger.sendto(header + loud, ("127.0.0.1", MEDIA_PORTS[port]))
        except (BlockingIOError, ConnectionRefusedError):
            continue  # nobody listens on that port, which is an answer of the kernel's alone
