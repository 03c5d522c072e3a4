"""Any bytes: a description or `SdpError`; any order of offers and answers: RFC 3264 holds.

The invariants: parsing raises nothing but SdpError; what is read and written reads the same again;
an answer has as many m= lines as its offer, at most one of them alive; a leg's version never falls
and its dynamic payload numbers never change their meaning in our offers.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pbx.errors import SdpError
from pbx.media.codec import Codec
from pbx.media.formats import Capabilities
from pbx.media.offer_answer import OfferAnswer
from pbx.media.sdes import SUITES, Security
from pbx.media.sdp import MAX_BODY, SessionDescription

T = TypeVar("T")

PHONES = [
    file.read_bytes() for file in sorted((Path(__file__).parents[1] / "data" / "sdp").glob("*.sdp"))
]
OWN = Capabilities.named(["opus", "g722", "pcma", "pcmu"])
HERE = ("192.0.2.1", 10_000)

TOKENS = st.sampled_from(
    b"0 -1 65536 4294967296 RTP/AVP RTP/SAVP audio IN IP6 :: 0.0.0.0 224.0.0.1/1 a= m= c= : / % "
    b"\xff \xc2\xb2 opus/48000/2 \na=inactive\n \na=rtcp:1\n \r \n \0".split(b" ")
)


def attempt(verb: Callable[[], T]) -> T | SdpError:
    """Return what the verb returns, or the only error it may raise."""
    try:
        return verb()
    except SdpError as error:
        return error


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Return a real phone's description after up to six cuts, copies and replacements."""
    body = draw(st.sampled_from(PHONES))
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 40)))
        replacement = draw(st.one_of(TOKENS, st.binary(max_size=8), st.just(body[start:end] * 2)))
        body = body[:start] + replacement + body[end:]
    return body


@st.composite
def shuffled(draw: st.DrawFn) -> bytes:
    """Return lines of several phones in any order below a good head."""
    lines = [line for body in PHONES for line in body.splitlines() if line[:2] != b"v="]
    chosen = draw(st.lists(st.sampled_from(lines), max_size=30))
    return b"\r\n".join([b"v=0", b"o=- 1 1 IN IP4 10.1.0.9", b"c=IN IP4 10.1.0.9", *chosen])


BODIES = st.one_of(st.binary(max_size=300), mangled(), shuffled(), st.sampled_from(PHONES))


@given(BODIES)
@settings(max_examples=400, deadline=None)
def test_bytes_are_a_description_or_an_sdp_error(body: bytes) -> None:
    description = attempt(lambda: SessionDescription.parse(body))
    if isinstance(description, SdpError):
        assert description.status == 400
    else:
        assert SessionDescription.parse(bytes(description)) == description


@given(BODIES)
@settings(max_examples=400, deadline=None)
def test_an_offer_is_answered_line_for_line_or_refused(body: bytes) -> None:
    leg = OfferAnswer(1)
    offer = attempt(lambda: leg.receive_offer(body))
    if isinstance(offer, SdpError):
        assert offer.status in (400, 488)
        return
    leg.local = HERE if offer.family == 4 else ("2001:db8::1", 10_000)
    written = attempt(lambda: leg.answer(OWN))
    if isinstance(written, SdpError):
        assert written.status == 488
        return
    answer = SessionDescription.parse(written)
    assert [each.kind for each in answer.media] == [each.kind for each in offer.description.media]
    alive = [each for each in answer.media if each.port]
    assert [each.protocol.upper().startswith("RTP/AVP") for each in alive] == [True]
    assert leg.media is not None
    assert 0 <= leg.media.payload.send <= 127
    assert leg.media.payload.ptime in range(10, 61, 10)
    assert leg.media.held == (not offer.audio.direction.receives)
    assert not (leg.media.held and leg.media.direction.sends)


@given(BODIES)
@settings(max_examples=400, deadline=None)
def test_an_answer_is_taken_or_refused(body: bytes) -> None:
    leg = OfferAnswer(1, local=HERE)
    leg.offer(OWN)
    media = attempt(lambda: leg.receive_answer(body))
    if isinstance(media, SdpError):
        assert media.status in (400, 488)
        assert leg.media is None
    else:
        assert media.payload.receive in (0, 8, 9, 96)


