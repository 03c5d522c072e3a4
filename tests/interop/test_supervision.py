"""Supervisors on a live call: by tones, who hears whom when one listens, whispers, barges in, takes
over or lets somebody go."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.interop.conftest import Phones
from tests.kit.office import MUSIC_HZ, OfficeMaker, TestedOffice
from tests.kit.phones.talker import Talker, loudest, talk, wait_for

pytestmark = pytest.mark.interop("pjsua2", "baresip")

CUSTOMER_HZ, AGENT_HZ, SUPERVISOR_HZ = 430, 500, 690
"""The agent's tone is a divisor of every codec's sample rate: its distortion lies on multiples of
500 Hz alone, so that the faintest trace of the supervisor would show beside it."""

UNHEARD_DBFS = -70.0
NO_PACKET_DBFS = -50.0
"""What not even one packet of the supervisor's could hide below, −40 dBFS in half a second of
sound; the click of a call that goes from relay to matrix is fainter, though not as faint as −70."""

HELD_S = 1.0
"""How long the customer's ear is watched while the supervisor talks."""

BLIND = """\
import sys

if "pbx.media.worker" in sys.orig_argv:
    from pbx.media.mixing.bridge import Bridge

    Bridge.set_gains = lambda self, gains: None
"""
"""A sitecustomize.py that makes media workers forget who may not hear whom."""


class Floor:
    """A customer who talks with an agent, and a supervisor's phone."""

    def __init__(self, office: TestedOffice, phones: Phones, codec: str = "PCMU") -> None:
        self.office = office
        self.desk, caller, called = phones.at_once(
            lambda: phones.pjsua(office, "103"),
            lambda: phones.baresip(office, "101", codec=codec, hz=CUSTOMER_HZ),
            lambda: phones.pjsua(office, "102"),
        )
        self.customer, self.agent = talk(office, caller, called, "102", (CUSTOMER_HZ, AGENT_HZ))
        wait_for({self.customer: {self.agent}, self.agent: {self.customer}})

    def join(self, mode: str) -> Talker:
        """Let the supervisor in, as `callpbx MODE` does."""
        self.office.cli(mode, "103", "101")
        ringing = self.desk.incoming()
        ringing.answer()
        ringing.wait("confirmed")
        return Talker(ringing, SUPERVISOR_HZ)

    def whisper(self, *, timeout: float = 6.0) -> Talker:
        """Let the supervisor whisper; AssertionError where the customer hears a trace of it."""
        customer, agent = self.customer, self.agent
        mark = customer.mark()
        supervisor = self.join("whisper")
        wait_for(
            {agent: {customer, supervisor}, supervisor: {customer, agent}, customer: {agent}},
            timeout=timeout,
        )
        self.assert_unheard(supervisor, since=mark)
        return supervisor

    def assert_unheard(self, supervisor: Talker, *, since: float) -> None:
        """Look at all that the customer has heard since a mark, and at a second more."""
        settled = self.customer.mark()
        time.sleep(HELD_S)
        for start, limit in ((since, NO_PACKET_DBFS), (settled, UNHEARD_DBFS)):
            level = loudest(self.customer.since(start), supervisor.hz)
            assert level < limit, f"the customer hears the supervisor at {level:.1f} dBFS"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_supervisor_listens_whispers_and_barges_by_keys(
    serve: OfficeMaker, phones: Phones, workers: int
) -> None:
    office = serve(workers=workers)
    floor = Floor(office, phones)
    customer, agent = floor.customer, floor.agent
    start, at_agent = customer.mark(), agent.mark()
    supervisor = floor.join("listen")
    listens = {supervisor: {customer, agent}, customer: {agent}, agent: {customer}}
    wait_for(listens)
    assert loudest(agent.since(at_agent), SUPERVISOR_HZ) < NO_PACKET_DBFS
    supervisor.call.press("2")
    wait_for(listens | {agent: {customer, supervisor}})
    floor.assert_unheard(supervisor, since=start)
    supervisor.call.press("3")
    wait_for(listens | {agent: {customer, supervisor}, customer: {agent, supervisor}})
    supervisor.call.press("1")
    wait_for(listens)
    supervisor.call.hang_up()
    wait_for({customer: {agent}, agent: {customer}})
    customer.call.hang_up()
    agent.call.wait("disconnected")
    assert modes(office) == ["listen", "whisper", "barge", "listen"]
    assert {row["by"] for row in office.record()["supervision"]} == {"103"}


def test_a_whisper_is_for_the_agent_alone_and_a_takeover_for_the_customer(
    office: TestedOffice, phones: Phones
) -> None:
    floor = Floor(office, phones, "G722")
    customer, agent = floor.customer, floor.agent
    supervisor = floor.whisper()
    office.cli("barge", "103", "101")
    wait_for({customer: {agent, supervisor}, agent: {customer, supervisor}})
    office.cli("release", "101", "--mode", "takeover")
    agent.call.wait("disconnected")
    wait_for({customer: {supervisor}, supervisor: {customer}})
    supervisor.call.hang_up()
    customer.call.wait("disconnected")
    assert modes(office) == ["whisper", "barge", "release:takeover"]


def test_an_agent_who_is_let_go_leaves_the_customer_with_music(
    office: TestedOffice, phones: Phones
) -> None:
    floor = Floor(office, phones)
    customer = floor.customer
    office.cli("release", "101", "--mode", "agent")
    floor.agent.call.wait("disconnected")
    wait_for({customer: {MUSIC_HZ}})
    supervisor = floor.join("barge")
    office.cli("release", "101", "--mode", "takeover")
    wait_for({customer: {supervisor}, supervisor: {customer}})
    office.cli("release", "101", "--mode", "all")
    customer.call.wait("disconnected")
    supervisor.call.wait("disconnected")
    assert modes(office) == ["release:agent", "barge", "release:takeover", "release:all"]


def test_a_whisper_that_leaks_is_found(
    serve: OfficeMaker, phones: Phones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLIND)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    office = serve()
    monkeypatch.delenv("PYTHONPATH")
    floor = Floor(office, phones)
    with pytest.raises(AssertionError, match=r"baresip-101 .* hears \[500, 690\] Hz"):
        floor.whisper(timeout=2.0)


def modes(office: TestedOffice) -> list[str]:
    """Return how the one call was supervised, in the order in which each stretch began."""
    rows = sorted(office.record()["supervision"], key=lambda row: row["started_at"])
    return [row["mode"] for row in rows]
