"""The header of a recording's WAV file, its marks, and what a crash leaves of it."""

from __future__ import annotations

import io
import wave

import pytest

from pbx.media.recording.wav import (
    HEADER_SIZE,
    MULAW,
    PCM,
    Mark,
    WavLayout,
    marks_chunks,
    read_layout,
    repair_wav,
)

STEREO = WavLayout(MULAW, 8000, 2)


def file_of(layout: WavLayout, octets: int, *, said: int | None = None) -> io.BytesIO:
    """Return a file with so much sound, of which its header knows `said`."""
    header = layout.header(octets if said is None else said)
    return io.BytesIO(header + bytes(range(256)) * (octets // 256) + bytes(octets % 256))


def test_other_programs_read_the_header() -> None:
    layout = WavLayout(PCM, 16000, 2)
    with wave.open(file_of(layout, 64_000)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (16000, 2)
        assert (sound.getsampwidth(), sound.getnframes()) == (2, 16_000)


@pytest.mark.parametrize("layout", [STEREO, WavLayout(PCM, 16000, 1), WavLayout(MULAW, 8000, 1)])
def test_the_layout_is_read_back(layout: WavLayout) -> None:
    header = layout.header(320)
    assert len(header) == HEADER_SIZE
    assert read_layout(header) == layout


@pytest.mark.parametrize(
    "header",
    [b"", b"RIFF", bytes(HEADER_SIZE), b"OggS" + bytes(100), STEREO.header(0)[:-1]],
)
def test_other_files_have_no_layout_of_ours(header: bytes) -> None:
    assert read_layout(header) is None
    assert repair_wav(io.BytesIO(header)) is None


def test_a_file_of_another_program_is_left_as_it_is() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(3200))
    before = file.getvalue()
    assert repair_wav(file) is None
    assert file.getvalue() == before


def test_sizes_beyond_four_gigabytes_are_the_largest_there_is() -> None:
    header = STEREO.header(5 << 30)
    assert header[-4:] == b"\xff" * 4
    assert header[4:8] == b"\xff" * 4


def test_a_header_that_lags_behind_is_brought_up_to_date() -> None:
    file = file_of(STEREO, 32_000, said=16_000)
    assert repair_wav(file) == 2.0
    assert file.getvalue()[:HEADER_SIZE] == STEREO.header(32_000)


def test_a_header_ahead_of_the_sound_is_brought_back() -> None:
    file = file_of(STEREO, 16_000, said=32_000)
    assert repair_wav(file) == 1.0
    assert file.getvalue()[:HEADER_SIZE] == STEREO.header(16_000)


def test_half_a_moment_is_cut_off() -> None:
    file = file_of(WavLayout(PCM, 16000, 2), 64_003, said=0)
    assert repair_wav(file) == 1.0
    assert len(file.getvalue()) == HEADER_SIZE + 64_000


def test_a_whole_file_is_not_touched() -> None:
    marks = marks_chunks([Mark(800, "paused"), Mark(1600, "resumed")])
    whole = STEREO.header(16_000, behind=len(marks)) + bytes(16_000) + marks
    file = io.BytesIO(whole)
    assert repair_wav(file) == 1.0
    assert file.getvalue() == whole


def test_marks_whose_sizes_were_not_written_are_kept_out_of_the_sound() -> None:
    marks = marks_chunks([Mark(800, "paused")])
    file = io.BytesIO(STEREO.header(16_000) + bytes(16_000) + marks)
    assert repair_wav(file) == 1.0
    assert file.getvalue()[:HEADER_SIZE] == STEREO.header(16_000, behind=len(marks))


def test_marks_are_chunks_that_name_a_sample_and_a_word() -> None:
    chunks = marks_chunks([Mark(800, "paused"), Mark(1600, "resumed")])
    assert chunks.startswith(b"cue \x34\0\0\0\2\0\0\0\1\0\0\0\x20\3\0\0data")
    assert b"labl\x0b\0\0\0\1\0\0\0paused\0\0" in chunks
    assert b"labl\x0c\0\0\0\2\0\0\0resumed\0" in chunks
    assert marks_chunks([]) == b""
