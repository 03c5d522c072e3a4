"""How every kind of call becomes its record."""

from __future__ import annotations

import pytest

from pbx.cdr.closing import record_of
from pbx.cdr.fold import fold, fold_all, interruption
from pbx.cdr.record import CallRecord
from pbx.errors import UsageError
from pbx.events import CallRouted, CodecChanged, DigitReceived
from tests.cdr.story import CALLED, CALLER, START, Story, plain_call


def segments(record: CallRecord) -> list[tuple[str, str, str]]:
    return [(segment.kind, segment.with_, segment.result) for segment in record.segments]


def seconds(record: CallRecord) -> tuple[float, float, float, float]:
    return record.duration_s, record.ring_s, record.talk_s, record.hold_s


def test_an_answered_call_has_the_times_of_its_phases() -> None:
    record = plain_call().record()
    assert record.started_at == "2026-11-21T08:00:00.123Z"
    assert record.answered_at == "2026-11-21T08:00:02.223Z"
    assert record.ended_at == "2026-11-21T08:00:12.423Z"
    assert seconds(record) == (12.3, 2.1, 10.2, 0.0)
    assert (record.wait_s, record.wrap_up_s) == (0.0, 0.0)


def test_an_answered_call_says_who_talked_and_how_it_ended() -> None:
    record = plain_call().record()
    assert (record.caller.number, record.caller.name, record.called.number) == (
        "101",
        "Alice",
        "102",
    )
    assert (record.result, record.reason, record.ended_by) == ("answered", "bye", "caller")
    assert (record.cause, record.sip_status) == (16, 200)
    assert record.path == ("ext:102",)
    assert record.dialplan_version == "ab12"
    assert segments(record) == [("ring", "102", "answered"), ("talk", "102", "ended")]
    ring, talk = record.segments
    assert ring.started_at == record.started_at
    assert (ring.ended_at, talk.ended_at) == (talk.started_at, record.ended_at)


def test_quality_has_a_row_for_each_leg_and_direction() -> None:
    rows = plain_call().record().quality
    assert [(row.leg, row.direction) for row in rows] == [
        ("caller", "received"),
        ("caller", "sent"),
        ("called", "received"),
        ("called", "sent"),
    ]
    assert (rows[0].codec, rows[0].packets, rows[0].mos) == ("PCMA", 500, 4.41)


def test_a_leg_that_never_carried_media_has_no_quality() -> None:
    story = Story().started().ends(CALLED, reason="busy", status=486).ends(CALLER, "local")
    story.measured(CALLED, "called", packets=0).over("busy", "busy", status=486, cause=17)
    assert story.record().quality == ()


def test_early_media_counts_as_media() -> None:
    story = Story().started().wait(3).ends(CALLED, reason="busy", status=486).ends(CALLER, "local")
    story.measured(CALLED, "called", packets=140).over("busy", "busy", status=486, cause=17)
    assert len(story.record().quality) == 2


def test_the_call_ends_with_its_last_leg_and_not_when_the_figures_are_in() -> None:
    story = Story().started().wait(1).answered().wait(5).left("called").wait(0.8)
    record = story.measured(CALLER, "caller").over(by="called").record()
    assert seconds(record) == (6.0, 1.0, 5.0, 0.0)
    assert record.ended_by == "called"


@pytest.mark.parametrize(
    ("status", "reason", "result", "cause"),
    [
        (486, "busy", "busy", 17),
        (600, "busy", "busy", 17),
        (603, "declined", "rejected", 21),
        (480, "temporarily_unavailable", "unavailable", 18),
        (500, "status_500", "failed", 41),
    ],
)
def test_a_refused_call_rang_as_long_as_it_did(
    status: int, reason: str, result: str, cause: int
) -> None:
    story = Story().started().wait(1.5).ends(CALLED, reason="final", status=status)
    story.ends(CALLER, "local", reason=reason, status=status)
    record = story.over(result, reason, status=status, cause=cause, by="called").record()
    assert record.answered_at is None
    assert (record.result, record.sip_status, record.cause) == (result, status, cause)
    assert seconds(record) == (1.5, 1.5, 0.0, 0.0)
    assert segments(record) == [("ring", "102", result)]


def test_nobody_answers() -> None:
    story = Story().started().wait(20).ends(CALLED, "local", reason="not_wanted", status=480)
    story.ends(CALLER, "local", reason="no_answer", status=480)
    record = story.over("no_answer", "no_answer", status=480, cause=19, by="system").record()
    assert seconds(record) == (20.0, 20.0, 0.0, 0.0)
    assert segments(record) == [("ring", "102", "no_answer")]
    assert record.ended_by == "system"


