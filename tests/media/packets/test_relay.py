"""Golden packets through the relay row: what goes in, and what the hearer gets."""

from itertools import pairwise

import pytest

from pbx.media.keys.telephone_event import KeyPress, TelephoneEvent
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.relay import MAX_PACKET, RelayRow
from pbx.media.packets.rtp import RtpPacket, sequence_distance
from pbx.media.protocol import PayloadMap

SPEAKER = PayloadMap("PCMA", send=8, receive=8, clock=8000, event_send=101, event_receive=101)
HEARER = PayloadMap("PCMA", send=108, receive=108, clock=8000, event_send=120, event_receive=120)


class Line:
    """A speaker, a row and a hearer, with packets 20 ms apart."""

    def __init__(self) -> None:
        self.keys: list[KeyPress] = []
        self.row = RelayRow(lambda key, now: self.keys.append(key))
        self.row.listen_to(SPEAKER)
        self.out = OutgoingStream(ssrc=0xB0B, sequence=0xFFF0, timestamp=0xFFFF_FF00)
        self.out.tune(HEARER)
        self.now = 100.0

    def join(self) -> None:
        self.row.aim(self.out, HEARER)

    def say(self, sequence: int, **changes) -> RtpPacket | None:
        """Send one frame in; return what the hearer gets."""
        fields = {
            "payload_type": 8,
            "sequence": sequence & 0xFFFF,
            "timestamp": sequence * 160 & 0xFFFF_FFFF,
            "ssrc": 0xA11CE,
            "payload": bytes([sequence & 0xFF]) * 160,
        }
        return self.pass_on(bytes(RtpPacket(**(fields | changes))))

    def pass_on(self, datagram: bytes) -> RtpPacket | None:
        self.now += 0.02
        buffer = bytearray(MAX_PACKET)
        buffer[: len(datagram)] = datagram
        if not self.row.forward(buffer, len(datagram), self.now):
            return None
        return RtpPacket.parse(bytes(buffer[: len(datagram)]))

    def hear(self, *sequences: int) -> list[RtpPacket]:
        return [packet for packet in map(self.say, sequences) if packet is not None]


@pytest.fixture
def line() -> Line:
    line = Line()
    line.join()
    return line


def steps(packets: list[RtpPacket]) -> list[tuple[int, int]]:
    """Return what sequence and timestamp do from packet to packet."""
    return [
        (
            sequence_distance(later.sequence, earlier.sequence),
            (later.timestamp - earlier.timestamp) & 0xFFFF_FFFF,
        )
        for earlier, later in pairwise(packets)
    ]


def test_the_payload_passes_bit_by_bit_under_the_hearers_numbers(line: Line):
    first, second = line.hear(700, 701)
    assert first == RtpPacket(108, 0xFFF1, 0xFFFF_FF00, 0xB0B, bytes([700 & 0xFF]) * 160, True)
    assert second == RtpPacket(108, 0xFFF2, 0xFFFF_FFA0, 0xB0B, bytes([701 & 0xFF]) * 160, False)


def test_both_sequences_and_timestamps_may_wrap(line: Line):
    heard = line.hear(*range(65500, 65600))
    assert steps(heard) == [(1, 160)] * 99


def test_loss_and_reordering_and_duplicates_pass_on_truthfully(line: Line):
    said = [10, 11, 14, 12, 15, 15, 20, 19, 25]
    heard = line.hear(*said)
    assert [packet.sequence - heard[0].sequence + 10 & 0xFFFF for packet in heard] == said
    assert [packet.payload[0] for packet in heard] == said


def test_what_is_counted_as_sent_is_what_went_out(line: Line):
    heard = line.hear(1, 2, 5, 4, 6)
    line.out.settle()
    assert line.out.packets == len(heard) == 5
    assert line.out.octets == 5 * 160
    assert line.out.sequence == heard[-1].sequence


def test_another_ssrc_goes_on_where_the_hearer_was(line: Line):
    heard = line.hear(1, 2, 3)
    other = [line.say(n, ssrc=0xEEE, timestamp=n * 160 + 77) for n in (9000, 9001, 9002)]
    assert other[0] is None  # one packet is not believed yet
    heard += [packet for packet in other if packet is not None]
    assert steps(heard) == [(1, 160), (1, 160), (1, 320), (1, 160)]
    assert [packet.marker for packet in heard] == [True, False, False, True, False]


