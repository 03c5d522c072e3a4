"""`callpbx callback`: the table, JSON, cancel, now."""

from __future__ import annotations

import json

import pytest

from tests.api.centre_double import CentreDouble, booked_callback, centre_of
from tests.api.office_double import OfficeDouble
from tests.cli.conftest import Command


@pytest.fixture
def centre(live: OfficeDouble) -> CentreDouble:
    """Give a running call centre with one call-back."""
    assert live.live is not None
    live.live.centre = double = centre_of("sales")
    double.booked.append(booked_callback())
    return double


def test_call_backs_are_listed(centre: CentreDouble, command: Command) -> None:
    _, out, _ = command("callback", "list")
    row = out.splitlines()[1].split()
    assert row[:8] == ["c0ffee01", "sales", "13800138000", "10:02", "resting", "1", "of", "3"]
    _, out, _ = command("callback", "list", "--json")
    assert json.loads(out)[0]["doing"] == "resting"
    centre.booked.clear()
    _, out, err = command("callback", "list")
    assert "Nobody waits to be called back" in out + err


def test_one_is_tried_now_and_cancelled(centre: CentreDouble, command: Command) -> None:
    _, out, _ = command("callback", "now", "13800138000")
    assert out == "Call-back c0ffee01 to 13800138000 waits in queue sales now\n"
    _, out, _ = command("callback", "cancel", "c0ffee01")
    assert out == "Call-back c0ffee01 is cancelled\n"
    status, _, err = command("callback", "cancel", "c0ffee01")
    assert status == 1
    assert "no call-back c0ffee01 waits" in err
