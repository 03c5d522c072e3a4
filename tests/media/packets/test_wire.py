"""Who may speak to a leg's sockets: strangers on loopback addresses of their own."""

from collections.abc import Iterator

import pytest

from pbx.media.packets.rtcp import Goodbye, ReceiverReport, ReportBlock, SenderReport
from pbx.media.packets.srtp import Srtp
from pbx.media.protocol import Echo, Enter, FreeLeg, LegFreed, SourceLocked, SrtpKeys
from tests.kit.rtp import Board, RtpPhone, joined, phones

SUITE = "AES_CM_128_HMAC_SHA1_80"
OURS, THEIRS, NEW = bytes(range(30)), bytes(range(30, 60)), bytes(range(60, 90))
KEYS = SrtpKeys(SUITE, OURS, THEIRS)


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
    board.do(Enter(first, 1), Enter(second, 1))
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
    board.do(Enter(first, 1), Enter(second, 1))
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
    board.do(Enter(first, 1), Enter(second, 1))
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
    board.do(Enter(first, 1), Enter(second, 1))
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


# SRTP


def secure(board: Board, leg: int, phone: RtpPhone, keys: SrtpKeys = KEYS) -> None:
    """Let a leg and its phone agree on keys."""
    board.update(leg, phone, keys=keys)
    mirrored = SrtpKeys(keys.suite, keys.receive, keys.send)
    if phone.srtp is None:
        phone.srtp = Srtp(mirrored)
    else:
        phone.srtp.change(mirrored)


def test_a_plain_phone_and_a_secure_one_hear_each_other(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    first, second = board.add(a), board.add(b)
    board.do(Enter(first, 1), Enter(second, 1))
    secure(board, second, b)
    said = a.say(5), b.say(5)  # before either source is locked, and after
    board.settle()
    assert [packet.payload for packet in b.hear()] == said[0]
    assert [packet.payload for packet in a.hear()] == said[1]
    board.talk(150, a, b)
    assert len(a.hear()) == len(b.hear()) == 150
    assert isinstance(b.hear_reports()[0], SenderReport)
    b.report(bytes(ReceiverReport(b.ssrc)))
    board.settle()
    board.do(FreeLeg(second))
    assert board.events(LegFreed)[0].received.dropped == 0


def test_two_secure_phones_have_a_key_each(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    first, second = board.add(a), board.add(b)
    board.do(Enter(first, 1), Enter(second, 1))
    secure(board, first, a)
    secure(board, second, b, SrtpKeys("AEAD_AES_256_GCM", NEW + bytes(14), bytes(44)))
    board.talk(10, a, b)
    assert len(a.hear()) == len(b.hear()) == 10


def test_a_wrong_tag_locks_nothing_and_ends_nothing(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    first, second = board.add(a), board.add(b)
    board.do(Enter(first, 1), Enter(second, 1))
    secure(board, first, a)
    with phones(a.host) as (forger,):
        forger.to = a.to
        forger.say(500, ssrc=a.ssrc)  # from the right address, without the key
        board.settle()
        assert not board.events(SourceLocked)
        said = a.say(3)
        forger.say(500, ssrc=a.ssrc)
        board.settle()
        assert board.events(SourceLocked) == [SourceLocked(first, a.address)]
    for packet in [a.packet() for _ in range(500)]:
        a.send(bytes(packet))  # from the locked source itself
    a.sequence -= 500
    said += a.say(3)
    board.settle()
    assert [packet.payload for packet in b.hear()] == said
    board.do(FreeLeg(first))
    assert board.events(LegFreed)[0].received.dropped == 1500


def test_a_forged_report_is_not_believed(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    first, _ = joined(board, a, b)
    secure(board, first, a)
    keys, a.srtp = a.srtp, None
    a.report(bytes(ReceiverReport(a.ssrc)) + bytes(Goodbye((a.ssrc,))))
    a.srtp = keys
    board.settle()
    board.talk(3, a, b)
    assert len(b.hear()) == 3
    board.do(FreeLeg(first))
    assert board.events(LegFreed)[0].received.dropped == 1


def test_a_key_may_change_while_they_talk(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    first, second = board.add(a), board.add(b)
    board.do(Enter(first, 1), Enter(second, 1))
    secure(board, first, a)
    board.talk(5, a, b)
    secure(board, first, a, SrtpKeys(SUITE, OURS, NEW))
    board.talk(5, a, b)
    secure(board, first, a, SrtpKeys("AEAD_AES_128_GCM", OURS[:28], NEW[:28]))
    board.talk(5, a, b)
    board.update(first, a)
    a.srtp = None
    board.talk(5, a, b)
    assert len(b.hear()) == 20


def test_a_secure_phone_hears_its_own_echo(board: Board, three: list[RtpPhone]):
    a, *_ = three
    leg = board.add(a)
    secure(board, leg, a)
    board.do(Echo(leg))
    said = a.say(6)
    board.settle()
    assert [packet.payload for packet in a.hear()] == said


def test_what_is_said_twice_goes_on_to_a_secure_phone_once(board: Board, three: list[RtpPhone]):
    a, b, _ = three
    _, second = joined(board, a, b)
    secure(board, second, b)
    a.say(1)
    for _ in range(3):
        a.send(bytes(a.packet(sequence=2000)))
    board.settle()
    assert len(b.hear()) == 2
    board.do(FreeLeg(second))
    assert board.events(LegFreed)[0].sent.dropped == 2
