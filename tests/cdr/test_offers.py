"""Agents in the record: to whom a call was offered, who took it, whose part is what."""

from __future__ import annotations

from pbx.cdr.record import AgentPart, CallRecord
from pbx.events import LegInvited
from tests.cdr.story import CALLED, CALLER, Story, queue_call
from tests.cdr.test_fold import segments

COLLEAGUE = 3


def parts(record: CallRecord) -> list[tuple[str, str, float, float, float]]:
    """Return agent, result, ring, talk and hold of each part."""
    return [(p.agent, p.result, p.ring_s, p.talk_s, p.hold_s) for p in record.agents]


def waiting() -> Story:
    """Return a caller who waits in the queue since now."""
    story = Story().began(caller="13800138000").invited(CALLER, "caller", "13800138000")
    return story.picks_up(CALLER).in_queue("service")


def test_the_agent_who_took_it_is_the_records() -> None:
    record = queue_call().record()
    assert (record.agent, record.queue, record.wait_s, record.talk_s) == ("102", "service", 12, 60)
    assert record.agents == (
        AgentPart(
            agent="102",
            queue="service",
            began_at="2026-11-21T08:00:09.123Z",
            result="answered",
            ring_s=3.0,
            talk_s=60.0,
        ),
    )
    assert segments(record)[0] == ("queue", "service", "answered")


def test_each_offer_is_told_with_what_became_of_it() -> None:
    story = waiting().offered("102").offered("103").wait(15)
    story.declined("102").declined("103", "rejected").wait(1)
    story.offered("104").wait(2).ends(CALLER)
    record = story.over("abandoned", "abandoned").record()
    assert parts(record) == [
        ("102", "no_answer", 15.0, 0.0, 0.0),
        ("103", "rejected", 15.0, 0.0, 0.0),
        ("104", "withdrawn", 2.0, 0.0, 0.0),
    ]
    assert record.agent is None
    assert segments(record) == [("queue", "service", "abandoned")]


def test_a_hold_belongs_to_the_agent_who_talked() -> None:
    story = waiting().offered("102").invited(CALLED, "called", "102").wait(2).picks_up(CALLED)
    story.out_of_queue("service", "answered").bridged(CALLER, CALLED).taken("102")
    story.wait(10).holds(CALLED).wait(5).resumes(CALLED).wait(20)
    assert parts(story.left("caller").over().record()) == [("102", "answered", 2.0, 30.0, 5.0)]


def test_a_colleague_has_a_part_of_a_transferred_call() -> None:
    story = waiting().offered("102").invited(CALLED, "called", "102").wait(2).picks_up(CALLED)
    story.out_of_queue("service", "answered").bridged(CALLER, CALLED).taken("102").wait(10)
    story.invited(COLLEAGUE, "called", "103").ends(CALLED).wait(4)
    story.picks_up(COLLEAGUE).bridged(CALLER, COLLEAGUE).wait(7)
    record = story.ends(CALLER).ends(COLLEAGUE, "local").over().record()
    assert parts(record) == [
        ("102", "answered", 2.0, 10.0, 0.0),
        ("103", "transferred", 4.0, 7.0, 0.0),
    ]
    assert record.agent == "102"
    assert [part.queue for part in record.agents] == ["service", "service"]


def test_who_is_outside_is_no_agent() -> None:
    story = waiting().offered("102").invited(CALLED, "called", "102").wait(2).picks_up(CALLED)
    story.out_of_queue("service", "answered").bridged(CALLER, CALLED).taken("102").wait(10)
    story.say(
        LegInvited(
            call=story.call,
            leg=COLLEAGUE,
            role="called",
            number="02166668888",
            sip_call_id="3@x",
            remote="192.0.2.9:5060",
            trunk="main",
        )
    )
    story.ends(CALLED).picks_up(COLLEAGUE).bridged(CALLER, COLLEAGUE).wait(7)
    record = story.ends(CALLER).ends(COLLEAGUE, "local").over().record()
    assert [part.agent for part in record.agents] == ["102"]


def test_a_caller_who_comes_back_to_the_queue_makes_another_visit_and_another_part() -> None:
    story = waiting().offered("102").invited(CALLED, "called", "102").wait(2).picks_up(CALLED)
    story.out_of_queue("service", "answered").bridged(CALLER, CALLED).taken("102").wait(10)
    story.ends(CALLED).in_queue("service").wait(5).offered("102").invited(4, "called", "102")
    story.wait(1).picks_up(4).out_of_queue("service", "answered").bridged(CALLER, 4)
    record = story.taken("102", 4).wait(3).ends(CALLER).ends(4, "local").over().record()
    assert parts(record) == [
        ("102", "answered", 2.0, 10.0, 0.0),
        ("102", "answered", 1.0, 3.0, 0.0),
    ]
    assert record.wait_s == 8.0
    assert [s for s in segments(record) if s[0] == "queue"] == [
        ("queue", "service", "answered")
    ] * 2


def test_an_agent_who_leads_a_call_back_talks_in_all_of_it() -> None:
    story = Story().began(caller="102", called="13800138000").invited(CALLER, "caller", "102")
    story.offered("102").wait(2).picks_up(CALLER).invited(CALLED, "called", "13800138000").wait(8)
    story.picks_up(CALLED).bridged(CALLER, CALLED).taken("102", CALLER).wait(30)
    record = story.left("caller").over().record()
    assert parts(record) == [("102", "answered", 2.0, 30.0, 0.0)]
    assert record.queue == "service"


def test_an_agent_who_is_called_behind_the_customer_talks_in_all_of_it_too() -> None:
    story = Story().began(caller="", called="13800138000")
    story.invited(CALLED, "called", "13800138000").wait(5).picks_up(CALLED)
    story.offered("102").invited(COLLEAGUE, "called", "102").wait(4).picks_up(COLLEAGUE)
    story.bridged(COLLEAGUE, CALLED).taken("102", COLLEAGUE).wait(30)
    record = story.ends(CALLED).ends(COLLEAGUE, "local").over().record()
    assert parts(record) == [("102", "answered", 4.0, 30.0, 0.0)]


def test_what_was_declined_without_an_offer_is_told_all_the_same() -> None:
    story = waiting().declined("102", "unreachable").wait(1).declined("102", "unreachable")
    record = story.wait(1).ends(CALLER).over().record()
    assert parts(record) == [("102", "unreachable", 0.0, 0.0, 0.0)]
