import pytest

from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.rtcp import (
    Description,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpReporter,
    SenderReport,
    compact_ntp,
    parse_rtcp,
)
from pbx.media.packets.rtp import RtpStream

EPOCH = 3_900_000_000.0
BLOCK = ReportBlock(
    ssrc=0xB0B, fraction_lost=64, lost=-2, highest=0x1FFFF, jitter=9, last_report=5, delay=6
)
SENDER = SenderReport(0xA11CE, 0x1234_5678_9ABC_DEF0, 1600, 10, 1600, (BLOCK,))
COMPOUND = bytes(SENDER) + bytes(Description(0xA11CE, "c@x")) + bytes(Goodbye((0xA11CE, 2)))


def test_reports_are_written_as_the_rfc_draws_them():
    assert bytes(SENDER).hex(" ", 4) == (
        "81c8000c 000a11ce 12345678 9abcdef0 00000640 0000000a 00000640"
        " 00000b0b 40fffffe 0001ffff 00000009 00000005 00000006"
    )
    assert bytes(ReceiverReport(1)).hex() == "80c9000100000001"
    assert bytes(Description(1, "ab")).hex() == "81ca00030000000101026162" + "00000000"
    assert bytes(Description(1, "abc")).hex() == "81ca00030000000101036162" + "63000000"
    assert bytes(Goodbye((1,))).hex() == "81cb000100000001"


def test_a_compound_packet_is_read_back():
    assert parse_rtcp(COMPOUND) == (SENDER, Goodbye((0xA11CE, 2)))
    assert parse_rtcp(bytes(ReceiverReport(9, (BLOCK,)))) == (ReceiverReport(9, (BLOCK,)),)


def padded(packet: bytes, count: int) -> bytes:
    words = int.from_bytes(packet[2:4], "big") + count // 4
    padding = bytes(count - 1) + bytes((count,))
    return bytes((packet[0] | 0x20, packet[1])) + words.to_bytes(2, "big") + packet[4:] + padding


def test_padding_of_the_last_packet_is_left_out():
    assert parse_rtcp(bytes(SENDER) + padded(bytes(Goodbye((7,))), 4)) == (SENDER, Goodbye((7,)))


@pytest.mark.parametrize(
    ("reason", "datagram"),
    [
        ("empty", b""),
        ("cut", COMPOUND[:-1]),
        ("octets behind", COMPOUND + b"\0"),
        ("length beyond the end", b"\x81\xc8\xff\xff" + COMPOUND[4:]),
        ("begins with a description", bytes(Description(1, "a")) + COMPOUND),
        ("begins with a goodbye", bytes(Goodbye((1,)))),
        ("version 1", b"\x41" + COMPOUND[1:]),
        ("more blocks than it holds", b"\x9f" + COMPOUND[1:]),
        ("padding not at the end", padded(bytes(SENDER), 4) + bytes(Goodbye((1,)))),
        ("padding over everything", padded(bytes(ReceiverReport(1)), 4)[:-1] + b"\xff"),
        ("goodbye with fewer sources than it says", bytes(SENDER) + b"\x9f\xcb\0\1\0\0\0\1"),
    ],
)
def test_what_is_not_valid_is_ignored_as_a_whole(reason: str, datagram: bytes):
    assert parse_rtcp(datagram) == (), reason


def outgoing(ssrc: int) -> OutgoingStream:
    return OutgoingStream(ssrc=ssrc, sequence=0, timestamp=0)


class End:
    """One end: what it hears, what it sends and its reports."""

    def __init__(self, ssrc: int) -> None:
        self.heard = RtpStream()
        self.sent = outgoing(ssrc)
        self.reporter = RtcpReporter(cname="c@x", epoch=EPOCH)

    def say(self, other: "End", sequence: int, now: float, *, lost: bool = False) -> None:
        self.sent.sent(sequence, sequence * 160, 160, now)
        if not lost:
            other.heard.admit(self.sent.ssrc, sequence)
            other.heard.measure(sequence * 160, 160, now)

    def write(self, now: float, *, goodbye: bool = False) -> bytes:
        return self.reporter.write(heard=self.heard, sent=self.sent, now=now, goodbye=goodbye)

    def read(self, datagram: bytes, now: float) -> bool:
        return self.reporter.read(datagram, heard=self.heard, sent=self.sent, now=now)


def test_who_sent_nothing_writes_a_receiver_report():
    assert isinstance(parse_rtcp(End(1).write(5.0))[0], ReceiverReport)


def test_a_sender_report_ties_the_clock_to_the_stream():
    end = End(1)
    end.say(End(2), 10, 100.0)
    report = parse_rtcp(end.write(100.5))[0]
    assert isinstance(report, SenderReport)
    assert report.timestamp == 1600 + 4000
    assert report.ntp >> 32 == int(EPOCH + 100.5)
    assert (report.packets, report.octets) == (1, 160)


