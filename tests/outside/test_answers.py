"""Replies and rows as texts, bounded and clean."""

from __future__ import annotations

import datetime
import decimal
import json

import pytest

from pbx.ivr.world import Failure, Found, Nothing
from pbx.outside.answers import MAX_FIELDS, MAX_TEXT, answer_of, clean, found_of, text_of
from pbx.outside.breaker import Unavailable
from pbx.outside.http import Reply


def answer(body: bytes | str, code: int = 200, *wanted: str) -> Found | Nothing | Failure:
    return answer_of(Reply(code, body.encode() if isinstance(body, str) else body), wanted)


def fields(body: str, *wanted: str) -> dict[str, str]:
    found = answer(body, 200, *wanted)
    assert isinstance(found, Found)
    return dict(found.fields)


def test_an_object_becomes_texts() -> None:
    assert fields('{"name": "张三", "level": 7, "vip": true, "gone": null, "tags": ["a"]}') == {
        "name": "张三",
        "level": "7",
        "vip": "true",
        "gone": "",
        "tags": "",
    }


def test_numbers_keep_their_spelling() -> None:
    long = "9" * 5000
    assert fields(f'{{"price": 1.10, "big": 12345678901234567890, "long": {long}}}') == {
        "price": "1.10",
        "big": "12345678901234567890",
        "long": long[:MAX_TEXT],
    }


def test_one_level_is_flattened() -> None:
    assert fields('{"a": {"b": "c", "d": {"e": 1}}, "f": "g"}') == {"a.b": "c", "a.d": "", "f": "g"}


def test_of_a_list_the_first_counts() -> None:
    assert fields('[{"a": "1"}, {"a": "2"}]') == {"a": "1"}


@pytest.mark.parametrize("body", ["", "  \r\n", "{}", "[]", "null", "[{}]", "[null]", "[[]]"])
def test_an_empty_answer_is_nothing(body: str) -> None:
    assert answer(body) == Nothing("the answer is empty")


@pytest.mark.parametrize("code", [404, 204, 410])
def test_not_found_is_nothing(code: int) -> None:
    assert answer('{"a": 1}', code) == Nothing(f"the server answers {code}")


@pytest.mark.parametrize("body", ["7", '"text"', "[1]", "true", "0"])
def test_what_is_no_object_is_a_failure(body: str) -> None:
    assert answer(body) == Failure("the answer is no JSON object")


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"a":', b"\xff\xfe\x00", b'{"a": NaN}', b"[" * 60000]
)
def test_what_is_no_json_is_a_failure(body: bytes) -> None:
    assert answer(body) == Failure("the answer is no JSON")


def test_a_redirection_is_a_failure_that_says_so() -> None:
    found = answer("", 302)
    assert isinstance(found, Failure)
    assert found.reason == (
        "the server redirects (302), which is not followed; write the address it points to"
    )


@pytest.mark.parametrize("code", [400, 401, 403, 422])
def test_a_refusal_is_a_failure_but_the_server_lives(code: int) -> None:
    assert answer("no", code) == Failure(f"the server answers {code}")


@pytest.mark.parametrize("code", [500, 502, 503, 408, 429])
def test_a_failing_server_is_unavailable(code: int) -> None:
    with pytest.raises(Unavailable, match=f"answers {code}"):
        answer("no", code)


def test_fields_are_bounded_and_wanted_ones_come_first() -> None:
    many = {f"f{count}": count for count in range(200)}
    found = fields(json.dumps(many), "f150")
    assert len(found) == MAX_FIELDS
    assert found["f150"] == "150"
    assert "f62" in found
    assert "f63" not in found


def test_texts_are_bounded_and_clean() -> None:
    assert len(clean("x" * 5000)) == MAX_TEXT
    assert clean("a\r\nb\x00c\x7f\x85d\ud800") == "a  b c  d?"
    assert fields('{"a\\nb": "\\ud800\\u0000", "%s": "x"}' % ("n" * 101)) == {"a b": "? "}


def test_values_of_databases_become_texts() -> None:
    row = [
        ("no", 7),
        ("price", decimal.Decimal("1.10")),
        ("day", datetime.date(2026, 9, 30)),
        ("done", False),
        ("photo", b"\x00"),
        ("gone", None),
        ("share", 0.5),
    ]
    assert found_of(row).fields == {
        "no": "7",
        "price": "1.10",
        "day": "2026-09-30",
        "done": "false",
        "photo": "",
        "gone": "",
        "share": "0.5",
    }
    assert text_of({"a": 1}) == ""
