"""YAML text → nodes: text stays text, marks are right, and what is too clever is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pbx.marks import ListNode, MapNode, Node, TextNode, read_tree, tree


def text_of(source: str) -> str:
    root = read_tree(f"x: {source}\n", "f.yaml").root
    assert isinstance(root, MapNode)
    value = root.get("x")
    assert isinstance(value, TextNode)
    return value.value


@pytest.mark.parametrize(
    "written",
    ["0123", "+8613800138000", "12:30:45", "08:30", "no", "007", "1_000", "1e3", "2026-10-01", "~"],
)
def test_scalars_stay_the_text_that_was_written(written: str) -> None:
    assert text_of(written) == written


def test_keys_stay_text_too() -> None:
    root = read_tree("on: a\n0123: b\n", "f.yaml").root
    assert isinstance(root, MapNode)
    assert [key.value for key, _ in root.entries] == ["on", "0123"]


def test_every_node_knows_its_line_and_column() -> None:
    root = read_tree('a:\n  - b\n  - "中": {c: d}\n', "f.yaml").root
    assert isinstance(root, MapNode)
    listed = root.get("a")
    assert isinstance(listed, ListNode)
    second = listed.items[1]
    assert isinstance(second, MapNode)
    key, inner = second.entries[0]
    assert (key.line, key.column, inner.line, inner.column) == (3, 5, 3, 10)


def test_null_is_what_is_empty_without_quotes() -> None:
    root = read_tree('a:\nb: null\nc: ""\nd: "null"\n', "f.yaml").root
    assert isinstance(root, MapNode)
    nulls = [isinstance(value, TextNode) and value.is_null for _, value in root.entries]
    assert nulls == [True, True, False, False]


def test_an_empty_file_has_no_root_and_no_problem() -> None:
    tree = read_tree("# nothing yet\n", "f.yaml")
    assert tree.root is None
    assert tree.problems == ()


def test_a_key_that_stands_twice_names_both_lines() -> None:
    tree = read_tree("a: 1\nb: 2\na: 3\n", "f.yaml")
    assert [str(problem) for problem in tree.problems] == [
        'f.yaml:3:1 E003 "a" stands twice, first on line 1 — remove one of the two'
    ]


@pytest.mark.parametrize(
    ("source", "place", "words"),
    [
        ("a: &x b\n", "1:4", "anchor"),
        ("a: *x\n", "1:4", 'quote it: "*x"'),
        ("a: !!python/object/apply:os.system [id]\n", "1:4", "tags"),
        ("<<: b\n", "1:1", "use like: NAME"),
        ("a: b\n---\nc: d\n", "2:1", "second document"),
        ("? [a, b]\n: c\n", "1:3", "a key must be a word"),
        ("a: " + "[" * 60 + "]" * 60 + "\n", "1:44", "40 levels"),
        ("a: b" + " " * 1_000_000, "1:1", "longer than"),
    ],
)
def test_what_is_too_clever_is_refused(source: str, place: str, words: str) -> None:
    tree = read_tree(source, "f.yaml")
    assert tree.root is None
    assert str(tree.problems[0]).startswith(f"f.yaml:{place} E001 ")
    assert words in tree.problems[0].text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("keys:\n  *43: ext:1\n", 'f.yaml:2:3 E004 *43 without quotes … quote it: "*43"'),
        (
            "keys:\n  1: a\n  #: operator\n",
            'f.yaml:3:3 E004 this line is a comment … quote it: "#":',
        ),
        (
            "keys:\n  1: a\n  #: queue:a\n",
            'f.yaml:3:3 E004 this line is a comment … quote it: "#":',
        ),
    ],
)
def test_star_and_hash_keys_without_quotes_are_noticed(source: str, expected: str) -> None:
    start, end = expected.split(" … ")
    problem = str(read_tree(source, "f.yaml").problems[-1])
    assert problem.startswith(start)
    assert problem.endswith(end)


@pytest.mark.parametrize("comment", ["# 101: ext:101", "#: see the manual, page 3", "#", "## a: b"])
def test_ordinary_comments_are_left_alone(comment: str) -> None:
    assert read_tree(f"a: b\n{comment}\n", "f.yaml").problems == ()


def test_every_node_knows_its_file() -> None:
    root = read_tree("a: [b]\n", "f.yaml").root
    assert isinstance(root, MapNode)
    (key, value) = root.entries[0]
    assert isinstance(value, ListNode)
    assert {root.file, key.file, value.file, value.items[0].file} == {"f.yaml"}


PIECES = ("a", "b: ", "- ", "\n", "\n  ", "[", "]", "{", "}", ", ", "'x'", '"y"', "| \n", "中", "#")


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_both_parsers_of_yaml_see_the_same(text: str) -> None:
    slow = _outcome(text, tree._SLOW)
    fast = _outcome(text, tree._FAST)
    if slow is not None and fast is not None:
        assert _shape(slow) == _shape(fast)


def _outcome(text: str, parser: Any) -> Node | None:
    with suppress(yaml.YAMLError):
        return tree._compose(text, "f.yaml", parser).root
    return None


def _shape(node: Node) -> Any:
    """Return a node as texts and places; an empty one has none that counts."""
    if isinstance(node, TextNode):
        return (node.value, node.plain, (node.line, node.column) if node.value else None)
    if isinstance(node, ListNode):
        return [(node.line, node.column), *map(_shape, node.items)]
    return [(node.line, node.column), *((_shape(k), _shape(v)) for k, v in node.entries)]


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("hours: office\n  open： menu:main\n", "2:7"),
        ("- hours: office\n  open：menu:main\n", "2:7"),
        ('keys:\n  1: a\n    "2"： menu:main\n', "3:8"),
        ("a: b\n  c\n  9： repeat\n", "3:4"),
    ],
)
def test_a_line_that_a_full_width_colon_made_part_of_a_text_is_told(
    source: str, place: str
) -> None:
    (problem,) = read_tree(source, "f.yaml").problems
    assert str(problem).startswith(f"f.yaml:{place} E001 a full-width colon ：")


@pytest.mark.parametrize(
    "source",
    [
        "zh: 您好\n  查询请按1：订单\n",
        "zh: 您好\n  1：查询订单\n",
        "zh: |\n  open： x\n",
        'zh: "您好\n  open： x"\n',
        "zh: open：x\n",
    ],
)
def test_words_with_a_full_width_colon_are_words(source: str) -> None:
    assert read_tree(source, "f.yaml").problems == ()


FILLER = "".join(f"section_{number}:\n  key: [value, {{a: b}}]\n" for number in range(1500))


@pytest.mark.parametrize(
    "source",
    [
        'numbers:\n  "400"： ext:1\nb: 1\n',
        "keys：x\nb: 1\n",
        "a: [1, 2\nb: 3\n",
        'a: "x\nb: 1\n',
        "a:\n  b: 1\n c: 2\n",
        "numbers:\n\t400: ext:1\n",
        "a\nb: c\n",
        "a: b: c\n",
    ],
)
def test_a_mistake_in_a_large_file_is_told_as_in_a_small_one(source: str) -> None:
    (alone,) = read_tree(source, "f.yaml").problems
    (among,) = read_tree(FILLER + source + FILLER.replace("section", "after"), "f.yaml").problems
    lines = FILLER.count("\n")
    assert (among.code, among.sentence) == (alone.code, alone.sentence)
    assert (among.line - lines, among.column) == (alone.line, alone.column)


def test_a_text_that_no_file_can_hold_is_explained() -> None:
    (problem,) = read_tree("a: \ud800\n", "f.yaml").problems
    assert problem.sentence == "a character that YAML does not allow"
