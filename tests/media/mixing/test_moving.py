"""A leg that goes from one worker to another in mid-call: its far end notices nothing.

Two switchboards in this process stand for the workers; their clocks are not one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise

import pytest

from pbx.media.keys.telephone_event import TelephoneEvent
from pbx.media.packets.rtcp import Goodbye, SenderReport
from pbx.media.packets.rtp import RtpPacket
from pbx.media.packets.srtp import Srtp
from pbx.media.protocol import (
    CodeHeard,
    DigitHeard,
    Echo,
    Enter,
    FreeLeg,
    GiveLeg,
    Leave,
    LegFreed,
    LegGiven,
    MediaSilent,
    Play,
    PlaybackDone,
    SetCodes,
    SetMediaTimeout,
    SetPart,
    SourceLocked,
    SrtpKeys,
    TakeLeg,
)
from tests.kit.rtp import Board, RtpPhone, joined, phones

BRIDGE = 77
SILENCE = bytes([0xFF]) * 160  # of PCMU
KEYS = SrtpKeys("AES_CM_128_HMAC_SHA1_80", bytes(range(30)), bytes(range(30, 60)))


@pytest.fixture
def boards() -> Iterator[tuple[Board, Board]]:
    one, other = Board(pairs=100), Board(pairs=100, first_leg=200, now=7.0)
    yield one, other
    one.close()
    other.close()


@pytest.fixture
def parties() -> Iterator[list[RtpPhone]]:
    with phones("127.0.0.1", "127.0.0.1", "127.0.0.1") as parties:
        yield parties


def talk(boards: tuple[Board, Board], frames: int, *speaking: RtpPhone) -> None:
    """Let phones speak while the time of both boards goes on."""
    for _ in range(frames):
        for phone in speaking:
            phone.say()
        for board in boards:
            board.settle()
            board.advance(0.02)


def assert_continuous(packets: list[RtpPacket], *, longest: int = 1) -> None:
    """One SSRC, consecutive numbers, and steps of 1…`longest` whole frames of time."""
    assert len({packet.ssrc for packet in packets}) == 1
    for before, after in pairwise(packets):
        assert after.sequence == (before.sequence + 1) & 0xFFFF
        frames, rest = divmod((after.timestamp - before.timestamp) & 0xFFFF_FFFF, 160)
        assert (rest, 1 <= frames <= longest) == (0, True)


def test_a_relayed_leg_goes_on_in_another_worker(
    boards: tuple[Board, Board], parties: list[RtpPhone]
):
    (one, other), (a, b, c) = boards, parties
    first, _ = joined(one, a, b)
    there = other.add(c)
    other.do(Enter(there, BRIDGE))
    other.lock(c)
    one.events(SourceLocked)
    other.events(SourceLocked)
    talk(boards, 10, a, b, c)
    heard = a.hear()
    b.hear()
    one.give(first, other)
    other.do(Enter(first, BRIDGE))
    talk(boards, 10, a, b, c)
    heard += a.hear()
    assert len(heard) == 20
    assert_continuous(heard)
    assert [packet.payload[0] for packet in c.hear()[-10:]] == [
        n & 0xFF for n in range(a.sequence - 10, a.sequence)
    ]
    assert {packet.payload for packet in b.hear()} <= {SILENCE}
    assert one.events(SourceLocked) == other.events(SourceLocked) == []


def test_packets_that_come_while_a_leg_is_on_its_way_are_not_lost(
    boards: tuple[Board, Board], parties: list[RtpPhone]
):
    (one, other), (a, b, _) = boards, parties
    first, _ = joined(one, a, b)
    one.do(GiveLeg(first))
    said = a.say(3)
    one.settle()
    other.do(Echo(first))  # nobody there yet
    one.pass_on(other)
    other.do(Echo(first))
    other.settle()
    assert [packet.payload for packet in a.hear()[-3:]] == said
    other.do(FreeLeg(first))
    (freed,) = other.events(LegFreed)
    assert (freed.received.packets, freed.received.lost) == (6, 0)


def test_what_is_played_ends_and_the_stream_goes_on_in_the_mix(
    boards: tuple[Board, Board], parties: list[RtpPhone]
):
    (one, other), (a, b, c) = boards, parties
    leg = one.add(a)
    one.lock(a)
    there = [other.add(phone) for phone in (b, c)]
    other.do(*(Enter(each, BRIDGE) for each in there))
    other.lock(b, c)
    one.do(Play(leg, 1, ("tone:ring",), loop=True))
    talk(boards, 10, a, b, c)
    one.give(leg, other)
    assert one.events(PlaybackDone) == [PlaybackDone(leg, 1, finished=False)]
    other.do(Enter(leg, BRIDGE))
    talk(boards, 20, a, b, c)
    heard = a.hear()
    assert len(heard) >= 28
    assert_continuous(heard, longest=2)


def test_figures_and_reports_go_on(boards: tuple[Board, Board], parties: list[RtpPhone]):
    (one, other), (a, b, _) = boards, parties
    first, _ = joined(one, a, b)
    talk(boards, 150, a, b)
    before = [report for report in a.hear_reports() if isinstance(report, SenderReport)][-1]
    heard = a.hear()
    a.sequence += 5  # lost on the way
    one.give(first, other)
    other.do(Echo(first))
    talk(boards, 150, a)
    after = [report for report in a.hear_reports() if isinstance(report, SenderReport)][-1]
    assert after.ssrc == before.ssrc
    assert after.packets > before.packets
    seconds = (after.ntp - before.ntp) / 2**32
    assert (after.timestamp - before.timestamp) & 0xFFFF_FFFF == pytest.approx(
        seconds * 8000, abs=200
    )
    assert after.blocks[0].lost == 5
    other.do(FreeLeg(first))
    (freed,) = other.events(LegFreed)
    assert (freed.received.packets, freed.received.lost, freed.received.bursts) == (303, 5, 1)
    heard += a.hear()
    assert_continuous(heard)
    assert freed.sent.packets == len(heard) + 3
    assert [type(report) for report in a.hear_reports()].count(Goodbye) == 1


def test_silence_counts_on(boards: tuple[Board, Board], parties: list[RtpPhone]):
    (one, other), (a, *_) = boards, parties
    leg = one.add(a)
    one.lock(a)
    one.do(SetMediaTimeout(leg, 30.0))
    one.advance(20.0)
    one.give(leg, other)
    other.advance(9.0)
    assert other.events(MediaSilent) == []
    other.advance(2.0)
    (silent,) = other.events(MediaSilent)
    assert silent.seconds == pytest.approx(30, abs=1)


def test_a_part_and_an_echo_come_along(boards: tuple[Board, Board], parties: list[RtpPhone]):
    (one, other), (a, b, c) = boards, parties
    muted, echo = one.add(a), one.add(b)
    one.lock(a, b)
    one.do(SetPart(muted, speaks=False), Echo(echo))
    there = other.add(c)
    other.do(Enter(there, BRIDGE))
    other.lock(c)
    for leg in (muted, echo):
        one.give(leg, other)
    other.do(Enter(muted, BRIDGE))
    talk(boards, 20, a, b, c)
    assert len(b.hear()) == 20
    assert {octet for packet in c.hear() for octet in packet.payload} <= {0x7F, 0xFF}


def key(phone: RtpPhone, *steps: int) -> None:
    """Send packets of one `5`: its durations in steps of 20 ms, negative where it has ended."""
    for step in steps:
        event = TelephoneEvent(5, step < 0, 160 * abs(step))
        phone.say(payload_type=101, timestamp=4000, payload=bytes(event), marker=step == 1)


@pytest.mark.parametrize("before", [(), (1,), (1, 2, -3), (1, 2, -3, -3)])
def test_a_key_that_is_down_is_told_once(
    boards: tuple[Board, Board], parties: list[RtpPhone], before: tuple[int, ...]
):
    (one, other), (a, *_) = boards, parties
    leg = one.add(a)
    one.lock(a)
    steps = (1, 2, -3, -3, -3)
    key(a, *before)
    one.settle()
    one.give(leg, other)
    key(a, *steps[len(before) :])
    other.advance(1.0)
    told = [*one.events(DigitHeard), *other.events(DigitHeard)]
    assert told == [DigitHeard(leg, "5", 60)]


def test_codes_come_along(boards: tuple[Board, Board], parties: list[RtpPhone]):
    (one, other), (a, *_) = boards, parties
    leg = one.add(a)
    one.lock(a)
    one.do(SetCodes(leg, ("*1",)))
    one.give(leg, other)
    a.press(10)
    a.timestamp += 800
    a.press(1)
    other.settle()
    assert other.events(CodeHeard) == [CodeHeard(leg, "*1")]


def test_a_secure_leg_goes_on_with_its_keys(boards: tuple[Board, Board], parties: list[RtpPhone]):
    (one, other), (a, *_) = boards, parties
    a.srtp = Srtp(SrtpKeys(KEYS.suite, KEYS.receive, KEYS.send))
    a.sequence = 0xFFF0  # the rollover counter counts
    leg = one.add(a)
    one.update(leg, a, keys=KEYS)
    one.do(Echo(leg))
    talk(boards, 40, a)
    one.give(leg, other)
    talk(boards, 40, a)
    heard = a.hear()
    assert len(heard) == 80
    assert_continuous(heard)


def test_a_leg_that_is_not_here_is_given_as_nothing(boards: tuple[Board, Board]):
    one, _ = boards
    one.do(GiveLeg(5))
    assert one.events(LegGiven) == [LegGiven(5, None)]


def test_a_leg_that_cannot_be_taken_is_told_as_nothing(
    boards: tuple[Board, Board], parties: list[RtpPhone]
):
    (one, other), (a, *_) = boards, parties
    leg = one.add(a)
    one.do(GiveLeg(leg))
    (given,) = one.events(LegGiven)
    assert given.state is not None
    rtp, rtcp = one.luggage.pop()
    other.switchboard.take(TakeLeg(leg, b"\x90"), [rtp], other.now)
    other.switchboard.take(TakeLeg(leg, given.state), [rtcp], other.now)
    assert other.events(LegGiven) == [LegGiven(leg, None)] * 2
    assert len(other.switchboard) == 0
    for descriptor in (rtp, rtcp):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_a_bridge_that_a_leg_was_given_from_goes_on(
    boards: tuple[Board, Board], parties: list[RtpPhone]
):
    (one, other), (a, b, c) = boards, parties
    first, second = joined(one, a, b)
    third = one.add(c)
    one.do(Enter(third, 1000 + first))
    one.lock(c)
    one.give(first, other)
    talk(boards, 20, b, c)
    for phone in (b, c):
        assert_continuous(phone.hear(), longest=2)
    one.do(Leave(second), Leave(third))
