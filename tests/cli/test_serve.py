"""`callpbx serve` and `demo`: what they hand over, and what stops them."""

from __future__ import annotations

import pytest

import pbx.demo
import pbx.server
from pbx.config import Home, Settings
from tests.cli.conftest import Command


def test_serve_hands_over_the_office_and_its_settings(
    office: Home, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[tuple[Home, Settings]] = []
    monkeypatch.setattr(pbx.server, "serve", lambda home, settings: served.append((home, settings)))
    office.settings.write_text("grace: 7s\n")
    assert command("serve")[0] == 0
    assert served == [(office, Settings(grace_s=7.0))]


def test_it_starts_only_where_an_office_is(home: Home, command: Command) -> None:
    status, _, err = command("serve")
    assert status == 1
    assert err.startswith(f"there is no office in {home.path}; make one with callpbx init")
    assert not home.path.exists()


def test_a_mistake_in_the_settings_stops_it_with_its_place(office: Home, command: Command) -> None:
    office.settings.write_text("grace: 7\n")
    status, out, err = command("serve")
    assert (status, out) == (1, "")
    assert err.startswith('callpbx.yaml:1:8 E005 grace: "7" is no duration')


@pytest.mark.parametrize("status", [0, 1])
def test_the_demo_decides_the_exit_status(
    command: Command, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(pbx.demo, "main", lambda: status)
    assert command("demo")[0] == status
