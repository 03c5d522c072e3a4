"""Legs of a switchboard in this process, with real sockets and a clock that the test moves."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from pbx.media.packets.rtcp import Goodbye, ReceiverReport, ReportBlock, SenderReport
from pbx.media.packets.rtp import RtpPacket, sequence_distance
from pbx.media.protocol import (
    DigitHeard,
    Echo,
    Enter,
    FreeLeg,
    Leave,
    LegFreed,
    MediaSilent,
    PayloadMap,
    SetMediaTimeout,
)
from tests.kit.rtp import Board, RtpPhone, ipv6_works, join, joined, phones

OPUS = PayloadMap("opus", 111, 96, 48000, 20, 110, 101, 8000)
OTHER_OPUS = PayloadMap("opus", 107, 107, 48000, 20, 120, 120, 48000)
FURTHER_OPUS = PayloadMap("opus", 107, 107, 48000, 20, 120, 120, 8000)
SILENCE = bytes([0xFF]) * 160  # of PCMU


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    yield board
    board.close()


@pytest.fixture
def pair() -> Iterator[list[RtpPhone]]:
    with phones("127.0.0.1", "127.0.0.1") as pair:
        yield pair


def steps(packets: list[RtpPacket]) -> list[tuple[int, int]]:
    return [
        (
            sequence_distance(later.sequence, earlier.sequence),
            (later.timestamp - earlier.timestamp) & 0xFFFF_FFFF,
        )
        for earlier, later in pairwise(packets)
    ]


def test_joined_phones_hear_each_other_bit_by_bit(board: Board, pair: list[RtpPhone]):
    a, b = pair
    joined(board, a, b)
    said = [phone.say(20) for phone in pair]
    board.settle()
    assert [packet.payload for packet in b.hear()] == said[0]
    assert [packet.payload for packet in a.hear()] == said[1]


def test_each_leg_has_an_ssrc_of_its_own(board: Board, pair: list[RtpPhone]):
    a, b = pair
    joined(board, a, b)
    board.talk(3, a, b)
    heard_by_a, heard_by_b = ({packet.ssrc for packet in phone.hear()} for phone in pair)
    assert len(heard_by_a) == len(heard_by_b) == 1
    assert len(heard_by_a | heard_by_b | {a.ssrc, b.ssrc}) == 4


def test_the_first_packets_before_the_lock_are_heard_too(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, second = board.add(a), board.add(b)
    board.do(*join(first, second))
    said = a.say(2)
    board.settle()
    assert [packet.payload for packet in b.hear()] == said


def test_payload_types_are_each_legs_own(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, second = board.add(a, payload=OPUS), board.add(b, payload=FURTHER_OPUS)
    board.do(*join(first, second))
    a.say(3, payload_type=96)
    b.say(3, payload_type=107)
    a.press(1, payload_type=101)
    board.settle()
    assert {packet.payload_type for packet in a.hear()} == {111}
    assert {packet.payload_type for packet in b.hear()} == {107, 120}


def test_a_re_negotiated_codec_goes_on_without_a_jump(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, second = joined(board, a, b)
    board.talk(3, a)
    pcma = PayloadMap("PCMA", 8, 8, 8000, 20, 101, 101)
    board.update(first, a, payload=pcma, relearn=True)
    board.talk(1, a)  # the other leg still speaks the old codec: this goes through the matrix
    board.update(second, b, payload=pcma, relearn=True)
    a.say(3, payload_type=8)
    board.settle()
    heard = b.hear()
    assert [packet.payload_type for packet in heard] == [0] * 4 + [8] * 3
    assert {sequence for sequence, _ in steps(heard)} == {1}
    assert {timestamp for _, timestamp in steps(heard)} <= {160, 320}


def test_a_key_is_forwarded_and_told_once(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, _ = joined(board, a, b)
    a.press(5)
    a.press(5)
    board.settle()
    assert board.events(DigitHeard) == [DigitHeard(first, "5", 60)] * 2
    assert len(b.hear()) == 12


def test_a_keys_duration_is_in_the_clock_of_its_event(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, second = board.add(a, payload=OPUS), board.add(b, payload=OTHER_OPUS)
    a.press(1)
    b.press(2, payload_type=120)
    board.settle()
    assert board.events(DigitHeard) == [DigitHeard(first, "1", 60), DigitHeard(second, "2", 10)]


def test_a_key_whose_ends_are_lost_is_told_without_further_packets(
    board: Board, pair: list[RtpPhone]
):
    leg = board.add(pair[0])
    pair[0].press(9, ends=0)
    board.advance(1.0)
    assert board.events(DigitHeard) == [DigitHeard(leg, "9", 60)]


def test_a_held_leg_is_not_sent_to_and_not_listened_to(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, _ = joined(board, a, b)
    board.update(first, a, direction="inactive")
    a.press(1)
    board.talk(3, a, b)
    assert not a.hear()
    assert not b.hear()
    assert not board.events(DigitHeard)


@pytest.mark.parametrize(
    ("direction", "sent_to", "listened_to"),
    [("sendonly", True, False), ("recvonly", False, True), ("inactive", False, False)],
)
def test_directions_are_seen_from_callpbx(
    board: Board, pair: list[RtpPhone], direction: str, sent_to: bool, listened_to: bool
):
    a, b = pair
    first, _ = joined(board, a, b)
    board.update(first, a, direction=direction)
    board.talk(3, a, b)
    assert bool(a.hear()) is sent_to
    assert bool(b.hear()) is listened_to


def test_after_hold_the_timeline_goes_on_with_the_time(board: Board, pair: list[RtpPhone]):
    a, b = pair
    _, second = joined(board, a, b)
    board.talk(3, a)
    board.update(second, b, direction="inactive")
    board.talk(50, a)
    board.update(second, b)
    board.talk(3, a)
    heard = b.hear()
    assert steps(heard)[2] == (1, 51 * 160)
    assert [packet.marker for packet in heard] == [False] * 3 + [True, False, False]


def test_who_enters_another_bridge_is_not_heard_in_the_one_before(board: Board):
    with phones(*["127.0.0.1"] * 4) as (a, b, c, d):
        first, _ = joined(board, a, b)
        third, _ = joined(board, c, d)
        board.do(Enter(first, 5), Enter(third, 5))
        board.talk(4, a, b, c, d)
        assert {packet.payload for packet in c.hear()} != {SILENCE}
        assert a.hear()
        assert {packet.payload for packet in b.hear()} == {SILENCE}
        assert {packet.payload for packet in d.hear()} == {SILENCE}


def test_after_another_join_the_hearer_sees_no_jump(board: Board):
    with phones(*["127.0.0.1"] * 3) as (a, b, c):
        first, _ = joined(board, a, b)
        board.talk(3, a, b)
        third = board.add(c)
        board.do(Enter(first, 5), Enter(third, 5))
        board.lock(c)
        a.hear()
        board.talk(3, c)
        board.do(Leave(first))
        board.talk(3, c, b)
        heard = a.hear()
        assert steps(heard) == [(1, 160)] * 2


def test_an_echo_returns_payloads_and_not_keys(board: Board, pair: list[RtpPhone]):
    a = pair[0]
    leg = board.add(a)
    board.do(Echo(leg))
    said = a.say(5)
    a.press(3)
    board.settle()
    heard = a.hear()
    assert [packet.payload for packet in heard] == said
    assert a.ssrc not in {packet.ssrc for packet in heard}
    assert board.events(DigitHeard) == [DigitHeard(leg, "3", 60)]
    board.do(Echo(leg, on=False))
    board.talk(3, a)
    assert not a.hear()


def test_an_echoing_leg_does_not_hear_its_partner(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, _ = joined(board, a, b)
    board.do(Echo(first))
    said = a.say(3)
    b.say(3)
    board.settle()
    assert [packet.payload for packet in a.hear()] == said


def test_before_a_description_packets_are_dropped_and_counted(board: Board, pair: list[RtpPhone]):
    leg = board.add(pair[0], payload=None)
    pair[0].say(5)
    board.settle()
    board.do(FreeLeg(leg))
    assert board.events(LegFreed)[0].received.dropped == 5


def test_a_closed_port_at_the_far_end_means_nothing(board: Board, pair: list[RtpPhone]):
    a, b = pair
    _, second = joined(board, a, b)
    b.rtp.close()
    board.talk(10, a)
    a.say(10)
    board.settle()
    reopened = RtpPhone("127.0.0.1")
    reopened.rtp.close()
    reopened.rtp = type(reopened.rtp)(type=2)
    reopened.rtp.bind(b.address)
    reopened.rtp.setblocking(False)
    said = a.say(3)
    board.settle()
    assert [packet.payload for packet in reopened.hear()][-2:] == said[-2:]
    reopened.close()
    board.do(FreeLeg(second))
    assert board.events(LegFreed)[0].sent.dropped > 0


def test_a_packet_that_cannot_be_sent_is_no_packet_sent(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, second = board.add(a), board.add(b)
    board.do(*join(first, second))
    board.update(second, b, remote=("::1", 4000))  # an IPv4 socket cannot send there
    board.talk(5, a)
    board.do(FreeLeg(second))
    sent = board.events(LegFreed)[0].sent
    assert (sent.packets, sent.octets, sent.dropped) == (0, 0, 5)


def test_figures_tell_what_was_received_and_sent(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, second = joined(board, a, b)
    board.talk(10, a)
    a.packet()  # lost on its way
    board.advance(0.02)
    board.talk(10, a)
    board.do(FreeLeg(first), FreeLeg(second))
    of_a, of_b = board.events(LegFreed)
    assert (of_a.received.packets, of_a.received.lost) == (23, 1)
    assert of_a.received.octets == 23 * 160
    assert of_a.received.jitter_ms < 0.1
    assert of_b.sent.packets == 23
    assert of_b.received.packets == 3


def test_own_reports_go_out_within_five_seconds_and_again(board: Board, pair: list[RtpPhone]):
    a, b = pair
    board.do(*join(board.add(a), board.add(b)))
    board.talk(125, a)  # what goes to its partner comes from callpbx
    assert [type(report) for report in a.hear_reports()] == [ReceiverReport]
    assert [type(report) for report in b.hear_reports()] == [SenderReport]
    board.talk(300, a)
    assert 1 <= len(a.hear_reports()) <= 2


def test_reports_tell_each_end_about_its_own_stream(board: Board, pair: list[RtpPhone]):
    a, b = pair
    joined(board, a, b)
    board.talk(50, a, b)
    a.packet()
    board.talk(75, a, b)
    report = a.hear_reports()[0]
    assert [(block.ssrc, block.lost) for block in report.blocks] == [(a.ssrc, 1)]
    assert report.ssrc == a.hear()[0].ssrc


def test_what_the_far_end_reports_is_in_the_figures_and_passed_to_nobody(
    board: Board, pair: list[RtpPhone]
):
    a, b = pair
    first, _ = joined(board, a, b)
    board.talk(125, a, b)
    ours = a.hear_reports()[0]
    assert isinstance(ours, SenderReport)
    block = ReportBlock(ours.ssrc, 10, 7, 0, 80, ours.ntp >> 16 & 0xFFFF_FFFF, 0)
    a.report(bytes(ReceiverReport(a.ssrc, (block,))))
    board.advance(0.05)
    b.hear_reports()
    board.do(FreeLeg(first))
    sent = board.events(LegFreed)[0].sent
    assert (sent.lost, sent.jitter_ms) == (7, 10.0)
    assert sent.round_trip_ms is not None
    assert 0 <= sent.round_trip_ms < 2500
    assert not b.hear_reports()


def test_goodbye_is_said_when_a_leg_is_freed(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, _ = joined(board, a, b)
    board.talk(150, a, b)
    a.hear_reports()
    board.do(FreeLeg(first))
    assert isinstance(a.hear_reports()[-1], Goodbye)


def test_who_was_told_nothing_gets_no_goodbye(board: Board, pair: list[RtpPhone]):
    leg = board.add(pair[0])
    board.do(FreeLeg(leg))
    assert not pair[0].hear_reports()


def test_silence_is_reported_after_its_time_and_again(board: Board, pair: list[RtpPhone]):
    leg = board.add(pair[0])
    board.do(SetMediaTimeout(leg, 3.0))
    board.talk(100, pair[0])
    assert not board.events(MediaSilent)
    board.advance(3.6)
    silent = board.events(MediaSilent)
    assert [event.leg for event in silent] == [leg]
    assert 3.0 <= silent[0].seconds <= 3.6
    board.advance(3.5)
    assert 6.0 <= board.events(MediaSilent)[0].seconds <= 7.1


def test_rtcp_alone_is_no_silence(board: Board, pair: list[RtpPhone]):
    leg = board.add(pair[0])
    board.do(SetMediaTimeout(leg, 3.0))
    for _ in range(5):
        pair[0].report(bytes(ReceiverReport(5)))
        board.advance(2.0)
    assert not board.events(MediaSilent)


def test_without_a_time_silence_is_never_reported(board: Board, pair: list[RtpPhone]):
    leg = board.add(pair[0])
    board.do(SetMediaTimeout(leg, 1.0), SetMediaTimeout(leg, 0))
    board.advance(5.0)
    assert not board.events(MediaSilent)


def test_after_a_join_both_payloads_known_later_are_heard(board: Board, pair: list[RtpPhone]):
    a, b = pair
    first, second = board.add(a, payload=None), board.add(b, payload=None)
    board.do(*join(first, second))
    board.update(first, a)
    board.update(second, b)
    said = a.say(3)
    board.settle()
    assert [packet.payload for packet in b.hear()] == said


@pytest.mark.skipif(not ipv6_works(), reason="no IPv6 loopback here")
def test_ipv4_and_ipv6_legs_hear_each_other():
    board = Board(families=(4, 6))
    try:
        with phones("127.0.0.1", "::1") as (a, b):
            joined(board, a, b)
            said = [phone.say(4) for phone in (a, b)]
            board.settle()
            assert [packet.payload for packet in b.hear()] == said[0]
            assert [packet.payload for packet in a.hear()] == said[1]
    finally:
        board.close()
