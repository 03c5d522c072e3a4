"""The state table of agents, and the facts that lead through it."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from pbx.acd.agent import AIMS, LEGAL, LEGLESS, LONGEST_RING, MOVES, Happening, Work
from pbx.acd.commands import Healed, Offer, StateChanged, Withdraw, WrapUpDone
from pbx.acd.inputs import (
    AgentTook,
    DayBegan,
    LoggedIn,
    LoggedOut,
    PauseAsked,
    PhoneFree,
    PhoneHolds,
    PhoneReachable,
    PhoneTalks,
    PhoneUnreachable,
    ResumeAsked,
    WrapUpExtended,
)
from pbx.acd.model import AgentState, Profile
from pbx.events.event import AgentStateName
from pbx.plan.model import Queue
from tests.kit.desk import Desk

WORK = Queue("service", wrap_up_s=30.0)

NEVER_OF = {
    Happening.OFFERED: {"logged_out", "wrap_up", "paused", "unreachable"},
    Happening.HOLDS: {"available", "reserved", "ringing", "wrap_up", "paused", "unreachable"},
    Happening.BREAK: {"logged_out"},
    Happening.WORK: {"logged_out", "available", "paused"},
}
"""What cannot happen in which states; everything else can."""


@pytest.mark.parametrize(("state", "happening"), tuple(product(AgentState, Happening)))
def test_a_move_is_legal_or_not(state: AgentState, happening: Happening) -> None:
    legal = state.value not in NEVER_OF.get(happening, ())
    assert (happening in LEGAL[state]) is legal
    assert MOVES.get((state, happening)) is (AIMS[happening] if legal else None)


def test_every_state_is_named_and_can_be_reached_and_left() -> None:
    assert {state.value for state in AgentState} == set(get_args(AgentStateName))
    assert set(AIMS.values()) == set(AgentState)
    assert all(Happening.OFF_DUTY in LEGAL[state] for state in AgentState)


def test_an_agent_goes_through_a_call() -> None:
    desk = Desk(queues=[WORK])
    desk.joins("c1")
    states = [desk.state("101")]
    leg = desk.rings("101", "c1")
    states.append(desk.state("101"))
    desk.tell(PhoneTalks("101", "c1", leg))
    desk.tell(AgentTook("c1", "101"))
    states.append(desk.state("101"))
    desk.tell(PhoneHolds("101", "c1", leg, on=True))
    states.append(desk.state("101"))
    desk.tell(PhoneHolds("101", "c1", leg, on=False))
    states.append(desk.state("101"))
    desk.later(60)
    desk.hangs_up("101", "c1", leg)
    states.append(desk.state("101"))
    desk.later(30)
    states.append(desk.state("101"))
    assert states == ["reserved", "ringing", "talking", "hold", "talking", "wrap_up", "available"]


def test_a_change_says_how_long_what_was_before_took_and_what_it_is_about() -> None:
    desk = Desk(queues=[WORK])
    desk.joins("c1")
    leg = desk.takes("101", "c1")
    desk.later(60)
    desk.hangs_up("101", "c1", leg)
    assert desk.heard(StateChanged) == [
        StateChanged(
            "101", AgentState.TALKING, AgentState.WRAP_UP, "", 60.0, call="c1", queue="service"
        )
    ]


def test_work_after_a_call_ends_by_itself_or_is_done_or_extended() -> None:
    desk = Desk(queues=[WORK])
    for call, act, seconds in (
        ("c1", None, 30.0),
        ("c2", ResumeAsked("101"), 5.0),
        ("c3", WrapUpExtended("101", 20.0), 50.0),
        ("c4", PauseAsked("101", "lunch"), 5.0),
    ):
        desk.joins(call)
        desk.hangs_up("101", call, desk.takes("101", call))
        desk.later(5)
        told = desk.tell(act) if act is not None else []
        told = told + desk.later(60)
        assert WrapUpDone("101", call, "service", seconds) in told, call


def test_more_time_may_be_asked_during_the_call() -> None:
    desk = Desk(queues=[WORK])
    desk.joins("c1")
    leg = desk.takes("101", "c1")
    desk.tell(WrapUpExtended("101", 15.0))
    desk.hangs_up("101", "c1", leg)
    assert WrapUpDone("101", "c1", "service", 45.0) in desk.later(60)


def test_a_call_amid_the_work_leaves_what_is_left_of_it() -> None:
    desk = Desk(queues=[WORK])
    desk.joins("c1")
    desk.hangs_up("101", "c1", desk.takes("101", "c1"))
    desk.later(10)
    desk.calls("101", seconds=100)
    assert desk.state("101") == "wrap_up"
    desk.later(19.9)
    assert desk.state("101") == "wrap_up"
    assert WrapUpDone("101", "c1", "service", 30.0) in desk.later(0.2)


def test_a_break_acts_at_once_or_after_the_call() -> None:
    desk = Desk(queues=[WORK], agents=("101", "102"))
    desk.tell(PauseAsked("102", "lunch"))
    assert desk.heard(StateChanged)[0].reason == "lunch"
    desk.joins("c1")
    leg = desk.takes("101", "c1")
    desk.tell(PauseAsked("101", "coffee"))
    assert desk.state("101") == "talking"
    desk.hangs_up("101", "c1", leg)
    assert desk.state("101") == "paused"
    desk.tell(ResumeAsked("101"))
    assert desk.state("101") == "available"


def test_another_reason_of_a_break_is_told() -> None:
    desk = Desk()
    desk.tell(PauseAsked("101", "coffee"))
    desk.later(60)
    desk.tell(PauseAsked("101", "training"))
    [change] = desk.heard(StateChanged)
    assert (change.before, change.after) == (AgentState.PAUSED, AgentState.PAUSED)
    assert (change.reason, change.seconds) == ("training", 60.0)


@pytest.mark.parametrize("busy", [False, True])
def test_a_recovery_break_ends_by_itself(busy: bool) -> None:
    desk = Desk(queues=[WORK])
    desk.joins("c1")
    leg = desk.takes("101", "c1")
    if busy:
        desk.tell(PauseAsked("101", "recovery", 120.0))
        desk.later(300)
        desk.hangs_up("101", "c1", leg)
    else:
        desk.hangs_up("101", "c1", leg)
        desk.tell(PauseAsked("101", "recovery", 120.0))
    assert desk.state("101") == "paused"
    desk.later(119)
    assert desk.state("101") == "paused"
    desk.later(1)
    assert desk.state("101") == "available"


def test_a_log_out_acts_after_the_call_and_leaves_no_work() -> None:
    desk = Desk(queues=[WORK])
    desk.joins("c1")
    leg = desk.takes("101", "c1")
    desk.tell(LoggedOut("101"))
    assert desk.state("101") == "talking"
    desk.hangs_up("101", "c1", leg)
    assert desk.state("101") == "logged_out"
    desk.calls("101", seconds=10)
    assert desk.state("101") == "logged_out"


def test_a_log_out_stops_the_phone_from_ringing_for_a_caller() -> None:
    desk = Desk(agents=("101", "102"))
    desk.joins("c1")
    leg = desk.rings("101", "c1")
    desk.tell(LoggedOut("101"))
    assert desk.heard(Withdraw) == [Withdraw("c1", "101", "logged_out")]
    assert desk.offered("c1") == ("102",)
    desk.hangs_up("101", "c1", leg)
    assert desk.state("101") == "logged_out"


def test_who_logs_in_amid_a_call_is_on_it() -> None:
    desk = Desk(logged_in=False)
    leg = desk.rings("101", "private")
    desk.tell(PhoneTalks("101", "private", leg))
    desk.tell(PhoneHolds("101", "private", leg, on=True))
    desk.tell(LoggedIn("101"))
    assert desk.state("101") == "hold"


def test_a_vanished_phone_is_told_with_its_cause_and_the_break_goes_on_afterwards() -> None:
    desk = Desk()
    desk.tell(PauseAsked("101", "lunch"))
    desk.tell(PhoneUnreachable("101", "registration expired"))
    [change] = desk.heard(StateChanged)
    assert (change.after.value, change.reason) == ("unreachable", "registration expired")
    desk.tell(PhoneReachable("101"))
    assert desk.state("101") == "paused"


@pytest.mark.parametrize("outbound", [False, True])
def test_any_call_makes_an_agent_busy(outbound: bool) -> None:
    desk = Desk()
    leg = desk.rings("101", "private", outbound=outbound)
    assert desk.state("101") == ("talking" if outbound else "ringing")
    assert not desk.heard(Offer)
    desk.joins("c1")
    assert desk.offered("c1") is None
    desk.hangs_up("101", "private", leg)
    assert desk.offered("c1") == ("101",)


def test_of_several_phones_one_that_talks_is_enough() -> None:
    desk = Desk(queues=[WORK])
    desk.joins("c1")
    second = desk.rings("101", "c1")
    first = desk.takes("101", "c1")
    desk.hangs_up("101", "c1", second)
    assert desk.state("101") == "talking"
    desk.hangs_up("101", "c1", first)
    assert desk.state("101") == "wrap_up"


def test_an_agent_with_room_for_two_is_offered_two() -> None:
    desk = Desk(agents=[Profile(number="101", capacity=2)])
    desk.joins("c1")
    desk.takes("101", "c1")
    desk.joins("c2")
    assert desk.offered("c2") == ("101",)
    desk.joins("c3")
    assert desk.offered("c3") is None
    assert desk.state("101") == "talking"


def test_calls_and_talk_are_counted_from_midnight() -> None:
    desk = Desk(
        agents=("101", "102"), queues=[Queue("service", strategy="fewest_calls", wrap_up_s=0.0)]
    )
    desk.joins("c1")
    desk.hangs_up("101", "c1", desk.takes("101", "c1"))
    desk.later(60)
    desk.joins("c2")
    assert desk.offered("c2") == ("102",)
    desk.hangs_up("102", "c2", desk.takes("102", "c2"))
    desk.tell(DayBegan())
    desk.later(600)
    desk.joins("c3")
    assert desk.offered("c3") == ("101",)


# -- the watchdog ----------------------------------------------------------------------------


def test_an_offer_of_which_nothing_is_heard_is_over_soon_after_the_ring_timeout() -> None:
    desk = Desk(agents=("101", "102"), queues=[Queue("service", ring_s=15.0)])
    desk.joins("c1")
    desk.later(19.9)
    assert desk.state("101") == "reserved"
    desk.later(0.2)
    assert len(desk.heard(Healed)) == 1
    assert desk.heard(Withdraw) == [Withdraw("c1", "101", "no_answer")]
    assert desk.offered("c1") == ("102",)
    assert desk.state("101") == "available"


def test_a_phone_that_rang_and_stopped_without_a_word_is_healed() -> None:
    desk = Desk(agents=("101", "102"))
    desk.joins("c1")
    desk.hangs_up("101", "c1", desk.rings("101", "c1"))
    assert desk.state("101") == "reserved"
    desk.later(LEGLESS)
    assert desk.heard(Healed)
    assert desk.offered("c1") == ("102",)


def test_who_answered_may_take_as_long_as_it_wants_to_confirm() -> None:
    desk = Desk()
    desk.joins("c1")
    leg = desk.rings("101", "c1")
    desk.tell(PhoneTalks("101", "c1", leg))
    desk.later(300)
    assert not desk.heard(Healed)
    assert desk.state("101") == "talking"


def test_who_talks_without_a_phone_is_healed() -> None:
    desk = Desk(queues=[WORK])
    desk.joins("c1")
    desk.tell(AgentTook("c1", "101"))
    assert desk.state("101") == "talking"
    desk.later(LEGLESS)
    assert desk.heard(Healed)
    assert desk.state("101") == "wrap_up"


def test_a_caller_who_hangs_up_at_once_leaves_work() -> None:
    desk = Desk(queues=[WORK])
    desk.joins("c1")
    desk.hangs_up("101", "c1", desk.rings("101", "c1"))
    desk.tell(AgentTook("c1", "101"))
    assert desk.state("101") == "wrap_up"


def test_no_phone_rings_for_ever() -> None:
    desk = Desk()
    leg = desk.rings("101", "private")
    desk.later(LONGEST_RING)
    assert desk.heard(Healed)
    assert desk.state("101") == "available"
    assert desk.tell(PhoneFree("101", "private", leg)) == []


def test_what_cannot_be_is_reported_and_healed() -> None:
    desk = Desk()
    room = desk.engine._room
    agent = room.agents["101"]
    agent.work = Work("c1", "service", talk_s=60.0, left=30.0)  # of one who did not talk
    room.settle(agent, desk.now)
    assert [type(command) for command in room.out] == [Healed, StateChanged]
    assert desk.state("101") == "wrap_up"
    desk.later(30)
    assert desk.state("101") == "available"
