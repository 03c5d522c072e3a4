"""`Headers`: the fields of one message by name."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError, UsageError
from pbx.sip.fields import MAX_FIELDS, Headers


def parsed(*lines: str) -> Headers:
    headers = Headers()
    assert headers.parse(lines) is None
    return headers


def test_names_are_case_blind_and_compact_forms_are_the_same_names() -> None:
    headers = parsed("v: 1", "VIA: 2", "Via : 3", "vIa:\t4 ")
    assert headers.get_all("via") == headers.get_all("V") == ["1", "2", "3", "4"]
    assert headers.get("Via") == "1"
    assert [name for name, _ in headers] == ["Via"] * 4


def test_all_compact_forms_of_rfc_3261() -> None:
    headers = parsed("c:1", "e:2", "f:3", "i:4", "k:5", "l:6", "m:7", "s:8", "t:9", "v:10")
    assert [name for name, _ in headers] == [
        *("Content-Type", "Content-Encoding", "From", "Call-ID", "Supported", "Content-Length"),
        *("Contact", "Subject", "To", "Via"),
    ]


def test_unknown_names_are_case_blind_and_written_as_first_seen() -> None:
    headers = parsed("X-Foo: 1", "x-foo: 2", "extensionHeader-!.%*+_`'~:3")
    assert headers.get_all("X-FOO") == ["1", "2"]
    assert list(headers) == [("X-Foo", "1"), ("X-Foo", "2"), ("extensionHeader-!.%*+_`'~", "3")]


def test_values_keep_their_text() -> None:
    headers = parsed("Subject: a : b;;,,", "s:", "Warning: \udcff ü")
    assert headers.get_all("Subject") == ["a : b;;,,", ""]
    assert headers.get("Warning") == "\udcff ü"


def test_what_is_absent_is_none() -> None:
    headers = parsed("Subject:")
    assert headers.get("Via") is None
    assert headers.get_all("Via") == []
    assert headers.get("Subject") == ""
    assert "subject" in headers
    assert "Via" not in headers


@pytest.mark.parametrize("line", ["Foobar roobar", ": x", "a b: c", "", "a\x00: b", "Ü: 1"])
def test_a_line_that_is_no_field_is_a_fault_and_the_rest_is_read(line: str) -> None:
    headers = Headers()
    fault = headers.parse(["To: a", line, "From: b"])
    assert isinstance(fault, MessageError)
    assert (fault.status, fault.slug) == (400, "bad_header_line")
    assert list(headers) == [("To", "a"), ("From", "b")]


def test_there_are_at_most_200_fields() -> None:
    parsed(*["X: 1"] * MAX_FIELDS)
    with pytest.raises(MessageError, match="too_many_headers"):
        parsed(*["X: 1"] * (MAX_FIELDS + 1))


def test_fields_are_added_in_order_and_grouped_by_name() -> None:
    headers = Headers([("Via", "2"), ("To", "a")])
    headers.add("v", "3")
    headers.insert("Via", "1")
    assert list(headers) == [("Via", "1"), ("Via", "2"), ("Via", "3"), ("To", "a")]
    assert len(headers) == 4


def test_setting_keeps_the_place() -> None:
    headers = Headers([("Via", "1"), ("Via", "2"), ("To", "a")])
    headers.set_first("via", "0")
    assert headers.get_all("Via") == ["0", "2"]
    headers.set("VIA", "9")
    headers.set("X-New", "n")
    headers.set_first("From", "f")
    assert list(headers) == [("Via", "9"), ("To", "a"), ("X-New", "n"), ("From", "f")]


def test_removing() -> None:
    headers = Headers([("Via", "1"), ("To", "a")])
    headers.remove("v")
    headers.remove("Route")
    assert list(headers) == [("To", "a")]


def test_values_are_copied_as_written() -> None:
    source = Headers([("Via", "1"), ("Via", "2"), ("X-Y", "3"), ("To", "a")])
    headers = Headers()
    headers.copy_from(source, "v", "x-y", "Route")
    source.add("Via", "4")
    assert headers.get_all("Via") == ["1", "2"]
    assert headers.get("X-Y") == "3"
    assert len(headers) == 3


def test_a_returned_list_is_a_copy() -> None:
    headers = Headers([("Via", "1")])
    headers.get_all("Via").append("2")
    assert headers.get_all("Via") == ["1"]


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\rb"])
def test_no_value_of_ours_breaks_out_of_its_line(value: str) -> None:
    headers = Headers()
    for write in (headers.add, headers.set, headers.insert, headers.set_first):
        with pytest.raises(UsageError):
            write("Subject", value)


def test_repeated_names() -> None:
    assert parsed("Via: 1", "To: 1", "v: 2", "t: 2", "From: 1").repeated() == ["Via", "To"]


def test_equal_headers_hold_the_same_fields() -> None:
    assert parsed("v: 1", "To: 2") == Headers([("Via", "1"), ("To", "2")])
    assert parsed("v: 1") != Headers([("Via", "2")])
    assert repr(Headers([("Via", "1")])) == "Headers([('Via', '1')])"
