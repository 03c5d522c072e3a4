"""What people type into a phone as its server."""

from __future__ import annotations

import socket

import pytest

from pbx.api import address
from pbx.api.address import own_address, phone_server


def test_a_wildcard_becomes_this_machines_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "own_address", lambda: "192.168.1.5")
    assert phone_server("0.0.0.0", 5060) == "192.168.1.5"
    assert phone_server("::", 5070) == "192.168.1.5:5070"


def test_without_a_network_it_is_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    assert own_address() is None
    assert phone_server("0.0.0.0", 5060) == "127.0.0.1"
