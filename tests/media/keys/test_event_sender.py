from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.keys.event_sender import MOST_WAITING, EventPacket, EventSender
from pbx.media.keys.telephone_event import DIGITS, EventReader, KeyPress, TelephoneEvent


def sent(sender: EventSender, timestamp: int = 5000, frame: int = 160) -> list[list[EventPacket]]:
    """Tick until nothing is left; return the packets of each tick."""
    ticks = []
    while sender.busy:
        ticks.append(sender.tick(timestamp))
        timestamp = (timestamp + frame) & 0xFFFF_FFFF
    return ticks


def told(packet: EventPacket) -> tuple[int, bool, int, bool]:
    """Return (event, end, duration, marker)."""
    event = TelephoneEvent.parse(packet.payload)
    assert event is not None
    return event.event, event.end, event.duration, packet.marker


def read(packets: list[EventPacket]) -> list[KeyPress]:
    reader = EventReader()
    keys = []
    for packet in packets:
        event = TelephoneEvent.parse(packet.payload)
        assert event is not None
        keys += reader.read(event, timestamp=packet.timestamp, marker=packet.marker, now=0.0)
    return keys + reader.finish()


def flat(ticks: list[list[EventPacket]]) -> list[EventPacket]:
    return [packet for tick in ticks for packet in tick]


def test_a_key_is_told_tick_by_tick_and_its_end_three_times():
    sender = EventSender(8000)
    sender.press("5", 100)
    packets = flat(sent(sender))
    assert {packet.timestamp for packet in packets} == {5000}
    assert [told(packet) for packet in packets] == [
        (5, False, 160, True),
        (5, False, 320, False),
        (5, False, 480, False),
        (5, False, 640, False),
        (5, True, 800, False),
        (5, True, 800, False),
        (5, True, 800, False),
    ]


def test_the_payload_is_the_rfcs():
    sender = EventSender(8000)
    sender.press("#", 40)
    assert sender.tick(0)[0].payload == bytes.fromhex("0b0a00a0")
    assert sender.tick(160)[0].payload == bytes.fromhex("0b8a0140")


def test_keys_are_40_ms_apart():
    sender = EventSender(8000)
    sender.press("11", 60)
    packets = flat(sent(sender))
    begins = sorted({packet.timestamp for packet in packets})
    assert begins[1] - (begins[0] + 480) == 320


def test_a_duration_need_not_be_whole_ticks():
    sender = EventSender(8000)
    sender.press("1", 50)
    assert [told(packet)[2] for packet in flat(sent(sender))] == [160, 320, 400, 400, 400]


def test_a_key_lasts_40_ms_at_least():
    sender = EventSender(8000)
    sender.press("1", 5)
    assert read(flat(sent(sender))) == [KeyPress("1", 320)]


@pytest.mark.parametrize("clock", [8000, 16000, 48000])
def test_all_keys_arrive_in_order(clock: int):
    sender = EventSender(clock)
    sender.press(DIGITS, 80)
    keys = read(flat(sent(sender, 0xFFFF_0000, clock // 50)))
    assert keys == [KeyPress(digit, clock * 80 // 1000) for digit in DIGITS]


def test_every_tick_has_a_packet_until_the_last_end():
    sender = EventSender(8000)
    sender.press("12", 100)
    assert [len(tick) for tick in sent(sender)] == [1] * 14
    assert sender.tick(0) == []


def test_keys_may_be_added_while_others_are_sent():
    sender = EventSender(8000)
    sender.press("1", 40)
    packets = sender.tick(0)
    sender.press("2", 40)
    packets += flat(sent(sender, 160))
    assert [key.digit for key in read(packets)] == ["1", "2"]


def test_what_is_no_key_is_left_out():
    sender = EventSender(8000)
    sender.press("1w,2x", 40)
    assert [key.digit for key in read(flat(sent(sender)))] == ["1", "2"]


def test_a_flood_of_keys_does_not_wait_for_ever():
    sender = EventSender(8000)
    for _ in range(1000):
        sender.press("123", 40)
    assert len(read(flat(sent(sender)))) == MOST_WAITING


@pytest.mark.parametrize(("clock", "duration_ms"), [(8000, 20_000), (48000, 5000), (8000, 8191)])
def test_a_key_longer_than_a_packet_can_tell_goes_on_in_segments(clock: int, duration_ms: int):
    sender = EventSender(clock)
    sender.press("3", duration_ms)
    packets = flat(sent(sender, 1000, clock // 50))
    units = duration_ms * clock // 1000
    assert read(packets) == [KeyPress("3", units)]
    assert [packet.marker for packet in packets].index(True) == 0
    assert sum(packet.marker for packet in packets) == 1
    assert [packet.timestamp for packet in packets if told(packet)[1]] == [
        1000 + units // 0xFFFF * 0xFFFF
    ] * 3
    full = [told(packet)[2] for packet in packets].count(0xFFFF)
    assert full == units // 0xFFFF


def test_a_segments_last_packet_may_be_lost():
    sender = EventSender(8000)
    sender.press("3", 20_000)
    packets = [packet for packet in flat(sent(sender)) if told(packet)[2] != 0xFFFF]
    assert read(packets) == [KeyPress("3", 160_000)]


def test_a_segment_ends_where_the_key_ends():
    sender = EventSender(0xFFFF)  # a clock at which one second is exactly what a packet can tell
    sender.press("3", 1000)
    packets = flat(sent(sender, 0, 0xFFFF // 50))
    assert {packet.timestamp for packet in packets} == {0}
    assert told(packets[-1])[:3] == (3, True, 0xFFFF)


def test_segments_follow_each_other_on_the_streams_clock():
    sender = EventSender(8000, 48000)
    sender.press("3", 10_000)
    packets = flat(sent(sender, 0, 960))
    assert sorted({packet.timestamp for packet in packets}) == [0, 6 * 0xFFFF]


@given(
    st.text(DIGITS, min_size=1, max_size=5),
    st.integers(40, 400),
    st.sampled_from([8000, 48000]),
    st.randoms(use_true_random=False),
)
def test_whatever_is_lost_the_keys_of_which_anything_arrives_are_exact(
    digits: str, duration_ms: int, clock: int, chance: Random
):
    sender = EventSender(clock)
    sender.press(digits, duration_ms)
    packets = flat(sent(sender, 0xFFFF_F000, clock // 50))
    arrived = [packet for packet in packets if chance.random() < 0.4]
    keys = {packet.timestamp: told(packet)[0] for packet in arrived}
    assert [key.digit for key in read(arrived)] == [DIGITS[event] for event in keys.values()]
