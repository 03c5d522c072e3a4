"""What happened, one sentence an event: the call centre's."""

from __future__ import annotations

from typing import get_args

import pytest

from pbx import events
from pbx.sentences import sentence
from pbx.sentences.centre import CentreEvent

SAID = [
    (events.QueueEntered(call="c1", queue="sales"), "waits in queue sales"),
    (
        events.QueueEntered(call="c1", queue="sales", waited_s=75.0, priority=5),
        "waits in queue sales with priority 5; 1 min 15 s count already",
    ),
    (
        events.QueueLeft(call="c1", queue="sales", result="timeout"),
        "waits no longer in queue sales: sent away: it waited as long as anybody may",
    ),
    (
        events.QueueSwitched(queue="sales", open=False, by="crm"),
        "queue sales takes no new callers, by crm",
    ),
    (
        events.QueueAlarmed(queue="sales", kind="waiting", on=False, text="queue sales: many"),
        "no alarm any more: queue sales: many",
    ),
    (
        events.CallerMoved(call="c1", queue="sales", to="tech", by="socket"),
        "moves on to queue tech, from its place in queue sales, by socket",
    ),
    (
        events.RequirementRelaxed(call="c1", queue="sales", waited_s=180.0, skills={}),
        "after 3 min of waiting any agent will do",
    ),
    (
        events.OfferDecided(
            call="c1",
            queue="sales",
            chosen=("102", "103"),
            strategy="ring_all",
            waited_s=4.2,
            waiting=1,
        ),
        "queue sales offers it to 102 and 103 (ring_all), 4 s waited, 1 caller in the queue",
    ),
    (
        events.AgentOffered(
            call="c1", agent="102", queue="sales", caller="13800138000", notes=("VIP",)
        ),
        "agent 102 sees the call of 13800138000, with the note: VIP",
    ),
    (
        events.AgentDeclined(call="c1", agent="102", queue="sales", reason="no_answer"),
        "agent 102 did not answer",
    ),
    (
        events.AgentConnected(call="c1", agent="102", queue="sales", leg=2),
        "agent 102 has the call, from queue sales",
    ),
    (
        events.AgentStateChanged(
            agent="102", state="paused", previous="wrap_up", seconds=30.0, reason="lunch"
        ),
        "agent 102 is paused (lunch), was in wrap-up for 30 s",
    ),
    (
        events.WrapUpEnded(call="c1", agent="102", seconds=95.0, disposition="sold"),
        "agent 102 is done with the call after 1 min 35 s: sold",
    ),
    (
        events.CallbackBooked(call="c1", callback="b1", queue="sales", number="13800138000"),
        "is to be called back at 13800138000, and keeps its place",
    ),
    (
        events.CallbackTried(call="c2", callback="b1", origin="c1", result="no_agent", tries=2),
        "call-back, try 2: no agent",
    ),
    (
        events.CallbackEnded(
            call="c1", callback="b1", queue="sales", result="answered", waited_s=360.0, agent="102"
        ),
        "call-back over: answered by agent 102, 6 min after it began",
    ),
    (
        events.TransferStarted(call="c1", leg=2, by="102", to="103", kind="attended"),
        "102 hands it on to 103 after asking there",
    ),
    (
        events.TransferEnded(call="c1", leg=2, to="103", result="recalled"),
        "the transfer to 103 got no answer: back to who began it",
    ),
    (events.CallerChanged(call="c1", leg=3), "the call is that of leg 3 from now on"),
    (
        events.LegBrought(call="c1", leg=3, role="called", number="104", from_call="c7"),
        "104 comes over from call c7",
    ),
    (events.CallJoined(call="c1", into="c7"), "goes on as part of call c7"),
    (
        events.RecordAmended(call="c1", disposition="sold", by="crm"),
        "noted by crm: disposition sold",
    ),
]


@pytest.mark.parametrize(("event", "said"), SAID, ids=lambda value: type(value).__name__)
def test_an_event_is_a_sentence(event: events.AnyEvent, said: str) -> None:
    assert sentence(event) == said


def test_every_event_of_the_centre_is_tried_here() -> None:
    assert {type(event) for event, _ in SAID} == set(get_args(CentreEvent))


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            events.PartyReleased(call="c1", mode="agent", leg=2, asked_by="socket"),
            "the agent is taken off the call by socket",
        ),
        (events.PartyReleased(call="c1", mode="all", by="900"), "the call is ended by 900"),
        (
            events.PartyReleased(call="c1", mode="takeover"),
            "the call is taken over by an administrator",
        ),
    ],
)
def test_a_forced_release_is_told_by_what_it_does(event: events.PartyReleased, words: str) -> None:
    assert sentence(event) == words
