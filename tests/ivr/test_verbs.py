"""Verbs: what each does, in a rehearsed call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pbx.events import CallNoted, CallTagged, LookupFinished, SurveyAnswered, SurveyAsked
from pbx.ivr.asking import luhn
from pbx.ivr.rehearsal import Mock
from pbx.plan.model import Prompt, PromptText
from pbx.plan.text import parse_text
from tests.kit.plans import flow_of, rehearsed, story

ORDER = """
lookups:
  order: {sql: shop, query: "SELECT status, eta FROM orders WHERE no = :no", with: {no: order_no},
          if_empty: flow:unknown, if_error: hangup}
"""


def test_a_flow_that_ends_hangs_up_politely() -> None:
    rehearsal = rehearsed(flow_of("- say: hello"))
    assert story(rehearsal)[-1] == "flow main ends: hang up"
    assert rehearsal.outcome.reason == "flow_ended"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("caller.number starts with 138", True),
        ("caller.number is empty", False),
        ("caller.number in [13800138000, 1]", True),
        ("language is zh and caller.number is 13800138000", True),
        ("language is en or language is yue", False),
        ("nothing.at_all is empty", True),
    ],
)
def test_if_decides_and_says_why(condition: str, holds: bool) -> None:
    plan = flow_of(f"- if: {condition}\n  then: ext:101\n  else: ext:102")
    rehearsal = rehearsed(plan, from_="13800138000")
    assert rehearsal.places[-1] == ("ext:101" if holds else "ext:102")
    assert any(f"{condition} → {'yes' if holds else 'no'} (" in line for line in story(rehearsal))


def test_steps_of_a_branch_come_back_to_the_flow() -> None:
    plan = flow_of("""
        - if: language is zh
          then:
            - tag: mandarin
            - note: "speaks ${language}"
        - goto: ext:101
    """)
    rehearsal = rehearsed(plan)
    assert rehearsal.places[-1] == "ext:101"
    assert CallTagged(call="rehearsal", tag="mandarin") in rehearsal.events
    assert CallNoted(call="rehearsal", text="speaks zh") in rehearsal.events


@pytest.mark.parametrize(
    ("value", "place"), [("gold", "ext:101"), ("x", "ext:103"), ("", "ext:103")]
)
def test_choose_takes_the_branch_of_the_value(value: str, place: str) -> None:
    plan = flow_of(f"""
        - set: {{level: "{value}"}}
        - choose: level
          gold: ext:101
          silver: ext:102
          else: ext:103
    """)
    assert rehearsed(plan).places[-1] == place


@pytest.mark.parametrize(
    ("press", "place"),
    [("202600123#", "say:hello"), ("12# 123# - 1234#", "ext:109"), ("12# 202600123#", "say:hello")],
)
def test_ask_keeps_what_is_keyed_or_gives_up(press: str, place: str) -> None:
    plan = flow_of("""
        - ask: {prompt: number_please, save: order_no, digits: 6-12, give_up: ext:109}
        - say: hello
    """)
    rehearsal = rehearsed(plan, press=press)
    assert place in rehearsal.places


def test_an_end_key_does_not_reach_the_next_question() -> None:
    plan = flow_of(
        """
        - ask: {prompt: number_please, save: pin, digits: 4, give_up: hangup}
        - goto: menu:one
    """,
        more="""
        menus:
          one: {prompt: choose, keys: {1: ext:101, "#": ext:102}, give_up: hangup}
    """,
    )
    assert rehearsed(plan, press="1234#1").places[-1] == "ext:101"


def test_a_secret_is_masked_and_takes_no_keys_pressed_ahead() -> None:
    plan = flow_of("""
        - ask: {prompt: number_please, save: pin, digits: 4, secret: yes, give_up: hangup}
        - if: pin is 1234
          then: ext:101
        - goto: ext:102
    """)
    rehearsal = rehearsed(plan, press="1234")
    assert rehearsal.places[-1] == "ext:101"
    assert not any("= 1234" in line or '"1234"' in line for line in story(rehearsal))


@pytest.mark.parametrize(
    ("digits", "valid"), [("79927398713", True), ("79927398710", False), ("0", True)]
)
def test_luhn(digits: str, valid: bool) -> None:
    assert luhn(digits) is valid


@pytest.mark.parametrize(
    ("mock", "result", "places"),
    [
        ({"status": "sent", "eta": "2026-09-30"}, "found", ("lookup:order", "say:hello")),
        (None, "empty", ("lookup:order", "flow:unknown", "say:bye")),
        ("error", "error", ("lookup:order",)),
    ],
)
def test_a_lookup_finds_finds_nothing_or_fails(
    mock: Mock, result: str, places: tuple[str, ...]
) -> None:
    steps = "- set: {order_no: '1'}\n- lookup: order\n- say: hello"
    plan = flow_of(steps, more=ORDER, flows="unknown: [{say: bye}]")
    rehearsal = rehearsed(plan, mocks={"order": mock})
    (finished,) = [each for each in rehearsal.events if isinstance(each, LookupFinished)]
    assert finished.result == result
    passed = dict.fromkeys(place for place in rehearsal.places if place in places)
    assert tuple(passed) == places


SURVEY = """
surveys:
  csat: {prompt: choose, keys: {1: good, 2: bad}, timeout: 8s}
