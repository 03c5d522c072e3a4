import pytest

from pbx.media.telephone_event import SILENT_AFTER, EventReader, KeyPress, TelephoneEvent


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
