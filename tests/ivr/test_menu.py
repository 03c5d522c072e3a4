"""Menus: which keys mean what, how input is missed, and that every visit ends."""

from __future__ import annotations

import pytest

from pbx.events import MenuLeft
from pbx.ivr.menu import matches
from pbx.plan.destination import HANGUP
from pbx.plan.model import Menu
from tests.kit.plans import plan_of, rehearsed, story

MENU = Menu("main", ("hello",), {"1": HANGUP, "12": HANGUP, "2": HANGUP, "*": HANGUP})
WITH_EXTENSIONS = Menu(
    "main", ("hello",), {"1": HANGUP, "2": HANGUP, "#": HANGUP}, extensions=("1000", "1999")
)


@pytest.mark.parametrize(
    ("menu", "keyed", "match"),
    [
        (MENU, "1", "both"),
        (MENU, "12", "exact"),
        (MENU, "2", "exact"),
        (MENU, "13", "none"),
        (MENU, "*", "exact"),
        (MENU, "9", "none"),
        (WITH_EXTENSIONS, "1", "both"),
        (WITH_EXTENSIONS, "2", "exact"),
        (WITH_EXTENSIONS, "10", "longer"),
        (WITH_EXTENSIONS, "199", "longer"),
        (WITH_EXTENSIONS, "1999", "exact"),
        (WITH_EXTENSIONS, "1*", "none"),
        (WITH_EXTENSIONS, "#", "exact"),
    ],
)
def test_a_choice_is_taken_as_soon_as_no_longer_one_begins_with_it(
    menu: Menu, keyed: str, match: str
) -> None:
    assert matches(menu, keyed) == match


PLAN = plan_of("""
    defaults: {operator: ext:100}
    numbers: {"4008001234": menu:main}
    menus:
      main:
        prompt: [hello, choose]
        keys: {1: ext:101, 12: ext:112, 2: menu:language, 9: repeat, "#": ext:103}
        dial_extension: 1500-1599
        give_up: hangup
      language:
        prompt: choose
        keys:
          1: {language: zh, goto: back}
          3: {language: en, goto: back}
        no_input: [repeat, {say: bye, then: back}]
        give_up: back
""")


@pytest.mark.parametrize(
    ("press", "choice"),
    [
        ("1", "1"),
        ("1#", "1"),
        ("12", "12"),
        ("1555", "1555"),
        ("#", "#"),
        ("9 1", "1"),
        ("- 12", "12"),
        ("7 12", "12"),
        ("77 12", "12"),
    ],
)
def test_a_caller_chooses(press: str, choice: str) -> None:
    rehearsal = rehearsed(PLAN, press=press)
    (left,) = [event for event in rehearsal.events if isinstance(event, MenuLeft)]
    assert left.choice == choice


def test_the_wait_for_a_longer_choice_is_the_time_between_keys() -> None:
    short = rehearsed(PLAN, press="12").lines[-1].at
    waited = rehearsed(PLAN, press="1").lines[-1].at
    assert 1.0 <= (waited - short).total_seconds() <= 2.0


def test_silence_and_useless_keys_are_counted_apart() -> None:
    rehearsal = rehearsed(PLAN, press="- 7 - 7 1")
    assert rehearsal.outcome.reason != "hung_up_by_dialplan"
    rehearsal = rehearsed(PLAN, press="- 7 - 7 7")
    assert rehearsal.outcome.reason == "hung_up_by_dialplan"
    assert "menu main choose, key 7 means nothing, 3 of 3 → give_up" in story(rehearsal)


def test_only_the_last_prompt_is_played_again() -> None:
    lines = story(rehearsed(PLAN, press="- 1"))
    assert "menu main hello choose, no key, 1 of 3" in lines
    assert "menu main choose, key 1" in lines


def test_back_is_the_menu_before() -> None:
    rehearsal = rehearsed(PLAN, press="2 3 12")
    assert [place for place in rehearsal.places if place.startswith("menu:")] == [
        "menu:main",
        "menu:language",
        "menu:main",
    ]


def test_each_missed_input_may_lead_elsewhere() -> None:
    rehearsal = rehearsed(PLAN, press="2 - - 12")
    assert "say:bye" in rehearsal.places
    assert rehearsal.places[-1] == "ext:112"


def test_keys_pressed_ahead_are_kept_for_the_next_menu() -> None:
    assert rehearsed(PLAN, press="2312").places[-1] == "ext:112"


def test_a_caller_who_repeats_for_ever_is_let_go() -> None:
    rehearsal = rehearsed(PLAN, press="9 " * 50)
    assert "menu main 10 inputs → give_up" in story(rehearsal)
    assert rehearsal.outcome.reason == "hung_up_by_dialplan"


def test_an_extension_that_there_is_not_is_a_useless_key() -> None:
    rehearsal = rehearsed(PLAN, press="1555 12", extensions=frozenset({"112"}))
    assert rehearsal.places[-1] == "ext:112"