"""


@pytest.mark.parametrize(("press", "answered"), [("1", True), ("7", False), ("", False)])
def test_a_survey_is_asked_and_perhaps_answered(press: str, answered: bool) -> None:
    rehearsal = rehearsed(flow_of("- survey: csat\n- goto: ext:101", more=SURVEY), press=press)
    kinds = [type(event) for event in rehearsal.events]
    assert SurveyAsked in kinds
    assert (SurveyAnswered in kinds) is answered
    assert rehearsal.places[-1] == "ext:101"


@pytest.mark.parametrize(
    ("phones", "place"),
    [
        ({"1801": "answers"}, None),
        ({"1801": "no_answer", "1802": "busy"}, "ext:109"),
        ({"1801": "busy", "1802": "unregistered"}, "ext:108"),
        ({"1801": "unregistered", "1802": "unregistered"}, "ext:109"),
    ],
)
def test_ring_has_three_outcomes(phones: dict[str, str], place: str | None) -> None:
    plan = flow_of("""
        - ring: {to: [ext:1801, ext:1802], together: no, each: 20s, confirm_key: 1}
          no_answer: ext:109
          busy: ext:108
          failed: ext:107
    """)
    rehearsal = rehearsed(plan, phones=phones)
    assert (rehearsal.places[-1] if place else None) == place


def test_do_runs_another_flow_and_comes_back() -> None:
    plan = flow_of("- do: other\n- goto: ext:101", flows="other: [{say: bye}]")
    assert rehearsed(plan).places[-3:] == ("do:other", "say:bye", "ext:101")


def test_flows_that_run_each_other_for_ever_end() -> None:
    plan = flow_of("- do: other", flows="other: [{do: main}]")
    rehearsal = rehearsed(plan)
    assert rehearsal.outcome.reason == "too_many_steps"


def test_whoever_takes_too_many_steps_gets_the_operator() -> None:
    plan = flow_of(
        "- pause: 1s\n- goto: flow:other",
        flows="other: [{goto: flow:main}]",
        more="defaults: {operator: ext:100}",
    )
    rehearsal = rehearsed(plan)
    assert rehearsal.places[-1] == "ext:100"
    assert any("100 steps → operator → ext:100" in line for line in story(rehearsal))


def test_half_an_hour_in_menus_is_enough() -> None:
    plan = flow_of("- music: {for: 20m}\n- music: {for: 20m}\n- say: hello\n- goto: ext:101")
    rehearsal = rehearsed(plan)
    assert any("30 minutes in menus" in line for line in story(rehearsal))
    spent = rehearsal.lines[-1].at - rehearsal.lines[0].at
    assert 1_800 <= spent.total_seconds() <= 1_830


def test_the_language_that_is_taken_is_spoken() -> None:
    plan = flow_of("- language: en\n- say: hello\n- language: fr\n- say: bye")
    lines = story(rehearsed(plan))
    assert "say hello en: Hello." in lines
    assert "say bye en: Goodbye." in lines


def test_digits_are_what_was_keyed_last() -> None:
    plan = flow_of(
        """
        - ask: {prompt: number_please, save: order, digits: 3, give_up: hangup}
        - set: {first: "${digits}"}
        - ask: {prompt: number_please, save: pin, digits: 2, secret: yes, give_up: hangup}
        - set: {second: "${digits or 'nothing'}"}
        - goto: menu:main
        """,
        "menus: {main: {prompt: choose, keys: {7: flow:last}, give_up: hangup}}",
        'last: [{set: {third: "${digits}"}}]',
    )
    told = story(rehearsed(plan, press="123 45 7"))
    assert "set first first = 123" in told
    assert "set second second = nothing" in told, "a secret has a variable of its own"
    assert "set third third = 7" in told


def test_a_secret_is_masked_in_all_that_is_told_of_it() -> None:
    plan = flow_of("""
        - ask: {prompt: number_please, save: pin, digits: 4, secret: yes, give_up: hangup}
        - set: {same: "0${pin}"}
        - tag: "t${pin}"
        - note: "n${same}"
        - say: hello
        - caller_name: "${pin}"
        - agent: "${pin}"
        - send: {mail: "${same}@example.com", body: "${pin}"}
        - set: {same: plain}
        - if: same is plain
          then: [{tag: seen}]
    """)
    words = parse_text("You keyed ${same:digits} and ${pin}.")
    hello = Prompt("hello", {"zh": PromptText(words)})
    plan = replace(plan, prompts={**plan.prompts, "hello": hello})
    rehearsal = rehearsed(plan, press="4711")
    assert not [line for line in story(rehearsal) if "4711" in line or "47" in line]
    assert not [event for event in rehearsal.events if "4711" in str(event)]
    assert 'if  same is plain → yes (same="plain")' in story(rehearsal), "no secret any more"


def test_an_operator_who_is_not_there_ends_a_call_that_was_up() -> None:
    plan = flow_of(
        """
        - say: hello
        - goto: flow:again
        """,
        "defaults: {operator: ext:199}",
        "again: [{goto: flow:main}]",
    )
    outcome = rehearsed(plan, extensions=frozenset()).outcome
    assert (outcome.status, outcome.ended_by) == (200, "system")


QUEUE = "queues: {q: {max_wait: 5m, if_timeout: hangup, if_no_agents: hangup}}"


@pytest.mark.parametrize("level", ["vip", "11", "-1", "9" * 5_000, "1e3", "٣", "1\n"])
def test_a_level_that_is_none_is_1_and_the_call_goes_on(level: str) -> None:
    steps = '- queue: {name: q, skills: {tech: "${caller.number}"}}'
    rehearsal = rehearsed(flow_of(steps, QUEUE), from_=level)
    (line,) = (line for line in story(rehearsal) if line.startswith("skill tech"))
    assert line.endswith("is no level from 1 to 10: 1 is taken")
    assert rehearsal.places[-1] == "queue:q"


def test_a_level_may_be_a_value_or_missing() -> None:
    for level in ("7", "10", "07", ""):
        steps = '- queue: {name: q, skills: {tech: "${caller.number}"}}'
        told = story(rehearsed(flow_of(steps, QUEUE), from_=level))
        assert not any(line.startswith("skill") for line in told)
