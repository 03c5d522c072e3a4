"""Typed header values: NameAddr, Via, CSeq, MediaType, Reason, tags."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError
from pbx.sip.headers import CSeq, MediaType, NameAddr, Parameters, Reason, Uri, Via, read_tag

# --- NameAddr ---


@pytest.mark.parametrize(
    ("text", "name", "uri", "parameters"),
    [
        ("sip:user@example.com", None, "sip:user@example.com", ""),
        ("<sip:user@example.com>", None, "sip:user@example.com", ""),
        ("caller<sip:a@b>;tag=323", "caller", "sip:a@b", ";tag=323"),
        (
            '"A. G. Bell" <sip:agb@bell.com> ;tag=a48s',
            "A. G. Bell",
            "sip:agb@bell.com",
            ";tag=a48s",
        ),
        ('"Bell, A; <b>" <sip:a@b;lr>;tag=1', "Bell, A; <b>", "sip:a@b;lr", ";tag=1"),
        (
            '"J Rosenberg \\\\\\""       <sip:j@b>\t; tag = 9',
            'J Rosenberg \\"',
            "sip:j@b",
            ";tag=9",
        ),
        ('""<sip:a@b>', "", "sip:a@b", ""),
        ("T.  Watson\t<sip:t@b>", "T. Watson", "sip:t@b", ""),
        ("Jürgen (Büro) <sip:j@b>", "Jürgen (Büro)", "sip:j@b", ""),
        ("sip:+1650@ss1.example.net;user=phone", None, "sip:+1650@ss1.example.net", ";user=phone"),
        ("sip:user@example.com ;  tag=1", None, "sip:user@example.com", ";tag=1"),
        ("isbn:2983792873", None, "isbn:2983792873", ""),
        ("<tel:+1-201>;q=0.5", None, "tel:+1-201", ";q=0.5"),
    ],
)
def test_addresses_are_read(text: str, name: str | None, uri: str, parameters: str) -> None:
    address = NameAddr.parse(text)
    assert address.display_name == name
    assert str(address.uri) == uri
    assert str(address.parameters) == parameters
    assert NameAddr.parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ('"Mr. J. User <sip:j.user@example.com>', "unbalanced_quoting"),
        ("Bell, Alexander <sip:a@b>;tag=43", "bad_display_name"),
        ('"Bell" Alexander <sip:a@b>', "bad_display_name"),
        ('Alexander "Bell" <sip:a@b>', "bad_display_name"),
        ("a\x01 <sip:a@b>", "bad_display_name"),
        ("sip:user@example.com?Route=%3Csip:a%3E", "uri_needs_brackets"),
        ("sip:user,2@example.com", "uri_needs_brackets"),
        ("<sip:a@b", "unbalanced_brackets"),
        ("< sip:a@b >", "bad_uri"),
        ("<sip:a@b> junk", "bad_parameters"),
        ("<sip:a@b>;;;;", "bad_parameters"),
        ("<sip:a@b>;tag=1;TAG=2", "duplicate_parameter"),
        ("", "bad_uri"),
        ("*", "bad_uri"),
        ('"a\x00b" <sip:a@b>', "unbalanced_quoting"),
    ],
)
def test_what_is_no_address_is_a_400(text: str, slug: str) -> None:
    with pytest.raises(MessageError) as caught:
        NameAddr.parse(text)
    assert (caught.value.status, caught.value.slug) == (400, slug)


def test_escaped_control_characters_in_a_name_are_legal_and_written_as_spaces() -> None:
    address = NameAddr.parse('"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:a@b>')
    assert address.display_name == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert str(address) == '"BEL:  NUL:  DEL: " <sip:a@b>'


def test_many_addresses_in_one_line() -> None:
    text = '"Quoted, \\"string\\"" <sip:a@b>;q=0.33 , <sip:c@d;x=1>,sip:e@f;q=1'
    uris = [str(address.uri) for address in NameAddr.parse_many(text)]
    assert uris == ["sip:a@b", "sip:c@d;x=1", "sip:e@f"]


def test_a_contact_tells_when_it_expires() -> None:
    assert NameAddr.parse("<sip:a@b>;expires=60").expires == 60
    assert NameAddr.parse("<sip:a@b>;expires=280297596632815").expires == 2**32 - 1
    assert NameAddr.parse("<sip:a@b>;expires=soon").expires is None
    assert NameAddr.parse("<sip:a@b>").expires is None


def test_a_tag_is_added_to_a_copy() -> None:
    address = NameAddr("Alice", Uri("sip", "101", host="pbx"))
    assert str(address.with_tag("abc")) == '"Alice" <sip:101@pbx>;tag=abc'
    assert address.tag is None


# --- tags, read without the rest ---


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("<sip:a@b>", None),
        ("sip:a@b", None),
        ("<sip:a@b>;tag=1", "1"),
        ("sip:a@b;tag=z.9", "z.9"),
        ('"A ;tag=2" <sip:a;tag=3@b;tag=4>;x;tag=1;y', "1"),
        ("<sip:a@b> ; TAG = 1", "1"),
        ("<sip:a@b;tag=3>;x", None),
        ('<sip:a@b>;x=";tag=2;y"', None),
        ('<sip:a@b>;x=">;tag=2";tag=1', "1"),
        ('"a>;tag=5" <sip:a@b>', None),
    ],
)
def test_a_tag_is_that_of_the_header(text: str, tag: str | None) -> None:
    assert read_tag(text) == NameAddr.parse(text).tag == tag


@pytest.mark.parametrize("text", ["<sip:a@b>;tag=1;tag=2", "<sip:a@b>;tag=", "<sip:a@b;tag=1"])
def test_a_tag_that_cannot_be_read_is_a_400(text: str) -> None:
    with pytest.raises(MessageError):
        read_tag(text)


# --- Via ---


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
        ("SIP  /   2.0 /UDP\t192.0.2.2;branch=390skdjuw", "SIP/2.0/UDP 192.0.2.2;branch=390skdjuw"),
        (
            "sip/2.0/tcp     spindle.example.com : 5061  ;  branch  =   z9hG4bK9ikj8",
            "SIP/2.0/TCP spindle.example.com:5061;branch=z9hG4bK9ikj8",
        ),
        ("SIP/2.0/TLS [2001:db8::9]:5061;rport", "SIP/2.0/TLS [2001:db8::9]:5061;rport"),
        ("SIP/2.0/UNKNOWN t4.example.com", "SIP/2.0/UNKNOWN t4.example.com"),
        ("SIP/2.0/UDP a;ttl=1;maddr=224.2.0.1", "SIP/2.0/UDP a;ttl=1;maddr=224.2.0.1"),
    ],
)
def test_vias_are_read(text: str, written: str) -> None:
    via = Via.parse(text)
    assert str(via) == written
    assert Via.parse(written) == via


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0 192.0.2.1",
        "SIP/7.0/UDP c.example.com",
        "SIP/2.0/UDP 192.0.2.15;;,;,,",
        "SIP/2.0/UDP a:99999",
        "SIP/2.0/UDP a:" + "1" * 5000,
        "SIP/2.0/UDP a b",
        "SIP/2.0/UDP [::1",
        "SIP/2.0/UDP [1:2]",
        "SIP/2.0/UDP a;branch=1;branch=2",
        "SIP/2.0/UDP " + " " * 5000,
    ],
)
def test_what_is_no_via_is_a_400(text: str) -> None:
    with pytest.raises(MessageError) as caught:
        Via.parse(text)
    assert caught.value.status == 400


def test_many_vias_in_one_line() -> None:
    text = "SIP  / 2.0  / TCP     spindle.example.com   ; branch  =   z9hG4bK9ikj8  , SIP/2.0/UDP a"
    assert [via.transport for via in Via.parse_many(text)] == ["TCP", "UDP"]


@pytest.mark.parametrize(
    ("branch", "unique"),
    [("z9hG4bKkdjuw", "z9hG4bKkdjuw"), ("z9hG4bK", None), ("390skdjuw", None), ("Z9HG4BKa", None)],
)
def test_only_a_branch_with_the_cookie_and_more_names_a_transaction(
    branch: str, unique: str | None
) -> None:
    via = Via.parse(f"SIP/2.0/UDP a;branch={branch}")
    assert (via.branch, via.unique_branch) == (branch, unique)


def test_a_via_without_branch() -> None:
    via = Via.parse("SIP/2.0/UDP iftgw.example.com")
    assert (via.branch, via.unique_branch, via.port) == (None, None, None)
    assert (via.received, via.rport, via.wants_rport) == (None, None, False)


@pytest.mark.parametrize(
    ("text", "stamped"),
    [
        ("SIP/2.0/UDP 192.0.2.1:5060;branch=a", "SIP/2.0/UDP 192.0.2.1:5060;branch=a"),
        ("SIP/2.0/UDP host;branch=a", "SIP/2.0/UDP host;branch=a;received=192.0.2.1"),
        (
            "SIP/2.0/UDP 10.0.0.1;rport;branch=a",
            "SIP/2.0/UDP 10.0.0.1;rport=6000;branch=a;received=192.0.2.1",
        ),
        (
            "SIP/2.0/UDP 192.0.2.1;rport;received=1.2.3.4",
            "SIP/2.0/UDP 192.0.2.1;rport=6000;received=192.0.2.1",
        ),
    ],
)
def test_a_via_is_stamped_with_the_real_source(text: str, stamped: str) -> None:
    assert str(Via.parse(text).stamped("192.0.2.1", 6000)) == stamped


def test_a_stamped_via_tells_the_real_source() -> None:
    via = Via.parse("SIP/2.0/UDP [2001:db8::1];rport").stamped("2001:db8::2", 6000)
    assert (via.received, via.rport, via.wants_rport) == ("2001:db8::2", 6000, True)
    assert Via.parse("SIP/2.0/UDP a;received=[2001:db8::3]").received == "2001:db8::3"


# --- CSeq, media types, reasons ---


@pytest.mark.parametrize(
    ("text", "cseq"),
    [
        ("0009   INVITE", CSeq(9, "INVITE")),
        ("2147483647 BYE", CSeq(2**31 - 1, "BYE")),
        ("29344 RE%47IST%45R", CSeq(29344, "RE%47IST%45R")),
    ],
)
def test_cseqs_are_read(text: str, cseq: CSeq) -> None:
    assert CSeq.parse(text) == cseq
    assert CSeq.parse(str(cseq)) == cseq


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "INVITE", "1 IN VITE", "-1 BYE", "1 INVITE;x", "1 a/b"),
        *("2147483648 INVITE", "36893488147419103232 REGISTER", "9" * 5000 + " BYE"),
    ],
)
def test_what_is_no_cseq_is_a_400(text: str) -> None:
    with pytest.raises(MessageError, match="bad_cseq"):
        CSeq.parse(text)


def test_media_types_are_case_blind() -> None:
    media = MediaType.parse("Application / SDP ; Charset=UTF-8")
    assert media == MediaType("application", "sdp", Parameters.parse(";charset=UTF-8"))
    assert str(media) == "application/sdp;charset=UTF-8"
    boundary = MediaType.parse('multipart/mixed;boundary="a;b"').parameters.get("boundary")
    assert boundary == "a;b"


@pytest.mark.parametrize("text", ["", "application", "/sdp", "a/", "a b/c", "a/b;", "a/b/c"])
def test_what_is_no_media_type_is_a_400(text: str) -> None:
    with pytest.raises(MessageError):
        MediaType.parse(text)


def test_ranges_cover_types() -> None:
    ranges = MediaType.parse_many("text/*, */*;q=0.1, application/sdp")
    assert [media.covers("text/plain") for media in ranges] == [True, True, False]
    assert [media.covers("application/sdp") for media in ranges] == [False, True, True]
    assert MediaType.parse_many("") == []


def test_reasons_are_read_and_written() -> None:
    text = 'SIP;cause=200;text="Call completed elsewhere", Q.850 ; cause=16'
    elsewhere, clearing = Reason.parse_many(text)
    assert elsewhere == Reason("SIP", 200, "Call completed elsewhere")
    assert str(elsewhere) == 'SIP;cause=200;text="Call completed elsewhere"'
    assert clearing == Reason("Q.850", 16)
    assert str(Reason("Q.850")) == "Q.850"


@pytest.mark.parametrize("text", ["", ";cause=1", "SIP;cause=x", "SIP;cause=1000", "a b"])
def test_what_is_no_reason_is_a_400(text: str) -> None:
    with pytest.raises(MessageError):
        Reason.parse(text)


def test_long_values_are_read_without_being_remembered() -> None:
    long = "a" * 2000
    assert NameAddr.parse(f"<sip:{long}@b>").uri.user == long
    assert CSeq.parse(f"1 {long}").method == long
    assert MediaType.parse(f"text/{long}").subtype == long
