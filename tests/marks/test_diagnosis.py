"""Syntax errors are blamed on the line that caused them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.marks import read_tree

CASES = [
    ('a: "x\nb: 1\n', "1:4", "this quote is never closed"),
    ("a: 'x\n", "1:4", "this quote is never closed"),
    ('numbers：\n  "400": ext:1\n', "1:8", "a full-width colon ："),
    ('numbers:\n  "400"： ext:1\nb: 1\n', "2:8", "a full-width colon ："),
    ("keys：x\nb: 1\n", "1:5", "a full-width colon ："),
    ("a: {1: b， 2: c}\n", "1:9", "a full-width comma ，"),
    ("a: “x: y”\n", "1:4", "a curly quote “"),
    ("numbers:\n\t400: ext:1\n", "2:1", "a tab in the indentation"),
    ("a: [1, 2\nb: 3\n", "1:4", "this [ is never closed"),
    ("a: [", "1:4", "this [ is never closed"),
    ("a: {b: 1\nc: 3\n", "1:4", "this { is never closed"),
    ("a: [${caller}]\n", "1:5", "${…} inside [ ] needs quotes"),
    ("a: @x\n", "1:4", "cannot begin with @"),
    ("a: %x\n", "1:4", "cannot begin with %"),
    ("a: `x`\n", "1:4", "cannot begin with `"),
    ('numbers:\n  "400":ext:1\n', "2:8", "no space after the colon"),
    ("a: b: c\n", "1:5", "a second colon on one line"),
    ("a\nb: c\n", "1:1", "no colon on this line"),
    ("a:\n  b: 1\n c: 2\n", "3:2", "does not fit the lines above"),
    ("a: b\n  c: d\n", "2:4", "does not fit the lines above"),
    ("  a: b\nc: d\n", "2:1", "does not fit the lines above"),
    ('a: "\\q"\n', "1:6", "a backslash in double quotes"),
    ("a: 1\nb\nc: 2\n", "2:1", "no colon on this line"),
    ("f:\n  - say\n    goto: a\n", "2:5", "no colon on this line"),
    ("k:\n  1 menu:a\n  2: b\n", "2:3", "no colon on this line"),
    ('a: "x" y\n', "1:8", "words behind a closing quote"),
    ("a: 'it's'\n", "1:8", "words behind a closing quote"),
    ("a: b\n\nc: \x00\n", "3:4", "a character that YAML does not allow"),
]


@pytest.mark.parametrize(("source", "place", "words"), CASES)
def test_the_cause_is_named_where_it_stands(source: str, place: str, words: str) -> None:
    (problem,) = read_tree(source, "f.yaml").problems
    assert str(problem).startswith(f"f.yaml:{place} E001 ")
    assert words in problem.sentence


@pytest.mark.parametrize(
    ("source", "suggestion"),
    [
        ("zh: 您好: 再见\n", "put the value in quotes"),
        ("3: say: bye\n", "put a text in quotes, keys in braces: {say: …}"),
    ],
)
def test_a_second_colon_is_a_text_or_a_key(source: str, suggestion: str) -> None:
    (problem,) = read_tree(source, "f.yaml").problems
    assert problem.suggestion == suggestion


@given(st.text(alphabet="ab1:：，“\"'[]{}#*&!|>%@`\t\n -,$", max_size=80))
def test_any_text_is_read_or_explained(source: str) -> None:
    tree = read_tree(source, "f.yaml")
    lines = source.splitlines() or [""]
    for problem in tree.problems:
        assert problem.sentence
        assert 1 <= problem.line <= len(lines) + 1
        assert problem.column >= 1
