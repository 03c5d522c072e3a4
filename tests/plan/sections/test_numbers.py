"""Section `numbers`: where calls start, and each way to write a number wrongly."""

from __future__ import annotations

import pytest

from pbx.plan.destination import OPERATOR, Destination
from tests.kit.broken import loaded, mistake


def test_numbers_lead_to_places() -> None:
    plan = loaded("""\
numbers:
  "4008001234": ext:101
  +85221234567: {to: number:13800138000, language: yue, tag: spring-advert}
  0123: ext:102
  "*55": hangup
  anything_else: operator
""")
    assert list(plan.numbers) == ["4008001234", "+85221234567", "0123", "*55"]
    assert plan.numbers["4008001234"].destination == Destination("ext", "101")
    route = plan.numbers["+85221234567"]
    assert (route.destination.name, route.language, route.tag) == (
        *("13800138000", "yue", "spring-advert"),
    )
    assert (route.mark.line, route.mark.column) == (4, 3)
    assert plan.other is not None
    assert plan.other.destination == OPERATOR
    assert plan.number("123") is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("400: ▸menu", 'E005 numbers.400: "menu" is no destination — write menu:NAME'),
        ("400: ▸101", 'E005 numbers.400: "101" is no destination — write ext:101'),
        ("400: ▸oprator", 'is no destination — did you mean "operator"?'),
        ("400: ▸sales", "is no destination — write kind:name, such as menu:main"),
        ("400: ▸exte:101", 'E002 numbers.400: unknown kind of destination "exte"'),
        ("400: ▸ext：101", "write ext:101, in ASCII characters"),
        (
            "400: ▸ext:１０１",
            '"１０１" is no extension number — write ext:101, in ASCII characters',
        ),
        ("400: ▸ext:alice", 'E005 numbers.400: "alice" is no extension number'),
        ("400: ▸number:abc", 'E005 numbers.400: "abc" is no number'),
        ("400: ▸'menu:'", '"menu:" names no menu'),
        ("400: ▸menu:mian", 'E014 numbers.400: unknown menu "mian" — write it under menus'),
        ("400: ▸ring:x", 'unknown ring group "x" — write it under ring_groups'),
        ("400: ▸voicemail:x", 'unknown voicemail box "x"'),
        ("400: ▸menu:${x}", "a destination is written out; no value stands in it"),
        ("400:▸", "E005 numbers.400 is missing: nothing stands behind the colon"),
        ("400: ▸[ext:101]", "E005 numbers.400 must be a text"),
        ("400: ▸{caller}", 'did you mean "${caller}"?'),
        ("▸400: {tag: x}", "E005 numbers.400 has no to — write to: kind:name or a word"),
        ("400: {to: hangup, ▸lang: en}", 'E002 unknown key "lang" in numbers.400 — did you mean'),
        ("400: {to: hangup, language: ▸de}", '"de" is none of zh, yue, en'),
        ("400: {to: hangup, tag: ▸two words}", "is no tag; write one word"),
        ("▸400-800 1234: hangup", 'is no number that can be dialled — write "4008001234"'),
        ("▸４００: hangup", 'write "400"'),
        ("▸anything_els: hangup", 'did you mean "anything_else"?'),
        ("▸alice: hangup", 'E005 "alice" is no number that can be dialled'),
        (
            '"+85221234567": hangup\n  ▸"0085221234567": hangup',
            'same number as "+85221234567" (line 3)',
        ),
        ("400: hangup\n  ▸400: hangup", 'E003 "400" stands twice, first on line 3'),
        ("▸*43: hangup", 'E004 *43 without quotes is not a text in YAML — quote it: "*43"'),
        ("▸#: operator", "E004 this line is a comment in YAML: its # key is lost"),
    ],
)
def test_a_mistake_is_told_where_it_stands(line: str, words: str) -> None:
    assert words in mistake(f"numbers:\n  {line}\n")


def test_extensions_have_boxes_without_being_named() -> None:
    assert loaded("numbers: {400: voicemail:101}").numbers["400"].destination.name == "101"
