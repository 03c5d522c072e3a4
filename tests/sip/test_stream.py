"""Messages out of a stream: the same whatever the cuts, and a clear end where framing is lost."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError
from pbx.sip.framing import MAX_LINE, MAX_MESSAGE
from pbx.sip.message import Request, Response
from pbx.sip.stream import KeepAlive, StreamBuffer, StreamItem

HEADERS = (
    b"Via: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n"
    b"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
)


def options(body: bytes = b"", *, headers: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"OPTIONS sip:a SIP/2.0\r\n" + HEADERS + headers + length + b"\r\n" + body


def bare(*headers: bytes, start: bytes = b"OPTIONS sip:a SIP/2.0") -> bytes:
    return start + b"\r\n" + HEADERS + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def shown(items: list[StreamItem]) -> list[object]:
    """Return items in a form that compares: errors by what they say."""
    return [
        (item.status, item.slug, item.partial) if isinstance(item, MessageError) else item
        for item in items
    ]


def fed_at_once(stream: bytes) -> tuple[list[object], bool]:
    buffer = StreamBuffer()
    return shown(buffer.feed(stream)), buffer.broken


def fed_bytewise(stream: bytes) -> tuple[list[object], bool]:
    buffer = StreamBuffer()
    items = [item for code in stream for item in buffer.feed(bytes([code]))]
    return shown(items), buffer.broken


def items_of(stream: bytes) -> tuple[list[object], bool]:
    """Return what comes out, having seen that cuts make no difference."""
    result = fed_at_once(stream)
    assert fed_bytewise(stream) == result
    return result


def test_messages_follow_one_another() -> None:
    items, broken = items_of(
        options(b"one") + options() + bare(b"l: 2", start=b"SIP/2.0 200 OK") + b"ok"
    )
    assert not broken
    first, second, response = items
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert isinstance(response, Response)
    assert [first.body, second.body, response.body] == [b"one", b"", b"ok"]


def test_a_message_waits_for_its_body() -> None:
    buffer = StreamBuffer()
    assert buffer.feed(options(b"body")[:-1]) == []
    assert buffer.incomplete
    assert len(buffer.feed(b"y")) == 1
    assert not buffer.incomplete


def test_a_double_line_end_is_a_keep_alive() -> None:
    items, broken = items_of(b"\r\n\r\n" + options() + b"\r\n\r\n\r\n\r\n")
    assert (items[0], items[2:], broken) == (KeepAlive(), [KeepAlive(), KeepAlive()], False)


def test_a_single_line_end_between_messages_is_skipped() -> None:
    items, broken = items_of(b"\r\n" + options() + b"\r\n" + options())
    assert [type(item) for item in items] == [Request, Request]
    assert not broken


def test_line_ends_alone_are_no_message_begun() -> None:
    buffer = StreamBuffer()
    buffer.feed(b"\r\n\r")
    assert not buffer.incomplete
    assert buffer.finish() == []


def test_without_content_length_there_is_no_body() -> None:
    items, broken = items_of(bare() + b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n")
    assert isinstance(items[0], Request)
    assert items[1:] == [(400, "bad_start_line", None)]
    assert broken


def test_a_malformed_message_that_is_framed_costs_no_other() -> None:
    bad = options(b"xyz", headers=b"Foobar roobar\r\n")
    worse = options(b"xyz").replace(b"OPTIONS sip:a", b"OPTIONS  sip:a")
    old = options().replace(b"a SIP/2.0", b"a SIP/7.0", 1)
    items, broken = items_of(bad + worse + old + options())
    slugs = [item[1] for item in items[:3] if isinstance(item, tuple)]
    assert slugs == ["bad_header_line", "bad_start_line", "bad_version"]
    assert isinstance(items[3], Request)
    assert not broken


def test_a_malformed_response_is_an_error_without_partial() -> None:
    stream = bare(b"l: 0", start=b"SIP/2.0 200 OK").replace(b"CSeq: 1", b"CSeq: x")
    assert items_of(stream) == ([(400, "bad_cseq", None)], False)


@pytest.mark.parametrize(
    ("headers", "slug"),
    [
        ([b"Content-Length: -999"], "bad_content_length"),
        ([b"Content-Length: 13", b"Content-Length: 5"], "several_content_lengths"),
        ([b"X: 1"] * 300, "too_many_headers"),
        ([b"X: " + b"a" * MAX_LINE], "line_too_long"),
    ],
)
def test_a_message_without_an_end_breaks_the_stream(headers: list[bytes], slug: str) -> None:
    items, broken = items_of(bare(*headers) + options())
    ((status, said, partial),) = items
    assert (status, said, broken) == (400, slug, True)
    assert isinstance(partial, Request)
    assert partial.call_id == "1"


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\r\n",
        b"\r\x00",
        b"\r\n\r\x00",
        b"a\r\n",
        b"a" * (MAX_LINE + 10),
        b"OPTIONS sip:" + b"a" * MAX_LINE + b" SIP/2.0\r\n\r\n",
    ],
)
def test_what_is_no_sip_breaks_the_stream_at_once(stream: bytes) -> None:
    items, broken = items_of(stream)
    assert len(items) == 1
    assert broken


def test_a_longest_first_line_is_read() -> None:
    start = b"OPTIONS sip:" + b"a" * (MAX_LINE - len("OPTIONS sip: SIP/2.0")) + b" SIP/2.0"
    items, broken = fed_bytewise(bare(start=start))
    assert isinstance(items[0], Request)
    assert not broken


def test_an_endless_head_breaks_the_stream() -> None:
    buffer = StreamBuffer()
    head = b"OPTIONS sip:a SIP/2.0\r\n" + b"X: 1\r\n" * 20_000
    items = [
        item
        for start in range(0, len(head), 1000)
        for item in buffer.feed(head[start : start + 1000])
    ]
    assert shown(items) == [(513, "message_too_large", None)]
    assert fed_at_once(head) == ([(513, "message_too_large", None)], True)
    assert buffer.broken


def test_a_body_too_large_breaks_the_stream_before_it_comes() -> None:
    items, broken = items_of(bare(b"Content-Length: %d" % MAX_MESSAGE))
    ((status, _, partial),) = items
    assert (status, broken) == (513, True)
    assert isinstance(partial, Request)


def test_a_largest_message_is_read() -> None:
    head = bare(b"Content-Length: 65000")
    body = b"x" * (MAX_MESSAGE - len(head))
    head = head.replace(b"65000", b"%d" % len(body))
    items, broken = fed_at_once(head + body)
    assert isinstance(items[0], Request)
    assert not broken


def test_a_broken_stream_hears_no_more() -> None:
    buffer = StreamBuffer()
    buffer.feed(b"GET / HTTP/1.1\r\n\r\n")
    assert buffer.feed(options()) == []
    assert not buffer.incomplete


# --- giving up ---


def test_a_body_that_never_comes_is_a_400_that_can_be_answered() -> None:
    buffer = StreamBuffer()
    buffer.feed(bare(b"Content-Length: 9999") + b"v=0")
    ((status, slug, partial),) = shown(buffer.finish())
    assert (status, slug) == (400, "truncated_body")
    assert isinstance(partial, Request)
    assert buffer.broken
    assert buffer.finish() == []


def test_a_head_that_never_ends_is_a_400_with_what_came() -> None:
    buffer = StreamBuffer()
    buffer.feed(bare()[:-2])
    ((status, slug, partial),) = shown(buffer.finish())
    assert (status, slug) == (400, "no_end_of_headers")
    assert isinstance(partial, Request)
    assert partial.call_id == "1"


def test_a_head_cut_within_a_line_is_a_400_too() -> None:
    buffer = StreamBuffer()
    buffer.feed(bare()[:-4])
    assert [slug for _, slug, _ in shown(buffer.finish())] == ["no_end_of_headers"]


def test_a_malformed_message_keeps_its_own_error_when_given_up() -> None:
    buffer = StreamBuffer()
    buffer.feed(bare(b"Foobar roobar", b"Content-Length: 9"))
    assert [slug for _, slug, _ in shown(buffer.finish())] == ["bad_header_line"]


def test_an_idle_stream_ends_quietly() -> None:
    buffer = StreamBuffer()
    buffer.feed(options())
    assert buffer.finish() == []
    assert buffer.broken
