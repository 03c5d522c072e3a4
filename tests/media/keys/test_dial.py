import numpy as np
import pytest

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.keys.detect import KeyDetector
from pbx.media.keys.dial import TICK, EventDialler, ToneDialler
from pbx.media.keys.telephone_event import EventReader, TelephoneEvent
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.rtp import RtpPacket
from pbx.media.protocol import PayloadMap

PCMA = PayloadMap("PCMA", 8, 8, 8000, event_send=96, event_receive=101)
OPUS = PayloadMap("opus", 111, 111, 48000, event_send=110, event_receive=110, event_clock=8000)


def stream(payload: PayloadMap, *, sent_at: float | None = 100.0) -> OutgoingStream:
    """Return a stream whose newest packet was sent at a time, or never."""
    out = OutgoingStream(ssrc=7, sequence=65_530, timestamp=160_000)
    out.tune(payload)
    if sent_at is not None:
        out.sent(65_530, 160_000, 160, sent_at)
    return out


def dialled(dialler: EventDialler, payload: PayloadMap, now: float) -> list[RtpPacket]:
    packets = []
    while dialler.busy:
        packets += [RtpPacket.parse(packet) for packet in dialler.packets(payload, now)]
        now += TICK
    return packets


def keys_of(packets: list[RtpPacket]) -> list[tuple[str, int]]:
    reader = EventReader()
    keys = []
    for packet in packets:
        event = TelephoneEvent.parse(packet.payload)
        assert event is not None
        keys += reader.read(event, timestamp=packet.timestamp, marker=packet.marker, now=0.0)
    return [(key.digit, key.duration) for key in keys]


def test_events_go_out_under_the_far_ends_number_on_our_stream():
    dialler = EventDialler(stream(PCMA), PCMA)
    dialler.press("5#", 100)
    packets = dialled(dialler, PCMA, 100.02)
    assert {(packet.payload_type, packet.ssrc) for packet in packets} == {(96, 7)}
    assert [packet.sequence for packet in packets] == [(65_531 + n) & 0xFFFF for n in range(14)]
    assert keys_of(packets) == [("5", 800), ("#", 800)]


def test_an_event_begins_where_the_next_frame_of_sound_would():
    dialler = EventDialler(stream(PCMA), PCMA)
    dialler.press("5", 100)
    assert {packet.timestamp for packet in dialled(dialler, PCMA, 100.1)} == {160_000 + 5 * 160}


def test_sound_goes_on_where_the_time_is():
    out = stream(PCMA)
    dialler = EventDialler(out, PCMA)
    dialler.press("5", 100)
    count = len(dialled(dialler, PCMA, 100.02))
    assert count == 7
    assert out.next(100.02 + count * TICK) == (out.sequence + 1 & 0xFFFF, 160_160 + count * 160)


def test_what_was_dialled_is_counted_as_sent():
    out = stream(PCMA)
    dialler = EventDialler(out, PCMA)
    dialler.press("5", 100)
    dialled(dialler, PCMA, 100.02)
    assert (out.packets, out.octets) == (1 + 7, 160 + 7 * 4)


def test_a_stream_may_begin_with_keys():
    dialler = EventDialler(stream(PCMA, sent_at=None), PCMA)
    dialler.press("1", 40)
    assert dialled(dialler, PCMA, 100.0)[0].timestamp == 160_000


def test_durations_are_in_the_clock_of_the_event_and_timestamps_in_the_streams():
    dialler = EventDialler(stream(OPUS), OPUS)
    dialler.press("12", 100)
    packets = dialled(dialler, OPUS, 100.02)
    assert keys_of(packets) == [("1", 800), ("2", 800)]
    first, second = sorted({packet.timestamp for packet in packets})
    assert second - first == 7 * 960


def test_nothing_goes_out_once_the_far_end_takes_no_events():
    dialler = EventDialler(stream(PCMA), PCMA)
    dialler.press("1", 100)
    assert dialler.packets(PayloadMap("PCMA", 8, 8, 8000), 100.02) == []


@pytest.mark.parametrize("ptime", [10, 20, 30, 60])
def test_tones_are_keys_in_the_ears_own_packets(ptime: int):
    codec = ARRAY_CODECS["PCMA"]
    ended: list[bool] = []
    dialler = ToneDialler(codec, lambda: ended.append(True))
    dialler.press("18", 100)
    dialler.press("x*", 100)
    payloads = []
    while (payload := dialler.next_payload(codec, ptime)) is not None:
        payloads.append(payload)
    assert ended == [True]
    assert dialler.next_payload(codec, ptime) is None
    assert ended == [True]
    assert {len(payload) for payload in payloads} == {8 * ptime}
    samples = codec.decode(None, payloads).ravel()
    detector = KeyDetector()
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    keys = [key for frame in frames for key in detector.feed(frame)] + detector.finish()
    assert "".join(digit for digit, _ in keys) == "18*"


def test_tones_are_made_at_the_codecs_rate():
    codec = ARRAY_CODECS["G722"]
    dialler = ToneDialler(codec, lambda: None)
    dialler.press("4", 100)
    payloads = []
    while (payload := dialler.next_payload(codec, 20)) is not None:
        payloads.append(payload)
    state = codec.decoder()
    wide = np.concatenate([codec.decode([state], [payload])[0] for payload in payloads])
    low = abs(np.fft.rfft(wide[320:1280].astype(float)))
    strongest = {round(int(n) * 16000 / 960) for n in np.argsort(low)[-2:]}
    assert {abs(hz - 770) < 20 or abs(hz - 1209) < 20 for hz in strongest} == {True}


def test_a_flood_of_tones_does_not_wait_for_ever():
    codec = ARRAY_CODECS["PCMA"]
    dialler = ToneDialler(codec, lambda: None)
    for _ in range(1000):
        dialler.press("1", 1000)
    packets = 0
    while dialler.next_payload(codec, 20) is not None:
        packets += 1
    assert 60 * 50 <= packets <= 62 * 50