def test_the_caller_gives_up() -> None:
    story = Story().started().wait(4).ends(CALLER, reason="cancelled", status=487)
    story.ends(CALLED, "local", reason="not_wanted", status=480)
    record = story.over("cancelled", "cancelled", status=487).record()
    assert seconds(record) == (4.0, 4.0, 0.0, 0.0)
    assert segments(record) == [("ring", "102", "cancelled")]


def test_a_number_that_does_not_exist_has_no_phases() -> None:
    story = Story().began(called="999").invited(CALLER, "caller", "101").wait(0.002)
    story.ends(CALLER, "local", reason="unknown_number", status=404)
    record = story.over("failed", "unknown_number", status=404, cause=1, by="system").record()
    assert seconds(record) == (0.002, 0.0, 0.0, 0.0)
    assert (record.segments, record.path, record.answered_at) == ((), (), None)


def test_a_call_without_any_leg_ends_when_it_says_so() -> None:
    record = Story().began().wait(0.25).over("failed", "no_resource", status=503).record()
    assert seconds(record) == (0.25, 0.0, 0.0, 0.0)


def test_what_the_exchange_itself_answers_is_answered_without_talk() -> None:
    story = Story().began(called="*43").invited(CALLER, "caller", "101")
    story.say(CallRouted(call="c1", destination="feature:echo")).picks_up(CALLER).wait(7)
    record = story.ends(CALLER).over().record()
    assert record.answered_at == record.started_at
    assert seconds(record) == (7.0, 0.0, 0.0, 0.0)
    assert record.path == ("feature:echo",)


def test_a_caller_who_hears_music_and_leaves_was_not_answered() -> None:
    story = Story().began(called="600").invited(CALLER, "caller", "101").picks_up(CALLER).wait(60)
    record = story.ends(CALLER).over("abandoned", "left_queue").record()
    assert record.answered_at is None


def test_several_phones_of_one_number_ring_as_one() -> None:
    story = Story().started().invited(3, "called", "102").rings(3).wait(2).answered(3)
    story.ends(CALLED, "local", reason="answered_elsewhere").wait(5)
    record = story.ends(CALLER).ends(3, "local").over().record()
    assert segments(record) == [("ring", "102", "answered"), ("talk", "102", "ended")]
    assert seconds(record) == (7.0, 2.0, 5.0, 0.0)


def test_several_phones_that_do_not_answer_ring_until_the_last_has_ended() -> None:
    story = Story().started().wait(1).invited(3, "called", "102").wait(2)
    story.ends(CALLED, reason="final", status=486).wait(4)
    story.ends(3, "local", reason="not_wanted").ends(CALLER, "local", reason="no_answer")
    record = story.over("no_answer", "no_answer", status=480).record()
    assert segments(record) == [("ring", "102", "no_answer")]
    assert record.ring_s == 7.0


def test_numbers_that_ring_together_have_a_segment_each_but_are_counted_once() -> None:
    story = Story().started().wait(1).invited(3, "called", "103").wait(2).answered(3)
    story.ends(CALLED, "local", reason="answered_elsewhere").wait(4)
    record = story.ends(3).ends(CALLER, "local").over(by="called").record()
    assert segments(record) == [
        ("ring", "102", "answered_elsewhere"),
        ("ring", "103", "answered"),
        ("talk", "103", "ended"),
    ]
    assert seconds(record) == (7.0, 3.0, 4.0, 0.0)


def test_ringing_one_after_the_other_leaves_out_the_time_between() -> None:
    story = Story().started().wait(5).ends(CALLED, reason="final", status=486).wait(1)
    story.invited(3, "called", "103").wait(3).answered(3).wait(2)
    record = story.ends(CALLER).ends(3, "local").over().record()
    assert seconds(record) == (11.0, 8.0, 2.0, 0.0)
    assert segments(record) == [
        ("ring", "102", "busy"),
        ("ring", "103", "answered"),
        ("talk", "103", "ended"),
    ]


def test_hold_is_no_talk() -> None:
    story = Story().started().wait(1).answered().wait(3).holds(CALLED).wait(10).resumes(CALLED)
    record = story.wait(2).left("caller").over().record()
    assert seconds(record) == (16.0, 1.0, 5.0, 10.0)
    assert segments(record) == [
        ("ring", "102", "answered"),
        ("talk", "102", "held"),
        ("hold", "102", "resumed"),
        ("talk", "102", "ended"),
    ]


def test_a_hold_by_both_is_counted_once() -> None:
    story = Story().started().answered().wait(1).holds(CALLER).wait(4).holds(CALLED).wait(2)
    story.resumes(CALLER).wait(3).resumes(CALLED).wait(1)
    record = story.left("caller").over().record()
    assert seconds(record) == (11.0, 0.0, 2.0, 9.0)
    assert segments(record)[1:] == [
        ("talk", "102", "held"),
        ("hold", "101", "resumed"),
        ("talk", "102", "ended"),
    ]


