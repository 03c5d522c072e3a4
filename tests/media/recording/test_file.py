"""The files themselves: what stands in them after each block, and after a disk that is full."""

from __future__ import annotations

import io
import os
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from numpy.typing import NDArray

from pbx.media.codecs.g711 import PCMU
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.protocol import RecordingFormat
from pbx.media.recording import file as recording_file
from pbx.media.recording.file import start_file
from pbx.media.recording.ogg import repair_ogg
from pbx.media.recording.record import RATES, Planes
from pbx.media.recording.wav import HEADER_SIZE, Mark, repair_wav

FORMATS = tuple(RATES)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[BinaryIO]:
    with (tmp_path / "sound").open("w+b", buffering=0) as opened:
        yield opened


def content(file: BinaryIO) -> bytes:
    """Return all that the file holds."""
    return os.pread(file.fileno(), 1 << 24, 0)


def tones(seconds: float, rate: int, *hertz: float) -> Planes:
    """Return one sine for each side."""
    time = np.arange(round(seconds * rate)) / rate
    waves = [8000 * np.sin(2 * np.pi * each * time) for each in hertz]
    return np.array(waves).astype(np.int16)


def seconds_of(octets: bytes) -> float | None:
    """Return what whoever mends files finds in it."""
    found = repair_wav(io.BytesIO(octets))
    return found if found is not None else repair_ogg(io.BytesIO(octets))


def loudest(samples: NDArray[np.int16], rate: int) -> float:
    """Return the strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples[:rate]))
    return float(spectrum.argmax())


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("sides", [1, 2])
def test_a_file_is_whole_after_each_block(
    file: BinaryIO, format: RecordingFormat, sides: int
) -> None:
    writing = start_file(file, format, sides)
    for count in range(1, 4):
        writing.append(tones(0.5, writing.rate, *(440, 1000)[:sides]))
        assert seconds_of(content(file)) == pytest.approx(count * 0.5, abs=0.01)
    assert writing.samples == 1.5 * writing.rate


def test_left_and_right_of_mulaw_are_interleaved(file: BinaryIO) -> None:
    writing = start_file(file, "ulaw", 2)
    sound = tones(1, 8000, 440, 1000)
    writing.append(sound)
    writing.complete([])
    octets = np.frombuffer(content(file)[HEADER_SIZE:], np.uint8).reshape(-1, 2)
    heard = PCMU.expand[octets]
    assert loudest(heard[:, 0], 8000) == 440
    assert loudest(heard[:, 1], 8000) == 1000
    assert (octets[:, 0] == PCMU.compress[sound[0].view(np.uint16)]).all()


def test_other_programs_read_pcm(file: BinaryIO) -> None:
    writing = start_file(file, "pcm", 2)
    sound = tones(1, 16000, 440, 1000)
    writing.append(sound)
    writing.complete([Mark(100, "paused")])
    with wave.open(io.BytesIO(content(file))) as read:
        assert (read.getframerate(), read.getnchannels()) == (16000, 2)
        frames = np.frombuffer(read.readframes(read.getnframes()), "<i2").reshape(-1, 2)
    assert (sound == frames.T).all()
    assert content(file).endswith(b"paused\0\0")


def test_opus_says_what_was_said(file: BinaryIO) -> None:
    writing = start_file(file, "opus", 1)
    writing.append(tones(1.006, 16000, 440))
    writing.complete([])
    packets = packets_of(content(file))[2:]
    codec = ARRAY_CODECS["opus"]
    state = codec.decoder()
    heard = np.concatenate([codec.decode([state], [packet])[0] for packet in packets])
    assert loudest(heard[1600:], 16000) * 16000 / len(heard[1600:17600]) == pytest.approx(
        440, abs=2
    )
    assert seconds_of(content(file)) == pytest.approx(1.006, abs=0.0001)


def packets_of(octets: bytes) -> list[bytes]:
    """Return the packets of an Ogg file, none of which is longer than a page."""
    found, start = [], 0
    while start < len(octets):
        lacing = octets[start + 27 : start + 27 + octets[start + 26]]
        start += 27 + len(lacing)
        packet = 0
        for segment in lacing:
            packet += segment
            if segment < 255:
                found.append(octets[start : start + packet])
                start, packet = start + packet, 0
    return found


@pytest.mark.parametrize("format", FORMATS)
def test_a_write_that_fails_leaves_the_file_as_it_was(
    file: BinaryIO, format: RecordingFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = start_file(file, format, 2)
    block = tones(0.5, writing.rate, 440, 1000)
    writing.append(block)

    def half(descriptor: int, octets: bytes, offset: int) -> int:
        if len(octets) < 100:
            raise OSError(28, "No space left on device")
        return os.pwrite(descriptor, bytes(octets)[: len(octets) // 2], offset)

    with monkeypatch.context() as full:
        full.setattr(recording_file, "pwrite", half)
        with pytest.raises(OSError, match="No space"):
            writing.append(block)
    assert writing.samples == 0.5 * writing.rate
    assert seconds_of(content(file)) is not None
    writing.append(block)
    writing.complete([])
    assert seconds_of(content(file)) == pytest.approx(1.0, abs=0.0001)
