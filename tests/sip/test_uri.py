"""URIs: reading, writing, and RFC 3261 §19.1.4."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError
from pbx.sip.parameters import Parameters
from pbx.sip.uri import Uri, escape_user


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@atlanta.com",
        "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com",
        "sip:192.0.2.4",
        "sip:[2001:db8::10]:5070;transport=UDP",
        "sip:101@my_host:5060;ob",
        "sip:1001@10.0.0.1:5060;alias=10.0.0.9~5060~1;token=QUJD==",
        "sip:*43#@pbx",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.("
        "doesn't-it)@example.com",
        "sip:user;par=u%40example.net@example.com",
        "sip:%00%00@host5.example.com",
        "sip:a:@b",
        "tel:+1-201-555-0123;phone-context=example.com",
        "soap.beep://192.0.2.103:3002",
        "urn:service:sos",
    ],
)
def test_a_uri_is_written_as_it_was_read(text: str) -> None:
    assert str(Uri.parse(text)) == text
    assert Uri.parse(text).equals(Uri.parse(text))


def test_the_parts_of_a_uri() -> None:
    uri = Uri.parse("SIPS:al%69ce:pw@[2001:DB8::1]:5061;Transport=TCP;lr?Route=%3Csip:a%3E")
    assert uri == Uri(
        "sips",
        "al%69ce",
        "pw",
        "2001:DB8::1",
        5061,
        Parameters.parse_uri(";transport=TCP;lr"),
        "Route=%3Csip:a%3E",
    )
    assert uri.is_sip
    assert uri.lr
    assert uri.transport == "tcp"
    assert uri.number == "alice"
    assert str(uri.bare()) == "sips:al%69ce@[2001:DB8::1]:5061"


def test_parameters_before_the_at_belong_to_the_user() -> None:
    uri = Uri.parse("sip:user;par=u%40example.net@example.com")
    assert uri.user == "user;par=u%40example.net"
    assert uri.number == "user;par=u@example.net"
    assert len(uri.parameters) == 0
    assert uri.transport is None


def test_an_escaped_user_is_never_read_as_another_uri() -> None:
    uri = Uri.parse("sip:sips%3Auser%40example.com@example.net")
    assert (uri.scheme, uri.number, uri.host) == ("sip", "sips:user@example.com", "example.net")


def test_other_schemes_keep_what_follows_the_colon() -> None:
    uri = Uri.parse("nobodyKnowsThisScheme:totallyopaquecontent")
    assert (uri.scheme, uri.opaque) == ("nobodyknowsthisscheme", "totallyopaquecontent")
    assert not uri.is_sip
    assert uri.number == ""


def test_the_number_of_a_tel_uri_has_no_separators() -> None:
    assert Uri.parse("tel:+1-(201).555-0123;phone-context=x").number == "+12015550123"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip:",
        "sip",
        "alan@jasomi.com",
        "<sip:user@example.com>",
        " sip:t.watson@example.org ",
        "sip:user@example.com; lr",
        "sip:us er@example.com",
        "sip:user@",
        "sip:@example.com",
        "sip:user@exa mple.com",
        "sip:user@example.com:",
        "sip:user@example.com:70000",
        "sip:user@example.com:port",
        "sip:user@example.com;",
        "sip:user@example.com;a=b@c",
        "sip:user@example.com;lr;lr",
        "sip:user@example.com?",
        "sip:user@example.com?a=b c",
        "sip:us%4ger@example.com",
        "sip:a@b@c",
        "sip:a:b:c@d",
        "sip:2001:db8::1",
        "sip:[2001:db8::1",
        "sip:[2001:db8::g]",
        "sip:[::1::]",
        "sip:us\x00er@example.com",
        "sip:Jürgen@example.com",
        "tel:",
        "tel:1 2",
        'urn:"a"',
        "1sip:a",
        ":a",
    ],
)
def test_what_is_no_uri_is_a_400(text: str) -> None:
    with pytest.raises(MessageError) as caught:
        Uri.parse(text)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("SIP:alice@atlanta.com", "sip:alice@atlanta.com"),
        ("sip:a%3bb@c", "sip:a%3Bb@c"),
        ("sip:a@[2001:db8:0::1]", "sip:a@[2001:DB8::1]"),
        ("sip:a@b;lr;x=%61", "sip:a@b;X=A"),
        ("sip:a@b?To=c", "sip:a@b?to=c"),
    ],
)
def test_equivalent_uris(left: str, right: str) -> None:
    assert Uri.parse(left).equals(Uri.parse(right))
    assert Uri.parse(right).equals(Uri.parse(left))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
        ("sip:bob@biloxi.com", "sip:biloxi.com"),
        ("sip:bob@biloxi.com", "sip:bob:secret@biloxi.com"),
        ("sip:bob:secret@biloxi.com", "sip:bob:Secret@biloxi.com"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;user=ip"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;maddr=biloxi.com"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;ttl=1"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;method=INVITE"),
        ("sip:a%3Bb@c", "sip:a;b@c"),
        ("sip:%00@host5.example.com", "sip:%00%00@host5.example.com"),
        ("tel:+1", "tel:+2"),
        ("sip:a@b;x", "sip:a@b;x=1"),
        ("sip:a@b?s=X", "sip:a@b?s=x"),
    ],
)
def test_uris_that_differ(left: str, right: str) -> None:
    assert not Uri.parse(left).equals(Uri.parse(right))
    assert not Uri.parse(right).equals(Uri.parse(left))


@pytest.mark.parametrize(
    "text", ["101", "*43#", "a b@c", "Müller", "\x00", "a;b", "100%", "\udcff"]
)
def test_any_text_can_become_a_user_part(text: str) -> None:
    uri = Uri("sip", escape_user(text), host="example.com")
    assert Uri.parse(str(uri)).number == text


def test_long_uris_are_read_too() -> None:
    text = "sip:" + "a" * 3000 + "@example.com"
    assert str(Uri.parse(text)) == text
