import sys

import numpy as np
import pytest

from pbx.media.codecs.opus import BITS_PER_SECOND, Opus, join_frames
from pbx.media.codecs.registry import ARRAY_CODECS, Frames

OPUS = ARRAY_CODECS["opus"]
RATE = 16000
FRAME = 320  # 20 ms


def speech(milliseconds: int, pitch: float = 110.0) -> Frames:
    t = np.arange(RATE * milliseconds // 1000) / RATE
    buzz = sum(np.sin(2 * np.pi * k * pitch * t) / k for k in range(1, 30))
    return (5000 * buzz).astype(np.int16)


def coded(sound: Frames, samples: int = FRAME) -> list[bytes]:
    state = [OPUS.encoder()]
    return [OPUS.encode(state, frame)[0] for frame in sound.reshape(-1, 1, samples)]


def loudness(frames: Frames) -> float:
    return float(np.sqrt((frames.astype(float) ** 2).mean()))


def test_speech_takes_about_the_bits_that_were_asked_for():
    packets = coded(speech(2000))
    rate = 8 * sum(map(len, packets)) / 2
    assert 0.3 * BITS_PER_SECOND < rate < 1.2 * BITS_PER_SECOND


@pytest.mark.parametrize(
    ("payload", "milliseconds"),
    [
        (b"", 0),
        (bytes((0 << 3,)), 10),  # SILK, narrow band
        (bytes((9 << 3,)), 20),
        (bytes((11 << 3,)), 60),
        (bytes((13 << 3,)), 20),  # hybrid
        (bytes((16 << 3,)), 2.5),  # CELT
        (bytes((31 << 3,)), 20),
        (bytes((31 << 3 | 1,)), 40),
        (bytes((31 << 3 | 2,)), 40),
        (bytes((31 << 3 | 3,)), 0),
        (bytes((31 << 3 | 3, 0)), 0),
        (bytes((31 << 3 | 3, 0xC6)), 120),
        (bytes((31 << 3 | 3, 7)), 0),  # 140 ms, RFC 6716 §3.4 R5
        (bytes((16 << 3 | 3, 48)), 120),
    ],
)
def test_the_duration_is_in_the_first_octets(payload: bytes, milliseconds: float):
    assert OPUS.duration_ms(payload) == milliseconds


@pytest.mark.parametrize("samples", [480, 800])
def test_a_packet_of_several_frames_decodes_as_the_frames_would(samples: int):
    sound = speech(600) if samples == 480 else speech(1000)
    short, long = coded(sound, 160), coded(sound, samples)
    one, other = [OPUS.decoder()], [OPUS.decoder()]
    apart = np.hstack([OPUS.decode(one, [packet]) for packet in short])
    together = np.hstack([OPUS.decode(other, [packet]) for packet in long])
    assert (apart == together).all()


def test_joined_frames_of_any_length_are_found_again():
    toc = 31 << 3
    sizes = (0, 1, 251, 252, 253, 256, 600, 1275)
    joined = join_frames([bytes((toc,)) + bytes((n % 251,)) * size for n, size in enumerate(sizes)])
    assert (joined[0], joined[1]) == (toc | 3, 0x80 | len(sizes))
    at, found = 2, []
    for _ in sizes[:-1]:
        size, at = joined[at], at + 1
        if size >= 252:
            size, at = size + 4 * joined[at], at + 1
        found.append(size)
    assert tuple(found) == sizes[:-1]
    assert len(joined) - at == sum(sizes)


def test_a_frame_of_another_kind_is_left_empty():
    packet = join_frames([b"\x40ab", b"\x48cd", b"\x40ef"])
    assert packet == bytes((0x43, 0x83, 2, 0)) + b"abef"


@pytest.mark.parametrize("samples", [0, 100, 161])
def test_frames_of_other_lengths_are_the_callers_mistake(samples: int):
    with pytest.raises(ValueError, match="no packet of"):
        OPUS.encode([OPUS.encoder()], np.zeros((1, samples), np.int16))


def test_a_packet_of_nothing_is_quiet_and_keeps_the_time():
    # DTX: after speech the sender sends one octet, or nothing at all.
    state = [OPUS.decoder()]
    for packet in coded(speech(400)):
        OPUS.decode(state, [packet])
    frames = [OPUS.decode(state, [bytes((OPUS.silence,))]) for _ in range(25)]
    assert {frame.shape for frame in frames} == {(1, FRAME)}
    assert loudness(frames[-1]) < 0.1 * loudness(speech(400))


def test_a_loss_is_concealed_and_fades():
    state = OPUS.decoder()
    before = [OPUS.decode([state], [packet]) for packet in coded(speech(400))][-1]
    filled = [OPUS.conceal(state, FRAME) for _ in range(20)]
    assert all(frame is not None and frame.shape == (1, FRAME) for frame in filled)
    assert loudness(filled[0]) > 0.3 * loudness(before)
    assert loudness(filled[-1]) < 0.1 * loudness(before)


@pytest.mark.parametrize("samples", [80, 100, 160, 480, 960])
def test_any_length_can_be_concealed(samples: int):
    filled = OPUS.conceal(OPUS.decoder(), samples)
    assert filled is not None
    assert filled.shape == (1, samples)


def test_the_packet_behind_a_loss_brings_a_copy_of_what_was_lost():
    # Another's encoder, set to expect loss, puts a coarse copy of each frame into the next packet.
    packets = forward_corrected(speech(400, 200.0))
    sent = np.hstack([OPUS.decode(state, [p]) for state in [[OPUS.decoder()]] for p in packets])
    lost = 10
    errors = []
    for ahead in (None, packets[lost + 1]):
        state = OPUS.decoder()
        for packet in packets[:lost]:
            OPUS.decode([state], [packet])
        filled = OPUS.conceal(state, FRAME, ahead)
        assert filled is not None
        wanted = sent[0, lost * FRAME : (lost + 1) * FRAME].astype(float)
        errors.append(((filled[0] - wanted) ** 2).mean())
    assert errors[1] < errors[0] / 2


def forward_corrected(sound: Frames) -> list[bytes]:
    """Return packets whose pitch jumps at the tenth, so that only a copy can tell of it."""
    from opuslib_next.api import libopus

    state = OPUS.encoder()
    control = libopus["opus_encoder_ctl"]
    assert control(state, 4012, 1) == 0  # OPUS_SET_INBAND_FEC
    assert control(state, 4014, 30) == 0  # OPUS_SET_PACKET_LOSS_PERC
    changed = np.concatenate((sound[: 10 * FRAME], np.roll(speech(400, 330.0), 50)[10 * FRAME :]))
    return [OPUS.encode([state], frame)[0] for frame in changed.reshape(-1, 1, FRAME)]


def test_a_broken_packet_ahead_is_as_none():
    state = OPUS.decoder()
    filled = OPUS.conceal(state, FRAME, b"\xff")
    assert filled is not None
    assert filled.shape == (1, FRAME)


def test_stereo_of_another_sender_is_heard_as_one():
    from opuslib_next import APPLICATION_AUDIO, Encoder

    encoder = Encoder(48000, 2, APPLICATION_AUDIO)
    t = np.arange(48000) / 48000
    left = (8000 * np.sin(2 * np.pi * 500 * t)).astype(np.int16)
    both = np.stack((left, left), axis=1).reshape(50, -1)
    state = [OPUS.decoder()]
    heard = np.hstack([OPUS.decode(state, [encoder.encode(row.tobytes(), 960)]) for row in both])
    assert heard.shape == (1, RATE)
    spectrum = np.abs(np.fft.rfft(heard[0, -8000:].astype(float)))
    assert spectrum.argmax() == 250  # 500 Hz in steps of 2


def test_a_platform_without_libopus_is_told_as_a_lack_of_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "opuslib_next.api", None)
    with pytest.raises(ImportError, match="opuslib_next"):
        Opus()


def test_a_module_whose_library_is_missing_is_the_same(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> None:
        raise RuntimeError("Bundled Opus library not found")

    monkeypatch.setattr("pbx.media.codecs.opus.import_module", missing)
    with pytest.raises(ImportError, match="not found"):
        Opus()


def test_states_are_copies_of_one_that_was_never_used():
    opus = Opus()
    opus.decode([opus.decoder()], coded(speech(20)))
    assert bytes(opus.decoder()) == bytes(opus.decoder())
    assert opus.decoder() is not opus.decoder()
