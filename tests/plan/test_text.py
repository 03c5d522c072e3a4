"""Texts with values in them: read, filled and written back."""

from __future__ import annotations

import pytest

from pbx.plan.text import Insert, Source, parse_text


def test_a_text_is_its_parts() -> None:
    text = parse_text('Hi ${name or caller.number:digits}, ${x or "nobody"}.')
    assert text.parts == (
        "Hi ",
        Insert((Source("name"), Source("caller.number")), "digits", 3),
        ", ",
        Insert((Source("x"), Source(None, "nobody")), None, 36),
        ".",
    )
    assert text.names == {"name", "caller.number", "x"}
    assert str(text) == 'Hi ${name or caller.number:digits}, ${x or "nobody"}.'
    assert not text.fixed


def test_values_are_put_in_as_they_are() -> None:
    text = parse_text("${a or b or 'none'}!")
    assert text.fill({"a": "${b}", "b": "2"}) == "${b}!"
    assert text.fill({"a": "", "b": "2"}) == "2!"
    assert text.fill({}) == "none!"


def test_a_text_without_values_is_fixed() -> None:
    assert parse_text("a {b} $c").fixed
    assert parse_text("").parts == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${a", 'has "${" without its "}"'),
        ("${}", "names no value"),
        ("${a b}", "names no value"),
        ("${A}", "names no value"),
        ("${a + 1}", "names no value"),
        ("${__import__('os')}", "names no value"),
        ("${a" + " " * 200 + "b}", "has more than 200 characters between ${ and }"),
        ("${a:upper}", 'has the unknown format ":upper"'),
    ],
)
def test_what_is_no_value_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("$", r"\$").replace("{", r"\{")):
        parse_text(text)
