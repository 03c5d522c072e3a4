"""SIGTERM while two talk: they may finish, then they get a BYE; a second one ends it at once."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.interop.conftest import Phones, assert_stopped_properly
from tests.kit.office import OfficeMaker, TestedOffice
from tests.kit.phones.pjsua import SoftCall

GRACE = 5.0
"""Seconds that calls may go on after SIGTERM; the default of callpbx.yaml."""


def talking(office: TestedOffice, phones: Phones) -> SoftCall:
    """Return the caller's side of a call that is up."""
    alice, bob = phones.pjsua(office, "101"), phones.pjsua(office, "102")
    call = alice.dial(office.uri("102"))
    bob.incoming().answer()
    call.wait("confirmed")
    return call


@pytest.mark.interop("pjsua2")
@pytest.mark.parametrize("signals", [1, 2])
def test_a_call_gets_a_bye_and_a_record_when_the_server_stops(
    make_office: OfficeMaker, phones: Phones, signals: int
) -> None:
    office = make_office()
    office.start()
    call = talking(office, phones)
    started = time.monotonic()
    for _ in range(signals):
        os.kill(office.pid, signal.SIGTERM)
        time.sleep(0.3)
    call.wait("disconnected")
    took = time.monotonic() - started
    assert office.wait() == 0, office.errors()
    assert "Traceback" not in office.errors()
    assert took < 2.0 if signals == 2 else GRACE - 0.5 < took < GRACE + 2.0

    office.start()
    record = office.record()
    assert (record["result"], record["reason"]) == ("answered", "shutdown")
    assert record["ended_by"] == "system"
    assert_stopped_properly(office)
