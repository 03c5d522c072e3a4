"""What comes after the end of a call, and what amends a record while it goes on."""

from __future__ import annotations

from pbx.cdr.amend import amended
from pbx.cdr.record import CalledBack, Surveyed
from pbx.events import CallbackBooked, CallbackEnded, CallbackTried, SurveyAnswered
from tests.cdr.story import Story, plain_call, queue_call


def test_work_after_the_call_is_the_agents_and_the_records() -> None:
    record = queue_call().wrapped_up("102", 12.5, disposition="refund", note="angry").record()
    assert (record.wrap_up_s, record.agents[0].wrap_up_s) == (12.5, 12.5)
    assert (record.disposition, record.note) == ("refund", "angry")


def test_work_of_an_agent_who_is_not_in_the_record_counts_for_the_call() -> None:
    record = plain_call().wrapped_up("102", 3.0).wrapped_up("102", 4.0).record()
    assert (record.wrap_up_s, record.agents) == (7.0, ())


def test_a_note_during_the_call_and_one_afterwards_are_the_same() -> None:
    during = Story().started().answered().wait(1).noted("refund", "a").left("caller").over()
    after = Story().started().answered().wait(1).left("caller").over().noted("refund", "a")
    assert during.record() == after.record()
    assert during.record().note == "a"


def test_an_empty_text_takes_back_what_was_there_and_nothing_leaves_it() -> None:
    record = plain_call().noted("refund", "a").noted(None, "b").noted("", None).record()
    assert (record.disposition, record.note) == (None, "b")


def test_the_life_of_a_call_back_is_in_the_record_of_the_call_that_booked_it() -> None:
    story = queue_call()
    booked = CallbackBooked(call="q1", callback="b1", queue="service", number="13800138000")
    tried = CallbackTried(call="q2", callback="b1", origin="q1", result="busy", tries=1)
    over = CallbackEnded(
        call="q1", callback="b1", queue="service", result="answered", waited_s=601.25, agent="103"
    )
    record = amended(story.record(), booked)
    assert record.callback == CalledBack(number="13800138000", result="waiting")
    assert amended(amended(record, tried), over).callback == CalledBack(
        number="13800138000", result="answered", waited_s=601.25, agent="103", tries=1
    )


def test_a_try_of_another_calls_call_back_changes_nothing() -> None:
    record = plain_call("c1").record()
    tried = CallbackTried(call="c2", callback="b1", origin="c9", result="busy", tries=1)
    assert amended(record, tried) is record


def test_a_late_answer_is_the_survey_of_the_record() -> None:
    event = SurveyAnswered(call="c1", survey="csat", key="1", meaning="满意")
    record = amended(plain_call().record(), event)
    assert record.survey == Surveyed(name="csat", key="1", meaning="满意")
