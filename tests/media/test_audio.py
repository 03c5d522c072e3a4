import io
import struct
import wave

import numpy as np
import pytest

from pbx.errors import Refused
from pbx.media.audio import RATE, WavReader
from pbx.media.codecs import ARRAY_CODECS

PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE


def wav(
    sound: bytes, *, tag: int = PCM, bits: int = 16, rate: int = RATE, channels: int = 1
) -> bytes:
    frame = bits // 8 * channels
    body = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)
    chunks = b"fmt " + struct.pack("<I", len(body)) + body
    chunks += b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def read(file: bytes, rate: int = RATE) -> np.ndarray:
    reader = WavReader(io.BytesIO(file), "greeting.wav", rate)
    blocks = []
    while len(block := reader.read()):
        blocks.append(block)
    return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)


def tone(rate: int, seconds: float = 0.5, hertz: float = 1000.0) -> np.ndarray:
    time = np.arange(round(rate * seconds)) / rate
    return (10000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


NOISE = np.random.default_rng(3).integers(-32768, 32768, 4321).astype(np.int16)


def test_a_file_in_the_wanted_form_passes_bit_by_bit():
    assert (read(wav(NOISE.astype("<i2").tobytes())) == NOISE).all()


def test_a_file_written_by_the_standard_library_is_read():
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RATE, 0, "NONE", ""))
        writer.writeframes(NOISE.astype("<i2").tobytes())
    assert (read(file.getvalue()) == NOISE).all()


def signed_24(samples: np.ndarray) -> bytes:
    words = (samples.astype("<i4") << 16).view(np.uint8).reshape(-1, 4)
    return words[:, 1:].tobytes()


@pytest.mark.parametrize(
    ("tag", "bits", "octets", "tolerance"),
    [
        (PCM, 8, ((NOISE >> 8) + 128).astype(np.uint8).tobytes(), 256),
        (PCM, 24, signed_24(NOISE), 0),
        (PCM, 32, (NOISE.astype("<i4") << 16).tobytes(), 0),
        (FLOAT, 32, (NOISE / 32768).astype("<f4").tobytes(), 0),
        (FLOAT, 64, (NOISE / 32768).astype("<f8").tobytes(), 0),
    ],
)
def test_every_width_holds_the_same_sound(tag: int, bits: int, octets: bytes, tolerance: int):
    samples = read(wav(octets, tag=tag, bits=bits))
    assert len(samples) == len(NOISE)
    assert np.abs(samples.astype(int) - NOISE).max() <= tolerance


@pytest.mark.parametrize(("tag", "name"), [(MULAW, "PCMU"), (ALAW, "PCMA")])
def test_g711_files_are_decoded(tag: int, name: str):
    codes = np.arange(256, dtype=np.uint8)
    samples = read(wav(codes.tobytes(), tag=tag, bits=8))
    assert (samples == ARRAY_CODECS[name].expand).all()


def test_an_extensible_format_names_its_coding_further_in():
    file = bytearray(wav(NOISE.astype("<i2").tobytes()))
    body = file[20:36] + struct.pack("<HHI", 22, 16, 4) + struct.pack("<H", PCM) + bytes(14)
    body[:2] = struct.pack("<H", EXTENSIBLE)
    file[16:36] = struct.pack("<I", len(body)) + body
    assert (read(bytes(file)) == NOISE).all()


def test_channels_are_averaged():
    both = np.stack((NOISE, -(NOISE // 2)), axis=1).astype("<i2")
    expected = (NOISE.astype(float) + -(NOISE // 2)) / 2
    samples = read(wav(both.tobytes(), channels=2))
    assert np.abs(samples - expected).max() <= 0.5


def test_infinities_and_no_numbers_are_clipped():
    samples = read(wav(np.array([np.nan, np.inf, -np.inf], "<f4").tobytes(), tag=FLOAT, bits=32))
    assert samples.tolist() == [0, 32767, -32768]


@pytest.mark.parametrize("rate", [4000, 11025, 16000, 22050, 32000, 44100, 48000, 96000])
def test_a_tone_keeps_pitch_place_and_level_at_any_rate(rate: int):
    samples = read(wav(tone(rate).astype("<i2").tobytes(), rate=rate)).astype(float)
    expected = tone(RATE)
    assert abs(len(samples) - len(expected)) <= 1
    middle = slice(400, len(expected) - 400)
    assert np.abs(samples[middle] - expected[middle]).max() < 20


def test_what_lies_above_the_band_does_not_fold_back():
    high = tone(48000, hertz=5000.0)
    samples = read(wav(high.astype("<i2").tobytes(), rate=48000)).astype(float)
    assert np.sqrt((samples[400:-400] ** 2).mean()) < 10  # −57 dB


def test_other_chunks_and_odd_sizes_are_skipped():
    file = wav(NOISE.astype("<i2").tobytes())
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    assert (read(file[:12] + odd + file[12:]) == NOISE).all()


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 10_000_000])
def test_a_wrong_length_of_the_sound_ends_with_the_file(size: int):
    file = bytearray(wav(NOISE.astype("<i2").tobytes()))
    file[40:44] = struct.pack("<I", size)
    assert (read(bytes(file)) == NOISE).all()


def test_half_a_sample_at_the_end_is_left_out():
    assert (read(wav(NOISE.astype("<i2").tobytes())[:-1]) == NOISE[:-1]).all()


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"", "is not a WAV file"),
        (b"ID3\x04" + bytes(100), "is not a WAV file"),
        (wav(b"")[:30], "is not a WAV file"),
        (wav(b"")[:12], "holds no sound"),
        (wav(b"")[:12] + b"LIST\xff\xff\xff\xff", "holds no sound"),
        (wav(bytes(64), tag=85, bits=0), "format 85 with 0 bits; save it as 16-bit PCM"),
        (wav(bytes(64), bits=12), "format 1 with 12 bits"),
        (wav(bytes(64), channels=0), "has 0 channels"),
        (wav(bytes(64), rate=0), "at 0 Hz"),
    ],
)
def test_a_file_that_cannot_be_played_is_refused_in_one_sentence(file: bytes, says: str):
    with pytest.raises(Refused, match=f"^greeting.wav .*{says}"):
        WavReader(io.BytesIO(file), "greeting.wav")


def test_a_file_without_samples_is_read_as_none():
    assert len(read(wav(b""))) == 0
