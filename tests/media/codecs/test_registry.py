"""What holds for every codec that the worker can decode and encode."""

import logging

import numpy as np
import pytest

from pbx.media.codec import CODECS
from pbx.media.codecs.registry import ARRAY_CODECS, ArrayCodec, Frames, load_codecs

PTIMES = (10, 20, 30, 40, 50, 60)

SNR = {"PCMU": 35.0, "PCMA": 35.0, "G722": 35.0, "L16": 90.0, "opus": 2.0}
"""What a round trip must keep of a voice-like sound, dB at the best delay: what is not aligned or
not alike is below 0. opus keeps the spectrum rather than the waveform."""

DELAY_MS = 8
"""More than the filters of G.722 and the look-ahead of opus."""

WARM_UP = 4000  # samples


@pytest.fixture(params=ARRAY_CODECS)
def codec(request: pytest.FixtureRequest) -> ArrayCodec:
    return ARRAY_CODECS[request.param]


def voice(rate: int, milliseconds: int, pitch: float = 120.0) -> Frames:
    """Return (samples,) of a buzz whose pitch and loudness wander, with harmonics to 2 kHz."""
    t = np.arange(rate * milliseconds // 1000) / rate
    phase = 2 * np.pi * pitch * (t + 0.01 * np.sin(2 * np.pi * 1.5 * t))
    buzz = sum(np.sin(k * phase) / k for k in range(1, int(2000 / pitch)))
    return (6000 * buzz * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))).astype(np.int16)


