"""Circles that never end, and circles that do."""

from __future__ import annotations

import pytest

from tests.ivr.check.told import DOOR, sentences, told

MENU = """prompts: {main: {zh: 请选择。}}
menus: {main: {prompt: main, keys: {1: flow:door}, give_up: hangup}}
"""


@pytest.mark.parametrize(
    "steps",
    [
        "[pause: 1s, goto: flow:door]",
        "[music: soft, goto: flow:door]",
        "[goto: menu:main]",
        "[if: caller.number is empty, goto: menu:main]",
    ],
)
def test_a_circle_with_a_wait_or_a_question_is_none(steps: str) -> None:
    assert told(f"{DOOR}flows: {{door: {steps}}}\n{MENU}")[:1] in ([], ["W020:4"])


def test_a_circle_through_a_prompt_alone_goes_on_for_ever() -> None:
    text = (
        f"{DOOR}prompts: {{hello: {{zh: 您好。}}}}\nflows: {{door: [say: hello, goto: flow:door]}}"
    )
    assert told(text) == ["E017:3"]


def test_an_outcome_closes_a_circle_as_a_step_does() -> None:
    text = f"""{DOOR}flows:
  door:
    - ring: [ext:101]
      no_answer: flow:door
    - hangup
"""
    assert told(text) == ["E017:4"]


def test_a_variable_that_is_set_on_the_way_leads_out() -> None:
    text = f"""{DOOR}flows:
  door:
    - ring: [ext:101]
    - if: tried is yes
      then: hangup
    - set: {{tried: "yes"}}
    - goto: flow:door
"""
    assert told(text) == []


def test_a_condition_on_what_never_changes_does_not() -> None:
    text = f"""{DOOR}flows:
  door:
    - if: caller.number is empty
      then: hangup
    - set: {{tried: "yes"}}
    - goto: flow:door
"""
    assert told(text) == ["E017:7"]


def test_a_queue_waits_before_it_times_out_only() -> None:
    queue = """numbers: {"400": queue:a}
queues:
  a: {max_wait: 5m, if_timeout: queue:b, if_no_agents: %s}
  b: {max_wait: 5m, if_timeout: queue:a, if_no_agents: hangup}
"""
    assert told(queue % "hangup") == []
    assert told(queue % "queue:a") == ["E017:3"]


def test_a_step_says_otherwise_than_its_queue() -> None:
    text = f"""{DOOR}queues: {{a: {{if_no_agents: flow:door}}}}
flows:
  door:
    - queue: a
      if_no_agents: hangup
"""
    assert told(text) == []
    assert told(text.replace("      if_no_agents: hangup\n", "")) == ["E017:5"]


def test_a_flow_that_asks_breaks_the_circle_of_whoever_runs_it() -> None:
    text = f"{DOOR}flows:\n  door: [do: inner, goto: flow:door]\n  inner: [%s]\n"
    assert told(text % "pause: 1s") == []
    assert told(text % "answer") == ["E017:3"]


def test_the_way_is_told() -> None:
    text = f"{DOOR}flows:\n  door: [goto: flow:other]\n  other: [goto: flow:door]\n"
    (sentence,) = sentences(text)
    assert sentence.startswith("E017 flow:door → flow:other → flow:door goes round without end")


def test_a_mistake_where_a_question_may_have_been_is_told_alone() -> None:
    assert told(f"{DOOR}flows: {{door: [pasue: 1s, goto: flow:door]}}\n") == ["E002:2"]
