"""What every request must have, whoever answers it."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError
from pbx.sip.message import Request, validate_request
from pbx.sip.validation import MAX_VIAS

FIELDS = {
    "Via": "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
    "Max-Forwards": "70",
    "From": "<sip:101@pbx>;tag=1",
    "To": "<sip:102@pbx>",
    "Call-ID": "1@a",
    "CSeq": "1 OPTIONS",
}


def request(method: str = "OPTIONS", uri: str = "sip:102@pbx", **changes: str | None) -> Request:
    fields = FIELDS | {"CSeq": f"1 {method}"}
    fields |= {name.replace("_", "-"): value for name, value in changes.items()}
    return Request(
        method, uri, [(name, value) for name, value in fields.items() if value is not None]
    )


def refusal(refused: Request) -> MessageError:
    with pytest.raises(MessageError) as caught:
        validate_request(refused)
    assert caught.value.partial is refused
    return caught.value


@pytest.mark.parametrize(
    "accepted",
    [
        request(),
        request(method="NEWMETHOD"),
        request(Max_Forwards=None, From="sip:101@pbx", Via="SIP/2.0/UDP iftgw.example.com"),
        request(method="REGISTER", uri="sip:pbx", Contact="*"),
        request(method="REGISTER", uri="sip:pbx", To="sips:a@pbx", Contact="sip:a@b;unknown"),
        request(From="<http://www.example.com>;tag=1", To="isbn:2983792873"),
        request(Expires="soon", Date="Fri, 01 Jan 2010 16:00:00 EST", Authorization="Unknown x"),
        request(uri="sips:102@pbx;unknown"),
    ],
    ids=repr,
)
def test_acceptable_requests(accepted: Request) -> None:
    validate_request(accepted)


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_what_every_request_has_is_missed(name: str) -> None:
    error = refusal(request(**{name.replace("-", "_"): None}))
    assert error.status == 400
    assert error.slug == f"no_{name.lower().replace('-', '_')}"


@pytest.mark.parametrize(
    ("refused", "slug"),
    [
        (request(Call_ID=""), "no_call_id"),
        (request(CSeq="1 INVITE"), "cseq_method_mismatch"),
        (request(CSeq="2147483648 OPTIONS"), "bad_cseq"),
        (request(Max_Forwards="300"), "bad_max_forwards"),
        (request(Via="SIP/2.0/UDP 192.0.2.15;;,;,,"), "empty_list_element"),
        (request(Contact='"Joe" <sip:joe@example.org>;;;;'), "bad_parameters"),
        (request(Contact="sip:a@b?Route=%3Csip:c%3E"), "uri_needs_brackets"),
        (request(To='"Mr. J. User <sip:j.user@example.com>'), "unbalanced_quoting"),
        (request(From="Bell, Alexander <sip:a@b>;tag=1"), "bad_display_name"),
        (request(Route="sip"), "bad_uri"),
        (request(Record_Route="<sip:a>, "), "empty_list_element"),
        (request(Content_Type="sdp"), "bad_media_type"),
        (request(uri="<sip:102@pbx>"), "bad_uri"),
        (request(uri="sip:102@pbx?Route=%3Csip:a%3E"), "headers_in_request_uri"),
        (request(method="REGISTER", To="isbn:2983792873"), "no_address_of_record"),
    ],
)
def test_malformed_requests_are_a_400(refused: Request, slug: str) -> None:
    error = refusal(refused)
    assert (error.status, error.slug) == (400, slug)


@pytest.mark.parametrize("uri", ["nobodyKnowsThisScheme:opaque", "soap.beep://192.0.2.1", "tel:1"])
def test_an_unknown_scheme_is_a_416(uri: str) -> None:
    assert refusal(request(uri=uri)).status == 416


@pytest.mark.parametrize("name", ["CSeq", "From", "To", "Call-ID", "Max-Forwards", "Content-Type"])
def test_what_comes_once_must_not_come_twice(name: str) -> None:
    refused = request(Content_Type="application/sdp")
    refused.headers.add(name, refused.headers.get(name) or "")
    assert refusal(refused).slug == "repeated_header"


def test_a_via_that_cannot_be_read_is_found_below_the_top_too() -> None:
    refused = request()
    refused.headers.add("Via", "nonsense")
    assert refusal(refused).slug == "bad_via"


@pytest.mark.parametrize("in_one_line", [True, False])
def test_there_are_at_most_70_vias(in_one_line: bool) -> None:
    vias = [f"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{n}" for n in range(MAX_VIAS + 1)]
    refused = request(Via=None)
    for via in [", ".join(vias)] if in_one_line else vias:
        refused.headers.add("Via", via)
    assert refusal(refused).slug == "too_many_vias"
