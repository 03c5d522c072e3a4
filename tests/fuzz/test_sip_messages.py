"""Bytes become a message or a MessageError, never another exception, and never slowly.

The seeds are messages of this file and, where they are to be had, those of RFC 4475. Mutations come
from a seeded generator, so that a failure comes again; hypothesis adds what nobody thought of.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.errors import MessageError
from pbx.sip.headers import CSeq, MediaType, NameAddr, Reason, Uri, Via, read_tag
from pbx.sip.message import Message, Request, Response, parse_message, validate_request
from pbx.sip.parameters import Parameters
from pbx.sip.stream import KeepAlive, StreamBuffer, StreamItem
from tests.kit.torture import torture_messages

TIMES = 100  # what an input may cost more than `LARGE`; the worst seen is 30

INVITE = b"""\
INVITE sip:102@192.0.2.10:5060;transport=udp SIP/2.0\r
Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK776,\r
 SIP/2.0/TCP [2001:db8::9]:5061;received=192.0.2.4\r
Max-Forwards: 70\r
f: "Alice \\"A\\" Wonder" <sip:101@192.0.2.10>;tag=88sja8x\r
To: <sip:102@192.0.2.10?Subject=x>\r
Call-ID: 987asjd97y7atg\r
CSeq: 986759 INVITE\r
Contact: <sip:101@192.0.2.1;ob>;+sip.instance="<urn:uuid:0>", sip:1@a;q=0.5\r
Record-Route: <sip:p2.example.com;lr>, <sip:p1.example.com;lr>\r
Accept: application/sdp, text/*;q=0.1\r
Allow: INVITE, ACK, BYE\r
Reason: Q.850;cause=16;text="Clearing"\r
Content-Type: multipart/mixed;boundary=x\r
Content-Length: 9\r
\r
\x00\xff\r\n\r\nv=0"""

RINGING = b"""\
SIP/2.0 180 \xd0\xbd\xd0\xbe\r
v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK776\r
f: <sip:a@b>;tag=1\r
t: "C" <tel:+1-2>;tag=2\r
i: 1\r
CSeq: 1 INVITE\r
l: 0\r
\r
"""

LARGE = INVITE.replace(
    b"Accept:", b"".join(b"X-%d: %s\r\n" % (n, b"x" * 400) for n in range(150)) + b"Accept:"
)
"""A good message of the largest size."""

SEEDS = [INVITE, RINGING, *torture_messages().values()]

PROPERTIES = [name for name, value in vars(Message).items() if isinstance(value, property)]

PARSERS: list[Callable[[str], object]] = [
    *(CSeq.parse, MediaType.parse_many, NameAddr.parse_many, Reason.parse_many, Uri.parse),
    *(Via.parse_many, Parameters.parse, Parameters.parse_uri, read_tag),
]

GRAINS = [
    *(b"\r\n", b"\r\n ", b"\r", b"\n", b"\x00", b" ", b"\t", b":", b";", b",", b'"', b"\\", b"<"),
    *(
        b">",
        b"=",
        b"%",
        b"%00",
        b"%4",
        b"@",
        b"[",
        b"]",
        b"?",
        b"/",
        b"*",
        b"\xff",
        b"\xc3",
        b"SIP/",
    ),
    *(b"\r\n\r\n", b"Content-Length: ", b"l:", b"v:", b"9" * 40, b"-1", b"4294967296", b"%n%s"),
    *(b";tag=", b";branch=", b"sip:", b"a" * 3000, b";" * 300, b"," * 300, b'"' * 99, b"<" * 99),
]


def mutated(rng: random.Random) -> bytes:
    """Return a seed with one to six wounds."""
    message = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 6)):
        start = rng.randrange(len(message) + 1)
        end = min(len(message), start + rng.choice([0, 1, 1, 4, 40]))
        match rng.randrange(5):
            case 0:
                message[start:end] = rng.choice(GRAINS)
            case 1:
                del message[start:end]
            case 2:
                message[start:start] = message[start:end] * rng.choice([1, 2, 50])
            case 3:
                message[start:end] = rng.randbytes(end - start)
            case _:
                other = rng.choice(SEEDS)
                message[start:] = other[rng.randrange(len(other)) :]
    return bytes(message)


def exercise(datagram: bytes) -> Request | Response | None:
    """Do all that may be done with a datagram; only `MessageError` may come of it."""
    try:
        message = parse_message(datagram)
    except MessageError as error:
        if isinstance(error.partial, Request):
            bytes(Response.answering(error.partial, error.status, to_tag="ours"))
            read_all(error.partial)
        return None
    read_all(message)
    if isinstance(message, Request):
        expect(lambda: validate_request(message))
    return message


def read_all(message: Message) -> None:
    for name in [*PROPERTIES, "uri", "max_forwards"]:
        expect(lambda name=name: getattr(message, name, None))


def expect(read: Callable[[], object]) -> None:
    try:
        read()
    except MessageError as error:
        if not (400 <= error.status < 700 and error.slug):
            raise AssertionError(f"no answer: {error!r}") from error


def cost(work: Callable[[bytes], object], datagram: bytes) -> float:
    """Return the CPU seconds that `work` takes, the least of five runs."""
    runs = []
    for _ in range(5):
        started = time.thread_time()
        work(datagram)
        runs.append(time.thread_time() - started)
    return min(runs)


def fixed_point(message: Request | Response) -> None:
    again = parse_message(bytes(message))
    assert again == message
    assert bytes(again) == bytes(message)


def fed(stream: bytes, cuts: list[int]) -> list[object]:
    """Return what a stream gives when it is cut at `cuts`, in a form that compares."""
    buffer = StreamBuffer()
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    items: list[StreamItem] = []
    for start, end in pairwise(places):
        items += buffer.feed(stream[start:end])
    said: list[object] = [buffer.broken, buffer.incomplete]
    for item in [*items, *buffer.finish()]:
        if isinstance(item, MessageError):
            said.append((item.status, item.slug, item.partial))
        else:
            said.append(item)
    return said


@pytest.mark.parametrize("seed", range(20))
def test_wounded_messages_are_messages_or_errors(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(100):
        datagram = mutated(rng)
        message = exercise(datagram)
        if message is not None:
            fixed_point(message)


@pytest.mark.parametrize("seed", range(10))
def test_wounded_streams_are_the_same_whatever_the_cuts(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        stream = b"".join(mutated(rng) for _ in range(rng.randint(1, 3)))
        whole = fed(stream, [])
        assert fed(stream, [rng.randrange(len(stream) + 1) for _ in range(5)]) == whole
        assert fed(stream, list(range(len(stream)))) == whole


@given(st.binary(max_size=2000))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_a_message_or_an_error(datagram: bytes) -> None:
    exercise(datagram)
    assert fed(datagram, list(range(len(datagram)))) == fed(datagram, [])


VALUES = st.text(
    st.sampled_from(' \t";,<>\\=%@:?[]*./()aZ09_-\x00\x7fü\udcff') | st.characters(), max_size=60
)


@given(VALUES)
@settings(deadline=None, max_examples=500)
def test_any_text_is_a_value_or_an_error(text: str) -> None:
    for parse in PARSERS:
        expect(lambda parse=parse: parse(text))


@given(VALUES)
@settings(deadline=None, max_examples=500)
def test_any_value_that_was_read_is_written_and_read_alike(text: str) -> None:
    for parse_many in (
        NameAddr.parse_many,
        Via.parse_many,
        MediaType.parse_many,
        Reason.parse_many,
    ):
        try:
            values = parse_many(text)
        except MessageError:
            continue
        written = ", ".join(map(str, values))
        assert [str(value) for value in parse_many(written)] == [str(value) for value in values]


@given(st.sampled_from(SEEDS), st.lists(st.integers(0, 4000), max_size=8))
@settings(deadline=None, max_examples=200)
def test_cuts_never_change_the_messages(seed: bytes, cuts: list[int]) -> None:
    stream = seed + b"\r\n\r\n" + INVITE + RINGING
    assert fed(stream, cuts) == fed(stream, [])


def test_two_good_messages_and_a_keep_alive() -> None:
    items = fed(INVITE + b"\r\n\r\n" + RINGING, [])
    assert items == [False, False, parse_message(INVITE), KeepAlive(), parse_message(RINGING)]


@pytest.mark.parametrize(
    "datagram",
    [
        INVITE[:40] + b"\r\n" + b" \t" * 4_000 + b"\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\n" + b"\r\n ".join([b"X: a"] * 9_000) + b"\r\n\r\n",
        b"INVITE " + b"sip:" * 15_000 + b" SIP/2.0\r\n\r\n",
        b"INVITE sip:" + b"a:" * 4_000 + b"@b SIP/2.0\r\n\r\n",
        b"\r\n" * 32_000,
        b"\r\n\r\n".join([INVITE] * 60),
        *(
            b"INVITE sip:a SIP/2.0\r\n"
            + (name + value * (8_000 // len(value)) + b"\r\n") * 8
            + b"\r\n"
            for name in (b"Via: ", b"From: ", b"To: ", b"Contact: ", b"CSeq: ", b"Accept: ")
            for value in (
                *(b" ", b'"', b'"\\', b"<", b",", b";", b";a", b';a="b"', b"SIP/2.0/UDP a,"),
                *(b"<sip:a>,", b'"a"<sip:a>,', b"sip:", b"%", b"%41", b"a", b"[", b"9", b"a/b,"),
            )
        ),
    ],
    ids=lambda datagram: f"{datagram[22:50]!r}",
)
def test_no_input_costs_many_times_what_a_plain_message_of_its_size_does(datagram: bytes) -> None:
    datagram = datagram[:65_536]
    assert cost(exercise, datagram) < TIMES * cost(exercise, LARGE)
    assert cost(as_stream, datagram) < TIMES * cost(as_stream, LARGE)


def as_stream(stream: bytes) -> None:
    """Feed it all at once."""
    fed(stream, [])