def test_a_restart_with_the_same_ssrc_makes_no_jump(line: Line):
    heard = line.hear(1, 2, 30000, 30001, 30002)
    assert steps(heard) == [(1, 160), (1, 320), (1, 160)]


def test_after_a_pause_the_timestamp_follows_the_time_and_the_sequence_does_not(line: Line):
    heard = line.hear(1, 2)
    line.row.rest()
    assert line.hear(*range(3, 53)) == []
    line.join()
    heard += line.hear(53, 54)
    assert steps(heard) == [(1, 160), (1, 51 * 160), (1, 160)]
    assert heard[2].marker


def test_packets_from_before_the_join_are_not_sent_under_numbers_in_use(line: Line):
    line.hear(1, 2)
    line.row.rest()
    line.hear(3, 5)
    line.join()
    assert len(line.hear(6, 4, 7)) == 2


def test_aiming_where_it_aims_already_changes_nothing(line: Line):
    heard = line.hear(1, 2)
    line.join()
    heard += line.hear(3)
    assert not heard[-1].marker


def test_two_speakers_in_turn_make_one_timeline():
    line = Line()
    other = RelayRow(lambda key, now: None)
    other.listen_to(SPEAKER)
    line.join()
    heard = line.hear(5, 6)
    line.row.rest()
    line.row, before = other, line.row
    line.join()
    heard += line.hear(40000, 40001)
    line.row.rest()
    line.row = before
    line.join()
    heard += line.hear(9, 10)
    assert steps(heard) == [(1, 160)] * 5


def test_a_resting_row_counts_and_sends_nothing():
    line = Line()
    assert line.hear(1, 2, 4) == []
    assert (line.row.packets, line.row.lost, line.row.dropped) == (3, 1, 0)


def test_before_a_payload_is_known_packets_are_dropped_and_counted():
    row = RelayRow(lambda key, now: None)
    datagram = bytearray(bytes(RtpPacket(0, 1, 1, 1, b"x" * 160)))
    assert not row.forward(datagram, len(datagram), 1.0)
    assert row.dropped == 1


def test_an_unknown_payload_type_is_dropped_and_leaves_its_gap(line: Line):
    heard = [line.say(1), line.say(2, payload_type=77), line.say(3)]
    assert heard[1] is None
    assert line.row.dropped == 1
    assert line.row.lost == 0
    assert [packet.sequence - 0xFFF1 for packet in heard if packet] == [0, 2]


def test_what_is_no_rtp_is_dropped(line: Line):
    line.hear(1)
    for datagram in (b"", b"\x80", b"\x80\x08" + bytes(10), b"\0" * 172, bytes(MAX_PACKET)):
        assert line.pass_on(datagram) is None
    assert line.row.dropped == 5
    assert len(line.hear(2)) == 1


def test_a_marker_and_a_header_extension_pass_on(line: Line):
    line.hear(1)
    marked = line.say(2, marker=True)
    assert marked is not None
    assert marked.marker
    datagram = bytearray(bytes(RtpPacket(8, 3, 480, 0xA11CE, b"\xbe\xde\0\1abcd" + b"v" * 160)))
    datagram[0] |= 0x10
    extended = line.pass_on(bytes(datagram))
    assert extended is not None
    assert extended.payload == b"v" * 160
    assert extended.payload_type == 108


def press(line: Line, first: int, digit: int, timestamp: int, *, ends: int = 3):
    events = [TelephoneEvent(digit, False, 160 * (n + 1)) for n in range(4)]
    events += [TelephoneEvent(digit, True, 800)] * ends
    return [
        line.say(
            first + n,
            payload_type=101,
            timestamp=timestamp,
            payload=bytes(event),
            marker=n == 0,
        )
        for n, event in enumerate(events)
    ]


def test_keys_go_on_under_the_hearers_number_and_are_told_once(line: Line):
    line.hear(1, 2)
    sent = press(line, 3, 5, 480)
    assert [packet.payload_type for packet in sent if packet] == [120] * 7
    assert len({packet.timestamp for packet in sent if packet}) == 1
    assert [packet.marker for packet in sent if packet] == [True] + [False] * 6
    assert line.keys == [KeyPress("5", 800)]
    assert steps(line.hear(10, 11)) == [(1, 160)]


