"""SRTP of one leg: suites, wrong tags, replays, changed keys, and going on elsewhere."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pbx.errors import UsageError
from pbx.media.packets.rtcp import ReceiverReport
from pbx.media.packets.rtp import RtpPacket
from pbx.media.packets.srtp import Opener, Progress, Sealer, SealError, Srtp
from pbx.media.protocol import SrtpKeys

KEY_OCTETS = {
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
    "AEAD_AES_128_GCM": 28,
    "AEAD_AES_256_GCM": 44,
}
TAG_OCTETS = {
    "AES_CM_128_HMAC_SHA1_80": 10,
    "AES_CM_128_HMAC_SHA1_32": 4,
    "AEAD_AES_128_GCM": 16,
    "AEAD_AES_256_GCM": 16,
}
COMMON = "AES_CM_128_HMAC_SHA1_80"
REPORT = bytes(ReceiverReport(0xA11CE))


def key(seed: int = 1, suite: str = COMMON) -> bytes:
    """Return a master key and salt."""
    return bytes((seed + n) & 0xFF for n in range(KEY_OCTETS[suite]))


def rtp(sequence: int, *, ssrc: int = 0xA11CE, payload: bytes = b"\x55" * 160) -> bytes:
    """Return a plain packet."""
    return bytes(
        RtpPacket(
            payload_type=0,
            sequence=sequence & 0xFFFF,
            timestamp=sequence * 160 & 0xFFFF_FFFF,
            ssrc=ssrc,
            payload=payload,
        )
    )


def two(suite: str = COMMON) -> tuple[Srtp, Srtp]:
    """Return the two ends of one leg."""
    ours, theirs = key(1, suite), key(100, suite)
    return Srtp(SrtpKeys(suite, ours, theirs)), Srtp(SrtpKeys(suite, theirs, ours))


@pytest.mark.parametrize("suite", KEY_OCTETS)
def test_each_suite_seals_and_opens(suite: str) -> None:
    a, b = two(suite)
    sealed = a.sealer.seal(rtp(1))
    assert len(sealed) == len(rtp(1)) + TAG_OCTETS[suite]
    assert b"\x55" * 8 not in sealed
    assert b.opener.open(sealed) == rtp(1)
    report = a.sealer.seal_report(REPORT)
    assert report[8:12] != REPORT[8:12] or len(report) > len(REPORT)
    assert b.opener.open_report(report) == REPORT


def test_a_wrong_tag_is_counted_and_harms_nothing() -> None:
    a, b = two()
    sealed = a.sealer.seal(rtp(1))
    for n in range(500):
        assert b.opener.open(sealed[:-1] + bytes([sealed[-1] ^ (n % 255 + 1)])) is None
    assert (b.opener.bad_tags, b.opener.replays) == (500, 0)
    assert b.opener.open(sealed) == rtp(1)


@pytest.mark.parametrize("rubbish", [b"", b"\x80", b"\x80" * 12, b"\xff" * 40, b"\x80" * 2000])
def test_rubbish_is_counted(rubbish: bytes) -> None:
    _, b = two()
    assert b.opener.open(rubbish) is None
    assert b.opener.open_report(rubbish) is None
    assert b.opener.bad_tags == 2


def test_a_replay_is_counted() -> None:
    a, b = two()
    sealed = a.sealer.seal(rtp(1))
    assert b.opener.open(sealed) is not None
    assert b.opener.open(sealed) is None
    assert (b.opener.bad_tags, b.opener.replays) == (0, 1)


def test_reordered_packets_open() -> None:
    a, b = two()
    sealed = [a.sealer.seal(rtp(n)) for n in (1, 2, 3, 4)]
    for n in (0, 2, 3, 1):
        assert b.opener.open(sealed[n]) == rtp(n + 1)


def test_one_number_is_sealed_once() -> None:
    a, _ = two()
    a.sealer.seal(rtp(1))
    with pytest.raises(SealError):
        a.sealer.seal(rtp(1, payload=b"another"))


def test_a_packet_too_long_is_refused() -> None:
    with pytest.raises(SealError):
        two()[0].sealer.seal(rtp(1, payload=bytes(1400)))
    with pytest.raises(SealError):
        two()[0].sealer.seal_report(REPORT * 300)


def test_a_new_source_needs_nothing() -> None:
    a, b = two()
    for ssrc in (1, 2, 3):
        assert b.opener.open(a.sealer.seal(rtp(60_000, ssrc=ssrc))) == rtp(60_000, ssrc=ssrc)


def test_a_direction_whose_key_stays_goes_on() -> None:
    a, b = two()
    _talk(a, b, 65_000, 66_000)
    theirs = key(200)
    a.change(SrtpKeys(COMMON, key(1), theirs))
    b.change(SrtpKeys(COMMON, theirs, key(1)))
    assert b.opener.open(a.sealer.seal(rtp(66_001))) == rtp(66_001)
    assert a.opener.open(b.sealer.seal(rtp(5))) == rtp(5)


def test_counts_outlive_a_changed_key() -> None:
    a, b = two()
    b.opener.open(b"\x80" * 40)
    b.change(SrtpKeys(COMMON, key(100), key(50)))
    assert b.opener.bad_tags == 1
    assert b.opener.open(a.sealer.seal(rtp(1))) is None
    assert b.opener.bad_tags == 2


@pytest.mark.parametrize("suite", KEY_OCTETS)
@pytest.mark.parametrize("newest", [3, 65_535, 65_536, 200_007])
def test_both_directions_go_on_in_another_worker(suite: str, newest: int) -> None:
    a, b = two(suite)
    _talk(a, b, 0, newest)
    _talk(b, a, 0, newest)
    for _ in range(9):
        assert b.opener.open_report(a.sealer.seal_report(REPORT)) == REPORT
    state = a.state
    assert (state.sent.index, state.received.index) == (newest, newest)
    moved = Srtp.resume(state)
    assert b.opener.open(moved.sealer.seal(rtp(newest + 1))) == rtp(newest + 1)
    assert moved.opener.open(b.sealer.seal(rtp(newest + 1))) == rtp(newest + 1)
    assert b.opener.open_report(moved.sealer.seal_report(REPORT)) == REPORT
    assert moved.state.sent == Progress(0xA11CE, newest + 1, 10)
    assert moved.state.received.index == newest + 1


def test_what_was_never_used_goes_on_too() -> None:
    a, b = two()
    moved = Srtp.resume(a.state)
    assert b.opener.open(moved.sealer.seal(rtp(65_000))) == rtp(65_000)


def test_a_leg_that_only_reported_goes_on() -> None:
    a, b = two()
    assert b.opener.open_report(a.sealer.seal_report(REPORT)) == REPORT
    moved = Srtp.resume(a.state)
    assert b.opener.open_report(moved.sealer.seal_report(REPORT)) == REPORT
    assert b.opener.open(moved.sealer.seal(rtp(65_000))) == rtp(65_000)


def test_a_late_packet_does_not_mislead_the_count() -> None:
    a, b = two()
    _talk(a, b, 65_000, 65_534)
    late, next_one = a.sealer.seal(rtp(65_535)), a.sealer.seal(rtp(65_536))
    b.opener.open(next_one)
    assert b.opener.progress.index == 65_536
    b.opener.open(late)
    assert b.opener.progress.index == 65_535


def test_a_key_identifier_is_read_over() -> None:
    suite, master = COMMON, key()
    sealed = Sealer(suite, master).seal(rtp(1))
    opener = Opener(suite, master, mki=4)
    assert opener.open(sealed[:-10] + b"\0\0\0\1" + sealed[-10:]) == rtp(1)
    report = Sealer(suite, master).seal_report(REPORT)
    assert opener.open_report(report[:-10] + b"\0\0\0\1" + report[-10:]) == REPORT
    assert opener.open(b"\x80") is None


def test_a_suite_that_nobody_named_is_a_defect() -> None:
    with pytest.raises(UsageError):
        Srtp(SrtpKeys("AES_256_CM_HMAC_SHA1_80", bytes(46), bytes(46)))


def test_keys_are_not_shown() -> None:
    keys = SrtpKeys(COMMON, b"s" * 30, b"r" * 30)
    assert "ss" not in repr(keys)
    assert "rr" not in str(Srtp(keys).state)


def _talk(sender: Srtp, hearer: Srtp, first: int, last: int) -> None:
    """Pass packets in steps below half a turn of the sequence, both ends included."""
    numbers = [*range(first, last, 20_000), last]
    for before, number in pairwise([first - 1, *numbers]):
        assert number - before < 0x8000
        assert hearer.opener.open(sender.sealer.seal(rtp(number))) == rtp(number)
