"""How calls end: flows that just end, "operator" without one, "back" without a menu."""

from __future__ import annotations

from tests.ivr.check.told import DOOR, told


def test_a_flow_that_is_only_run_may_end() -> None:
    assert told(f"{DOOR}flows:\n  door: [do: inner, hangup]\n  inner: [answer]\n") == []


def test_a_flow_that_is_run_and_gone_to_ends_the_call_once_in_a_while() -> None:
    text = 'numbers: {"400": flow:door, "401": flow:inner}\n'
    assert told(f"{text}flows:\n  door: [do: inner, hangup]\n  inner: [answer]\n") == ["W030:4"]


def test_hours_without_holiday_leave_nothing_open() -> None:
    text = f"""{DOOR}hours: {{office: {{weekly: {{mon: 09:00-18:00}}}}}}
flows:
  door:
    - hours: office
      open: ext:101
      closed: hangup
"""
    assert told(text) == []
    assert told(text.replace("      closed: hangup\n", "")) == ["W030:5"]


def test_who_rings_and_nobody_answers_needs_a_way_on() -> None:
    text = f"{DOOR}flows:\n  door:\n    - ring: [ext:101]\n      no_answer: voicemail:101\n"
    assert told(text) == ["W030:4"]
    assert told(f"{text}      busy: voicemail:101\n      failed: voicemail:101\n") == []


def test_operator_is_told_once_where_it_is_first_said() -> None:
    text = """numbers: {"400": menu:main}
prompts: {main: {zh: 请选择。}}
menus:
  main:
    prompt: main
    keys:
      1: ext:101
      0: operator
    give_up: operator
"""
    assert told(text) == ["E014:4"]
    assert told(f"{text}defaults: {{operator: ext:100}}\n") == []


def test_back_needs_another_menu_before() -> None:
    text = """numbers: {"400": menu:main}
prompts: {main: {zh: 请选择。}}
menus:
  main: {prompt: main, keys: {1: menu:other}, give_up: hangup}
  other: {prompt: main, keys: {1: back}, give_up: back}
"""
    assert told(text) == []
    assert told(
        text.replace("menu:main", "menu:other").replace("1: menu:other", "1: menu:main")
    ) == [
        "W020:4",
        "E014:5",
        "E014:5",
    ]


def test_repeat_is_always_fine_in_a_menu_and_nowhere_before() -> None:
    text = """numbers: {"400": menu:main, "401": %s}
prompts: {main: {zh: 请选择。}}
menus: {main: {prompt: main, keys: {1: repeat}, no_input: repeat, give_up: hangup}}
"""
    assert told(text % "ext:101") == []
    assert told(text % "repeat") == ["E014:1"]


def test_stay_means_the_queue_that_a_caller_waits_in() -> None:
    text = """numbers: {"400": queue:a, "401": %s}
prompts: {news: {zh: 新闻。}}
flows: {news: [say: news, goto: stay]}
queues: {a: {if_no_agents: voicemail:a, keys: {1: flow:news, 2: stay}}}
voicemail: {a: {}}
"""
    assert told(text % "queue:a") == []
    assert told(text.replace("queue:a", "voicemail:a", 1) % "flow:news")[0] == "E014:3"
