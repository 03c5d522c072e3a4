"""Tokens, quoting, escapes, numbers and lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pbx.errors import MessageError
from pbx.sip import grammar
from pbx.sip.grammar import (
    is_token,
    normalise_escapes,
    parse_number,
    printable,
    quote,
    read_seconds,
    split_list,
    split_tokens,
    unescape,
    unquote,
)


@pytest.mark.parametrize("text", ["INVITE", "!interesting-Method0123456789_*+`.%indeed'~", "7"])
def test_a_token_has_no_separators(text: str) -> None:
    assert is_token(text)


@pytest.mark.parametrize("text", ["", "a b", "a;b", "Büro", "a\x00", "<a>", "a@b", "a\n"])
def test_separators_make_no_token(text: str) -> None:
    assert not is_token(text)


@pytest.mark.parametrize(
    "text", ["", "Alice", 'J Rosenberg \\"', "Büro", "\udcff\udcfe", "a;b,<c>", "\\", '"""']
)
def test_quoting_is_undone_by_unquoting(text: str) -> None:
    assert unquote(quote(text)) == text


def test_quoting_keeps_a_text_within_its_header() -> None:
    assert quote("a\r\nX-Evil: 1\x00\x7f") == '"a  X-Evil: 1  "'


def test_unquoting_leaves_a_token_as_it_is() -> None:
    assert unquote("token") == "token"


def test_printable_replaces_what_cannot_be_stored() -> None:
    assert printable("a\x00b\udcffc\r\nd ü") == "a\ufffdb\ufffdc\ufffd\ufffdd ü"
    assert printable("a\nb", replacement=" ") == "a b"


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("%75se%72", "user"),
        ("sips%3Auser%40example.com", "sips:user@example.com"),
        ("null-%00-null", "null-\x00-null"),
        ("M%C3%BCller", "Müller"),
        ("%ff%FE", "\udcff\udcfe"),
        ("100%", "100%"),
        ("%2541", "%41"),
        ("%4", "%4"),
    ],
)
def test_escapes_are_decoded_once(escaped: str, text: str) -> None:
    assert unescape(escaped) == text


def test_only_escapes_of_unreserved_characters_are_another_way_to_write_them() -> None:
    assert normalise_escapes("%61lice") == "alice"
    assert normalise_escapes("a%3bb") == "a%3Bb"
    assert normalise_escapes("%2541") == "%2541"
    assert normalise_escapes("%c3%bc") == "%C3%BC"


def test_numbers_may_have_leading_zeros() -> None:
    assert parse_number("0068", maximum=255, slug="bad") == 68
    assert parse_number("0" * 5000, maximum=255, slug="bad") == 0


@pytest.mark.parametrize("text", ["", "-1", "256", "1" * 5000, "٣", "1 ", "0x1", "1e2", "²"])
def test_what_is_no_number_in_range_is_a_400(text: str) -> None:
    with pytest.raises(MessageError) as caught:
        parse_number(text, maximum=255, slug="bad_hops")
    assert (caught.value.status, caught.value.slug) == (400, "bad_hops")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3600", 3600), ("0", 0), ("1" + "0" * 99, 2**32 - 1), ("4294967296", 2**32 - 1)],
)
def test_too_many_seconds_count_as_the_most(text: str, seconds: int) -> None:
    assert read_seconds(text) == seconds


@pytest.mark.parametrize("text", [None, "", "soon", "-1", "1.5"])
def test_seconds_that_cannot_be_read_are_none(text: str | None) -> None:
    assert read_seconds(text) is None


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("a", ["a"]),
        (" a , b,c ", ["a", "b", "c"]),
        ('"Bell, A" <sip:a@b>,<sip:c;x=1,2@d>', ['"Bell, A" <sip:a@b>', "<sip:c;x=1,2@d>"]),
        ('"a\\",b" <sip:c>, <sip:d>', ['"a\\",b" <sip:c>', "<sip:d>"]),
        ('"<," <sip:a>', ['"<," <sip:a>']),
    ],
)
def test_lists_are_split_at_commas_outside_quotes_and_brackets(
    text: str, elements: list[str]
) -> None:
    assert split_list(text) == elements


@pytest.mark.parametrize("text", [",", "a,", ",a", "a,,b", '"a,b', "<a,b", "<a>,b>", '"a\\",b'])
def test_lists_with_gaps_or_open_quotes_are_a_400(text: str) -> None:
    with pytest.raises(MessageError, match=r"empty_list_element|unbalanced_quoting"):
        split_list(text)


def test_lists_of_tokens_may_have_gaps() -> None:
    assert split_tokens("INVITE, ACK,,BYE ,") == ["INVITE", "ACK", "BYE"]
    assert split_tokens("") == []


def test_no_group_has_a_possessive_quantifier() -> None:
    """Debian 12's Python 3.11.2 matches those wrongly (fixed in 3.11.5)."""
    possessive = re.compile(r"(?<!\\)\)[*+?]\+(?!\+)")
    package = Path(grammar.__file__).parents[1]
    found = [path.name for path in package.rglob("*.py") if possessive.search(path.read_text())]
    assert not found