def test_leaving_while_held_ends_the_hold() -> None:
    record = (
        Story().started().answered().wait(1).holds(CALLER).wait(4).left("called").over().record()
    )
    assert seconds(record) == (5.0, 0.0, 1.0, 4.0)
    assert segments(record)[-1] == ("hold", "101", "ended")


def test_a_transfer_starts_another_talk() -> None:
    story = Story().started().answered().wait(5).invited(3, "called", "103").wait(2)
    story.picks_up(3).bridged(CALLER, 3).ends(CALLED, "local").wait(4)
    record = story.ends(CALLER).ends(3, "local").over().record()
    assert segments(record) == [
        ("ring", "102", "answered"),
        ("talk", "102", "transferred"),
        ("ring", "103", "answered"),
        ("talk", "103", "ended"),
    ]
    assert seconds(record) == (11.0, 0.0, 11.0, 0.0)  # ringing under a talk is not counted twice


@pytest.mark.parametrize("jump", [3_600.0, -3_600.0])
def test_setting_the_clock_changes_no_duration_and_no_order(jump: float) -> None:
    story = Story().started().wait(2).set_clock(jump).answered().wait(3).set_clock(-2 * jump)
    record = story.holds(CALLED).wait(1).left("caller").over().record()
    assert seconds(record) == (6.0, 2.0, 3.0, 1.0)
    assert record.answered_at == "2026-11-21T08:00:02.123Z"
    assert record.ended_at == "2026-11-21T08:00:06.123Z"


def test_a_monotonic_clock_that_steps_back_makes_nothing_negative() -> None:
    story = Story().started().wait(2).answered()
    story.monotonic -= 10
    record = story.left("caller").over().record()
    assert seconds(record) == (2.0, 2.0, 0.0, 0.0)


def test_unknown_statuses_and_causes_are_null() -> None:
    record = Story().began().over("failed", "x", status=0, cause=0).record()
    assert (record.sip_status, record.cause) == (None, None)


def test_a_call_that_goes_on_has_no_record() -> None:
    with pytest.raises(UsageError, match="c1 is not over"):
        Story().started().record()


def test_events_before_the_start_make_no_call() -> None:
    story = Story().rings()
    assert fold_all(story.events) is None


def test_nothing_changes_after_the_end() -> None:
    story = plain_call()
    record = story.record()
    story.wait(9).measured(CALLER, "caller").over("failed", "again").holds(CALLER).began()
    assert story.record() == record


def test_events_that_say_nothing_of_the_record_leave_the_call_as_it_is() -> None:
    story = Story().started().answered()
    before = story.open_call()
    story.say(DigitReceived(call="c1", leg=1, digit="5"))
    story.say(CodecChanged(call="c1", leg=1, codec="PCMU"))
    assert fold_all(story.events) == before


def test_folding_leaves_its_argument_as_it_was() -> None:
    story = plain_call()
    call = None
    for stamped in story.events:
        told = fold_all(story.events[: stamped.seq - 1])
        assert call == told
        after = fold(call, stamped)
        assert call == told
        call = after


def test_events_of_unknown_legs_are_let_go() -> None:
    story = Story().started().picks_up(9).bridged(CALLER, 9).holds(9).resumes(9).ends(9)
    record = story.wait(1).left("caller").over("cancelled").record()
    assert seconds(record) == (1.0, 1.0, 0.0, 0.0)


def test_an_interrupted_call_ends_at_the_last_sign_of_life() -> None:
    story = Story().started().wait(2).answered().wait(30)
    call = story.open_call()
    end = interruption(call, seq=99, at=story.wall, monotonic=story.monotonic)
    ended = fold(call, end)
    assert ended is not None
    record = record_of(ended)
    assert (record.result, record.reason, record.ended_by) == (
        "interrupted",
        "server_died",
        "system",
    )
    assert (record.cause, record.sip_status) == (41, 200)
    assert seconds(record) == (32.0, 2.0, 30.0, 0.0)
    assert segments(record) == [("ring", "102", "answered"), ("talk", "102", "interrupted")]


def test_a_call_interrupted_while_ringing_was_told_nothing_yet() -> None:
    call = Story().started().wait(2).open_call()
    ended = fold(call, interruption(call, seq=99, at=START + 3, monotonic=5_003.0))
    assert ended is not None
    record = record_of(ended)
    assert (record.sip_status, record.answered_at) == (None, None)
    assert segments(record) == [("ring", "102", "interrupted")]
    assert record.ring_s == 3.0
