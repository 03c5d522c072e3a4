import io
import os
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from pbx.errors import Refused
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.sounds.audio import G722File, SoundFile, WavFile, open_sound

RATE = 8000
PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE


def wav(
    sound: bytes, *, tag: int = PCM, bits: int = 16, rate: int = RATE, channels: int = 1
) -> bytes:
    frame = bits // 8 * channels
    body = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)
    chunks = b"fmt " + struct.pack("<I", len(body)) + body
    chunks += b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def octets(file: bytes):
    return lambda offset, count: file[offset : offset + count]


def open_wav(file: bytes) -> WavFile:
    return WavFile(octets(file), len(file), "greeting.wav")


def read(file: bytes) -> np.ndarray:
    sound = open_wav(file)
    return sound.read(0, sound.frames)


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
    assert samples.tolist() == [0, 65536, -65536]


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
        open_wav(file)


def test_a_file_without_samples_is_read_as_none():
    assert len(read(wav(b""))) == 0


def test_any_part_of_a_file_is_read_with_zeros_around_it():
    sound = open_wav(wav(NOISE.astype("<i2").tobytes()))
    assert (sound.read(1000, 50) == NOISE[1000:1050]).all()
    assert sound.read(-2, 4).tolist() == [0, 0, *NOISE[:2]]
    assert sound.read(4320, 3).tolist() == [NOISE[4320], 0, 0]
    assert not sound.read(10_000, 3).any()


def test_a_disk_that_fails_is_told_in_a_sentence():
    file = wav(bytes(1000))

    def fail(offset: int, count: int) -> bytes:
        if offset >= 44:
            raise OSError(5, "Input/output error")
        return file[offset : offset + count]

    sound = WavFile(fail, len(file), "greeting.wav")
    with pytest.raises(Refused, match=r"^greeting.wav cannot be read: Input/output error$"):
        sound.read(0, 10)
    with pytest.raises(Refused, match=r"^greeting.wav cannot be read: Input/output error$"):
        WavFile(lambda offset, count: fail(44, count), len(file), "greeting.wav")


def test_a_file_that_became_shorter_is_told_in_a_sentence():
    file = wav(bytes(1000))
    sound = WavFile(octets(file[:500]), len(file), "greeting.wav")
    with pytest.raises(Refused, match=r"^greeting.wav became shorter while it was played$"):
        sound.read(200, 100)


def test_raw_g722_is_read_at_any_place():
    codec = ARRAY_CODECS["G722"]
    time = np.arange(32000) / 16000
    tone = (8000 * np.sin(2 * np.pi * 500 * time)).astype(np.int16)
    coded = codec.encode([codec.encoder()], tone.reshape(1, -1))[0]
    sound = G722File(octets(coded), len(coded), "greeting.g722")
    assert (sound.rate, sound.frames) == (16000, 32000)
    whole = sound.read(0, 32000)
    assert np.abs(np.fft.rfft(whole)).argmax() == 1000
    part = sound.read(12_345, 777)
    assert (part == whole[12_345:13_122]).all()


def test_a_file_on_disk_is_read_by_its_kind(tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(wav(NOISE.astype("<i2").tobytes()))
    (tmp_path / "a.g722").write_bytes(bytes(160))
    kinds = [type(open_sound(str(tmp_path / name))) for name in ("a.wav", "a.g722")]
    assert kinds == [WavFile, G722File]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_file_is_closed_when_nobody_plays_it(tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(wav(bytes(100)))
    before = open_files()
    sound: SoundFile | None = open_sound(str(tmp_path / "a.wav"))
    assert sound is not None
    assert open_files() == before + 1
    sound = None
    assert open_files() == before


def test_what_is_no_file_is_refused_in_one_sentence(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "secret").write_bytes(b"")
    for name, says in (
        ("no.wav", "cannot be read: No such file or directory"),
        ("", "is not a file"),
        ("pipe", "is not a file"),
        ("\0", "cannot be read: no such name"),
    ):
        with pytest.raises(Refused, match=f"{says}$"):
            open_sound(f"{tmp_path}/{name}")
