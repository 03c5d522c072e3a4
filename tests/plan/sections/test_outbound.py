"""Section `outbound`: rules that load, though no call goes out by them yet."""

from __future__ import annotations

import pytest

from tests.kit.broken import loaded, problems


def test_rules_are_read_whole() -> None:
    rules = loaded("""\
outbound:
  national: {match: ["0", 1], trunks: [main, backup], strip: 1, add: "86", caller_id: "028"}
  emergency: {match: [110, 119], trunks: main, emergency: yes}
""").outbound
    national = rules["national"]
    assert (national.match, national.trunks) == (("0", "1"), ("main", "backup"))
    assert (national.strip, national.add, national.caller_id) == (1, "86", "028")
    assert rules["emergency"].emergency


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            "a: {match: [0], trunks: m}\n  b: {match: [0], trunks: m}",
            '4:3 E010 outbound.b: "0" is also',
        ),
        ("a: {match: x, trunks: m}", '3:14 E005 outbound.a match: "x" are no first digits'),
        ("a: {match: 0}", "3:3 E005 outbound.a has no trunks"),
        ("a: {match: 0, trunks: []}", "3:25 E005 outbound.a trunks is empty"),
        ("a: {match: 0, trunks: m, strip: -1}", "no whole number from 0 to 20"),
    ],
)
def test_a_mistake_is_told_where_it_stands(lines: str, words: str) -> None:
    (found,) = problems(f"outbound:\n  {lines}\n")
    assert words in str(found)


def test_an_emergency_number_may_begin_like_a_rule() -> None:
    text = "outbound: {a: {match: 110, trunks: m}, b: {match: 110, trunks: m, emergency: yes}}"
    assert len(loaded(text).outbound) == 2
