"""Keys that texts speak of."""

from __future__ import annotations

import pytest

from pbx.ivr.check.menus import said_keys
from tests.ivr.check.told import sentences, told


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("查询订单请按1，技术支持请按2。", ["1", "2"]),
        ("请按下５，结束请按井号键。", ["5", "#"]),
        ("返回请按星号键", ["*"]),
        ("查詢請撳一字，或者㩒 2 字", ["1", "2"]),
        ("For orders press 1, for support press two, then press pound.", ["1", "2", "#"]),
        ("Press the star key. Pressing 12 is fine.", ["*", "12"]),
        ("Express 5. 按时到达。 We press on. press onehundred", []),
        ("您前面还有${queue.ahead}位", []),
    ],
)
def test_keys_are_read_as_each_language_says_them(words: str, keys: list[str]) -> None:
    assert [key for _, key in said_keys(words)] == keys


MENU = """numbers: {"400": menu:main}
prompts: {main: {zh: %s}}
menus: {main: {prompt: main, keys: {%s}, give_up: hangup}}
"""


def test_a_key_that_does_nothing_is_told_at_its_prompt() -> None:
    assert sentences(MENU % ("请按5。", "1: ext:101")) == [
        "W021 prompt main (zh) says 请按5 but menu:main has no key 5 — add 5: …"
    ]
    assert told(MENU % ("请按1。", "1: ext:101, 2: ext:102")) == []


def test_extensions_and_the_end_of_long_keys_count() -> None:
    menu = MENU % ("前台请按1001，按井号键结束。", "1: ext:101")
    assert told(menu.replace("give_up", "dial_extension: 2000-2999, give_up")) == ["W021:2"]
    assert told(menu.replace("give_up", "dial_extension: 1000-1099, give_up")) == ["W028:3"]
    assert told(MENU % ("按井号键结束。", "12: ext:101")) == []


def test_surveys_are_looked_at_too() -> None:
    text = """numbers: {"400": survey:rate}
prompts: {rate: {zh: 满意请按1，不满意请按3。}}
surveys: {rate: {prompt: rate, keys: {1: good, 2: bad}}}
"""
    assert told(text) == ["W021:2"]


def test_menus_without_an_operator_or_that_only_lead_back_need_no_zero() -> None:
    text = MENU % ("请选择。", "1: {language: zh, goto: repeat}")
    assert told(f"{text}defaults: {{operator: ext:100}}\n") == []
    assert told(MENU % ("请选择。", "1: ext:101")) == []
    assert told((MENU % ("请选择。", "1: ext:101")) + "defaults: {operator: ext:100}\n") == [
        "W021:3"
    ]
