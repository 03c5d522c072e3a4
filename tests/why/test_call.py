"""Why a call went as it did: golden stories."""

from __future__ import annotations

import msgspec

from pbx.api.why_views import CallWhy
from pbx.cli.why import story as printed
from pbx.events import (
    AgentConnected,
    AgentDeclined,
    CallbackBooked,
    CallEnded,
    CallerMoved,
    CallJoined,
    CallRouted,
    Candidate,
    LegAnswered,
    LegEnded,
    OfferDecided,
    QueueEntered,
    QueueLeft,
    RequirementRelaxed,
    Result,
    StepTaken,
)
from pbx.why.call import explain_call
from tests.cdr.story import Story


def ended(result: Result, reason: str) -> CallEnded:
    return CallEnded(
        call="c1",
        result=result,
        reason=reason,
        cause=16,
        sip_status=200,
        ended_by="caller",
    )


def offer(*chosen: str, waited: float, candidates: tuple[Candidate, ...] = ()) -> OfferDecided:
    return OfferDecided(
        call="c1",
        queue="sales",
        chosen=chosen,
        strategy="longest_idle",
        waited_s=waited,
        waiting=3,
        candidates=candidates,
        others={"skill": 8, "paused": 4} if candidates else {},
    )


def waited() -> Story:
    """Tell of a caller whom one agent misses and another takes, with lesser skills."""
    story = Story().began(caller="13800138000", name=None, called="4008001234")
    story.say(StepTaken(call="c1", kind="numbers", name="", text="→ queue:sales", file="d", line=7))
    story.say(CallRouted(call="c1", destination="queue:sales"))
    story.say(QueueEntered(call="c1", queue="sales", priority=5)).wait(12)
    story.say(
        offer(
            "102",
            waited=12.0,
            candidates=(
                Candidate("102", "", "idle 4:02"),
                Candidate("105", "", "idle 3:10"),
                Candidate("103", "skill", "en 3 < 5"),
                Candidate("104", "wrap_up", "wrap-up, 12 s left"),
            ),
        )
    )
    story.invited(2, "called", "102").wait(15)
    story.say(LegEnded(call="c1", leg=2, by="local", reason="no_answer", sip_status=487, cause=19))
    story.say(AgentDeclined(call="c1", agent="102", queue="sales", reason="no_answer")).wait(3)
    story.say(RequirementRelaxed(call="c1", queue="sales", waited_s=30.0, skills={"en": 3}))
    story.say(CallerMoved(call="c1", queue="sales", by="crm"))
    story.say(offer("103", waited=30.0)).invited(3, "called", "103").wait(4)
    story.say(LegAnswered(call="c1", leg=3))
    story.say(AgentConnected(call="c1", agent="103", queue="sales", leg=3))
    story.say(QueueLeft(call="c1", queue="sales", result="answered")).wait(60)
    return story.say(ended("answered", "normal"))


WAITED = """\
     0.000   13800138000 calls 4008001234
     0.000   numbers → queue:sales
     0.000   goes to queue:sales
     0.000   waits in queue sales with priority 5
    12.000   queue sales offers it to 102 (longest_idle), 12 s waited, 3 callers
             in the queue
             Agent  Test     Why                 Then
             102    chosen   idle 4:02           did not answer
             105    later    idle 3:10
             103    skill    en 3 < 5
             104    wrap up  wrap-up, 12 s left
             and 12 more: 8 skill, 4 paused
    12.000   rings 102
    27.000   102 is rung no longer: no answer (487)
    30.000   after 30 s of waiting en 3 will do
    30.000   becomes the first, from its place in queue sales, by crm
    30.000   queue sales offers it to 103 (longest_idle), 30 s waited, 3 callers
             in the queue
    30.000   rings 103
    34.000   103 answers
    34.000   waits no longer in queue sales: an agent has it
    94.000   is over: answered (normal), ended by the caller
"""


def explained(story: Story) -> CallWhy:
    return explain_call(story.events)


def test_each_offer_is_told_with_its_reasons_and_what_became_of_it() -> None:
    why = explained(waited())
    assert "\n".join(printed(msgspec.to_builtins(why), 80)) + "\n" == WAITED
    assert why.summary == (
        "13800138000 called 4008001234. It waited 34 s in queue sales and was offered to 102, who "
        "did not answer and 103, who took it; then: an agent has it. Its wishes were relaxed 1 "
        "time. After 1 min 34 s it was over: answered."
    )


def test_a_caller_who_is_sent_away_is_told_why() -> None:
    story = Story().began(called="600").say(QueueEntered(call="c1", queue="sales")).wait(4)
    story.say(QueueLeft(call="c1", queue="sales", result="no_agents"))
    story.say(CallRouted(call="c1", destination="voicemail:sales")).wait(20)
    story.say(ended("voicemail", "left_message"))
    assert explained(story).summary == (
        "101 called 600. It waited 4 s in queue sales and was offered to nobody; then: sent away: "
        "nobody who could serve is logged in and can be reached. After 24 s it was over: "
        "voicemail (left message)."
    )


def test_a_call_without_a_queue_tells_who_was_rung() -> None:
    story = Story().started().wait(20)
    story.say(LegEnded(call="c1", leg=2, by="remote", reason="busy", sip_status=486, cause=17)).say(
        ended("busy", "busy")
    )
    why = explained(story)
    assert why.summary == (
        "101 called 102. 102 rang, nobody answered. After 20 s it was over: busy."
    )
    assert "102 does not take it: busy (486)" in [step.text for step in why.steps]
    answered = Story().started().wait(2).answered()
    assert explained(answered).summary == "101 called 102. 102 rang, 102 answered. It goes on."


def test_an_offer_that_the_caller_did_not_wait_for_is_nobodys_fault() -> None:
    story = Story().began().say(QueueEntered(call="c1", queue="sales"))
    story.say(offer("102", waited=0.0)).wait(2)
    story.say(QueueLeft(call="c1", queue="sales", result="abandoned"))
    (decision,) = (step.decision for step in explained(story).steps if step.decision)
    assert decision.outcome == {"102": "was spared: the caller hung up"}


def test_an_offer_that_is_made_again_is_told_apart() -> None:
    story = Story().began().say(QueueEntered(call="c1", queue="sales"))
    story.say(offer("102", waited=0.0)).wait(2).say(offer("102", waited=2.0))
    story.say(AgentConnected(call="c1", agent="102", queue="sales", leg=2))
    outcomes = [step.decision.outcome for step in explained(story).steps if step.decision]
    assert outcomes == [{"102": "not known"}, {"102": "took it"}]


def test_a_call_that_waits_says_so_and_a_joined_one_where_it_went() -> None:
    story = Story().began().say(QueueEntered(call="c1", queue="sales", waited_s=75.0)).wait(3)
    why = explained(story)
    assert "It waits in queue sales; offered so far: nobody. It goes on." in why.summary
    assert "waits in queue sales; 1 min 15 s count already" in [step.text for step in why.steps]
    joined = Story().began().say(CallJoined(call="c1", into="c7"))
    assert "It went on as call c7." in explained(joined).summary


def test_a_call_back_is_part_of_the_story() -> None:
    story = Story().began().say(QueueEntered(call="c1", queue="sales"))
    story.say(CallbackBooked(call="c1", callback="b1", queue="sales", number="13800138000"))
    story.say(QueueLeft(call="c1", queue="sales", result="callback"))
    texts = [step.text for step in explained(story).steps]
    assert "is to be called back at 13800138000, and keeps its place" in texts
