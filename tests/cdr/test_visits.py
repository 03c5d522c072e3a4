"""Menus, queues, mailboxes, surveys and tags in the record."""

from __future__ import annotations

import pytest

from pbx.cdr.record import CallRecord, Surveyed
from tests.cdr.story import CALLED, CALLER, Story
from tests.cdr.test_fold import segments


def greeted(number: str = "4008001234") -> Story:
    """Return a call from outside that the dialplan answered after half a second."""
    story = Story().began(caller="13800138000", name=None, called=number)
    story.invited(CALLER, "caller", "13800138000").goes_to(f"numbers:{number}")
    return story.wait(0.5).picks_up(CALLER)


def times(record: CallRecord) -> tuple[float, float, float, float]:
    return record.duration_s, record.wait_s, record.ring_s, record.talk_s


def test_a_caller_who_leaves_inside_a_menu_was_answered_by_it() -> None:
    record = greeted().in_menu("main").wait(7).ends(CALLER).over().record()
    assert record.path == ("numbers:4008001234", "menu:main")
    assert segments(record) == [("menu", "main", "ended")]
    assert record.answered_at == "2026-11-21T08:00:00.623Z"
    assert times(record) == (7.5, 0.0, 0.0, 0.0)
    assert (record.result, record.ended_by) == ("answered", "caller")


def test_what_was_chosen_is_in_the_path_and_in_the_segment() -> None:
    story = greeted().in_menu("main").wait(3).chooses("main", "2").goes_to("queue:tech")
    record = story.wait(1).ends(CALLER).over().record()
    assert record.path == ("numbers:4008001234", "menu:main:2", "queue:tech")
    assert segments(record) == [("menu", "main", "2")]


def test_each_visit_of_a_menu_is_a_station_of_its_own() -> None:
    story = greeted().in_menu("main").wait(1).chooses("main", "8")
    story.in_menu("language").wait(1).chooses("language", "2")
    record = story.in_menu("main").wait(1).ends(CALLER).over().record()
    assert record.path[1:] == ("menu:main:8", "menu:language:2", "menu:main")


def test_a_menu_that_another_one_follows_without_a_choice_was_left() -> None:
    record = greeted().in_menu("a").wait(1).in_menu("b").wait(1).ends(CALLER).over().record()
    assert segments(record) == [("menu", "a", "left"), ("menu", "b", "ended")]


def test_talk_begins_with_the_person_and_the_answer_with_the_menu() -> None:
    story = greeted().in_menu("main").wait(3).chooses("main", "3").goes_to("ring:sales")
    story.invited(CALLED, "called", "102").wait(4).picks_up(CALLED).bridged(CALLER, CALLED)
    record = story.wait(20).left("caller").over().record()
    assert record.answered_at == "2026-11-21T08:00:00.623Z"
    assert times(record) == (27.5, 0.0, 4.0, 20.0)
    assert segments(record) == [
        ("menu", "main", "3"),
        ("ring", "102", "answered"),
        ("talk", "102", "ended"),
    ]


def test_who_clicked_to_dial_is_answered_when_the_other_side_is() -> None:
    story = Story().began().invited(CALLER, "caller", "101").wait(2).picks_up(CALLER)
    story.goes_to("ext:102").invited(CALLED, "called", "102").wait(3).picks_up(CALLED)
    record = story.bridged(CALLER, CALLED).wait(1).left("caller").over().record()
    assert record.answered_at == "2026-11-21T08:00:05.123Z"


def test_waiting_in_a_queue_is_a_segment_and_no_answer() -> None:
    story = greeted().goes_to("queue:service").in_queue("service").wait(30)
    record = story.ends(CALLER).wait(0.2).over("abandoned", "abandoned").record()
    assert (record.queue, record.answered_at) == ("service", None)
    assert times(record) == (30.5, 30.0, 0.0, 0.0)
    assert segments(record) == [("queue", "service", "abandoned")]


def test_ringing_agents_is_part_of_the_wait() -> None:
    story = greeted().in_queue("service").wait(10).invited(CALLED, "called", "102").wait(5)
    story.picks_up(CALLED).out_of_queue("service", "answered").bridged(CALLER, CALLED)
    record = story.wait(60).left("called").over(by="called").record()
    assert times(record) == (75.5, 15.0, 0.0, 60.0)
    assert segments(record)[0] == ("queue", "service", "answered")


def test_a_menu_that_a_queue_offers_is_over_once_an_agent_is_there() -> None:
    story = greeted().in_queue("service").wait(60).in_menu("waiting").wait(4)
    story.invited(CALLED, "called", "102").wait(1).picks_up(CALLED)
    story.out_of_queue("service", "answered").bridged(CALLER, CALLED)
    record = story.wait(60).left("called").over(by="called").record()
    queue, menu = (each for each in record.segments if each.kind in ("menu", "queue"))
    assert (menu.with_, menu.result, menu.ended_at) == ("waiting", "left", queue.ended_at)
    assert times(record) == (125.5, 65.0, 0.0, 60.0)


def test_the_queue_of_a_call_is_the_last_that_it_was_in() -> None:
    story = greeted().in_queue("tech").wait(5).out_of_queue("tech", "timeout")
    record = story.in_queue("service").wait(5).ends(CALLER).over("abandoned", "abandoned").record()
    assert (record.queue, record.wait_s) == ("service", 10.0)


@pytest.mark.parametrize(("message", "result"), [("m1", "m1"), (None, "no_message")])
def test_a_mailbox_is_a_segment_that_names_the_message(message: str | None, result: str) -> None:
    story = greeted().goes_to("voicemail:service").at_box("service").wait(12)
    story.ends(CALLER).wait(0.4).leaves_box("service", message)
    record = story.over("voicemail", "bye").record()
    assert segments(record) == [("voicemail", "service", result)]
    assert record.segments[0].ended_at == record.ended_at
    assert record.answered_at == "2026-11-21T08:00:00.623Z"


def test_a_survey_that_was_asked_is_there_without_an_answer() -> None:
    record = greeted().asked("csat").wait(8).ends(CALLER).over().record()
    assert record.survey == Surveyed(name="csat", key=None, meaning=None)


def test_an_answer_is_kept_whatever_is_asked_later() -> None:
    story = greeted().asked("csat").wait(1).rates("csat", "1", "满意").asked("nps").wait(1)
    record = story.ends(CALLER).over().record()
    assert record.survey == Surveyed(name="csat", key="1", meaning="满意")


def test_tags_are_there_once_in_their_order() -> None:
    story = greeted().tagged("spring-advert").tagged("self_service_done").tagged("spring-advert")
    assert story.ends(CALLER).over().record().tags == ("spring-advert", "self_service_done")


def test_a_caller_whom_nobody_answered_after_the_dialplan_did_was_answered_all_the_same() -> None:
    story = greeted().goes_to("ring:sales").invited(CALLED, "called", "102").wait(20)
    story.ends(CALLED, "local", reason="not_wanted", status=480).ends(CALLER, "local")
    record = story.over("no_answer", "no_answer", by="system").record()
    assert record.answered_at == "2026-11-21T08:00:00.623Z"
    assert times(record) == (20.5, 0.0, 20.0, 0.0)


def test_visits_without_a_caller_are_let_go() -> None:
    story = Story().began().in_menu("main").in_queue("q").at_box("b").wait(1)
    record = story.chooses("main", "1").over("failed", "x").record()
    assert (record.path, record.segments) == ((), ())
