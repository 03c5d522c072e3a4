"""What holds for every call, whatever happens in it and in whatever order."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from pbx.cdr.closing import record_of
from pbx.cdr.fold import fold_all
from pbx.cdr.record import CallRecord
from tests.cdr.story import CALLER, Story

LEGS = st.integers(1, 5)
PLACES = st.sampled_from(["a", "b"])
NUMBERS = st.sampled_from(["101", "102", "103"])
PAUSES = st.one_of(st.just(0.0), st.floats(0.0, 4_000.0), st.floats(0.0, 0.01))
JUMPS = st.one_of(st.just(0.0), st.floats(-90_000.0, 90_000.0))

Act = Callable[[Story], Story]

ABSURD: st.SearchStrategy[Act] = st.one_of(
    st.builds(lambda leg, n: lambda s: s.invited(leg, "called", n), LEGS, NUMBERS),
    st.builds(lambda leg: lambda s: s.invited(leg, "caller", "101"), LEGS),
    st.builds(lambda leg: lambda s: s.rings(leg), LEGS),
    st.builds(lambda leg: lambda s: s.picks_up(leg), LEGS),
    st.builds(lambda leg, other: lambda s: s.bridged(leg, other), LEGS, LEGS),
    st.builds(lambda leg: lambda s: s.holds(leg), LEGS),
    st.builds(lambda leg: lambda s: s.resumes(leg), LEGS),
    st.builds(
        lambda leg, by: lambda s: s.ends(leg, by), LEGS, st.sampled_from(["remote", "local"])
    ),
    st.builds(
        lambda leg, packets: lambda s: s.measured(leg, "called", packets), LEGS, st.integers(0, 9)
    ),
    st.just(lambda s: s.began()),
    st.builds(lambda menu: lambda s: s.in_menu(menu), PLACES),
    st.builds(lambda menu, key: lambda s: s.chooses(menu, key), PLACES, PLACES),
    st.builds(lambda queue: lambda s: s.in_queue(queue), PLACES),
    st.builds(lambda queue, result: lambda s: s.out_of_queue(queue, result), PLACES, PLACES),
    st.builds(lambda box: lambda s: s.at_box(box), PLACES),
    st.builds(lambda box, message: lambda s: s.leaves_box(box, message), PLACES, PLACES),
    st.builds(lambda survey: lambda s: s.asked(survey), PLACES),
    st.builds(lambda survey, key: lambda s: s.rates(survey, key, "good"), PLACES, PLACES),
    st.builds(lambda tag: lambda s: s.tagged(tag), PLACES),
    st.builds(lambda place: lambda s: s.goes_to(f"menu:{place}"), PLACES),
    st.builds(lambda agent, queue: lambda s: s.offered(agent, queue), NUMBERS, PLACES),
    st.builds(lambda agent: lambda s: s.declined(agent), NUMBERS),
    st.builds(lambda agent, leg: lambda s: s.taken(agent, leg), NUMBERS, LEGS),
    st.builds(lambda agent, s_: lambda s: s.wrapped_up(agent, s_), NUMBERS, st.floats(-1.0, 99.0)),
    st.builds(lambda text: lambda s: s.noted(text, text), st.sampled_from(["", "x"])),
)
"""Any event about any leg, whether or not it makes sense."""


@st.composite
def absurd_calls(draw: st.DrawFn) -> Story:
    """Any events in any order between a start and an end; both clocks may be set, one backward."""
    story = Story().began()
    for act in draw(st.lists(ABSURD, max_size=30)):
        act(story.wait(draw(PAUSES)).set_clock(draw(JUMPS)))
    return story.wait(draw(PAUSES)).over(draw(st.sampled_from(["answered", "busy", "interrupted"])))


@st.composite
def legal_calls(draw: st.DrawFn) -> Story:
    """A call as the exchange makes them: rounds of ringing, a talk with holds, somebody leaves."""
    story = Story().began().invited(CALLER, "caller", "101")
    leg = CALLER
    answered = None
    for numbers in draw(st.lists(st.lists(NUMBERS, min_size=1, max_size=3), max_size=3)):
        rung = []
        for number in numbers:
            leg += 1
            rung.append(leg)
            story.invited(leg, "called", number).wait(draw(PAUSES))
        winner = draw(st.sampled_from([None, *rung]))
        for loser in (one for one in rung if one != winner):
            story.wait(draw(PAUSES)).ends(loser, "remote", reason="final", status=486)
        if winner is not None:
            story.wait(draw(PAUSES)).answered(winner)
            answered = winner
            break
    if answered is not None:
        for holder in draw(st.lists(st.sampled_from([CALLER, answered]), max_size=6)):
            act = draw(st.sampled_from([Story.holds, Story.resumes]))
            act(story.wait(draw(PAUSES)).set_clock(draw(JUMPS)), holder)
        story.wait(draw(PAUSES)).ends(answered)
    story.ends(CALLER, "local").wait(draw(st.floats(0.0, 1.0)))
    return story.over("answered" if answered is not None else "busy")


def milliseconds(seconds: float) -> int:
    """Return exact milliseconds; the record's floats have three decimals."""
    exact = round(seconds * 1000)
    assert exact / 1000 == seconds
    return exact


