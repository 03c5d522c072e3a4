"""What nobody reaches: told once, where it begins."""

from __future__ import annotations

from tests.ivr.check.told import DOOR, told


def test_what_only_an_unreachable_flow_leads_to_is_not_told() -> None:
    text = """numbers: {"400": ext:101}
prompts: {main: {zh: 请选择。}}
flows: {lost: [say: main, goto: menu:main]}
menus: {main: {prompt: main, keys: {1: flow:lost}, give_up: voicemail:night}}
voicemail: {night: {}}
"""
    assert told(text) == ["W020:3"]


def test_the_operator_is_reached() -> None:
    text = (
        'numbers: {"400": ext:101}\ndefaults: {operator: flow:desk}\nflows: {desk: [goto: ext:1]}'
    )
    assert told(text.replace("ext:1]", "ext:100]")) == []


def test_places_of_a_queue_are_reached_through_it() -> None:
    text = """numbers: {"400": queue:a}
prompts: {wait: {zh: 请按1。}, rate: {zh: 请按1。}}
menus: {wait: {prompt: wait, keys: {1: stay}, give_up: stay}}
surveys: {rate: {prompt: rate, keys: {1: good}}}
queues: {a: {if_no_agents: voicemail:a, offer: {after: 60s, menu: wait}, survey: rate}}
voicemail: {a: {}}
"""
    assert told(text) == []


def test_what_a_queue_says_asks_and_leads_to_by_its_keys_is_used() -> None:
    text = """numbers: {"400": queue:a}
prompts: {hold: {zh: 请稍等。}, a: {zh: 技术支持。}, news: {zh: "${queue.name}，${queue.ahead}"}}
hours: {day: {weekly: {mon: 09:00-18:00}}}
flows: {news: [say: news, goto: stay]}
queues:
  a:
    if_no_agents: voicemail:a
    keys: {1: flow:news, 2: {say: news, goto: stay}, 3: voicemail:b}
    announce: {prompt: hold, every: 30s}
    callback: {hours: day}
voicemail: {a: {}, b: {}}
"""
    assert told(text) == []
    assert told(text.replace("    callback: {hours: day}\n", "")) == ["W020:3"]
    unsaid = text.replace("if_no_agents", "whisper: no\n    if_no_agents")
    assert told(unsaid) == ["W020:2"]


def test_a_step_behind_a_decision_that_leaves_nothing_is_dead() -> None:
    text = f"""{DOOR}flows:
  door:
    - if: caller.number is empty
      then: hangup
      else: ext:101
    - answer
    - hangup
"""
    assert told(text) == ["W020:7"]


def test_schedules_and_lookups_that_nobody_asks_are_told() -> None:
    text = """numbers: {"400": ext:101}
hours: {office: {weekly: {mon: 09:00-18:00}}}
lookups: {shop: {sql: shop, query: SELECT 1}}
"""
    assert told(text) == ["W020:2", "W020:3"]


def test_nothing_is_said_where_a_mistake_may_have_cut_the_way() -> None:
    text = f"{DOOR}flows:\n  door: [gotoo: flow:other]\n  other: [hangup]\n"
    assert told(text) == ["E002:3"]
    assert told(text.replace("gotoo: flow:other", "goto: flow:othr")) == ["E014:3"]
