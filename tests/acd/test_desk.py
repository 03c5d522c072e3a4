"""The desk: what agents ask for, and the sentence that says what holds then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from pbx.acd import inputs
from pbx.acd.desk import RECOVERY, RECOVERY_S, Desk
from pbx.acd.engine import Engine
from pbx.acd.floor import Floor
from pbx.acd.model import AgentState, Profile, Waiting
from pbx.errors import NotFound, Refused
from pbx.events.bus import Bus
from pbx.plan.model import Queue
from tests.kit.clock import VirtualClock
from tests.kit.keeping import Memory
from tests.kit.loop import run

ASKED = ("log_in", "log_out", "resume", "recover")


class Office:
    """A floor with the queue `tech` and the agents 101, whose phone is there, and 102."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.kept = Memory()
        self.floor = Floor(
            Engine(),
            bus=Bus(self.clock),
            clock=self.clock,
            rng=Random(1),
            keeping=self.kept,
            alarm=print,
        )
        self.desk = Desk(self.floor)

    def open(self) -> None:
        """Let the floor know who there is."""
        tech = Queue("tech", skills={"en": 3}, wrap_up_s=30.0)
        profiles = [Profile(number=each, skills={"en": 5}) for each in ("101", "102")]
        self.floor.tell(inputs.QueuesChanged({"tech": tech}))
        self.floor.tell(inputs.AgentsChanged(tuple(profiles)))
        self.floor.tell(inputs.PhoneReachable("101"))
        self.floor.tell(inputs.PhoneUnreachable("102", "no phone is registered"))

    def state(self, number: str = "101") -> AgentState:
        return self.desk.agent(number).view.state

    def talk(self, leg: int = 1) -> None:
        """Let 101 be on a call."""
        self.floor.tell(inputs.PhoneRings("101", "c1", leg))
        self.floor.tell(inputs.PhoneTalks("101", "c1", leg))

    def hang_up(self, leg: int = 1) -> None:
        self.floor.tell(inputs.PhoneFree("101", "c1", leg))


@pytest.fixture
def office() -> Office:
    return Office()


def at(office: Office, use: Callable[[], None], *, wait: float = 0.0) -> None:
    """Use the desk where a loop runs, as the floor's timer needs one; then wait."""

    async def main() -> None:
        office.open()
        use()
        await asyncio.sleep(wait)
        office.floor.close()

    run(main(), clock=office.clock)


def test_logging_in_twice_is_fine(office: Office) -> None:
    def use() -> None:
        assert office.desk.log_in("101") == "Agent 101 is logged in"
        assert office.desk.log_in("101") == "Agent 101 is logged in"
        assert office.state() is AgentState.AVAILABLE
        assert office.desk.log_out("101") == "Agent 101 is logged out"
        assert office.desk.log_out("101") == "Agent 101 is logged out"
        assert office.state() is AgentState.LOGGED_OUT

    at(office, use)


def test_who_has_no_phone_is_logged_in_and_told_so(office: Office) -> None:
    def use() -> None:
        said = office.desk.log_in("102")
        assert said == "Agent 102 is logged in, but gets no calls: no phone is registered"
        assert office.state("102") is AgentState.UNREACHABLE
        said = office.desk.pause("102", "lunch")
        assert said == "Agent 102 is paused (lunch), but gets no calls: no phone is registered"
        assert office.desk.agent("102").view.pause == "lunch"

    at(office, use)


def test_a_break_begins_and_ends(office: Office) -> None:
    def use() -> None:
        office.desk.log_in("101")
        assert office.desk.pause("101", " lunch ", 900.0) == "Agent 101 is paused (lunch)"
        office.clock.advance(60.0)
        now = office.desk.agent("101")
        assert (now.state, now.view.reason, now.seconds, now.ends_in_s) == (
            *("paused", "lunch"),
            *(60.0, 840.0),
        )
        assert now.since == office.clock.wall() - 60.0
        assert office.desk.resume("101") == "Agent 101 takes calls again"
        assert office.state() is AgentState.AVAILABLE

    at(office, use)


def test_in_a_call_a_break_comes_after_it(office: Office) -> None:
    def use() -> None:
        office.desk.log_in("101")
        office.talk()
        said = office.desk.pause("101", "lunch")
        assert said == "Agent 101 is on a call and takes the break after it (lunch)"
        assert office.state() is AgentState.TALKING
        office.hang_up()
        assert office.state() is AgentState.PAUSED

    at(office, use)


