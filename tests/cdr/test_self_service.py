"""A day of self-service, counted by hand."""

from __future__ import annotations

import pytest

from pbx.cdr.record import CallRecord
from pbx.cdr.self_service import (
    Containment,
    MenuCount,
    Opinions,
    containment,
    menu_counts,
    opinions,
)
from tests.cdr.story import CALLED, CALLER, Story


def caller() -> Story:
    story = Story().began(caller="13800138000", name=None, called="400")
    return story.invited(CALLER, "caller", "13800138000").goes_to("numbers:400").picks_up(CALLER)


def left(story: Story) -> CallRecord:
    return story.wait(1).ends(CALLER).over().record()


def served() -> CallRecord:
    """Orders by key 1, is told, and hears the menu once more."""
    story = caller().in_menu("main").wait(3).chooses("main", "1").wait(9)
    return left(story.tagged("order_done").in_menu("main"))


def to_sales() -> CallRecord:
    """Key 3, a talk, then the survey with an answer."""
    story = caller().in_menu("main").wait(3).chooses("main", "3").goes_to("ring:sales")
    story.invited(CALLED, "called", "102").wait(4).picks_up(CALLED).bridged(CALLER, CALLED)
    story.wait(60).ends(CALLED).asked("csat").wait(2)
    return left(story.rates("csat", "1", "good"))


def served_and_then_to_a_person() -> CallRecord:
    story = caller().in_menu("main").wait(3).chooses("main", "1").tagged("order_done")
    story.in_menu("main").wait(2).chooses("main", "0").goes_to("queue:service")
    return left(story.in_queue("service"))


def rung_by_a_step() -> CallRecord:
    """A flow rings somebody without a station of its own."""
    story = caller().in_menu("holiday").wait(2).chooses("holiday", "1").tagged("urgent_done")
    return left(story.invited(CALLED, "called", "1801").wait(20).ends(CALLED, "local"))


def gave_up() -> CallRecord:
    return left(caller().in_menu("main").wait(2))


def silent() -> CallRecord:
    """No key at all: the survey is asked and not answered."""
    story = caller().in_menu("main").wait(20).chooses("main", "give_up")
    return left(story.asked("csat").wait(8))


def served_without_a_menu() -> CallRecord:
    return left(caller().tagged("balance_done"))


def direct() -> CallRecord:
    """Called an extension; no business of menus."""
    return Story().started().wait(2).answered().wait(10).left("caller").over().record()


DAY = [
    served(),
    to_sales(),
    served_and_then_to_a_person(),
    rung_by_a_step(),
    gave_up(),
    silent(),
    served_without_a_menu(),
    direct(),
]


def test_the_choices_of_each_menu() -> None:
    assert menu_counts(iter(DAY)) == {
        "holiday": MenuCount(visits=1, choices={"1": 1}, ended_inside=0),
        "main": MenuCount(visits=7, choices={"0": 1, "1": 2, "3": 1, "give_up": 1}, ended_inside=2),
    }


def test_who_needed_nobody() -> None:
    found = containment(iter(DAY))
    assert found == Containment(entered=7, contained=2, to_people=3)
    assert found.gave_up == 2
    assert found.rate == pytest.approx(2 / 7)


def test_what_callers_thought() -> None:
    (csat,) = opinions(iter(DAY)).values()
    assert csat == Opinions(asked=2, answers={"1": 1}, meanings={"1": "good"})
    assert (csat.answered, csat.response_rate) == (1, 0.5)


def test_a_day_without_calls() -> None:
    assert menu_counts([]) == {}
    assert opinions([]) == {}
    assert containment([]).rate is None
