"""Whatever a sound file holds, it is read as samples or refused in a sentence; nothing else."""

import struct
from contextlib import suppress

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pbx.errors import Refused
from pbx.media.sounds.audio import G722File, WavFile
from pbx.media.sounds.loudness import music_gain
from pbx.media.sounds.store import FileSource

chunks = st.builds(
    lambda name, size, body: name + struct.pack("<I", size) + body,
    st.sampled_from([b"fmt ", b"data", b"LIST", b"\0\0\0\0"]),
    st.integers(0, 100) | st.integers(0, 0xFFFF_FFFF),
    st.binary(max_size=60),
)
formats = st.builds(
    lambda *fields: b"fmt " + struct.pack("<IHHIIHH", 16, *fields),
    st.sampled_from([1, 3, 6, 7, 85, 0xFFFE]),
    st.integers(0, 40),
    st.sampled_from([0, 999, 8000, 11025, 48000, 400_000]),
    st.just(0),
    st.just(0),
    st.sampled_from([0, 8, 12, 16, 24, 32, 64]),
)
sounds = st.builds(
    lambda size, body: b"data" + struct.pack("<I", size) + body,
    st.integers(0, 3000),
    st.binary(max_size=2000),
)
files = st.binary(max_size=100) | st.builds(
    lambda parts: b"RIFF\0\0\0\0WAVE" + b"".join(parts),
    st.lists(chunks, max_size=5)
    | st.builds(
        lambda head, shape, sound: [*head, shape, sound],
        st.lists(chunks, max_size=1),
        formats,
        sounds,
    ),
)


@given(files, st.integers(-5000, 5000), st.sampled_from([8000, 16000]))
def test_any_file_is_read_or_refused(file: bytes, unit: int, rate: int):
    with suppress(Refused):
        sound = WavFile(lambda offset, count: file[offset : offset + count], len(file), "x.wav")
        assert sound.frames <= len(file)
        assert 0 < music_gain(sound) <= 4
        source = FileSource(sound)
        for number in (0, unit):
            samples = source.read(number, rate)
            assert samples.dtype == np.int16
            assert len(samples) == rate * 120 // 1000


@given(st.binary(max_size=500), st.integers(-1000, 2000), st.integers(1, 500))
def test_any_octets_are_g722(file: bytes, first: int, count: int):
    sound = G722File(lambda offset, count: file[offset : offset + count], len(file), "x.g722")
    assert sound.read(first, count).shape == (count,)
