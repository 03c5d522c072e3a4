"""What an extension, a trunk and a token must look like; every refusal is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pbx.directory.model import (
    MAX_NAME,
    Source,
    check_extension,
    check_token,
    check_trunk,
    parse_source,
    token_digest,
)
from pbx.errors import Refused
from tests.directory.entries import extension, token, trunk


def refusal(check: Callable[[Any], object], entry: object) -> str:
    with pytest.raises(Refused) as caught:
        check(entry)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("number", ["10", "101", "0123456789"])
def test_an_extension_has_two_to_ten_digits(number: str) -> None:
    check_extension(extension(number))


@pytest.mark.parametrize(
    "number", ["", "1", "01234567890", "10a", "１０１", "1 0", "*43", "10\n", "-1"]
)
def test_anything_else_is_no_extension(number: str) -> None:
    assert "2 to 10 digits" in refusal(check_extension, extension(number))


@pytest.mark.parametrize("name", [None, "Alice", "王小明", "O'Brien (desk)", "x" * MAX_NAME])
def test_a_name_may_be_anything_printable(name: str | None) -> None:
    check_extension(extension(name=name))


@pytest.mark.parametrize("name", ["", "  ", "a\r\nVia: x", "a\x00", "\udcff", "x" * (MAX_NAME + 1)])
def test_a_name_that_would_break_a_header_is_refused(name: str) -> None:
    assert "printable characters" in refusal(check_extension, extension(name=name))


@pytest.mark.parametrize("seconds", [0.0, 0.5, 601.0, -1.0, float("nan"), float("inf")])
def test_ringing_times_beyond_reason_are_refused(seconds: float) -> None:
    assert "1 to 600 s" in refusal(check_extension, extension(no_answer_s=seconds))


@pytest.mark.parametrize(
    "contact",
    ["sip:192.0.2.7", "sip:door@192.0.2.7:5070;transport=tcp", "sips:a@[2001:db8::1]", None],
)
def test_a_fixed_contact_is_a_sip_uri(contact: str | None) -> None:
    check_extension(extension(contact=contact))


@pytest.mark.parametrize("contact", ["", "door", "tel:123", "sip:a@b c", "sip:a@h\r\nX: y", "sip:"])
def test_a_fixed_contact_that_is_none_is_refused(contact: str) -> None:
    assert "no SIP URI" in refusal(check_extension, extension(contact=contact))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "main line"}, "a trunk's name"),
        ({"name": ""}, "a trunk's name"),
        ({"server": "carrier.example"}, "no SIP server"),
        ({"server": "sip:"}, "no SIP server"),
        ({"max_calls": 0}, "at least 1 call"),
        ({"register": True}, "needs a username and a password"),
        ({"register": True, "username": "u"}, "needs a username and a password"),
        ({"username": "a\nb"}, "printable"),
        ({"match": ("10.0.0.5", "10.0.0.999")}, "'10.0.0.999' is no address"),
        ({"match": ("10.0.0.5:99999",)}, "no address"),
        ({"srtp": "yes"}, "required, optional, off"),
    ],
)
def test_a_trunk_that_cannot_work_is_refused(changes: dict[str, object], said: str) -> None:
    assert said in refusal(check_trunk, trunk(**changes))


def test_a_trunk_that_can_work_is_accepted() -> None:
    match = ("10.0.0.5", "10.0.0.6:5080", "2001:db8::/32", "[2001:db8::1]:5060", "sip.example")
    check_trunk(trunk(register=True, username="u", password="p ä", match=match, max_calls=1))


@pytest.mark.parametrize(
    ("text", "network", "host", "port"),
    [
        ("10.0.0.5", "10.0.0.5/32", None, None),
        ("10.0.0.5:5060", "10.0.0.5/32", None, 5060),
        ("10.0.0.7/24", "10.0.0.0/24", None, None),
        ("10.0.0.0/24:5060", "10.0.0.0/24", None, 5060),
        ("2001:db8::1", "2001:db8::1/128", None, None),
        ("[2001:db8::1]", "2001:db8::1/128", None, None),
        ("[2001:db8::1]:5061", "2001:db8::1/128", None, 5061),
        ("2001:db8::/32", "2001:db8::/32", None, None),
        ("::ffff:10.0.0.5", "::ffff:10.0.0.5/128", None, None),
        ("SIP.Carrier.example", None, "sip.carrier.example", None),
        ("sip.carrier.example:5062", None, "sip.carrier.example", 5062),
    ],
)
def test_a_source_is_an_address_a_network_or_a_host(
    text: str, network: str | None, host: str | None, port: int | None
) -> None:
    source = parse_source(text)
    assert (source.host, source.port) == (host, port)
    assert network is None or str(source.network) == network.replace(
        "::ffff:10.0.0.5", "::ffff:a00:5"
    )


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0", "1.2.3.4/33", "10.0.0.5:", "10.0.0.5:0", "a b", "host/8", "[::1", "sip:x"],
)
def test_what_is_no_source_is_refused(text: str) -> None:
    assert "is no address" in refusal(parse_source, text)


def test_without_a_match_a_trunk_calls_from_its_server() -> None:
    assert trunk(server="sip:u@192.0.2.10:5080").sources == (parse_source("192.0.2.10"),)
    assert trunk(server="sip:sip.example;transport=tcp").sources == (
        Source(None, "sip.example", None),
    )


def test_scopes_include_those_before_them() -> None:
    allowed = {
        held: [
            wanted for wanted in ("read", "control", "admin") if token(scope=held).allows(wanted)
        ]
        for held in ("read", "control", "admin")
    }
    assert allowed == {
        "read": ["read"],
        "control": ["read", "control"],
        "admin": ["read", "control", "admin"],
    }


def test_an_unknown_scope_and_a_nameless_token_are_refused() -> None:
    assert "read, control, admin" in refusal(check_token, token(scope="root"))
    assert "a token's name" in refusal(check_token, token(name="a b"))


def test_any_text_has_a_digest() -> None:
    assert len({token_digest(text) for text in ("", "a", "ä", "\udcff", "x" * 9_999)}) == 5
