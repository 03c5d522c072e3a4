"""Names: what is suggested for one that nothing has."""

from __future__ import annotations

import pytest

from pbx.marks import TextNode
from pbx.plan.names import MOST_SUGGESTIONS, Names, plain_spelling


def names_of(*names: str) -> Names:
    found = Names()
    for number, name in enumerate(names, start=1):
        found.define("queue", name, TextNode(name, number, 3, file="d.yaml"))
    return found


def suggestion(names: Names, name: str, file: str = "d.yaml") -> str:
    return names.suggestion("queue", name, TextNode(name, 9, 9, file=file))


def test_the_nearest_name_comes_with_its_line() -> None:
    names = names_of("service", "tech")
    assert suggestion(names, "teck") == 'did you mean "tech" (line 2)?'
    assert suggestion(names, "teck", "other.yaml") == 'did you mean "tech" (d.yaml:2)?'


def test_where_nothing_is_near_the_section_is_named() -> None:
    assert suggestion(names_of("service"), "zzz") == "write it under queues"


@pytest.mark.parametrize("name", ["“tech”", "ｔｅｃｈ", "tech　"])
def test_characters_of_full_width_are_seen(name: str) -> None:
    assert suggestion(names_of("tech"), name) == "write tech, in ASCII characters"


def test_a_comma_of_full_width_is_seen() -> None:
    assert suggestion(names_of("a", "b"), "a，b").startswith('write ", " between names')


def test_kinds_have_names_of_their_own() -> None:
    names = names_of("tech")
    names.refer("menu", "tech", TextNode("tech", 5, 1), "there")
    names.refer("queue", "tech", TextNode("tech", 6, 1), "there")
    assert [reference.node.line for reference in names.undefined()] == [5]


def test_after_many_unknown_names_comparing_ends() -> None:
    names = names_of("tech")
    for _ in range(MOST_SUGGESTIONS):
        suggestion(names, "teck")
    assert suggestion(names, "teck") == "write it under queues"


def test_plain_spelling() -> None:
    assert plain_spelling("“ｅｘｔ：１０１”") == "ext:101"
