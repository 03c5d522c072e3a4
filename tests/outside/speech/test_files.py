"""Sound files of the office: where they may be, and what is wrong with them."""

from __future__ import annotations

import struct
import wave
from io import BytesIO
from pathlib import Path

import pytest

from pbx.errors import Refused
from pbx.outside.speech.files import inside, named, probe, problem_of, wrapped
from tests.outside.speech.kit import write_wav


def wav(tag: int = 1, bits: int = 16, rate: int = 8000, channels: int = 1, sound: int = 4) -> bytes:
    """Return a WAV file of that form."""
    form = struct.pack("<HHIIHH", tag, channels, rate, 0, 0, bits)
    chunks = b"LIST\x03\0\0\0abc\0" + b"fmt " + struct.pack("<I", len(form)) + form
    chunks += b"data" + struct.pack("<I", sound) + bytes(sound)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.parametrize(
    "content",
    [wav(), wav(7, 8), wav(6, 8), wav(3, 32, 48000), wav(1, 24, 44100, 2)],
    ids=["pcm", "ulaw", "alaw", "float", "stereo"],
)
def test_what_the_engine_plays_is_no_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert probe(path) is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "a.wav is empty"),
        (b"ID3 an MP3 file, renamed", "a.wav is not a WAV file; save it as one"),
        (wav(rate=4000), "a.wav has 4000 samples a second; save it with 8000 to 48000"),
        (wav(rate=96000), "a.wav has 96000 samples a second"),
        (wav(85, 0), "a.wav is WAV of format 85 with 0 bits; save it as 16-bit PCM"),
        (wav(channels=99), "a.wav has 99 channels; save it as mono"),
        (wav(sound=0), "a.wav is empty"),
        (wav()[:56], "a.wav is empty"),
        (wav()[:40], "a.wav is not a WAV file"),
        (wav()[:24], "a.wav holds no sound"),
    ],
)
def test_each_fault_is_one_sentence_with_the_way_out(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert sentence in (probe(path) or "")


def test_a_missing_file_and_a_folder_are_faults(tmp_path: Path) -> None:
    assert probe(tmp_path / "b.wav") == f"there is no file {tmp_path / 'b.wav'}"
    assert "is not a file" in (probe(tmp_path) or "")


@pytest.mark.parametrize("path", ["", "/etc/hosts", "../a.wav", "sounds/../../a.wav", "a\0.wav"])
def test_paths_that_lead_out_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(Refused, match="is no path inside the office"):
        inside(tmp_path, path)
    assert problem_of(tmp_path, path) is not None


def test_links_may_not_lead_out_nor_in_a_circle(tmp_path: Path) -> None:
    office = tmp_path / "office"
    write_wav(office / "sounds" / "a.wav")
    write_wav(tmp_path / "b.wav")
    for name, target in (("in", "a.wav"), ("out", "../../b.wav"), ("circle", "circle.wav")):
        (office / "sounds" / f"{name}.wav").symlink_to(target)
    assert inside(office, "sounds/in.wav") == office / "sounds" / "a.wav"
    for name in ("out", "circle"):
        assert problem_of(office, f"sounds/{name}.wav") is not None


def test_a_name_is_found_with_whatever_suffix_it_has(tmp_path: Path) -> None:
    write_wav(tmp_path / "welcome.wav")
    (tmp_path / "goodbye.g722").write_bytes(b"x")
    assert named(tmp_path, "welcome") == tmp_path / "welcome.wav"
    assert named(tmp_path, "goodbye") == tmp_path / "goodbye.g722"
    assert named(tmp_path, "欢迎") is None
    assert named(tmp_path, f"../{tmp_path.name}/welcome") is None


def test_a_name_may_be_a_link_to_another_of_its_folder_alone(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    write_wav(sounds / "a.wav")
    write_wav(tmp_path / "b.wav")
    (sounds / "in.wav").symlink_to("a.wav")
    (sounds / "out.wav").symlink_to("../b.wav")
    assert named(sounds, "in") == sounds / "in.wav"
    assert named(sounds, "out") is None


@pytest.mark.parametrize(
    ("suffix", "rate", "width"),
    [(".sln", 8000, 2), (".sln16", 16000, 2)],
)
def test_a_raw_file_needs_only_a_header(tmp_path: Path, suffix: str, rate: int, width: int) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(bytes(640))
    assert probe(path) is None
    with wave.open(BytesIO(wrapped(path))) as file:
        assert (file.getframerate(), file.getsampwidth()) == (rate, width)
        assert file.getnframes() == 640 // width
    with pytest.raises(Refused):
        wrapped(tmp_path / f"b{suffix}")


def test_a_wrapped_raw_file_of_g711_plays(tmp_path: Path) -> None:
    for suffix in (".ulaw", ".alaw"):
        (tmp_path / f"a{suffix}").write_bytes(bytes(80))
        (tmp_path / "b.wav").write_bytes(wrapped(tmp_path / f"a{suffix}"))
        assert probe(tmp_path / "b.wav") is None
