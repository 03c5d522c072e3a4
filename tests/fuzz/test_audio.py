"""Whatever a sound file holds, it is read as samples or refused in a sentence; nothing else."""

import io
import struct
from contextlib import suppress

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pbx.errors import Refused
from pbx.media.audio import WavReader

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


@given(files)
def test_any_file_is_read_or_refused(file: bytes):
    with suppress(Refused):
        reader = WavReader(io.BytesIO(file), "x.wav")
        for _ in range(len(file) + 2):
            samples = reader.read()
            assert samples.dtype == np.int16
            if not len(samples):
                return
        raise AssertionError("the file has no end")
