"""Requests and responses: reading a datagram, typed properties, answering, writing."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError
from pbx.sip.framing import MAX_MESSAGE
from pbx.sip.headers import CSeq, Uri
from pbx.sip.message import Request, Response, parse_message

INVITE = b"""\
INVITE sip:102@192.0.2.10 SIP/2.0\r
Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK776, SIP/2.0/TCP proxy.example\r
v: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK77ef4c\r
Max-Forwards: 70\r
From: "Alice" <sip:101@192.0.2.10>;tag=88sja8x\r
To: <sip:102@192.0.2.10>\r
Call-ID: 987asjd97y7atg\r
CSeq: 986759 INVITE\r
Record-Route: <sip:p2.example.com;lr>, <sip:p1.example.com;lr>\r
Route: <sip:192.0.2.10;lr>\r
Contact: <sip:101@192.0.2.1>\r
Allow: INVITE, ACK, BYE\r
Supported: timer, replaces\r
Require: 100rel\r
Accept: application/sdp, text/*\r
Reason: SIP;cause=200\r
Expires: 120\r
Timestamp: 54\r
User-Agent: Phone/1.0\r
X-Odd: \xff\xfe\r
Content-Type: application/sdp\r
Content-Length: 4\r
\r
v=0\xff"""


def invite() -> Request:
    request = parse_message(INVITE)
    assert isinstance(request, Request)
    return request


def error_of(datagram: bytes) -> MessageError:
    with pytest.raises(MessageError) as caught:
        parse_message(datagram)
    return caught.value


def test_a_request_shows_its_parts() -> None:
    request = invite()
    assert request.method == "INVITE"
    assert request.uri == Uri("sip", "102", host="192.0.2.10")
    assert request.via.branch == "z9hG4bK776"
    assert [via.host for via in request.vias] == ["192.0.2.1", "proxy.example", "192.0.2.3"]
    assert request.cseq == CSeq(986759, "INVITE")
    assert request.call_id == "987asjd97y7atg"
    assert request.from_.display_name == "Alice"
    assert request.to.uri.number == "102"
    assert (request.from_tag, request.to_tag) == ("88sja8x", None)
    assert request.max_forwards == 70
    assert [str(contact.uri) for contact in request.contacts] == ["sip:101@192.0.2.1"]
    assert not request.contact_is_wildcard
    assert [route.uri.host for route in request.record_routes] == [
        "p2.example.com",
        "p1.example.com",
    ]
    assert [route.uri.lr for route in request.routes] == [True]
    assert request.paths == []
    assert request.allow == ["INVITE", "ACK", "BYE"]
    assert request.supported == ["timer", "replaces"]
    assert request.require == ["100rel"]
    assert request.accept is not None
    assert [media.full for media in request.accept] == ["application/sdp", "text/*"]
    assert request.content_type is not None
    assert request.content_type.full == "application/sdp"
    assert [reason.cause for reason in request.reasons] == [200]
    assert request.expires == 120
    assert request.user_agent == "Phone/1.0"
    assert request.body == b"v=0\xff"
    assert repr(request) == "<INVITE sip:102@192.0.2.10 SIP/2.0>"


def test_what_is_absent_is_none_or_empty() -> None:
    request = Request("OPTIONS", "sip:a")
    assert request.max_forwards is None
    assert request.expires is None
    assert request.accept is None
    assert request.content_type is None
    assert request.user_agent is None
    assert request.contacts == request.routes == request.record_routes == []
    assert request.allow == request.require == request.supported == []


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("via", "no_via"),
        ("cseq", "no_cseq"),
        ("call_id", "no_call_id"),
        ("from_", "no_from"),
        ("to", "no_to"),
        ("from_tag", "no_from"),
        ("to_tag", "no_to"),
    ],
)
def test_what_every_message_has_is_missed(name: str, slug: str) -> None:
    with pytest.raises(MessageError, match=slug):
        getattr(Request("OPTIONS", "sip:a"), name)


def test_an_empty_accept_accepts_nothing() -> None:
    assert Request("OPTIONS", "sip:a", [("Accept", "")]).accept == []


@pytest.mark.parametrize("text", ["-1", "256", "x", "70 70"])
def test_max_forwards_is_a_number_up_to_255(text: str) -> None:
    with pytest.raises(MessageError, match="bad_max_forwards"):
        _ = Request("OPTIONS", "sip:a", [("Max-Forwards", text)]).max_forwards


def test_a_wildcard_contact_stands_alone() -> None:
    request = Request("REGISTER", "sip:a", [("Contact", "*")])
    assert request.contact_is_wildcard
    assert request.contacts == []
    crowded = Request("REGISTER", "sip:a", [("Contact", "*"), ("Contact", "<sip:a>")])
    assert not crowded.contact_is_wildcard
    with pytest.raises(MessageError):
        _ = crowded.contacts


# --- reading ---


def test_writing_and_reading_again_changes_nothing() -> None:
    request = invite()
    written = bytes(request)
    again = parse_message(written)
    assert again == request
    assert bytes(again) == written
    assert b"X-Odd: \xff\xfe\r\n" in written
    assert str(request).startswith("INVITE sip:102@192.0.2.10 SIP/2.0\r\nVia: ")


def test_empty_lines_before_a_message_are_skipped() -> None:
    assert parse_message(b"\r\n\r\n" + INVITE) == invite()


def test_what_follows_the_body_is_ignored() -> None:
    assert parse_message(INVITE + b"\r\nOPTIONS sip:a SIP/2.0\r\n\r\n") == invite()


def test_without_content_length_the_rest_is_the_body() -> None:
    assert parse_message(INVITE.replace(b"Content-Length: 4\r\n", b"")).body == b"v=0\xff"


def test_a_body_that_is_too_short_is_a_400() -> None:
    error = error_of(INVITE[:-1])
    assert (error.status, error.slug) == (400, "truncated_body")


def test_an_error_of_a_request_carries_what_an_answer_needs() -> None:
    error = error_of(INVITE.replace(b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia").replace(b"To: <", b"t:<"))
    assert (error.status, error.slug) == (505, "bad_version")
    assert isinstance(error.partial, Request)
    answer = Response.answering(error.partial, error.status, to_tag="1")
    assert bytes(answer) == (
        b"SIP/2.0 505 Version Not Supported\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK776, SIP/2.0/TCP proxy.example\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK77ef4c\r\n"
        b'From: "Alice" <sip:101@192.0.2.10>;tag=88sja8x\r\n'
        b"To: <sip:102@192.0.2.10>;tag=1\r\n"
        b"Call-ID: 987asjd97y7atg\r\n"
        b"CSeq: 986759 INVITE\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"INVITE sip:a SIP/3.0", 505),
        (b"INVITE sip:a SIP/2.00", 505),
        (b"INVITE sip:a", 400),
        (b"INVITE", 400),
        (b"", 400),
        (b"INVITE  sip:a  SIP/2.0", 400),
        (b"INVITE sip:a SIP/2.0 ", 400),
        (b"INVITE sip:a; lr SIP/2.0", 400),
        (b"INV(ITE sip:a SIP/2.0", 400),
        (b" INVITE sip:a SIP/2.0", 400),
        (b"INVITE\tsip:a SIP/2.0", 400),
        (b"INVITE  SIP/2.0", 400),
        (b"GET / HTTP/1.1", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
    ],
)
def test_a_bad_start_line_is_an_error_with_the_headers_read(line: bytes, status: int) -> None:
    error = error_of(line + b"\r\nVia: SIP/2.0/UDP a\r\n\r\n" if line else b"\r\n\r\n")
    assert error.status == status
    assert isinstance(error.partial, Request)
    if line:
        assert error.partial.via.host == "a"


def test_the_version_is_case_blind() -> None:
    assert parse_message(INVITE.replace(b"SIP/2.0\r\nVia", b"sip/2.0\r\nVia")) == invite()


def test_a_message_without_its_empty_line_is_a_400() -> None:
    error = error_of(INVITE[: INVITE.index(b"\r\n\r\n")])
    assert error.slug == "no_end_of_headers"
    assert isinstance(error.partial, Request)
    assert error.partial.call_id == "987asjd97y7atg"


def test_a_message_has_at_most_64_kb() -> None:
    assert error_of(INVITE + b"a" * MAX_MESSAGE).status == 513


# --- responses ---

RINGING = b"SIP/2.0 180 Ringing\r\n" + INVITE.partition(b"\r\n")[2]


def test_a_response_shows_its_parts() -> None:
    response = parse_message(RINGING)
    assert isinstance(response, Response)
    assert (response.status, response.reason) == (180, "Ringing")
    assert bytes(parse_message(bytes(response))) == bytes(response)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"SIP/2.0 180", ""),
        (b"SIP/2.0 180 ", ""),
        (b"sip/2.0 180  two  blanks", " two  blanks"),
        ("SIP/2.0 180 но".encode(), "но"),
    ],
)
def test_reason_phrases_are_free(line: bytes, reason: str) -> None:
    response = parse_message(RINGING.replace(b"SIP/2.0 180 Ringing", line))
    assert isinstance(response, Response)
    assert response.reason == reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"SIP/2.0 180", b"SIP/2.0 4294967301"),
        (b"SIP/2.0 180", b"SIP/2.0 099"),
        (b"SIP/2.0 180", b"SIP/2.0 700"),
        (b"SIP/2.0 180", b"SIP/2.0 18"),
        (b"SIP/2.0 180 Ringing", b"SIP/2.0"),
        (b"SIP/2.0 180", b"SIP/7.0 180"),
        (b"986759", b"9292394834772304023312"),
        (b"CSeq", b"X-CSeq"),
        (b"Call-ID", b"X-Call-ID"),
        (b"\r\nTo", b"\r\nX-To"),
        (b";tag=88sja8x", b";tag=1;tag=2"),
        (b"Content-Length: 4", b"Content-Length: 5"),
        (b"Content-Length: 4", b"Content-Length: -4"),
        (b"SIP/2.0/UDP 192.0.2.1", b"SIP/2.0/UDP"),
    ],
)
def test_a_malformed_response_is_an_error_that_answers_nothing(old: bytes, new: bytes) -> None:
    error = error_of(RINGING.replace(old, new, 1))
    assert error.partial is None


# --- answering ---


def test_a_response_repeats_what_the_request_said() -> None:
    response = Response.answering(invite(), 180, to_tag="ours")
    assert (response.status, response.reason) == (180, "Ringing")
    assert [name for name, _ in response.headers] == [
        *("Via", "Via", "From", "To", "Call-ID", "CSeq", "Record-Route"),
    ]
    assert response.to_tag == "ours"
    assert response.vias == invite().vias
    assert response.record_routes == invite().record_routes


def test_a_100_repeats_the_timestamp_and_no_route() -> None:
    headers = Response.answering(invite(), 100).headers
    assert headers.get("Timestamp") == "54"
    assert "Record-Route" not in headers


def test_a_failure_repeats_no_route() -> None:
    response = Response.answering(invite(), 486, reason="Not Now")
    assert response.start_line == "SIP/2.0 486 Not Now"
    assert "Record-Route" not in response.headers


@pytest.mark.parametrize("to", ["<sip:102@192.0.2.10>;tag=theirs", '"broken <sip:a>;tag=theirs'])
def test_a_to_tag_is_never_added_twice(to: str) -> None:
    request = invite()
    request.headers.set("To", to)
    assert Response.answering(request, 200, to_tag="ours").headers.get("To") == to


def test_a_request_without_its_headers_is_answered_as_far_as_it_goes() -> None:
    response = Response.answering(Request("INVITE", "", [("Via", "nonsense")]), 400, to_tag="a")
    assert list(response.headers) == [("Via", "nonsense")]


def test_an_unknown_status_has_no_phrase() -> None:
    assert Response(499).start_line == "SIP/2.0 499 "


# --- the top Via ---


def test_the_source_is_stamped_into_the_top_via_alone() -> None:
    request = invite()
    request.stamp_source("192.0.2.99", 6000)
    assert (request.via.received, request.via.rport) == ("192.0.2.99", 6000)
    assert request.headers.get_all("Via") == [
        "SIP/2.0/UDP 192.0.2.1:5060;rport=6000;branch=z9hG4bK776;received=192.0.2.99, "
        "SIP/2.0/TCP proxy.example",
        "SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK77ef4c",
    ]


def test_a_via_that_tells_the_truth_is_left_as_it_is() -> None:
    text = "SIP/2.0/UDP  192.0.2.1:5060 ; branch=z9hG4bK776"
    request = Request("OPTIONS", "sip:a", [("Via", text)])
    request.stamp_source("192.0.2.1", 6000)
    assert request.headers.get_all("Via") == [text]


def test_what_every_layer_asks_for_is_read_once() -> None:
    request = Request("OPTIONS", "sip:a", [("Via", "SIP/2.0/UDP a;branch=1")])
    assert request.via is request.via
    request.stamp_source("192.0.2.9", 5060)
    assert request.via.received == "192.0.2.9"


def test_messages_are_equal_when_they_say_the_same() -> None:
    assert invite() == invite()
    other = invite()
    other.body = b""
    assert other != invite()
    assert Request("ACK", Uri("sip", host="a")) == Request("ACK", "sip:a")
    assert Response(200) != Request("ACK", "sip:a")
    assert Response(200) != "200"
