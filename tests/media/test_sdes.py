"""a=crypto as phones write it, keys chosen and answered, and what a leg's policy makes of it."""

from __future__ import annotations

import base64
from itertools import count

import pytest

from pbx.errors import SdpError
from pbx.media.sdes import SUITES, Crypto, OwnKeys, Security, check_security, pair, read_crypto

KEY = bytes(range(30))
INLINE = base64.b64encode(KEY).decode()
COMMON = "AES_CM_128_HMAC_SHA1_80"
SHORT = "AES_CM_128_HMAC_SHA1_32"


def counting() -> OwnKeys:
    """Return keys that tell which one was made when: all octets of the first are 1."""
    numbers = count(1)
    return OwnKeys(lambda octets: bytes((next(numbers),)) * octets)


@pytest.mark.parametrize(
    ("line", "mki"),
    [
        (f"1 {COMMON} inline:{INLINE}", 0),
        (f"1 {COMMON} inline:{INLINE}|2^20|1:4", 4),
        (f"1 {COMMON} inline:{INLINE}|2^31", 0),
        (f"1 {COMMON} inline:{INLINE}|1:4", 4),
        (f"1 {COMMON} inline:{INLINE}|1048576|1:32", 32),
        (f"1  {COMMON.lower()}   INLINE:{INLINE} WSH=64 -EXPERIMENT=1", 0),
        (f" 1 {COMMON} inline:{INLINE} ", 0),
    ],
)
def test_the_forms_that_phones_write_are_read(line: str, mki: int) -> None:
    assert read_crypto([line]) == (Crypto(1, COMMON, KEY, mki),)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "1",
        f"x {COMMON} inline:{INLINE}",
        f"1234567890 {COMMON} inline:{INLINE}",
        f"1 AES_256_CM_HMAC_SHA1_80 inline:{base64.b64encode(bytes(46)).decode()}",
        f"1 F8_128_HMAC_SHA1_80 inline:{INLINE}",
        f"1 {COMMON} inline:{INLINE[:-4]}",
        f"1 {COMMON} inline:{INLINE}AAAA",
        f"1 {COMMON} inline:{INLINE[:-3]}*==",
        f"1 {COMMON} inline:A",
        f"1 {COMMON} uri:{INLINE}",
        f"1 {COMMON} inline:{INLINE}|2^20|1:999",
        f"1 {COMMON} inline:{INLINE}|1:4;inline:{INLINE}|2:4",
        f"1 {COMMON} inline:{INLINE} UNENCRYPTED_SRTP",
        f"1 {COMMON} inline:{INLINE} UNAUTHENTICATED_SRTP",
        f"1 {COMMON} inline:{INLINE} KDR=1",
        f"1 {COMMON} inline:{INLINE} " + "x" * 8000,
    ],
)
def test_a_line_that_we_cannot_follow_is_skipped(line: str) -> None:
    assert read_crypto([line, f"2 {SHORT} inline:{INLINE}"]) == (Crypto(2, SHORT, KEY),)


def test_lines_without_end_are_read_to_a_limit() -> None:
    assert len(read_crypto([f"1 {COMMON} inline:{INLINE}"] * 900)) == 32


def test_a_line_of_ours_is_read_back() -> None:
    for line in counting().offer():
        assert line.attribute.name == "crypto"
        assert read_crypto([line.attribute.value or ""]) == (line,)


def test_an_offer_has_each_suite_with_a_key_of_its_own() -> None:
    offer = counting().offer()
    assert [line.suite for line in offer] == list(SUITES)
    assert offer[0].suite == COMMON
    assert [line.tag for line in offer] == [1, 2, 3, 4]
    assert len({line.key[:8] for line in offer}) == 4
    assert [len(line.key) for line in offer] == list(SUITES.values())


def test_a_key_stays_while_its_suite_is_in_use_and_never_comes_back() -> None:
    keys = counting()
    first = keys.key(COMMON)
    keys.agree_on(COMMON)
    keys.agree_on(COMMON)
    assert keys.key(COMMON) == first
    keys.agree_on(SHORT)
    assert keys.key(COMMON) != first
    second = keys.key(SHORT)
    keys.agree_on(None)
    assert keys.key(SHORT) != second


def test_the_suite_in_use_is_offered_first() -> None:
    keys = counting()
    keys.agree_on(SHORT)
    assert [line.suite for line in keys.offer()][:2] == [SHORT, COMMON]


def test_lines_fit_by_tag_and_suite() -> None:
    ours = (Crypto(1, COMMON, b"a"), Crypto(2, SHORT, b"b"), Crypto(3, COMMON, b"c"))
    keys = pair(ours, (Crypto(3, COMMON, b"theirs", 4),))
    assert keys is not None
    assert (keys.suite, keys.send, keys.receive, keys.mki) == (COMMON, b"c", b"theirs", 4)
    renumbered = pair(ours, (Crypto(9, SHORT, b"theirs"),))
    assert renumbered is not None
    assert renumbered.send == b"b"
    assert pair(ours, ()) is None
    assert pair((), ours) is None
    assert pair(ours[:1], (Crypto(1, SHORT, b"x"),)) is None


@pytest.mark.parametrize(
    ("policy", "private", "security"),
    [
        ("required", True, Security.REQUIRED),
        ("optional", True, Security.OPTIONAL),
        ("off", True, Security.OFF),
        ("required", False, Security.IMPOSSIBLE),
        ("optional", False, Security.OFF),
        ("off", False, Security.OFF),
    ],
)
def test_keys_are_for_private_signalling(policy: str, private: bool, security: Security) -> None:
    assert Security.of(policy, private=private) is security


@pytest.mark.parametrize(
    ("security", "secure", "slug"),
    [
        (Security.REQUIRED, False, "plain_media"),
        (Security.IMPOSSIBLE, False, "srtp_needs_tls"),
        (Security.IMPOSSIBLE, True, "srtp_needs_tls"),
    ],
)
def test_what_a_leg_must_not_speak_is_refused(security: Security, secure: bool, slug: str) -> None:
    with pytest.raises(SdpError) as caught:
        check_security(security, secure=secure)
    assert (caught.value.status, caught.value.slug) == (488, slug)


def test_keys_are_not_shown() -> None:
    assert "AAEC" not in repr(Crypto(1, COMMON, KEY)) + str(counting().offer())
