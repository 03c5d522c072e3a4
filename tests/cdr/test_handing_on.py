"""Transfers in the record: a segment each, and every second once."""

from __future__ import annotations

from typing import Literal

import pytest

from pbx import events
from pbx.cdr.record import CallRecord
from tests.cdr.story import CALLED, CALLER, Story
from tests.cdr.test_fold import segments

THIRD = 3


def talked(seconds: float = 10.0) -> Story:
    """Return a call of two that have talked for a while."""
    story = Story().began().invited(CALLER, "caller", "101").goes_to("ext:102")
    story.invited(CALLED, "called", "102").wait(2).picks_up(CALLED).picks_up(CALLER)
    return story.bridged(CALLER, CALLED).wait(seconds)


def started(
    story: Story, leg: int | None, to: str, kind: Literal["blind", "attended"] = "blind"
) -> Story:
    return story.say(events.TransferStarted(call=story.call, leg=leg, to=to, kind=kind))


def done(story: Story, leg: int | None, to: str, result: str) -> Story:
    return story.say(events.TransferEnded(call=story.call, leg=leg, to=to, result=result))


def seconds(record: CallRecord) -> tuple[float, float, float]:
    return record.ring_s, record.talk_s, record.hold_s


def test_a_blind_transfer_ends_one_talk_and_begins_another() -> None:
    story = started(talked(), CALLED, "103").ends(CALLED)
    story.invited(THIRD, "called", "103").wait(4).picks_up(THIRD)
    done(story, CALLED, "103", "completed").bridged(CALLER, THIRD).wait(5)
    record = story.ends(CALLER).ends(THIRD).over().record()
    assert segments(record) == [
        ("ring", "102", "answered"),
        ("talk", "102", "transferred"),
        ("ring", "103", "answered"),
        ("transfer", "103", "completed"),
        ("talk", "103", "ended"),
    ]
    assert seconds(record) == (6.0, 15.0, 0.0)
    assert record.caller.number == "101"


def test_asking_first_is_hold_for_who_waits() -> None:
    story = talked().holds(CALLED).wait(3)
    started(story, CALLED, "103", "attended").invited(THIRD, "consulted", "103").wait(2)
    story.picks_up(THIRD).wait(5).ends(CALLED)
    done(story, CALLED, "103", "completed").bridged(CALLER, THIRD).wait(5)
    record = story.ends(THIRD).ends(CALLER).over().record()
    assert segments(record) == [
        ("ring", "102", "answered"),
        ("talk", "102", "held"),
        ("hold", "102", "transferred"),
        ("transfer", "103", "completed"),
        ("talk", "103", "ended"),
    ]
    assert seconds(record) == (2.0, 15.0, 10.0)


def test_the_caller_may_hand_the_call_on_and_go() -> None:
    story = talked().say(events.CallerChanged(call="c1", leg=CALLED))
    started(story, CALLER, "103").ends(CALLER).invited(THIRD, "called", "103").wait(1)
    story.picks_up(THIRD)
    done(story, CALLER, "103", "completed").bridged(CALLED, THIRD).wait(5)
    record = story.ends(CALLED).ends(THIRD).over().record()
    talks = [each for each in segments(record) if each[0] == "talk"]
    assert talks == [("talk", "102", "transferred"), ("talk", "103", "ended")]
    assert record.talk_s == pytest.approx(15.0)


def test_a_party_that_was_brought_is_talked_to() -> None:
    story = started(talked(), CALLED, "103", "attended")
    story.say(events.LegBrought(call="c1", leg=9, role="called", number="103", from_call="c2"))
    done(story, CALLED, "103", "completed").bridged(CALLER, 9).ends(CALLED).wait(5)
    record = story.ends(9).ends(CALLER).over().record()
    talks = [each for each in segments(record) if each[0] == "talk"]
    assert talks == [("talk", "102", "transferred"), ("talk", "103", "ended")]
    assert record.talk_s == 15.0


def test_a_transfer_that_goes_on_at_the_end_is_cancelled() -> None:
    story = started(talked(), None, "queue:tech").ends(CALLED).wait(1)
    record = story.ends(CALLER).over().record()
    assert segments(record)[-1] == ("transfer", "queue:tech", "cancelled")
