"""Variables: what is set on the way, and what is not."""

from __future__ import annotations

from tests.ivr.check.told import DOOR, sentences, told

ASK = "ask: {prompt: no, save: order_no, digits: 6, give_up: hangup}"
PROMPTS = 'prompts: {no: {zh: 请输入。}, read: {zh: "${order_no}。"}}\n'


def test_a_variable_that_one_of_two_ways_sets_is_known() -> None:
    text = f"""{DOOR}{PROMPTS}flows:
  door:
    - if: caller.number is empty
      then: [{{{ASK}}}]
    - say: read
    - hangup
"""
    assert told(text) == []


def test_what_a_flow_sets_is_known_to_whoever_runs_it() -> None:
    text = f"{DOOR}{PROMPTS}flows:\n  door: [do: asks, say: read, hangup]\n  asks: [{ASK}]\n"
    assert told(text) == []


def test_what_a_key_sets_is_known_when_the_menu_comes_again() -> None:
    text = """numbers: {"400": menu:main}
prompts: {main: {zh: "${chosen or \\"nothing\\"}。"}}
menus: {main: {prompt: main, keys: {1: {set: {chosen: a}, goto: repeat}}, give_up: hangup}}
"""
    assert told(text) == []


def test_a_set_may_use_what_stands_above_it() -> None:
    text = f'{DOOR}flows: {{door: [set: {{a: "1", b: "${{a}}"}}, hangup]}}\n'
    assert told(text) == []
    assert told(text.replace('a: "1", b: "${a}"', 'b: "${a}", a: "1"')) == ["E012:2"]


def test_a_lookup_without_save_gives_any_field() -> None:
    text = f"""{DOOR}flows: {{door: [lookup: shop, tag: "${{shop.colour}}", hangup]}}
lookups: {{shop: {{sql: shop, query: SELECT * FROM shop}}}}
"""
    assert told(text) == []
    assert told(text.replace("shop}}", "shop, save: {level: level}}}")) == ["E012:2"]


def test_values_instead_of_an_answer_are_fields_too() -> None:
    text = f"""{DOOR}flows:
  door:
    - lookup: shop
    - tag: ${{shop.state}}
    - hangup
lookups:
  shop: {{sql: shop, query: SELECT 1, save: {{level: level}}, if_empty: {{state: none}}}}
"""
    assert told(text) == []


def test_no_other_lookup_gives_them() -> None:
    text = f"""{DOOR}flows:
  door:
    - tag: ${{shop.state}}
    - lookup: shop
    - hangup
lookups:
  shop: {{sql: shop, query: SELECT 1, if_error: operator}}
defaults: {{operator: ext:100}}
"""
    (sentence,) = sentences(text)
    assert sentence == (
        'E012 flow:door tag needs "shop.state", which nothing before it sets'
        " — write - lookup: shop before it"
    )


def test_what_callpbx_supplies_is_always_there() -> None:
    text = (
        f"{DOOR}flows: {{door: [tag: '${{caller.number}}${{hours.reopens}}${{digits}}', hangup]}}\n"
    )
    assert told(text) == []


def test_where_a_lookup_is_misspelt_only_that_is_told() -> None:
    text = f"""{DOOR}flows:
  door:
    - lookup: shpo
    - tag: ${{shop.state}}
    - hangup
lookups:
  shop: {{sql: shop, query: SELECT 1}}
"""
    assert told(text) == ["E014:4"]
