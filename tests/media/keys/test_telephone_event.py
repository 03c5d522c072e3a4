import struct
from itertools import permutations
from pathlib import Path

import pytest

from pbx.media.keys.telephone_event import SILENT_AFTER, EventReader, KeyPress, TelephoneEvent
from pbx.media.packets.rtp import RtpPacket

PCAPS = Path("/usr/share/sip-tester")


def packets(event: int, timestamp: int, *, updates: int = 4, ends: int = 3):
    """Return the packets of one key as (timestamp, event, marker): growing, then the ends."""
    durations = [160 * (n + 1) for n in range(updates)]
    told = [TelephoneEvent(event, False, duration) for duration in durations]
    told += [TelephoneEvent(event, True, durations[-1] + 160)] * ends
    return [(timestamp, packet, n == 0) for n, packet in enumerate(told)]


def read(reader: EventReader, sequence, now: float = 0.0) -> list[KeyPress]:
    keys = []
    for n, (timestamp, event, marker) in enumerate(sequence):
        keys += reader.read(event, timestamp=timestamp, marker=marker, now=now + n * 0.02)
    return keys


def test_a_payload_is_read_and_written_bit_by_bit():
    assert bytes(TelephoneEvent(11, True, 800, 10)) == bytes.fromhex("0b8a0320")
    assert TelephoneEvent.parse(bytes.fromhex("0b8a0320")) == TelephoneEvent(11, True, 800, 10)
    assert TelephoneEvent.parse(b"\x0b\x8a\x03") is None


def test_a_key_counts_once_though_its_end_comes_three_times():
    assert read(EventReader(), packets(5, 1000)) == [KeyPress("5", 800)]


@pytest.mark.parametrize("kept", [slice(1, None), slice(3, None), slice(6, None), slice(0, 5)])
def test_any_packets_of_a_key_but_one_end_may_be_lost(kept: slice):
    assert read(EventReader(), packets(11, 1000)[kept]) == [KeyPress("#", 800)]


def test_a_reordered_end_is_not_a_second_key():
    sequence = packets(1, 1000)
    sequence[3], sequence[4] = sequence[4], sequence[3]
    assert read(EventReader(), sequence) == [KeyPress("1", 800)]


def test_the_same_key_with_a_new_timestamp_is_another_key():
    sequence = packets(7, 1000) + packets(7, 1800)
    assert [key.digit for key in read(EventReader(), sequence)] == ["7", "7"]


def test_a_key_whose_ends_were_lost_is_told_by_the_next():
    sequence = packets(1, 1000, ends=0) + packets(2, 3000)
    assert read(EventReader(), sequence) == [KeyPress("1", 640), KeyPress("2", 800)]


def test_a_key_whose_ends_were_lost_is_told_when_silence_lasts():
    reader = EventReader()
    assert read(reader, packets(1, 1000, ends=0)) == []
    assert reader.pending
    assert reader.expire(0.06 + SILENT_AFTER - 0.01) == []
    assert reader.expire(0.06 + SILENT_AFTER + 0.01) == [KeyPress("1", 640)]
    assert reader.expire(9.0) == []


def test_ends_that_come_after_the_silence_are_not_a_second_key():
    reader = EventReader()
    read(reader, packets(1, 1000, ends=0))
    reader.expire(1.0)
    assert read(reader, packets(1, 1000, updates=1), now=1.1) == []


def test_late_packets_of_the_key_before_are_ignored():
    reader = EventReader()
    read(reader, packets(1, 1000) + packets(2, 3000, ends=0))
    assert read(reader, packets(1, 1000)[4:]) == []
    assert read(reader, packets(2, 3000)[4:]) == [KeyPress("2", 800)]


def test_a_key_longer_than_a_duration_can_tell_is_one_key():
    first = [
        (1000, TelephoneEvent(3, False, duration), duration == 160) for duration in (160, 0xFFFF)
    ]
    second = [
        (1000 + 0xFFFF, TelephoneEvent(3, False, 160), False),
        (1000 + 0xFFFF, TelephoneEvent(3, True, 320), False),
    ]
    assert read(EventReader(), first + second) == [KeyPress("3", 0xFFFF + 320)]


def test_timestamps_may_wrap_between_keys():
    sequence = packets(4, 0xFFFF_FF00) + packets(4, 900)
    assert [key.digit for key in read(EventReader(), sequence)] == ["4", "4"]


def test_events_that_are_no_keys_are_not_told():
    assert read(EventReader(), packets(16, 1000)) == []


def test_another_stream_starts_with_any_timestamp():
    reader = EventReader()
    read(reader, packets(1, 5000))
    reader.forget()
    assert [key.digit for key in read(reader, packets(1, 4000))] == ["1"]


def test_a_segments_last_packet_may_be_lost():
    segments = [
        (1000, TelephoneEvent(3, False, 65_440), True),
        (1000 + 0xFFFF, TelephoneEvent(3, False, 65), False),
        (1000 + 2 * 0xFFFF, TelephoneEvent(3, True, 200), False),
    ]
    assert read(EventReader(), segments) == [KeyPress("3", 2 * 0xFFFF + 200)]