def test_keys_are_told_when_nobody_hears_them():
    line = Line()
    press(line, 3, 11, 480)
    assert line.keys == [KeyPress("#", 800)]


def test_keys_do_not_go_where_events_have_no_number(line: Line):
    line.row.rest()
    line.row.aim(line.out, PayloadMap("PCMA", send=8, receive=8, clock=8000))
    assert not any(press(line, 3, 5, 480))
    assert [key.digit for key in line.keys] == ["5"]


def test_an_echo_leaves_keys_out(line: Line):
    line.row.rest()
    line.row.aim(line.out, HEARER, events=False)
    assert not any(press(line, 3, 5, 480))


def test_a_key_without_end_is_told_when_sound_goes_on(line: Line):
    line.hear(1)
    press(line, 2, 7, 320, ends=0)
    line.hear(*range(6, 15))
    assert line.keys == []
    line.hear(15, 16)
    assert line.keys == [KeyPress("7", 640)]


def test_a_key_without_end_is_told_when_nothing_more_comes(line: Line):
    press(line, 2, 7, 320, ends=0)
    line.row.expire(line.now + 0.1)
    assert line.keys == []
    line.row.expire(line.now + 0.3)
    assert line.keys == [KeyPress("7", 640)]


def test_figures_are_the_same_whichever_way_a_packet_took():
    quick, careful = Line(), Line()
    quick.join()  # the careful line is not joined: all its packets take the careful way
    for line in (quick, careful):
        line.now = 5.0
        for n in range(200):
            line.now += 0.003 * (n % 3)
            line.say(n + 65400)
    ours, theirs = quick.row, careful.row
    assert ours.jitter == pytest.approx(theirs.jitter)
    assert ours.jitter > 1
    for name in ("packets", "octets", "lost", "extended_highest", "arrived"):
        assert getattr(ours, name) == getattr(theirs, name)


class Heard:
    """A voice that is decoded, as its row sees it."""

    def __init__(self) -> None:
        self.pushed: list[int] = []
        self.skipped: list[int] = []
        self.begun = 0
        self.followed: list[tuple[int, int, bytes]] = []

    def push(self, sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        self.pushed.append(sequence)

    def skip(self, sequence: int) -> None:
        self.skipped.append(sequence)

    def reset(self) -> None:
        self.begun += 1

    def follow(self, sequence: int, timestamp: int, payload: bytes) -> None:
        self.followed.append((sequence, timestamp, payload))


def test_a_voice_may_follow_the_packet_that_was_relayed_last(line: Line):
    line.hear(0xFFFE, 0xFFFF, 0x10000, 0x10001)
    voice = Heard()
    line.row.push_to(voice, since=line.now - 0.01)
    assert voice.followed == [(1, 0x10001 * 160, bytes([1]) * 160)]


@pytest.mark.parametrize("last", ["long ago", "a key", "nothing yet"])
def test_there_may_be_nothing_to_follow(line: Line, last: str):
    if last != "nothing yet":
        line.hear(1, 2, 3)
    if last == "a key":
        line.say(4, payload_type=101, payload=bytes(TelephoneEvent(5, False, 160)))
    voice = Heard()
    line.row.push_to(voice, since=line.now + (0.01 if last == "long ago" else -0.01))
    assert not voice.followed


def test_packets_that_are_no_voice_are_told_so_that_they_are_no_loss(line: Line):
    voice = Heard()
    line.row.push_to(voice)
    line.say(700)
    event = bytes(TelephoneEvent(5, False, 160))
    line.say(701, payload_type=101, payload=event)
    line.say(702, payload_type=13, payload=b"\x40")
    line.say(703)
    assert (voice.pushed, voice.skipped) == ([700, 703], [701, 702])


def test_comfort_noise_that_nobody_agreed_on_is_a_pause_and_no_loss(line: Line):
    before = line.hear(700, 701)
    assert line.say(702, payload_type=13, payload=b"\x40") is None
    after = line.hear(710, 711)
    assert steps(before + after)[1][0] == 1, "the hearer misses no number"
    assert after[0].marker
    assert line.row.dropped == 0