def test_a_break_that_was_to_come_is_taken_back(office: Office) -> None:
    def use() -> None:
        office.desk.log_in("101")
        office.talk()
        office.desk.pause("101", "lunch")
        said = office.desk.resume("101")
        assert said == "Agent 101 is on a call and takes further calls after it"
        office.hang_up()
        assert office.state() is AgentState.AVAILABLE

    at(office, use)


def test_who_logs_out_in_a_call_goes_after_it(office: Office) -> None:
    def use() -> None:
        office.desk.log_in("101")
        office.talk()
        assert office.desk.log_out("101") == "Agent 101 is on a call and is logged out after it"
        office.hang_up()
        assert office.state() is AgentState.LOGGED_OUT

    at(office, use)


def test_an_agent_removed_in_a_call_is_nobody_afterwards(office: Office) -> None:
    def use() -> None:
        office.desk.log_in("101")
        office.talk()
        office.floor.tell(inputs.AgentsChanged(()))
        office.hang_up()
        assert office.desk.agents() == []
        assert office.floor.defects == 0

    at(office, use)


def test_a_recovery_break_ends_by_itself(office: Office) -> None:
    def use() -> None:
        office.desk.log_in("101")
        assert office.desk.recover("101") == f"Agent 101 is paused ({RECOVERY}), for 120 s"
        assert office.desk.agent("101").ends_in_s == RECOVERY_S

    at(office, use, wait=RECOVERY_S + 0.1)
    assert office.state() is AgentState.AVAILABLE


def test_work_after_a_call_is_extended_and_finished(office: Office) -> None:
    def use() -> None:
        office.desk.log_in("101")
        with pytest.raises(Refused, match="agent 101 has no work after a call now"):
            office.desk.extend("101", 30.0)
        office.floor.tell(inputs.AgentTook("c1", "101"))  # nobody waits: nothing happens
        serve(office)
        assert office.state() is AgentState.WRAP_UP
        assert office.desk.agent("101").ends_in_s == 30.0
        said = office.desk.extend("101", 60.0)
        assert said == "Agent 101 has 60 s more for the work after the call"
        assert office.desk.agent("101").ends_in_s == 90.0
        with pytest.raises(Refused, match="1 to 3600 s, not 3601 s"):
            office.desk.extend("101", 3601.0)
        assert office.desk.resume("101") == "Agent 101 takes calls again"

    at(office, use)


def serve(office: Office) -> None:
    """Let 101 serve a caller of the queue."""
    office.floor.join(Waiting(call="c1", queue="tech", joined_at=office.clock.monotonic()))
    office.floor.tell(inputs.PhoneRings("101", "c1", 1))
    office.floor.tell(inputs.PhoneTalks("101", "c1", 1))
    office.floor.tell(inputs.AgentTook("c1", "101"))
    office.clock.advance(10.0)
    office.hang_up()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 41, "a\nb"])
def test_a_break_needs_a_reason_that_can_be_shown(office: Office, reason: str) -> None:
    def use() -> None:
        office.desk.log_in("101")
        with pytest.raises(Refused, match="a reason of 1 to 40 printable characters"):
            office.desk.pause("101", reason)
        assert office.state() is AgentState.AVAILABLE

    at(office, use)


def test_a_break_has_an_end_within_a_day_or_none(office: Office) -> None:
    def use() -> None:
        office.desk.log_in("101")
        for seconds in (0.0, 86_401.0, float("nan")):
            with pytest.raises(Refused, match="1 second to 24 hours"):
                office.desk.pause("101", "lunch", seconds)

    at(office, use)


def test_who_is_logged_out_takes_no_break(office: Office) -> None:
    def use() -> None:
        for ask in (office.desk.resume, office.desk.recover):
            with pytest.raises(Refused, match="callpbx agent login 101"):
                ask("101")

    at(office, use)


@pytest.mark.parametrize("ask", ASKED)
def test_who_is_no_agent_is_told_so(office: Office, ask: str) -> None:
    def use() -> None:
        with pytest.raises(NotFound, match="there is no agent 109"):
            getattr(office.desk, ask)("109")
        assert office.desk.view("109") is None

    at(office, use)