def length(record: CallRecord, kind: str) -> int:
    """Return the milliseconds of all segments of a kind."""
    return sum(
        stamp(segment.ended_at) - stamp(segment.started_at)
        for segment in record.segments
        if segment.kind == kind
    )


def stamp(text: str) -> int:
    """Return the milliseconds of a time of the record, all within some days."""
    days, clock = text[8:10], text[11:-1]
    month = text[5:7]
    hours, minutes, rest = clock.split(":")
    whole = ((int(month) * 31 + int(days)) * 24 + int(hours)) * 60 + int(minutes)
    return whole * 60_000 + round(float(rest) * 1000)


def check(record: CallRecord) -> None:
    """Check what is true of every record."""
    parts = (record.wait_s, record.ring_s, record.talk_s, record.hold_s)
    assert all(part >= 0 for part in (*parts, record.duration_s, record.wrap_up_s))
    assert sum(map(milliseconds, parts)) <= milliseconds(record.duration_s)
    assert record.started_at <= record.ended_at
    assert record.answered_at is None or record.started_at <= record.answered_at <= record.ended_at
    for segment in record.segments:
        assert record.started_at <= segment.started_at <= segment.ended_at <= record.ended_at
        assert segment.result
    starts = [segment.started_at for segment in record.segments]
    assert starts == sorted(starts)
    assert length(record, "talk") == milliseconds(record.talk_s)
    for part in record.agents:
        assert part.ring_s >= 0
        assert part.result
    assert sum(milliseconds(part.talk_s) for part in record.agents) <= milliseconds(record.talk_s)
    assert sum(milliseconds(part.hold_s) for part in record.agents) <= milliseconds(record.hold_s)
    assert length(record, "hold") == milliseconds(record.hold_s)


@given(absurd_calls())
def test_no_sequence_of_events_breaks_a_record(story: Story) -> None:
    check(story.record())


@given(legal_calls())
def test_the_seconds_of_a_call_fit_together(story: Story) -> None:
    record = story.record()
    check(record)
    assert length(record, "ring") >= milliseconds(record.ring_s)
    assert (record.answered_at is not None) == (record.result == "answered")
    if record.result == "answered":
        assert any(segment.kind == "talk" for segment in record.segments)


@given(absurd_calls())
def test_the_record_is_made_of_the_events_alone(story: Story) -> None:
    again = fold_all(story.events)
    assert again is not None
    assert record_of(again) == story.record()


@given(legal_calls())
def test_events_after_the_end_change_nothing(story: Story) -> None:
    record = story.record()
    assert story.over("failed", "again").measured(CALLER, "caller").record() == record
