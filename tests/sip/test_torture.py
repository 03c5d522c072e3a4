"""RFC 4475, as far as parser and validation decide it; the rest is the user agent's."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError
from pbx.sip.message import Request, Response, parse_message, validate_request
from pbx.sip.stream import StreamBuffer, StreamItem
from tests.kit.torture import ABSENT, ACCEPTED, DROPPED, VERDICTS, torture_messages

MESSAGES = torture_messages()

pytestmark = pytest.mark.skipif(not MESSAGES, reason=ABSENT)

UNFRAMED = {"ncl", "mcl01", "test"}
"""What breaks a stream: no length, or no SIP."""

LONGER_THAN_SAID = {"inv2543", "dblreq"}
"""What leaves bytes behind that begin no message: without Content-Length, or with one too short."""

UNENDED = {"clerr", "baddn"}
"""What a stream waits for until it gives up."""


def parsed(name: str) -> Request | Response:
    return parse_message(MESSAGES[name])


def request(name: str) -> Request:
    message = parsed(name)
    assert isinstance(message, Request)
    validate_request(message)
    return message


def verdict(item: StreamItem) -> int:
    """Return the status that a message earns from parser and validation."""
    try:
        if isinstance(item, MessageError):
            raise item
        if isinstance(item, Request):
            validate_request(item)
    except MessageError as error:
        return error.status if isinstance(error.partial, Request) else DROPPED
    return ACCEPTED


def read(datagram: bytes) -> StreamItem:
    try:
        return parse_message(datagram)
    except MessageError as error:
        return error


def fed(stream: bytes, size: int) -> tuple[list[StreamItem], StreamBuffer]:
    buffer = StreamBuffer()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    return [item for piece in pieces for item in buffer.feed(piece)], buffer


def test_none_is_left_out() -> None:
    assert MESSAGES.keys() == VERDICTS.keys()


@pytest.mark.parametrize("name", VERDICTS)
def test_the_verdict_on_a_datagram(name: str) -> None:
    assert verdict(read(MESSAGES[name])) == VERDICTS[name]


@pytest.mark.parametrize("name", VERDICTS)
@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_the_verdict_on_a_stream_whatever_the_cuts(name: str, size: int) -> None:
    items, buffer = fed(MESSAGES[name], size)
    if name in UNENDED:
        assert items == []
        items = buffer.finish()
    if name == "test":  # its first line shows no SIP, so nobody is answered
        assert verdict(items[0]) == DROPPED
    else:
        assert verdict(items[0]) == VERDICTS[name]
    assert buffer.broken == (name in UNFRAMED | UNENDED | LONGER_THAN_SAID)


@pytest.mark.parametrize("name", sorted(VERDICTS.keys() - UNFRAMED - UNENDED - LONGER_THAN_SAID))
def test_a_stream_goes_on_behind_a_framed_message(name: str) -> None:
    items, buffer = fed(MESSAGES[name] + MESSAGES["zeromf"], 1000)
    assert verdict(items[0]) == VERDICTS[name]
    assert read(MESSAGES["zeromf"]) in items
    assert not buffer.broken


@pytest.mark.parametrize("name", VERDICTS)
def test_what_was_read_is_written_and_read_alike(name: str) -> None:
    message = read(MESSAGES[name])
    if isinstance(message, Request | Response):
        again = parse_message(bytes(message))
        assert again == message
        assert bytes(again) == bytes(message)


@pytest.mark.parametrize("name", [name for name, status in VERDICTS.items() if status > 0])
def test_an_answer_repeats_the_vias_as_they_came(name: str) -> None:
    message = read(MESSAGES[name])
    partial = message.partial if isinstance(message, MessageError) else message
    assert isinstance(partial, Request)
    response = Response.answering(partial, VERDICTS[name], to_tag="ours")
    for header in ("Via", "From", "Call-ID", "CSeq"):
        assert response.headers.get_all(header) == partial.headers.get_all(header)


def test_a_short_tortuous_invite() -> None:
    message = request("wsinv")
    assert [str(via) for via in message.vias] == [
        "SIP/2.0/UDP 192.0.2.2;branch=390skdjuw",
        "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8",
        "SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239",
    ]
    assert (message.to_tag, message.from_tag) == ("1918181833n", "98asjd8")
    assert message.from_.display_name == 'J Rosenberg \\"'
    assert (message.cseq.number, message.max_forwards) == (9, 68)
    assert message.headers.get("NewFangledHeader") == (
        "newfangled value continued newfangled value"
    )
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert message.headers.get("Subject") == ""
    (contact,) = message.contacts
    assert contact.display_name == 'Quoted string ""'
    assert list(contact.parameters) == [
        ("newparam", "newvalue"),
        ("secondparam", None),
        ("q", "0.33"),
    ]
    assert [route.uri.lr for route in message.routes] == [True]


def test_wide_range_of_valid_characters() -> None:
    message = request("intmeth")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert message.uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert message.to.display_name == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert message.from_.display_name == "token1~` token2'+_ token3*%!.-"
    assert message.from_.parameters.get("fromparam''~+*_!.-%") == "работающий"
    assert message.from_tag == "_token~1'+`*%!-."
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"


def test_escapes_in_uris() -> None:
    message = request("esc01")
    assert message.uri.number == "sips:user@example.com"
    assert message.uri.host == "example.net"
    assert message.to.uri.number == "user"
    (contact,) = message.contacts
    assert contact.uri.lr
    assert contact.uri.parameters.get("name") == "v%61lue%25%34%31"


def test_escaped_nulls_stay_distinct() -> None:
    message = request("escnull")
    first, second = message.contacts
    assert (first.uri.user, second.uri.user) == ("%00", "%00%00")
    assert not first.uri.equals(second.uri)
    assert message.to.uri.number == "null-\x00-null"


def test_a_percent_sign_in_names_and_methods_escapes_nothing() -> None:
    message = request("esc02")
    assert message.method == "RE%47IST%45R"
    assert message.to.display_name == "%Z%45"
    assert [contact.uri.user for contact in message.contacts] == ["alias1", "alias3"]
    assert message.headers.get("C%6Fntact") == "<sip:alias2@host2.example.com>"


def test_no_white_space_before_the_bracket() -> None:
    assert request("lwsdisp").from_.display_name == "caller"


def test_long_values_come_back_whole() -> None:
    message = request("longreq")
    assert len(message.vias) == 34
    response = Response.answering(message, 200, to_tag="1")
    assert response.headers.get_all("Via") == message.headers.get_all("Via")
    assert "Unknown-" + "Long" * 20 + "-Name" in message.headers


def test_what_follows_a_datagrams_message_is_another_message_in_a_stream() -> None:
    assert request("dblreq").method == "REGISTER"
    items, _ = fed(MESSAGES["dblreq"], 5)
    assert [item.method for item in items if isinstance(item, Request)] == ["REGISTER", "INVITE"]


def test_semicolons_in_the_user_part() -> None:
    assert request("semiuri").uri.number == "user;par=u@example.net"
    accept = request("semiuri").accept
    assert accept is not None
    assert len(accept) == 6


def test_unknown_transports_in_vias() -> None:
    transports = [via.transport for via in request("transports").vias]
    assert transports == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_a_binary_body_survives() -> None:
    message = request("mpart01")
    assert message.content_type is not None
    assert message.content_type.parameters.get("boundary") == "7a9cbec02ceef655"
    assert len(message.body) == 553
    assert bytes(message).endswith(message.body)


def test_reason_phrases() -> None:
    unusual, empty = parsed("unreason"), parsed("noreason")
    assert isinstance(unusual, Response)
    assert unusual.reason.startswith("= 2**3 * 5**2 но сто девяносто девять")
    assert isinstance(empty, Response)
    assert (empty.status, empty.reason) == (100, "")


def test_the_version_is_told_from_other_errors() -> None:
    error = read(MESSAGES["badvers"])
    assert isinstance(error, MessageError)
    assert isinstance(error.partial, Request)
    assert error.partial.headers.get("Via") == "SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw"


def test_a_bare_cookie_is_no_branch() -> None:
    assert request("badbranch").via.unique_branch is None
    assert request("inv2543").via.branch is None


def test_required_extensions_are_listed() -> None:
    assert request("bext01").require == ["nothingSupportsThis", "nothingSupportsThisEither"]


def test_a_parameter_outside_the_brackets_is_the_headers() -> None:
    (outside,) = request("cparam01").contacts
    assert "unknownparam" in outside.parameters
    assert str(outside.uri) == "sip:+19725552222@gw1.example.net"
    (inside,) = request("cparam02").contacts
    assert str(inside.uri) == "sip:+19725552222@gw1.example.net;unknownparam"


def test_a_route_in_a_contact_is_kept_as_it_is() -> None:
    (contact,) = request("regescrt").contacts
    assert str(contact.uri) == "sip:user@example.com?Route=%3Csip:sip.example.com%3E"


def test_a_response_for_somebody_else_shows_its_vias() -> None:
    assert [via.host for via in parsed("bcast").vias] == ["192.0.2.198", "255.255.255.255"]


def test_what_the_sender_accepts() -> None:
    accept = request("sdp01").accept
    assert accept is not None
    assert not any(media.covers("application/sdp") for media in accept)


def test_no_hops_are_left() -> None:
    assert request("zeromf").max_forwards == 0
