"""Session descriptions as text: what is read, what is refused, and that writing gives it back."""

from __future__ import annotations

import pytest

from pbx.errors import SdpError
from pbx.media import sdp
from pbx.media.sdp import Attribute, Connection, Direction, Origin, SessionDescription

PLAIN = b"""v=0\r
o=- 1 2 IN IP4 192.0.2.9\r
s=-\r
c=IN IP4 192.0.2.9\r
t=0 0\r
a=sendonly\r
m=audio 4000 RTP/AVP 8 101\r
c=IN IP4 192.0.2.10\r
a=rtpmap:101 telephone-event/8000\r
m=video 0 RTP/AVP 97\r
"""

HEAD = b"v=0\no=- 1 1 IN IP4 192.0.2.9\n"


def refused(body: bytes) -> tuple[int, str]:
    with pytest.raises(SdpError) as caught:
        SessionDescription.parse(body)
    return caught.value.status, caught.value.slug


def test_a_description_is_read_into_values() -> None:
    description = SessionDescription.parse(PLAIN)
    assert description.origin == Origin("-", "1", "2", "IP4", "192.0.2.9")
    assert description.connection == Connection("IP4", "192.0.2.9")
    assert description.attributes == (Attribute("sendonly"),)
    audio, video = description.media
    assert (audio.kind, audio.port, audio.protocol) == ("audio", 4000, "RTP/AVP")
    assert audio.formats == ("8", "101")
    assert audio.connection == Connection("IP4", "192.0.2.10")
    assert audio.attributes == (Attribute("rtpmap", "101 telephone-event/8000"),)
    assert (video.port, video.connection, video.attributes) == (0, None, ())


def test_a_description_is_written_as_it_was_read() -> None:
    assert bytes(SessionDescription.parse(PLAIN)) == PLAIN


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\r\n\r\n", " \r\n"])
def test_any_line_end_will_do(end: str) -> None:
    body = PLAIN.decode().replace("\r\n", end).encode()
    assert SessionDescription.parse(body) == SessionDescription.parse(PLAIN)


def test_a_missing_last_line_end_will_do() -> None:
    assert SessionDescription.parse(PLAIN.rstrip()) == SessionDescription.parse(PLAIN)


def test_lines_of_no_use_are_read_over() -> None:
    body = b"v=0\ni=x\no=a b c 1 2 IN IP6 ::1\nu=x\nb=AS:84\nk=clear:x\nz=0 0\ny=0100\nf=\n"
    description = SessionDescription.parse(body)
    assert description.origin.username == "a b c"
    assert description.media == ()


def test_the_first_connection_of_a_block_counts() -> None:
    body = HEAD + b"c=IN IP4 a\nc=IN IP4 b\nm=audio 2 RTP/AVP 0\nc=in ip4 c\nc=IN IP4 d"
    description = SessionDescription.parse(body)
    assert description.connection == Connection("IP4", "a")
    assert description.media[0].connection == Connection("IP4", "c")


def test_attributes_keep_their_order_and_their_values() -> None:
    body = b"v=0\no=- 1 1 IN IP4 x\na=one\na=Two:\na= three : x:y \na=:nameless\na="
    assert SessionDescription.parse(body).attributes == (
        Attribute("one"),
        Attribute("two", ""),
        Attribute("three", "x:y"),
    )


def test_a_port_may_have_a_count() -> None:
    body = b"v=0\no=- 1 1 IN IP4 x\nm=audio 4000/2 RTP/AVP 0\nm=audio 5000 RTP/AVP"
    first, second = SessionDescription.parse(body).media
    assert (first.port, second.formats) == (4000, ())
    assert list(second.lines()) == ["m=audio 5000 RTP/AVP"]


def test_bytes_that_are_no_utf_8_survive() -> None:
    body = b"v=0\r\no=\xff\xfe 1 1 IN IP4 x\r\ns=\xe4\r\nt=0 0\r\n"
    assert bytes(SessionDescription.parse(body)) == body


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        (b"", "sdp_empty"),
        (b"\r\n \r\n", "sdp_empty"),
        (b"v=1\no=- 1 1 IN IP4 x", "sdp_version"),
        (b"o=- 1 1 IN IP4 x\nv=0", "sdp_version"),
        (b"v=0\ns=-", "sdp_origin"),
        (b"v=0\no=- 1 IN IP4 x", "sdp_origin"),
        (HEAD + HEAD.partition(b"\n")[2], "sdp_origin"),
        (HEAD + b"nonsense", "sdp_line"),
        (HEAD + b"=x", "sdp_line"),
        (HEAD + b"c=IN IP4", "sdp_connection"),
        (HEAD + b"c=ATM NSAP x", "sdp_connection"),
        (HEAD + b"m=audio 4000", "sdp_media"),
        (HEAD + b"m=", "sdp_media"),
        (HEAD + b"m=audio x RTP/AVP 0", "sdp_port"),
        (HEAD + b"m=audio -1 RTP/AVP 0", "sdp_port"),
        (HEAD + b"m=audio 65536 RTP/AVP 0", "sdp_port"),
        (HEAD + b"m=audio 99999999999999999999 RTP/AVP 0", "sdp_port"),
        (HEAD + "m=audio ²² RTP/AVP 0".encode(), "sdp_port"),
        (HEAD + b"a=fmtp:0 \0", "sdp_nul"),
        (HEAD + b"m=audio 1 RTP/AVP" + b" 0" * 65, "sdp_too_many_formats"),
        (HEAD + b"m=audio 1 RTP/AVP 0\n" * 33, "sdp_too_many_media"),
        (HEAD + b"a=x\n" * 1000, "sdp_too_many_lines"),
        (HEAD + b"a=" + b"x" * 8200, "sdp_line_too_long"),
        (HEAD + b"a=" + b"x" * 32_768, "sdp_too_long"),
    ],
)
def test_what_is_no_description_is_refused_by_name(body: bytes, slug: str) -> None:
    assert refused(body) == (400, slug)


def test_the_limits_themselves_are_allowed() -> None:
    body = HEAD + (b"m=audio 1 RTP/AVP" + b" 0" * sdp.MAX_FORMATS + b"\n") * sdp.MAX_MEDIA
    assert len(SessionDescription.parse(body).media) == sdp.MAX_MEDIA
    body = HEAD + b"a=" + b"x" * (sdp.MAX_LINE - 2)
    assert len(SessionDescription.parse(body).attributes) == 1


@pytest.mark.parametrize(
    ("text", "highest", "number"),
    [("0", 127, 0), ("0127", 127, 127), ("128", 127, None), ("", 9, None), ("+1", 9, None)],
)
def test_numbers_are_read_within_their_range(text: str, highest: int, number: int | None) -> None:
    assert sdp.read_number(text, highest) == number


def test_directions_are_reversed_and_limited() -> None:
    both, send, receive, none = (
        Direction.SENDRECV,
        Direction.SENDONLY,
        Direction.RECVONLY,
        Direction.INACTIVE,
    )
    assert [each.reversed() for each in (both, send, receive, none)] == [both, receive, send, none]
    for each in Direction:
        assert each.reversed().reversed() is each
        assert each.within(both) is each
        assert each.within(none) is none
        assert each.within(each) is each
        assert Direction.of(sends=each.sends, receives=each.receives) is each
    assert send.within(receive) is none
