"""The queue engine: who gets whom, in which order, and what becomes of everybody."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.acd.commands import Moved, Offer, Relaxed, SendAway, Withdraw
from pbx.acd.inputs import (
    AgentDeclined,
    AgentsChanged,
    AgentTook,
    CallbackReady,
    CallerGone,
    CallerMoved,
    LoggedIn,
    LoggedOut,
    PauseAsked,
    PhoneReachable,
    PhoneUnreachable,
    QueueOpened,
    QueuesChanged,
    ResumeAsked,
    SkillsWanted,
    TimePassed,
)
from pbx.acd.model import DeclineReason, Profile, Waiting
from pbx.plan.model import Queue, Relaxation
from tests.kit.desk import Desk

LADDER = Queue(
    "service",
    skills={"service": 5},
    relax=(Relaxation(30.0, {"service": 2}), Relaxation(90.0, {})),
    wrap_up_s=0.0,
)


def queue(name: str = "service", **options: Any) -> Queue:
    return Queue(name, **{"wrap_up_s": 0.0, **options})


def served(desk: Desk, calls: int) -> list[str]:
    """Let the one agent there is take everybody, and return in which order."""
    order = []
    desk.tell(ResumeAsked("101"))
    for _ in range(calls):
        [offer] = desk.heard(Offer)
        order.append(offer.call)
        desk.hangs_up("101", offer.call, desk.takes("101", offer.call))
    assert not desk.heard(Offer)
    return order


def paused_desk(*queues: Queue, between: str = "oldest", **skills: int) -> Desk:
    desk = Desk([Profile(number="101", skills=skills)], queues or [queue()], between=between)
    desk.tell(PauseAsked("101", "lunch"))
    return desk


# -- order of callers ------------------------------------------------------------------------


def test_callers_are_served_in_the_order_in_which_they_came() -> None:
    desk = paused_desk()
    for call in ("c1", "c2", "c3"):
        desk.joins(call)
        desk.later(1)
    assert [desk.engine.ahead(call) for call in ("c1", "c2", "c3", "c4")] == [0, 1, 2, None]
    assert desk.engine.queues(desk.now)[0].waiting == ("c1", "c2", "c3")
    assert served(desk, 3) == ["c1", "c2", "c3"]


@pytest.mark.parametrize(
    ("waited", "first"), [(59.0, "vip"), (61.0, "common")], ids=["priority", "waiting"]
)
def test_a_step_of_priority_is_worth_a_minute_of_waiting(waited: float, first: str) -> None:
    desk = paused_desk()
    desk.joins("common")
    desk.later(waited)
    desk.joins("vip", priority=1)
    assert served(desk, 2)[0] == first


def test_an_old_place_counts_from_when_the_wait_began() -> None:
    desk = paused_desk()
    desk.joins("c1")
    desk.later(10)
    desk.joins("c2", joined_at=desk.now - 60)
    assert served(desk, 2) == ["c2", "c1"]


def test_who_comes_back_is_served_before_everybody_and_a_supervisors_choice_before_that() -> None:
    desk = paused_desk()
    desk.joins("vip", priority=9)
    desk.joins("back", at_head=True)
    desk.joins("up")
    desk.tell(CallerMoved("up"))
    desk.joins("last")
    assert served(desk, 4) == ["up", "back", "vip", "last"]


def test_a_call_back_keeps_its_place_among_live_callers() -> None:
    desk = paused_desk()
    for call, back in (("c1", False), ("b1", True), ("c2", False), ("b2", True)):
        desk.joins(call, callback=back)
        desk.later(1)
    assert served(desk, 4) == ["c1", "b1", "c2", "b2"]


def test_a_call_back_that_must_wait_is_passed_over_and_keeps_its_place() -> None:
    desk = paused_desk()
    desk.joins("b1", callback=True)
    desk.joins("c1")
    desk.tell(CallbackReady("b1", ready=False))
    assert served(desk, 1) == ["c1"]
    desk.tell(PauseAsked("101", "lunch"))
    desk.joins("c2")
    desk.tell(CallbackReady("b1", ready=True))
    assert served(desk, 2) == ["b1", "c2"]


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ("oldest", ["a1", "b1", "a2", "b2", "a3", "b3"]),
        ("strict", ["b1", "b2", "b3", "a1", "a2", "a3"]),
        ("weighted", ["a1", "b1", "b2", "a2", "b3", "a3"]),
    ],
)
def test_between_queues(between: str, expected: list[str]) -> None:
    # One step of priority is a minute: too little against the hours that these callers waited.
    queues = [queue("a"), queue("b", priority=1 if between == "strict" else 0, weight=2)]
    desk = paused_desk(*queues, between=between)
    for count in (1, 2, 3):
        for name in ("a", "b"):
            desk.joins(f"{name}{count}", name)
            desk.later(3600)
    assert served(desk, 6) == expected


def test_the_priority_of_a_queue_adds_to_its_callers() -> None:
    desk = paused_desk(queue("a"), queue("b", priority=2))
    desk.joins("a1", "a")
    desk.later(100)
    desk.joins("b1", "b")
    assert served(desk, 2) == ["b1", "a1"]


def test_waiting_wins_over_priority_in_time() -> None:
    """A stream of important callers starves nobody."""
    desk = paused_desk()
    desk.joins("common")
    for minute in range(20):
        desk.joins(f"vip{minute}", priority=5)
        desk.later(60)
    assert served(desk, 21).index("common") == 5


# -- who is asked ----------------------------------------------------------------------------


def test_as_many_are_offered_at_once_as_can_be() -> None:
    desk = Desk(agents=("101", "102", "103"), logged_in=False)
    desk.tell(LoggedIn("101"))
    desk.tell(PauseAsked("101", "lunch"))
    for call in ("c1", "c2"):
        desk.joins(call)
    told = [offer for agent in ("102", "103") for offer in desk.tell(LoggedIn(agent))]
    assert [one.call for one in told if isinstance(one, Offer)] == ["c1", "c2"]


def test_one_input_that_frees_many_serves_many() -> None:
    desk = Desk(agents=[Profile(number=str(n), skills={"other": 1}) for n in (101, 102, 103)])
    desk.queues(queue(skills={"service": 1}, relax=(Relaxation(600.0, {}),)))
    for call in ("c1", "c2"):
        desk.joins(call)
    desk.skilled(a101={"service": 1}, a102={"service": 1}, a103={"service": 1})
    assert [offer.call for offer in desk.heard(Offer)] == ["c1", "c2"]
    assert {offer.agents for offer in desk.heard(Offer)} == {("101",), ("102",)}


def test_a_caller_is_offered_to_whoever_is_idle_for_longest_in_any_queue() -> None:
    desk = Desk(agents=("101", "102"), queues=[queue("a"), queue("b")])
    desk.later(10)
    desk.joins("a1", "a")
    assert desk.offered("a1") == ("101",)
    desk.hangs_up("101", "a1", desk.takes("101", "a1"))
    desk.joins("b1", "b")
    assert desk.offered("b1") == ("102",)


def test_all_are_rung_at_once_and_the_first_has_the_caller() -> None:
    desk = Desk(agents=("101", "102", "103"), queues=[queue(strategy="ring_all")])
    desk.joins("c1")
    assert desk.offered("c1") == ("101", "102", "103")
    desk.declines("103", "c1", "rejected")
    assert not desk.heard(Offer)
    desk.tell(AgentTook("c1", "102"))
    assert desk.heard(Withdraw) == [Withdraw("c1", "101", "taken")]
    assert desk.engine.waiting("c1") is None


def test_who_leaves_is_rung_for_no_longer() -> None:
    desk = Desk()
    desk.joins("c1")
    desk.tell(CallerGone("c1"))
    assert desk.heard(Withdraw) == [Withdraw("c1", "101", "caller_left")]
    assert desk.state("101") == "available"


# -- skills ----------------------------------------------------------------------------------


def test_less_is_needed_the_longer_somebody_waits() -> None:
    desk = Desk(
        agents=[Profile(number="101", skills={"service": 2}), Profile(number="102")],
        queues=[LADDER],
    )
    desk.joins("c1")
    assert desk.offered("c1") is None
    desk.later(30)
    assert desk.heard(Relaxed) == [Relaxed("c1", "service", 30.0, {"service": 2})]
    assert desk.offered("c1") == ("101",)
    desk.declines("101", "c1", "rejected")
    told = desk.later(60)
    assert [one.skills for one in told if isinstance(one, Relaxed)] == [{}]
    assert desk.offered("c1") == ("102",)


def test_an_old_place_needs_as_little_as_its_wait_says() -> None:
    desk = Desk(agents=[Profile(number="101", skills={"service": 2})], queues=[LADDER])
    desk.joins("c1", joined_at=desk.now - 40)
    assert desk.offered("c1") == ("101",)


def test_wishes_are_needed_beside_until_any_agent_will_do() -> None:
    wise = {"service": 9, "english": 5}
    desk = Desk(
        agents=[Profile(number="101", skills={"service": 9}), Profile(number="102", skills=wise)],
        queues=[LADDER],
    )
    desk.joins("c1", skills={"english": 3})
    assert desk.offered("c1") == ("102",)
    desk.takes("102", "c1")
    desk.joins("c2", skills={"english": 3})
    desk.later(89)
    assert not desk.heard(Offer)
    desk.later(1)
    assert desk.offered("c2") == ("101",)


def test_another_skill_acts_on_waiting_callers_at_once() -> None:
    desk = Desk(agents=[Profile(number="101")], queues=[LADDER])
    desk.joins("c1")
    desk.skilled(a101={"service": 7})
    assert desk.offered("c1") == ("101",)


def test_other_wishes_act_at_once() -> None:
    desk = Desk(agents=[Profile(number="101", skills={"service": 9})], queues=[LADDER])
    desk.joins("c1", skills={"english": 3})
    assert desk.offered("c1") is None
    desk.tell(SkillsWanted("c1", {}))
    assert desk.offered("c1") == ("101",)


def test_a_view_names_the_queues_whose_skills_an_agent_has() -> None:
    desk = Desk(
        agents=[Profile(number="101", name="Li", skills={"service": 7, "tech": 1})],
        queues=[LADDER, queue("tech", skills={"tech": 3}), queue("all")],
    )
    view = desk.engine.agent("101")
    assert view is not None
    assert (view.name, view.queues, view.queues_later) == ("Li", ("all", "service"), ())
    assert desk.engine.agent("999") is None


def test_a_view_names_the_queues_that_an_agent_serves_once_they_ask_for_less() -> None:
    desk = Desk(agents=[Profile(number="101", skills={"service": 1})], queues=[LADDER])
    view = desk.engine.agent("101")
    assert view is not None
    assert (view.queues, view.queues_later) == ((), ("service",))


# -- the last agent first --------------------------------------------------------------------


def test_the_last_agent_is_tried_alone_then_anybody() -> None:
    desk = Desk(agents=("101", "102"))
    desk.joins("c0")
    desk.takes("101", "c0")
    desk.joins("c1", agent="101", agent_s=20.0)
    assert desk.offered("c1") is None
    desk.later(20)
    assert desk.offered("c1") == ("102",)


def test_the_last_agent_who_gets_free_in_time_has_the_caller() -> None:
    desk = Desk(agents=("101", "102"))
    desk.joins("c0")
    leg = desk.takes("101", "c0")
    desk.joins("c1", agent="101", agent_s=20.0)
    desk.later(10)
    desk.hangs_up("101", "c0", leg)
    assert desk.offered("c1") == ("101",)


def test_nobody_idles_while_somebody_waits_for_the_last_agent() -> None:
    desk = Desk(agents=("101", "102"))
    for call, agent in (("x1", "101"), ("x2", "102")):
        desk.joins(call)
        leg = desk.takes(agent, call)
    desk.joins("c1", agent="101", agent_s=20.0)
    desk.joins("c2")
    desk.hangs_up("102", "x2", leg)
    assert desk.offered("c2") == ("102",)


@pytest.mark.parametrize(
    "away", [LoggedOut("101"), PauseAsked("101", "lunch"), PhoneUnreachable("101", "gone")]
)
def test_a_last_agent_who_is_away_or_will_be_is_not_waited_for(away: Any) -> None:
    desk = Desk(agents=("101", "102"))
    desk.joins("c0")
    desk.takes("101", "c0")
    desk.joins("c1", agent="101", agent_s=60.0)
    desk.tell(away)
    assert desk.offered("c1") == ("102",)
    desk.declines("102", "c1", "failed")
    desk.joins("c2", agent="101")
    assert desk.offered("c2") == ("102",)


def test_an_unknown_last_agent_is_nobody() -> None:
    desk = Desk()
    desk.joins("c1", agent="999")
    assert desk.offered("c1") == ("101",)


# -- declining -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "seconds"),
    [("rejected", 60.0), ("busy", 10.0), ("unreachable", 10.0), ("failed", 10.0)],
)
def test_who_declined_is_not_asked_for_the_same_caller_for_a_while(
    reason: DeclineReason, seconds: float
) -> None:
    desk = Desk()
    desk.joins("c1")
    desk.declines("101", "c1", reason)
    assert desk.offered("c1") is None
    desk.later(seconds - 0.1)
    assert desk.state("101") == "available"
    desk.later(0.2)
    assert desk.offered("c1") == ("101",)


def test_who_declined_is_asked_for_others_at_once() -> None:
    desk = Desk()
    desk.joins("c1")
    desk.joins("c2")
    desk.declines("101", "c1", "rejected")
    assert desk.offered("c2") == ("101",)


def test_who_did_not_answer_is_asked_again_after_the_others_and_paused_after_two() -> None:
    desk = Desk(agents=("101", "102"))
    desk.joins("c1")
    assert desk.declines("101", "c1", "no_answer")
    assert desk.offered("c1") == ("102",)
    desk.declines("102", "c1", "rejected")
    assert desk.offered("c1") == ("101",)
    desk.declines("101", "c1", "no_answer")
    view = desk.engine.agent("101")
    assert view is not None
    assert (view.state.value, view.reason) == ("paused", "missed")


def test_a_call_taken_between_two_missed_ones_counts() -> None:
    desk = Desk()
    for call in ("c1", "c2"):
        desk.joins(call)
        desk.declines("101", call, "no_answer")
        desk.hangs_up("101", call, desk.takes("101", call))
    assert desk.state("101") == "available"


def test_a_vanished_phone_is_rung_for_nobody() -> None:
    desk = Desk(agents=("101", "102"))
    desk.joins("c1")
    desk.tell(PhoneUnreachable("101", "registration expired"))
    assert desk.heard(Withdraw) == [Withdraw("c1", "101", "unreachable")]
    assert desk.offered("c1") == ("102",)


# -- sent away -------------------------------------------------------------------------------


def test_nobody_waits_where_nobody_works() -> None:
    desk = Desk(agents=("101", "102"), logged_in=False)
    desk.joins("c1")
    assert desk.away("c1") == "no_agents"
    assert desk.engine.waiting("c1") is None
    desk.tell(LoggedIn("101"))
    desk.tell(PauseAsked("101", "lunch"))
    desk.joins("c2")
    assert desk.away("c2") is None


def test_somebody_who_could_serve_at_last_is_somebody() -> None:
    desk = Desk(agents=[Profile(number="101")], queues=[LADDER])
    desk.joins("c1")
    assert desk.away("c1") is None


@pytest.mark.parametrize("away", [LoggedOut("101"), PhoneUnreachable("101", "gone")])
def test_who_waits_is_sent_away_soon_after_the_last_agent_went(away: Any) -> None:
    desk = Desk()
    desk.tell(PauseAsked("101", "lunch"))
    desk.joins("c1")
    desk.joins("b1", callback=True)
    desk.tell(away)
    desk.later(4.9)
    assert desk.engine.waiting("c1")
    desk.later(0.1)
    assert [one.call for one in desk.heard(SendAway)] == ["c1"]


def test_a_phone_that_registers_again_in_time_keeps_everybody() -> None:
    desk = Desk()
    desk.tell(PauseAsked("101", "lunch"))
    desk.joins("c1")
    desk.tell(PhoneUnreachable("101", "gone"))
    desk.later(4)
    desk.tell(PhoneReachable("101"))
    desk.later(60)
    assert desk.engine.waiting("c1")


def test_a_full_queue_takes_no_more_but_who_comes_back_or_is_called_back() -> None:
    desk = paused_desk(queue(max_callers=1))
    desk.joins("b1", callback=True)
    desk.joins("c1")
    assert desk.away("c1") is None
    desk.joins("c2")
    assert desk.away("c2") == "full"
    desk.joins("c3", at_head=True)
    assert desk.away("c3") is None


def test_the_longest_wait_counts_from_joining_and_lets_a_phone_ring_out() -> None:
    desk = paused_desk(queue(max_wait_s=60.0, ring_s=15.0))
    desk.joins("c1", joined_at=desk.now - 300)
    desk.joins("b1", callback=True)
    desk.joins("c2")
    desk.later(50)
    desk.tell(ResumeAsked("101"))
    desk.rings("101", "c1")
    desk.later(10)
    assert [one.call for one in desk.heard(SendAway)] == ["c2"]
    desk.later(5)
    desk.declines("101", "c1", "no_answer")
    assert desk.away("c1") == "timeout"
    assert desk.engine.waiting("b1")


def test_a_closed_queue_lets_nobody_in() -> None:
    desk = paused_desk()
    desk.joins("c1")
    desk.tell(QueueOpened("service", open=False))
    desk.joins("c2")
    assert desk.away("c2") == "no_agents"
    assert not desk.engine.queues(desk.now)[0].open
    desk.tell(QueueOpened("service", open=True))
    desk.joins("c3")
    assert served(desk, 2) == ["c1", "c3"]


# -- moves and changes -----------------------------------------------------------------------


def test_a_caller_who_is_moved_brings_the_wait_along() -> None:
    desk = paused_desk(queue("a"), queue("b"))
    desk.joins("a1", "a")
    desk.later(10)
    desk.joins("b1", "b")
    desk.tell(CallerMoved("a1", "b"))
    assert desk.heard(Moved) == [Moved("a1", "b")]
    assert desk.engine.queues(desk.now)[1].waiting == ("a1", "b1")
    assert desk.engine.queues(desk.now)[1].longest_wait_s == 10.0


def test_a_caller_who_is_moved_while_a_phone_rings_is_asked_for_anew() -> None:
    desk = Desk(
        agents=[Profile(number="101"), Profile(number="102", skills={"b": 1})],
        queues=[queue("a"), queue("b", skills={"b": 1})],
    )
    desk.joins("c1", "a")
    desk.tell(CallerMoved("c1", "b"))
    assert desk.heard(Withdraw) == [Withdraw("c1", "101", "moved")]
    assert desk.offered("c1") == ("102",)


def test_a_queue_that_is_no_more_is_served_until_it_is_empty() -> None:
    desk = paused_desk(queue("a"), queue("b"))
    desk.joins("a1", "a")
    desk.queues(queue("b"))
    desk.joins("a2", "a")
    assert desk.away("a2") == "no_agents"
    assert served(desk, 1) == ["a1"]
    assert [view.name for view in desk.engine.queues(desk.now)] == ["b"]


def test_another_dialplan_acts_on_waiting_callers() -> None:
    desk = Desk(agents=[Profile(number="101")], queues=[LADDER])
    desk.joins("c1")
    desk.queues(queue())
    assert desk.offered("c1") == ("101",)


def test_an_agent_who_is_no_more_takes_nothing() -> None:
    desk = Desk(agents=("101", "102"))
    desk.joins("c1")
    desk.tell(AgentsChanged((Profile(number="102"),)))
    assert desk.offered("c1") == ("102",)
    assert [view.number for view in desk.engine.agents()] == ["102"]
    assert desk.declines("101", "c1", "failed") == []


def test_a_board_counts_agents_by_what_they_do() -> None:
    desk = Desk(agents=("101", "102", "103"))
    desk.tell(PauseAsked("102", "lunch"))
    desk.tell(LoggedOut("103"))
    [view] = desk.engine.queues(desk.now)
    assert view.agents == {"available": 1, "paused": 1, "logged_out": 1}


# -- nothing that makes no sense harms ---------------------------------------------------------


def test_who_is_unknown_is_ignored() -> None:
    desk = Desk()
    for event in (
        AgentTook("c9", "101"),
        AgentDeclined("c9", "101", "busy"),
        CallerGone("c9"),
        CallerMoved("c9", "service"),
        LoggedIn("999"),
        QueueOpened("none", open=False),
        TimePassed(),
    ):
        assert desk.tell(event) == []


def test_the_same_said_twice_changes_nothing() -> None:
    desk = Desk()
    desk.joins("c1")
    assert desk.joins("c1") == []
    assert desk.tell(LoggedIn("101")) == []
    desk.declines("101", "c1", "rejected")
    assert desk.declines("101", "c1", "rejected") == []


def test_a_caller_of_no_queue_is_sent_away() -> None:
    desk = Desk()
    desk.joins("c1", "none")
    assert desk.away("c1") == "no_agents"


def test_who_answers_an_offer_that_was_withdrawn_has_the_caller_who_still_waits() -> None:
    desk = Desk(agents=("101", "102"))
    desk.joins("c1")
    desk.tell(PhoneUnreachable("101", "gone"))
    desk.takes("101", "c1")
    assert desk.states()["102"].value == "available"
    assert desk.engine.waiting("c1") is None


def test_the_same_inputs_give_the_same_commands() -> None:
    def day() -> list[Any]:
        desk = Desk(agents=map(str, range(101, 120)), queues=[queue(strategy="random")])
        for count in range(10):
            desk.joins(f"c{count}")
        return desk.history

    assert day() == day()


# -- how long it takes -------------------------------------------------------------------------


def test_the_wait_is_estimated_once_enough_calls_were_handled() -> None:
    desk = Desk(agents=("101", "102"))
    for count in range(6):
        desk.joins(f"c{count}")
        [offer] = desk.heard(Offer)
        leg = desk.takes(*offer.agents, offer.call)
        desk.later(120)
        desk.hangs_up(*offer.agents, offer.call, leg)
    for agent in ("101", "102"):
        desk.rings(agent, "private", outbound=True)
    desk.joins("d1")
    desk.joins("d2")
    found = desk.engine.estimate("d2", desk.now)
    assert found is not None
    assert (found.low_s, found.high_s) == (90.0, 150.0)
    desk.tell(PauseAsked("101", "lunch"))
    later = desk.engine.estimate("d2", desk.now)
    assert later is not None
    assert (later.low_s, later.high_s) == (180.0, 300.0)
    assert desk.engine.estimate("c1", desk.now) is None


def test_waiting_tells_of_who_waits() -> None:
    desk = paused_desk()
    desk.joins("c1", number="13800138000")
    waiting = desk.engine.waiting("c1")
    assert isinstance(waiting, Waiting)
    assert waiting.number == "13800138000"


def test_a_retired_queue_that_comes_back_goes_on() -> None:
    desk = paused_desk(queue("a"))
    desk.joins("a1", "a")
    desk.queues()
    desk.tell(QueuesChanged({"a": queue("a")}))
    desk.joins("a2", "a")
    assert served(desk, 2) == ["a1", "a2"]