@pytest.mark.parametrize(
    "make",
    [
        lambda size: b"a=" + b":" * size,
        lambda size: b"a=fmtp:96 " + b";=" * (size // 2),
        lambda size: b"m=audio 1 RTP/AVP " + b"9" * size,
        lambda size: b"m=audio 1/" + b"1" * size + b" RTP/AVP 0",
        lambda size: b"c=IN IP6 " + b":" * size,
        lambda size: b"a=rtpmap:0 " + b"/" * size,
        lambda size: b"a=ptime:" + b"9" * size,
        lambda size: b"a=rtcp:" + b"9" * size,
    ],
)
def test_long_lines_of_one_character_are_nothing_special(make: Callable[[int], bytes]) -> None:
    line = make(8000)
    head = b"v=0\no=- 1 1 IN IP4 10.1.0.9\nc=IN IP4 10.1.0.9\nm=audio 4000 RTP/AVP 0 96\n"
    body = head + (line + b"\n") * ((MAX_BODY - len(head)) // (len(line) + 1))
    leg = OfferAnswer(1, local=HERE)
    if not isinstance(attempt(lambda: leg.receive_offer(body)), SdpError):
        attempt(lambda: leg.answer(OWN))


class OneLeg(RuleBasedStateMachine):
    """A leg that gets offers, answers and refusals in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.leg = OfferAnswer(1, local=HERE)
        self.version = 0
        self.meanings: dict[str, str] = {}

    @rule(body=BODIES)
    def receive_offer(self, body: bytes) -> None:
        one_is_open = self.leg.offer_sent or self.leg.offer_received is not None
        offer = attempt(lambda: self.leg.receive_offer(body))
        if isinstance(offer, SdpError):
            assert offer.status in ((491, 500) if one_is_open else (400, 488))

    @precondition(lambda self: self.leg.offer_received is not None)
    @rule(first=st.sampled_from(OWN.codecs))
    def answer(self, first: Codec) -> None:
        self._answer(lambda: self.leg.answer(OWN.preferring(first)))

    @precondition(lambda self: self.leg.offer_received is not None and self.leg.media is not None)
    @rule()
    def keep(self) -> None:
        self._answer(self.leg.keep)

    def _answer(self, verb: Callable[[], bytes]) -> None:
        answer = attempt(verb)
        if isinstance(answer, SdpError):
            assert answer.status == 488
            assert self.leg.offer_received is not None
        else:
            self.meanings.clear()  # the numbers of their offer win

    @precondition(lambda self: self.leg.offer_received is None)
    @rule(count=st.integers(1, 4))
    def offer(self, count: int) -> None:
        codecs = Capabilities(OWN.codecs[:count])
        ours = SessionDescription.parse(self.leg.offer(codecs))
        for media in ours.media:
            for name, value in media.attributes:
                if name == "rtpmap" and value is not None:
                    number, _, meaning = value.partition(" ")
                    assert self.meanings.setdefault(number, meaning) == meaning

    @precondition(lambda self: self.leg.offer_sent)
    @rule(body=BODIES)
    def receive_answer(self, body: bytes) -> None:
        before = self.leg.media
        media = attempt(lambda: self.leg.receive_answer(body))
        if isinstance(media, SdpError):
            assert media.status in (400, 488)
            assert self.leg.media is before

    @rule()
    def drop(self) -> None:
        self.leg.drop_offer()
        assert not self.leg.offer_sent
        assert self.leg.offer_received is None

    @invariant()
    def versions_never_fall(self) -> None:
        if self.leg.body is not None:
            version = int(SessionDescription.parse(self.leg.body).origin.version)
            assert version >= self.version
            self.version = version


OneLeg.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestOneLeg = OneLeg.TestCase


KEY_LINES = st.lists(
    st.one_of(
        st.binary(max_size=60).map(lambda octets: b"a=crypto:" + octets),
        st.builds(
            lambda suite, octets, rest: b"a=crypto:1 %s inline:%s%s" % (suite, octets, rest),
            st.sampled_from([suite.encode() for suite in SUITES] + [b"AES_256_CM_HMAC_SHA1_80"]),
            st.one_of(
                st.binary(max_size=44),
                st.sampled_from([28, 30, 44]).map(lambda size: b64encode(bytes(size))),
            ),
            st.sampled_from([b"", b"|2^20|1:4", b"|1:999", b" KDR=1", b"||", b"|^:", b";inline:A"]),
        ),
    ),
    max_size=5,
)


@given(
    KEY_LINES,
    st.sampled_from([b"RTP/AVP", b"RTP/SAVP", b"RTP/SAVPF", b"UDP/TLS/RTP/SAVPF"]),
    st.sampled_from(Security),
)
def test_whatever_keys_are_offered_the_policy_holds(
    lines: list[bytes], profile: bytes, security: Security
) -> None:
    head = b"v=0\r\no=- 1 1 IN IP4 10.1.0.9\r\nc=IN IP4 10.1.0.9\r\nm=audio 4000 %s 8" % profile
    leg = OfferAnswer(1, local=HERE, security=security, random_bytes=bytes)
    body = b"\r\n".join([head, *lines])
    if isinstance(attempt(lambda: leg.receive_offer(body)), SdpError):
        return
    answer = leg.answer(OWN)
    assert leg.media is not None
    keys = leg.media.keys
    assert (keys is not None) == (b"a=crypto:" in answer)
    assert keys is None or (security.may and len(keys.receive) == SUITES[keys.suite])
    assert keys is not None or not (security.must or profile.startswith(b"RTP/SAVP"))
