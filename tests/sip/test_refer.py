"""Refer-To, Replaces and the fragments that tell how a transfer goes."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError
from pbx.sip.message import Request, parse_message
from pbx.sip.refer import ReferTo, Replaces, read_sipfrag, sipfrag, wants_no_notice


def request(*lines: str, method: str = "REFER") -> Request:
    """Return a request with these header lines."""
    head = [
        f"{method} sip:callpbx@192.0.2.1 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1",
        "From: <sip:101@192.0.2.1>;tag=a",
        "To: <sip:102@192.0.2.1>;tag=b",
        "Call-ID: 1@192.0.2.10",
        f"CSeq: 2 {method}",
        *lines,
    ]
    message = parse_message(("\r\n".join(head) + "\r\n\r\n").encode())
    assert isinstance(message, Request)
    return message


def test_a_number_is_referred_to() -> None:
    wanted = ReferTo.of(request("Refer-To: <sip:103@192.0.2.1;user=phone>"))
    assert (wanted.number, wanted.replaces, wanted.method) == ("103", None, "INVITE")


def test_the_compact_form_and_a_tel_uri_are_read() -> None:
    assert ReferTo.of(request("r: <tel:+86-10-5555>")).number == "+86105555"


def test_a_dialog_to_take_over_is_read_from_the_uri() -> None:
    wanted = ReferTo.of(
        request("Refer-To: <sip:103@h?Replaces=12%40x%3Bto-tag%3Dus%3Bfrom-tag%3Dthem&Require=x>")
    )
    assert wanted.replaces == Replaces("12@x", "us", "them")


def test_another_method_is_told() -> None:
    assert ReferTo.of(request("Refer-To: <sip:103@h;method=bye>")).method == "BYE"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ((), 400),
        (("Refer-To: <sip:1@h>", "Refer-To: <sip:2@h>"), 400),
        (("Refer-To: <mailto:x@y>",), 416),
        (("Refer-To: <sip:1@h?Replaces=12%3Bto-tag%3Dus>",), 400),
        (("Refer-To: <sip:1@h",), 400),
    ],
)
def test_what_cannot_be_read_is_refused(lines: tuple[str, ...], status: int) -> None:
    with pytest.raises(MessageError) as error:
        ReferTo.of(request(*lines))
    assert error.value.status == status


def test_replaces_is_written_as_it_is_read() -> None:
    text = "98asjd8@192.0.2.10;to-tag=one;from-tag=two;early-only"
    assert str(Replaces.parse(text)) == text
    assert Replaces.parse("1 ; from-tag=two;to-tag=one") == Replaces("1", "one", "two")


def test_an_invite_replaces_one_dialog_at_most() -> None:
    line = "Replaces: 1@h;to-tag=x;from-tag=y"
    assert Replaces.of(request(method="INVITE")) is None
    assert Replaces.of(request(line, method="INVITE")) == Replaces("1@h", "x", "y")
    with pytest.raises(MessageError):
        Replaces.of(request(line, line, method="INVITE"))


@pytest.mark.parametrize(("status", "text"), [(100, b"100 Trying"), (486, b"486 Busy Here")])
def test_a_fragment_tells_the_status(status: int, text: bytes) -> None:
    assert sipfrag(status) == b"SIP/2.0 " + text + b"\r\n"
    assert read_sipfrag(sipfrag(status)) == status


def test_what_is_no_fragment_tells_nothing() -> None:
    assert read_sipfrag(b"") is None
    assert read_sipfrag(b"SIP/2.0 999 Odd") is None
    assert read_sipfrag(b"SIP/2.0 200") == 200


def test_a_phone_may_want_no_notice() -> None:
    assert wants_no_notice(request("Refer-Sub: false"))
    assert wants_no_notice(request("Refer-Sub: False;x=y"))
    assert not wants_no_notice(request("Refer-Sub: true"))
    assert not wants_no_notice(request())