def test_a_key_right_behind_the_same_key_is_no_segment_of_it():
    first = packets(7, 1000, ends=0)
    again = [(timestamp, event, False) for timestamp, event, _ in packets(7, 1640)]
    assert [key.digit for key in read(EventReader(), first + again)] == ["7", "7"]


def test_one_packet_of_a_key_is_enough():
    for only in packets(9, 1000):
        reader = EventReader()
        keys = read(reader, [only]) + reader.expire(1.0)
        assert [key.digit for key in keys] == ["9"]


def test_packets_of_one_key_may_come_in_any_order():
    sequence = packets(6, 1000, updates=2, ends=2)
    for order in permutations(sequence):
        reader = EventReader()
        keys = read(reader, order) + reader.expire(1.0)
        assert [key.digit for key in keys] == ["6"]


def test_every_packet_may_come_twice():
    sequence = [packet for packet in packets(2, 1000) + packets(2, 2600) for _ in range(2)]
    assert [key.digit for key in read(EventReader(), sequence)] == ["2", "2"]


def test_the_end_of_a_key_may_come_after_the_next_ones_start():
    one, two = packets(1, 1000), packets(2, 2600)
    sequence = [*one[:4], two[0], *one[4:], *two[1:]]
    assert [key.digit for key in read(EventReader(), sequence)] == ["1", "2"]


def test_another_event_with_the_same_timestamp_is_another_key():
    sequence = packets(1, 1000) + packets(2, 1000)
    assert [key.digit for key in read(EventReader(), sequence)] == ["1", "2"]


def test_a_stream_whose_timestamps_jump_back_far_is_read_on():
    sequence = packets(1, 900_000) + packets(2, 1000)
    assert [key.digit for key in read(EventReader(), sequence)] == ["1", "2"]


def test_a_key_that_is_held_while_the_stream_changes_is_told_once():
    reader = EventReader()
    held = read(reader, packets(8, 5000, ends=0))
    held += reader.finish()
    reader.forget()
    held += read(reader, packets(1, 100))
    assert [key.digit for key in held] == ["8", "1"]


def captured(name: str) -> list[RtpPacket]:
    """Return the RTP of one of SIPp's captures: classic pcap, Ethernet, IPv4, UDP."""
    path = PCAPS / f"dtmf_2833_{name}.pcap"
    if not path.exists():
        pytest.skip("SIPp's captures are missing here; apt-get install sip-tester")
    octets = path.read_bytes()
    at, found = 24, []
    while at < len(octets):
        size = struct.unpack_from("<I", octets, at + 8)[0]
        frame = octets[at + 16 : at + 16 + size]
        found.append(RtpPacket.parse(frame[14 + 20 + 8 :]))
        at += 16 + size
    assert None not in found
    return [packet for packet in found if packet is not None]


@pytest.mark.parametrize("name", [*"0123456789", "star", "pound"])
def test_each_of_sipps_captures_is_its_key(name: str):
    reader = EventReader()
    keys = []
    for n, packet in enumerate(captured(name)):
        assert packet.payload_type in (96, 101)
        event = TelephoneEvent.parse(packet.payload)
        assert event is not None
        keys += reader.read(event, timestamp=packet.timestamp, marker=packet.marker, now=n * 0.02)
    digit = {"star": "*", "pound": "#"}.get(name, name)
    assert keys == [KeyPress(digit, 2240)]


def passing(reader: EventReader, sequence) -> tuple[list[KeyPress], list[bool]]:
    """Read packets; return the keys, and of each packet whether it may go on."""
    keys, passes = [], []
    for timestamp, event, marker in sequence:
        keys += reader.read(event, timestamp=timestamp, marker=marker, now=0.0)
        passes.append(reader.passes(timestamp))
    return keys, passes


def test_where_nothing_is_withheld_every_packet_passes():
    late = packets(1, 1000)[-1:]
    keys, passes = passing(EventReader(), packets(1, 1000) + packets(2, 3000) + late)
    assert [key.withheld for key in keys] == [False, False]
    assert all(passes)


def test_no_packet_of_a_withheld_key_passes():
    reader = EventReader()
    reader.withholds = lambda digit: digit == "*"
    keys, passes = passing(reader, packets(10, 1000) + packets(5, 3000))
    assert keys == [KeyPress("*", 800, withheld=True), KeyPress("5", 800)]
    assert passes == [False] * 7 + [True] * 7


def test_whether_a_key_is_withheld_is_asked_once():
    asked = []
    reader = EventReader()
    reader.withholds = lambda digit: bool(asked.append(digit)) or len(asked) == 1
    keys, passes = passing(reader, packets(10, 1000))
    assert asked == ["*"]
    assert keys[0].withheld
    assert not any(passes)


def test_a_late_packet_of_a_withheld_key_does_not_pass_behind_another_key():
    reader = EventReader()
    reader.withholds = lambda digit: digit == "*"
    _, passes = passing(reader, packets(10, 1000)[:5] + packets(5, 3000) + packets(10, 1000)[5:])
    assert passes == [False] * 5 + [True] * 7 + [False] * 2


def test_events_that_are_no_keys_are_never_withheld():
    reader = EventReader()
    reader.withholds = lambda digit: True
    assert passing(reader, packets(16, 1000))[1] == [True] * 7
