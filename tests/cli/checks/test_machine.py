"""The box, in good and in bad states."""

from __future__ import annotations

import resource
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pbx.api import address
from pbx.cli.checks import machine
from pbx.cli.checks.finding import Check, Examined, Finding
from pbx.config import Home, Settings, SipListen, parse_settings


def examined(text: str = "", *, running: bool = False, path: Path = Path("/")) -> Examined:
    settings, problems = parse_settings(text, "callpbx.yaml", environ={})
    assert problems == []
    return Examined(Home(path), settings or Settings(), running)


def only(check: Check, subject: Examined) -> Finding:
    (found,) = check(subject)
    return found


@pytest.fixture
def taken() -> Iterator[SipListen]:
    """Give an address that somebody else listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        yield SipListen("udp", "127.0.0.1", other.getsockname()[1])


def test_free_ports_are_well() -> None:
    text = "sip: {listen: [udp://127.0.0.1:0, 'tcp://[::1]:0']}\n"
    found = list(machine.check_ports(examined(text)))
    assert [finding.level for finding in found] == ["ok", "ok"]


def test_a_taken_port_names_the_command_that_finds_who_has_it(taken: SipListen) -> None:
    found = only(machine.check_ports, examined(f"sip: {{listen: '{taken}'}}\n"))
    assert found.level == "fail"
    assert found.sentence == f"{taken} is taken by another program"
    assert found.fix == f"ss -lunp sport = :{taken.port} names it; stop it"


def test_our_own_server_may_have_the_port(taken: SipListen) -> None:
    found = only(machine.check_ports, examined(f"sip: {{listen: '{taken}'}}\n", running=True))
    assert found.level == "ok"


def test_an_address_of_another_machine_is_noticed() -> None:
    found = only(machine.check_ports, examined("sip: {listen: udp://203.0.113.99:5060}\n"))
    assert (found.level, found.sentence) == (
        "fail",
        "203.0.113.99 is no address of this machine",
    )


def test_a_taken_api_port_is_a_warning() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"api: {{listen: 'http://127.0.0.1:{other.getsockname()[1]}'}}\n"
        found = only(machine.check_api_port, examined(listen))
    assert found.level == "warn"
    assert "will be on var/callpbx.sock only" in found.sentence


def test_an_api_that_others_can_reach_is_a_warning() -> None:
    found = only(machine.check_api_port, examined("api: {listen: 'http://0.0.0.0:0'}\n"))
    assert found.level == "warn"
    assert "HTTPS proxy" in (found.fix or "")
    assert only(machine.check_api_port, examined("api: {listen: 'http://[::1]:0'}\n")).level == "ok"


@pytest.mark.parametrize(
    ("kernel", "level"), [("32768\t60999\n", "ok"), ("15000\t60999\n", "warn"), ("", "ok")]
)
def test_media_ports_should_be_the_offices_alone(
    monkeypatch: pytest.MonkeyPatch, kernel: str, level: str
) -> None:
    monkeypatch.setattr(machine, "_read_text", lambda _: kernel)
    found = only(machine.check_media_ports, examined())
    assert found.level == level
    if level == "warn":
        assert found.fix == "sysctl -w net.ipv4.ip_local_reserved_ports=10000-19999"


@pytest.mark.parametrize(
    ("own", "level", "words"),
    [
        ("192.168.1.5", "ok", "phones use 192.168.1.5; from outside: none set"),
        ("8.8.8.8", "ok", "which is public"),
        (None, "warn", "no network"),
        ("100.64.3.4", "warn", "is private but in none of"),
        ("fd00::5", "ok", "phones use fd00::5"),
    ],
)
def test_where_phones_find_this_machine(
    monkeypatch: pytest.MonkeyPatch, own: str | None, level: str, words: str
) -> None:
    monkeypatch.setattr(address, "own_address", lambda: own)
    found = only(machine.check_address, examined())
    assert found.level == level
    assert words in found.sentence


def test_a_private_address_outside_the_local_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "own_address", lambda: "192.168.7.5")
    found = only(machine.check_address, examined("sip: {local_networks: 10.0.0.0/8}\n"))
    assert found.level == "warn"
    assert "192.168.7.0/24" in (found.fix or "")


def test_the_fix_of_a_small_buffer_names_the_sysctl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "RECEIVE_BUFFER", 2**40)  # more than any machine gives
    monkeypatch.setattr(socket.socket, "setsockopt", lambda *_: None)
    found = only(machine.check_receive_buffer, examined())
    assert found.level == "warn"
    assert found.fix == f"sysctl -w net.core.rmem_max={2**40}, and the same in /etc/sysctl.d"


@pytest.mark.parametrize(
    ("hard", "level"), [(1024, "warn"), (65536, "ok"), (resource.RLIM_INFINITY, "ok")]
)
def test_descriptors(monkeypatch: pytest.MonkeyPatch, hard: int, level: str) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, hard))
    assert only(machine.check_descriptors, examined()).level == level


def test_the_clock_is_asked_about() -> None:
    assert {found.subject for found in machine.check_clock(examined())} <= {"clock"}


@pytest.mark.parametrize(("free", "level"), [(10, "fail"), (2 * 10**9, "ok")])
def test_room_on_the_disk(monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    usage = shutil.disk_usage("/")._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert only(machine.check_disk, examined()).level == level
