import pytest

from pbx.media.packets.rtp import (
    MAX_MISORDER,
    Arrival,
    RtpPacket,
    RtpStream,
    payload_bounds,
    sequence_distance,
    timestamp_distance,
)

GOLDEN = bytes.fromhex("808812348765432100c0ffee") + b"\xd5" * 160
PARSED = RtpPacket(8, 0x1234, 0x87654321, 0x00C0FFEE, b"\xd5" * 160, marker=True)


def test_a_packet_is_read_and_written_bit_by_bit():
    assert RtpPacket.parse(GOLDEN) == PARSED
    assert bytes(PARSED) == GOLDEN


def test_sources_extension_and_padding_are_no_payload():
    header = bytes.fromhex("b2080001000000a000000001") + b"\0" * 8 + b"\xbe\xde\0\1" + b"\1\2\3\4"
    datagram = header + b"payload" + b"\0\0\3"
    assert payload_bounds(datagram, len(datagram)) == (len(header), len(header) + 7)
    packet = RtpPacket.parse(datagram)
    assert packet is not None
    assert packet.payload == b"payload"


@pytest.mark.parametrize(
    ("reason", "datagram"),
    [
        ("empty", b""),
        ("cut header", GOLDEN[:11]),
        ("no payload", GOLDEN[:12]),
        ("version 1", b"\x40" + GOLDEN[1:]),
        ("version 3", b"\xc0" + GOLDEN[1:]),
        ("fifteen sources in no room", b"\x8f" + GOLDEN[1:60]),
        ("extension cut", b"\x90" + GOLDEN[1:14]),
        ("extension longer than the packet", b"\x90" + GOLDEN[1:12] + b"\0\0\xff\xff" + b"\0" * 40),
        ("padding longer than the payload", b"\xa0" + GOLDEN[1:-1] + b"\xff"),
        ("padding of nothing", b"\xa0" + GOLDEN[1:-1] + b"\0"),
    ],
)
def test_what_is_no_rtp_is_refused(reason: str, datagram: bytes):
    assert RtpPacket.parse(datagram) is None, reason


def test_distances_wrap():
    assert sequence_distance(2, 0xFFFF) == 3
    assert sequence_distance(0xFFFF, 2) == -3
    assert timestamp_distance(80, 0xFFFF_FFB0) == 160
    assert timestamp_distance(0xFFFF_FFB0, 80) == -160


def admit(stream: RtpStream, *sequences: int, ssrc: int = 7) -> list[Arrival]:
    """Offer packets to the stream, counting those that it takes, 20 ms apart."""
    arrivals = []
    for sequence in sequences:
        arrivals.append(stream.admit(ssrc, sequence & 0xFFFF))
        if arrivals[-1] is not Arrival.REFUSED:
            stream.measure(sequence * 160 & 0xFFFF_FFFF, 160, sequence * 0.02)
    return arrivals


def test_the_sequence_wraps_without_loss():
    stream = RtpStream()
    assert admit(stream, *range(65530, 65550)) == [Arrival.FIRST] + [Arrival.NEXT] * 19
    assert stream.lost == 0
    assert stream.extended_highest == 65549


def test_a_gap_over_the_wrap_is_loss():
    stream = RtpStream()
    admit(stream, 65530, 65540)
    assert stream.lost == 9
    assert stream.extended_highest == 65540


def test_overtaken_packets_are_late_and_not_lost():
    stream = RtpStream()
    assert admit(stream, 10, 13, 11, 12, 14)[2:4] == [Arrival.LATE, Arrival.LATE]
    assert stream.lost == 0


def test_a_packet_late_over_the_wrap_keeps_its_extended_number():
    stream = RtpStream()
    admit(stream, 65535, 65537)
    assert stream.admit(7, 0) is Arrival.LATE
    assert stream.extend(0) == 65536
    assert stream.extend(65535) == 65535


def test_a_duplicate_makes_the_loss_negative_as_the_rfc_counts():
    stream = RtpStream()
    admit(stream, 10, 11, 11)
    assert stream.lost == -1


def test_a_far_jump_is_believed_at_the_second_packet():
    stream = RtpStream()
    admit(stream, 100, 101)
    assert admit(stream, 30000, 30001, 30002) == [Arrival.REFUSED, Arrival.FIRST, Arrival.NEXT]
    assert stream.lost == 0
    assert stream.packets == 4


def test_a_jump_back_beyond_reordering_is_a_restart():
    stream = RtpStream()
    admit(stream, 1000)
    back = 1000 - MAX_MISORDER - 5
    assert admit(stream, back, back + 1) == [Arrival.REFUSED, Arrival.FIRST]


