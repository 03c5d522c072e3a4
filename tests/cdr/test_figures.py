"""What of a record counts."""

from __future__ import annotations

from msgspec.structs import replace

from pbx.cdr.figures import Figures, Opinion, Part, Visit, figures_of
from pbx.cdr.record import Caller
from pbx.cdr.rows import read_figures, record_row
from tests.cdr.story import START, Story, plain_call, queue_call

BEGAN = round(START * 1000)


def test_visits_and_parts_are_those_of_the_record() -> None:
    record = queue_call(meaning="满意").wrapped_up("102", 4.5).record()
    figures = figures_of(record)
    assert figures == Figures(
        "13800138000",
        BEGAN,
        (Visit("service", BEGAN, 12_000, "answered"),),
        (Part("102", "service", BEGAN + 9_000, 3_000, "answered", 60_000, 0, 4_500),),
        Opinion("csat", "满意"),
    )
    stored = record_row(1, record)[-1]
    assert stored is not None
    assert read_figures(stored) == figures


def test_a_call_without_queue_agent_and_opinion_counts_nowhere() -> None:
    assert figures_of(plain_call().record()) is None
    assert record_row(1, plain_call().record())[-1] is None


def test_a_survey_counts_without_a_queue() -> None:
    story = Story().started().answered().asked("csat").wait(3).left("caller").over()
    figures = figures_of(story.record())
    assert figures is not None
    assert figures.opinion == Opinion("csat", None)


def test_who_hides_the_number_is_nobody_twice() -> None:
    record = replace(queue_call().record(), caller=Caller(number="anonymous", name=None))
    figures = figures_of(record)
    assert figures is not None
    assert figures.caller == ""