def test_loss_is_told_to_the_one_who_sent():
    ours, theirs = End(1), End(2)
    for n in range(100):
        ours.say(theirs, n, n * 0.02, lost=n % 10 == 5)
    assert ours.read(theirs.write(2.0), 2.0)
    assert ours.reporter.lost == 10
    block = parse_rtcp(theirs.write(2.0))[0].blocks[0]
    assert block.fraction_lost == 0  # told already; the next interval had none


def test_round_trip_is_what_the_way_took():
    ours, theirs = End(1), End(2)
    for n in range(5):
        ours.say(theirs, n, 1.0)
    theirs.read(ours.write(10.0), 10.030)
    ours.read(theirs.write(12.0), 12.040)
    assert ours.reporter.round_trip == pytest.approx(0.070, abs=0.001)


def test_a_round_trip_below_zero_by_rounding_is_zero():
    ours, theirs = End(1), End(2)
    ours.say(theirs, 1, 1.0)
    theirs.read(ours.write(10.0), 10.0)
    ours.read(theirs.write(12.0), 11.999)
    assert ours.reporter.round_trip == 0.0


def test_reports_about_other_streams_change_nothing():
    end = End(1)
    end.read(bytes(ReceiverReport(2, (BLOCK,))), 1.0)
    assert (end.reporter.lost, end.reporter.round_trip) == (0, None)


def test_an_invalid_datagram_is_no_sign_of_life():
    end = End(1)
    assert not end.read(b"\x80\xc9", 7.0)
    assert end.reporter.heard == 0.0


def test_goodbye_is_said_at_the_end():
    assert parse_rtcp(End(9).write(1.0, goodbye=True))[-1] == Goodbye((9,))


def test_compact_time_wraps_with_its_sixteen_bits_of_seconds():
    assert compact_ntp(65536.5) == 0x8000


def test_loss_told_within_an_interval_is_the_truth():
    ours, theirs = End(1), End(2)
    lost = 0
    for n in range(1000):
        gone = n % 250 in (3, 4, 5, 77, 200)
        lost += gone
        ours.say(theirs, n, n * 0.02, lost=gone)
        if n % 250 == 249:
            block = parse_rtcp(theirs.write(n * 0.02))[0].blocks[0]
            assert abs(block.fraction_lost / 256 - 5 / 250) <= 1 / 256
    assert ours.read(theirs.write(20.0), 20.0)
    assert (ours.reporter.lost, ours.reporter.reported) == (lost, 1000)


class Relay:
    """Somebody who feeds a stream without telling each packet."""

    def __init__(self, stream: OutgoingStream) -> None:
        self.stream = stream

    def settle(self) -> None:
        self.stream.packets = 500


def test_a_report_counts_what_a_relay_has_not_told_yet():
    end = End(1)
    end.say(End(2), 1, 1.0)
    end.sent.feeder = Relay(end.sent)
    report = parse_rtcp(end.write(2.0))[0]
    assert isinstance(report, SenderReport)
    assert report.packets == 500
    end.sent.packets = 1
    about_us = ReportBlock(1, 0, 0, 1, 0, 0, 0)
    assert end.read(bytes(ReceiverReport(2, (about_us,))), 3.0)
    assert end.reporter.reported == 500


def test_receiver_and_sender_report_in_one_packet_are_both_read():
    end, other = End(1), End(2)
    other.say(end, 1, 1.0)
    about_us = ReportBlock(1, 0, 3, 9, 0, 0, 0)
    sender = SenderReport(2, 7 << 32, 160, 1, 160)
    for datagram in (
        bytes(ReceiverReport(2, (about_us,))) + bytes(sender),
        bytes(sender) + bytes(ReceiverReport(2, (about_us,))),
    ):
        end.reporter.lost = 0
        assert end.read(datagram, 5.0)
        assert end.reporter.lost == 3
        assert parse_rtcp(end.write(5.5))[0].blocks[0].delay == 0x8000


def test_another_reporter_goes_on_where_one_was():
    ours, theirs = End(1), End(2)
    for n in range(5):
        ours.say(theirs, n, 1.0)
        theirs.say(ours, n, 1.0)
    ours.read(theirs.write(2.0), 2.0)
    theirs.read(ours.write(10.0), 10.030)
    ours.reporter = RtcpReporter.resume(ours.reporter.state(11.0), 511.0)
    ours.read(theirs.write(12.0), 512.040)
    assert ours.reporter.round_trip == pytest.approx(0.070, abs=0.001)
    assert ours.reporter.heard == 512.040
    report = parse_rtcp(ours.write(513.0))[0]
    assert isinstance(report, SenderReport)
    assert report.ntp >> 32 == int(EPOCH + 13.0)