def test_one_packet_of_another_ssrc_changes_nothing():
    stream = RtpStream()
    admit(stream, 1, 2)
    assert admit(stream, 500, ssrc=8) == [Arrival.REFUSED]
    assert admit(stream, 3) == [Arrival.NEXT]


def test_another_ssrc_takes_over_with_two_packets_and_counts_go_on():
    stream = RtpStream()
    admit(stream, 1, 2, 5)
    assert admit(stream, 900, 901, ssrc=8) == [Arrival.REFUSED, Arrival.FIRST]
    assert stream.ssrc == 8
    assert (stream.packets, stream.lost) == (4, 2)


def test_a_trusted_ssrc_takes_over_at_once():
    stream = RtpStream()
    admit(stream, 1, 2)
    stream.trust(8, 900)
    assert admit(stream, 900, ssrc=8) == [Arrival.FIRST]


def test_jitter_of_a_steady_stream_is_zero():
    stream = RtpStream()
    admit(stream, *range(100))
    assert stream.jitter_ms == pytest.approx(0, abs=1e-6)


def test_jitter_follows_the_formula_of_the_rfc():
    stream = RtpStream()
    late_by = [0.0, 0.010, 0.0, 0.004]
    expected = 0.0
    for n, delay in enumerate(late_by):
        stream.admit(7, n)
        stream.measure(n * 160, 160, n * 0.02 + delay)
        if n:
            expected += (abs(delay - late_by[n - 1]) * 8000 - expected) / 16
    assert stream.jitter == pytest.approx(expected)


def test_a_timestamp_wrap_or_jump_is_no_jitter():
    stream = RtpStream()
    for n in range(10):
        stream.admit(7, n)
        stream.measure((0xFFFF_FE00 + n * 160) & 0xFFFF_FFFF, 160, n * 0.02)
    assert stream.jitter == pytest.approx(0, abs=1e-6)


def test_fraction_lost_is_told_per_interval():
    stream = RtpStream()
    admit(stream, *range(0, 100, 2))
    assert stream.fraction_lost() == 49 * 256 // 99
    admit(stream, *range(99, 150))
    assert stream.fraction_lost() == 0


def test_an_empty_stream_has_lost_nothing():
    stream = RtpStream()
    assert (stream.lost, stream.fraction_lost()) == (0, 0)


def test_each_gap_of_lost_packets_is_one_burst():
    stream = RtpStream()
    admit(stream, 10, 11, 15, 16, 18)
    assert (stream.lost, stream.bursts) == (4, 2)
    admit(stream, *range(30_000, 30_005))  # a restart is no loss
    assert (stream.lost, stream.bursts) == (4, 2)


def test_a_gap_that_late_packets_fill_is_no_burst():
    stream = RtpStream()
    admit(stream, 65_535, 65_539, 65_536, 65_538)
    assert stream.bursts == 1
    admit(stream, 65_537)
    assert (stream.lost, stream.bursts) == (0, 0)


def test_a_duplicate_fills_no_gap():
    stream = RtpStream()
    admit(stream, 10, 12, 10, 10)
    assert stream.bursts == 1
    admit(stream, 11, 11)
    assert stream.bursts == 0


def test_gaps_that_cannot_be_filled_any_more_are_forgotten():
    stream = RtpStream()
    admit(stream, *range(0, 60_000, 2), 62_000)
    assert stream.bursts == 30_000
    assert len(stream._missing) <= MAX_MISORDER


def test_another_stream_goes_on_where_one_was():
    one, other = RtpStream(), RtpStream()
    admit(one, *range(65_500, 65_600), 65_610, *range(65_612, 65_700))
    one.fraction_lost()
    other.resume(one.state(now=1315.0), now=7.0)
    both = one, other
    for stream in both:
        admit(stream, 65_705)
    assert [stream.packets for stream in both] == [190, 190]
    assert [stream.lost for stream in both] == [16, 16]
    assert [stream.bursts for stream in both] == [3, 3]
    assert [stream.extended_highest for stream in both] == [65_705, 65_705]
    assert [stream.fraction_lost() for stream in both] == [213, 213]


def test_going_on_elsewhere_adds_no_jitter():
    one, other = RtpStream(), RtpStream()
    admit(one, *range(100))
    other.resume(one.state(now=2.0), now=9000.0)
    other.admit(7, 100)
    other.measure(100 * 160, 160, 9000.02)
    assert other.jitter == one.jitter
    assert one.state(now=2.5).age == pytest.approx(0.52)
