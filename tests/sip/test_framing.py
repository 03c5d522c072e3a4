"""Start line, folding, limits and Content-Length: from bytes to a `Head`."""

from __future__ import annotations

import pytest

from pbx.sip.framing import MAX_LINE, Head, read_head


def head_of(*lines: str) -> Head:
    return read_head("\r\n".join(("OPTIONS sip:a SIP/2.0", *lines)).encode())


def slug_of(head: Head) -> str | None:
    return head.fault.slug if head.fault else None


def test_folded_lines_are_one_line() -> None:
    head = head_of("Subject: a", " b", "\t  c", "To :", " sip:x ;", "  tag = 1")
    assert head.headers.get("Subject") == "a b c"
    assert head.headers.get("To") == "sip:x ; tag = 1"
    assert head.fault is None


def test_a_folded_name_is_no_way_round_a_check() -> None:
    head = head_of("X: 1", " Content-Length: 5")
    assert head.headers.get("X") == "1 Content-Length: 5"
    assert head.content_length is None


def test_white_space_before_the_first_header_belongs_to_the_start_line() -> None:
    assert head_of(" X: 1").start_line == "OPTIONS sip:a SIP/2.0 X: 1"


@pytest.mark.parametrize(
    ("line", "length"), [("Content-Length: 150", 150), ("l:0", 0), ("X:1", None)]
)
def test_content_length_is_taken_out(line: str, length: int | None) -> None:
    head = head_of(line)
    assert head.content_length == length
    assert "Content-Length" not in head.headers
    assert head.framed


@pytest.mark.parametrize(
    ("lines", "slug"),
    [
        (["Content-Length: -999"], "bad_content_length"),
        (["Content-Length: x"], "bad_content_length"),
        (["Content-Length:"], "bad_content_length"),
        (["l: 99999999999999999999"], "bad_content_length"),
        (["Content-Length: 13", "l: 5"], "several_content_lengths"),
        (["Content-Length: 5", "Content-Length: 5"], "several_content_lengths"),
        (["Content-Length: 5, 5"], "bad_content_length"),
        (["X: 1"] * 201, "too_many_headers"),
        (["X: " + "a" * MAX_LINE], "line_too_long"),
        (["X: 1"] + [" " + "a" * 1000] * 9, "line_too_long"),
    ],
)
def test_where_the_end_is_unknown_the_message_is_not_framed(lines: list[str], slug: str) -> None:
    head = head_of(*lines)
    assert slug_of(head) == slug
    assert not head.framed


@pytest.mark.parametrize(
    ("line", "slug"),
    [
        ("Foobar roobar", "bad_header_line"),
        ("Subject: a\nX-Evil: 1", "control_character"),
        ("Subject: a\rX-Evil: 1", "control_character"),
        ("Subject: a\\\nX-Evil: 1", "control_character"),
        ("Subject: a\x00", "control_character"),
        ("Subject: \x7f", "control_character"),
    ],
)
def test_a_bad_line_is_a_fault_and_the_rest_is_read(line: str, slug: str) -> None:
    head = head_of("Via: v", line, "l: 7", "To: t")
    assert slug_of(head) == slug
    assert head.framed
    assert head.content_length == 7
    assert head.headers.get("To") == "t"


def test_no_value_holds_a_line_end() -> None:
    head = head_of("Via: a\rb\nc\r\r")
    assert head.headers.get("Via") == "a b c"
    assert "\n" not in read_head(b"OPTIONS\nsip:a SIP/2.0").start_line


def test_a_longest_line_is_read() -> None:
    head = head_of("X: " + "a" * (MAX_LINE - 3), "Y: " + "b" * (MAX_LINE - 3))
    assert head.fault is None


def test_escaped_control_characters_and_tabs_are_no_fault() -> None:
    assert head_of('To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:a>', "Subject:\ta\tb").fault is None


def test_bytes_that_are_no_utf_8_survive() -> None:
    head = read_head(b"OPTIONS sip:a SIP/2.0\r\nSubject: \xff\xfe \xc3\xbc")
    value = head.headers.get("Subject")
    assert value == "\udcff\udcfe ü"
    assert value.encode("utf-8", "surrogateescape") == b"\xff\xfe \xc3\xbc"
