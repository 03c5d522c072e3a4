"""Why an agent got the calls that it got: its states, and the offers in which it was weighed."""

from __future__ import annotations

from pbx.acd.keeping import Stretch
from pbx.events import (
    AgentConnected,
    AgentDeclined,
    AgentStateName,
    AnyEvent,
    Candidate,
    OfferDecided,
    QueueEntered,
)
from pbx.events.bus import Stamped
from pbx.why.agent import explain_agent
from tests.cdr.story import START

HOUR = 3600.0


def at(minute: float, event: AnyEvent) -> Stamped:
    return Stamped(round(minute * 10), START + minute * 60, minute * 60, event)


def offer(*chosen: str, candidates: tuple[Candidate, ...] = ()) -> OfferDecided:
    return OfferDecided(
        call="c1",
        queue="sales",
        chosen=chosen,
        strategy="longest_idle",
        waited_s=1.0,
        waiting=1,
        candidates=candidates,
    )


def did(state: AgentStateName, first: float, last: float, reason: str = "") -> Stretch:
    """Say what 102 did from one minute to another."""
    since, until = START + first * 60, START + last * 60
    return Stretch(agent="102", state=state, since=since, until=until, reason=reason)


def test_a_morning_of_an_agent_in_one_paragraph() -> None:
    entered = [at(minute, QueueEntered(call=f"c{minute}", queue="sales")) for minute in range(4)]
    paused = Candidate("102", "paused", "paused: lunch")
    story = [
        *entered,
        *(at(minute, offer("103", candidates=(paused,))) for minute in (5, 6, 7)),
        at(46, offer("103", candidates=(Candidate("102", "", "idle 0:40"),))),
        at(50, offer("102")),
        at(50.2, AgentDeclined(call="c1", agent="102", queue="sales", reason="no_answer")),
        at(51, offer("102", "104")),
        at(51.1, AgentConnected(call="c1", agent="102", queue="sales", leg=3)),
        at(51.2, AgentConnected(call="c2", agent="104", queue="sales", leg=4)),
        at(70, offer("102")),
    ]
    stretches = [
        did("paused", -30, 45, "lunch"),
        did("available", 45, 51),
        did("talking", 51, 52.5, "queue sales"),
        did("available", 52.5, 65),
    ]
    why = explain_agent("102", START, START + HOUR, stretches=stretches, story=story)
    assert why.summary == (
        "Within 1 h, 102 was paused (lunch) for 45 min, available for 13 min 30 s and on calls for "
        "1 min 30 s. 4 callers came into queues, and calls were offered 6 times. 102 was chosen 2 "
        "times and took 1; 1 × it did not answer. It was passed over 4 times: 3 × paused and 1 × "
        "free, but others come first."
    )
    assert (why.callers, why.decisions, why.chosen, why.took) == (4, 6, 2, 1)
    assert why.declined == {"no_answer": 1}
    assert why.tests == {"paused": 3, "later": 1}
    assert [(each.state, each.seconds) for each in why.spent] == [
        ("paused", 2700.0),
        ("available", 810.0),
        ("talking", 90.0),
    ]


def test_an_offer_that_does_not_name_the_agent_is_explained_by_its_state() -> None:
    story = [at(minute, offer("103")) for minute in (1, 12, 22, 32, 42)]
    stretches = [
        did("logged_out", 0, 10),
        did("wrap_up", 10, 20),
        did("available", 20, 30),
        did("hold", 30, 40),
    ]
    why = explain_agent("102", START, START + HOUR, stretches=stretches, story=story)
    assert why.tests == {"logged_out": 1, "wrap_up": 1, "unnamed": 1, "busy": 1, "unknown": 1}
    assert "102 was never chosen." in why.summary
    assert "1 × free, but it lacks a skill or others come first" in why.summary


def test_an_hour_without_calls_says_that_there_were_none() -> None:
    stretches = [did("available", 0, 60)]
    why = explain_agent("102", START, START + HOUR, stretches=stretches, story=[])
    assert why.summary == (
        "Within 1 h, 102 was available for 1 h. "
        "No caller came into any queue, and none was offered to anybody."
    )


def test_callers_for_whom_nobody_was_free_are_told() -> None:
    story = [at(1, QueueEntered(call="c1", queue="sales"))]
    why = explain_agent("102", START, START + HOUR, stretches=[], story=story)
    assert why.summary == (
        "Nothing is stored of what 102 did in this time. "
        "1 caller came into queues, and no call was offered to anybody."
    )
