"""Section `defaults`: what holds where nothing else is said."""

from __future__ import annotations

import pytest

from pbx.plan.destination import Destination
from pbx.plan.model import Defaults, MenuTiming
from tests.kit.broken import loaded, mistake


def test_defaults_are_read_whole() -> None:
    defaults = loaded("""\
defaults:
  language: yue
  timezone: Asia/Hong_Kong
  operator: ext:101
  menu: {timeout: 4s, tries: 5}
""").defaults
    operator, menu = Destination("ext", "101"), MenuTiming(4.0, 2.0, 5)
    assert defaults == Defaults("yue", "Asia/Hong_Kong", operator, menu)


def test_all_defaults_may_be_left_out() -> None:
    assert loaded("defaults:\n").defaults == Defaults()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("language: ▸de", 'E005 defaults language: "de" is none of zh, yue, en'),
        ("timezone: ▸Asia", 'E005 defaults timezone: "Asia" is no time zone'),
        ("timezone: ▸Beijing", 'is no time zone — did you mean "Asia/Shanghai"?'),
        ("timezone: ▸Asia/Beijing", 'is no time zone — did you mean "Asia/Shanghai"?'),
        ("timezone: ▸UTC+8", 'is no time zone — did you mean "Asia/Shanghai"?'),
        ("timezone: ▸+08:00", 'is no time zone — did you mean "Asia/Shanghai"?'),
        ("operator: ▸operator", "E005 defaults operator cannot be operator, itself"),
        ("operator: ▸repeat", "E005 defaults operator cannot be repeat"),
        ("operator: ▸queue:x", 'E014 defaults operator: unknown queue "x"'),
        ("menu: {timeout: ▸5}", 'E005 defaults menu timeout: "5" is no duration'),
        ("menu: ▸5s", "E005 defaults menu must hold lines of KEY: VALUE"),
        ("▸lang: zh", 'E002 unknown key "lang" in defaults — did you mean "language"?'),
    ],
)
def test_a_mistake_is_told_where_it_stands(line: str, words: str) -> None:
    assert words in mistake(f"defaults:\n  {line}\n")