def packets_of(codec: ArrayCodec, sound: Frames, ptime: int = 20) -> list[bytes]:
    state = [codec.encoder()]
    frames = sound.reshape(-1, 1, codec.rate * ptime // 1000)
    return [codec.encode(state, frame)[0] for frame in frames]


def sound_of(codec: ArrayCodec, packets: list[bytes]) -> Frames:
    state = [codec.decoder()]
    return np.concatenate([codec.decode(state, [packet])[0] for packet in packets])


def snr(sent: Frames, heard: Frames, rate: int) -> float:
    """Return the dB of what was sent over what differs, at the delay where they are closest."""

    def at(delay: int) -> float:
        wanted = sent[: len(sent) - delay].astype(float)
        error = heard[delay:].astype(float) - wanted
        return 10 * np.log10((wanted**2).sum() / max((error**2).sum(), 1e-9))

    return max(at(delay) for delay in range(DELAY_MS * rate // 1000))


@pytest.mark.parametrize("ptime", PTIMES)
def test_a_round_trip_keeps_the_sound_and_its_length(codec: ArrayCodec, ptime: int):
    sent = voice(codec.rate, 1200)
    packets = packets_of(codec, sent, ptime)
    heard = sound_of(codec, packets)
    assert heard.dtype == np.int16
    assert len(heard) == len(sent)
    assert {codec.duration_ms(packet) for packet in packets} == {ptime}
    assert snr(sent[WARM_UP:], heard[WARM_UP:], codec.rate) > SNR[codec.name]


def test_packets_are_slices_where_octets_per_ms_says_so(codec: ArrayCodec):
    packets = packets_of(codec, voice(codec.rate, 120), 20)
    if codec.octets_per_ms:
        assert {len(packet) for packet in packets} == {20 * codec.octets_per_ms}
        long = packets_of(codec, voice(codec.rate, 120), 60)
        assert b"".join(packets) == b"".join(long)


def test_a_batch_equals_frames_one_by_one(codec: ArrayCodec):
    sounds = [voice(codec.rate, 200, pitch) for pitch in (90.0, 130.0, 210.0)]
    encoders = [codec.encoder() for _ in sounds]
    decoders = [codec.decoder() for _ in sounds]
    frames = np.stack(sounds).reshape(3, -1, codec.rate // 50).swapaxes(0, 1)
    batches = [codec.encode(encoders, frame) for frame in frames]
    heard = np.hstack([codec.decode(decoders, batch) for batch in batches])
    for row, sound in enumerate(sounds):
        packets = packets_of(codec, sound)
        assert [batch[row] for batch in batches] == packets
        assert (heard[row] == sound_of(codec, packets)).all()


def test_frames_may_be_any_view_of_an_array(codec: ArrayCodec):
    sound = voice(codec.rate, 20)
    expected = packets_of(codec, sound)
    single = np.broadcast_to(sound, (1, len(sound)))
    spread = np.zeros((4, 2 * len(sound)), np.int16)
    spread[::3, ::2] = sound
    assert codec.encode([codec.encoder()], single) == expected
    assert codec.encode([codec.encoder(), codec.encoder()], spread[::3, ::2]) == expected * 2


def test_one_stream_does_not_touch_another(codec: ArrayCodec):
    packets = packets_of(codec, voice(codec.rate, 200))
    other = packets_of(codec, voice(codec.rate, 200, 200.0))
    mine, theirs = [codec.decoder()], [codec.decoder()]
    heard = []
    for packet, between in zip(packets, other, strict=True):
        heard.append(codec.decode(mine, [packet])[0])
        codec.decode(theirs, [between])
        codec.encode([codec.encoder()], heard[-1].reshape(1, -1))
    assert (np.concatenate(heard) == sound_of(codec, packets)).all()


def test_silence_is_quiet_and_lasts(codec: ArrayCodec):
    payload = bytes((codec.silence,)) * max(20 * codec.octets_per_ms, 1)
    assert codec.duration_ms(payload) == 20
    frames = codec.decode([codec.decoder()], [payload])
    assert frames.shape == (1, codec.rate // 50)
    assert np.abs(frames.astype(int)).max() <= 8


def test_zeros_are_coded_as_something_quiet(codec: ArrayCodec):
    zeros = np.zeros(codec.rate // 2, np.int16)
    assert np.abs(sound_of(codec, packets_of(codec, zeros)).astype(int)).max() <= 8


def test_full_scale_does_not_wrap_around(codec: ArrayCodec):
    t = np.arange(codec.rate // 2) / codec.rate
    sent = (32767 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)
    assert snr(sent, sound_of(codec, packets_of(codec, sent)), codec.rate) > 10


def test_what_is_broken_is_silence_and_its_neighbours_are_not(codec: ArrayCodec):
    good = packets_of(codec, voice(codec.rate, 40))[0]
    states = [codec.decoder() for _ in range(4)]
    frames = codec.decode(states, [good, b"", good, good[:1]])
    alone = codec.decode([codec.decoder()], [good])
    assert frames.shape == (4, codec.rate // 50)
    assert (frames[[0, 2]] == alone).all()
    assert np.abs(frames[1].astype(int)).max() <= 8


@pytest.mark.parametrize("seed", range(20))
def test_no_payload_makes_the_decoder_raise(codec: ArrayCodec, seed: int):
    random = np.random.default_rng(seed)
    state = [codec.decoder()]
    for size in random.integers(0, 300, 20):
        payload = random.bytes(size)
        frames = codec.decode(state, [payload])
        assert frames.shape[0] == 1
        assert codec.duration_ms(payload) <= 120 or codec.octets_per_ms


def test_no_payloads_are_no_frames(codec: ArrayCodec):
    assert len(codec.decode([], [])) == 0
    assert codec.encode([], np.zeros((0, codec.rate // 50), np.int16)) == []


def test_a_loss_is_filled_by_the_codec_or_left_to_others(codec: ArrayCodec):
    state = codec.decoder()
    filled = codec.conceal(state, 320)
    assert filled is None or filled.shape == (1, 320)


def test_tables_are_there_for_both_directions_or_for_none(codec: ArrayCodec):
    assert (codec.expand is None) == (codec.compress is None)


def test_every_codec_that_signalling_calls_playable_has_arrays():
    playable = {codec.name: codec.audio_rate for codec in CODECS.values() if codec.playable}
    assert playable == {name: codec.rate for name, codec in ARRAY_CODECS.items()}


def test_a_codec_without_its_library_is_left_out_with_one_line(caplog: pytest.LogCaptureFixture):
    def missing() -> ArrayCodec:
        raise ImportError("No module named 'G729'")

    def there() -> ArrayCodec:
        return ARRAY_CODECS["PCMA"]

    with caplog.at_level(logging.WARNING):
        assert list(load_codecs((missing, there))) == [ARRAY_CODECS["PCMA"]]
    (record,) = caplog.records
    assert "No module named 'G729'" in record.getMessage()
