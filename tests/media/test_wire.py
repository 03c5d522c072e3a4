"""Who may speak to a leg's sockets: strangers on loopback addresses of their own."""

from collections.abc import Iterator

import pytest

from pbx.media.protocol import FreeLeg, Join, LegFreed, SourceLocked
from pbx.media.rtcp import Goodbye, ReceiverReport, ReportBlock, SenderReport
from tests.kit.rtp import Board, RtpPhone, joined, phones


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    yield board
    board.close()


@pytest.fixture
def three() -> Iterator[list[RtpPhone]]:
    """Two phones, and a stranger at an address of its own."""
    with phones("127.0.0.1", "127.0.0.2", "127.0.0.66") as three:
        yield three


def test_the_lock_is_told_once(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    legs = joined(board, a, b)
    board.talk(10, a, b)
    assert board.events(SourceLocked) == [
        SourceLocked(legs[0], a.address),
        SourceLocked(legs[1], b.address),
    ]


def test_a_stranger_reaches_nobody_and_gets_no_answer(board: Board, three: list[RtpPhone]):
    a, b, stranger = three
    legs = joined(board, a, b)
    for leg_port in (a.to, b.to):
        stranger.to = leg_port
        stranger.say(20, ssrc=a.ssrc)
        stranger.report(bytes(ReceiverReport(1)))
    said = a.say(3)
    board.advance(6.0)
    assert [packet.payload for packet in b.hear()] == said
    assert not a.hear()
    assert not stranger.hear()
    assert not stranger.hear_reports()
    assert legs


def test_a_stranger_who_came_before_the_phone_is_not_learned(board: Board, three: list[RtpPhone]):
    a, b, stranger = three
    first, second = board.add(a, also_from=b.host), board.add(b)
    board.do(Join(first, second))
    stranger.to = a.to
    stranger.say(50)
    board.settle()
    said = a.say(3)
    board.settle()
    assert [packet.payload for packet in b.hear()] == said
    board.do(FreeLeg(first))
    assert board.events(LegFreed)[0].received.dropped == 50


def test_what_a_stranger_queued_before_the_lock_is_thrown_away(board: Board, three: list[RtpPhone]):
    a, b, stranger = three
    first, second = board.add(a), board.add(b)
    board.do(Join(first, second))
    stranger.to = a.to
    said = a.say(3)
    stranger.say(5, ssrc=a.ssrc)  # all of it is in the socket when the third packet locks
    said += a.say(2)
    board.settle()
    assert [packet.payload for packet in b.hear()] == said


def test_a_phone_behind_nat_is_learned_by_its_signalling_address(
    board: Board, three: list[RtpPhone]
):
    a, b, _ = three
    described = ("192.0.2.200", 4000)
    first, second = board.add(a), board.add(b)
    board.do(Join(first, second))
    board.update(first, a, remote=described, remote_rtcp=None, also_from=a.host)
    board.lock(b)
    said = a.say(4)
    board.settle()
    assert [packet.payload for packet in b.hear()] == said[2:]
    board.talk(2, b)
    assert len(a.hear()) == 2
    assert board.events(SourceLocked)[-1] == SourceLocked(first, a.address)


def test_the_description_is_sent_to_before_anything_came(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    first, second = board.add(a), board.add(b)
    board.do(Join(first, second))
    board.talk(3, a)
    assert len(b.hear()) == 3


def test_a_refresh_makes_no_gap(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    first, _ = joined(board, a, b)
    said = []
    for _ in range(5):
        board.update(first, a, relearn=True)
        said += a.say(4)
        board.settle()
    assert [packet.payload for packet in b.hear()] == said


def test_a_moved_phone_is_learned_anew(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    first, _ = joined(board, a, b)
    with phones("127.0.0.5") as (moved,):
        moved.to = a.to
        board.update(first, moved, relearn=True)
        a.say(3)
        said = moved.say(4)
        board.settle()
        assert [packet.payload for packet in b.hear()][-3:] == said[-3:]
        b.say(1)
        board.settle()
        assert len(moved.hear()) == 1
        assert not a.hear()


def test_after_silence_another_port_of_the_phone_takes_over(board: Board, three: list[RtpPhone]):
    a, b, stranger = three
    joined(board, a, b)
    board.advance(3.0)
    with phones("127.0.0.1") as (rebound,):
        rebound.to = stranger.to = a.to
        stranger.say(10)
        said = rebound.say(5)
        board.settle()
        assert [packet.payload for packet in b.hear()] == said[2:]
        b.say(3)
        board.settle()
        assert len(rebound.hear()) == 3
        assert not stranger.hear()


def test_after_silence_the_phone_itself_is_heard_at_once(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    joined(board, a, b)
    board.advance(5.0)
    said = a.say(2)
    board.settle()
    assert [packet.payload for packet in b.hear()] == said


def test_what_is_no_rtp_locks_nothing(board: Board, three: list[RtpPhone]):
    leg = board.add(three[0])
    for datagram in (b"", b"x", b"\0" * 40, b"\x80" * 11, b"\xff" * 2048, b"\x80" * 3000):
        three[0].send(datagram)
    board.settle()
    assert not board.events(SourceLocked)
    board.do(FreeLeg(leg))
    assert board.events(LegFreed)[0].received.dropped == 6


def test_reports_from_a_strangers_address_change_nothing(board: Board, three: list[RtpPhone]):
    a, b, stranger = three
    first, _ = joined(board, a, b)
    board.talk(130, a, b)
    ours = a.hear_reports()[0]
    assert isinstance(ours, SenderReport)
    stranger.to = a.to
    block = ReportBlock(ours.ssrc, 255, 999, 0, 99999, 0, 0)
    stranger.report(bytes(ReceiverReport(a.ssrc, (block,))) + bytes(Goodbye((a.ssrc,))))
    board.settle()
    board.do(FreeLeg(first))
    assert board.events(LegFreed)[0].sent.lost == 0
    assert not stranger.hear_reports()


def test_reports_go_to_where_reports_come_from(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    joined(board, a, b)
    with phones(a.host) as (elsewhere,):
        elsewhere.to = a.to
        elsewhere.report(bytes(ReceiverReport(1)))
        board.talk(150, a, b)
        assert elsewhere.hear_reports()
    assert not a.hear_reports()
