"""Mending: whatever stands in a file, nothing is raised, nothing grows, and mended once is mended
for good."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.media.recording.ogg import FIRST, opus_head, opus_tags, page, repair_ogg
from pbx.media.recording.wav import MULAW, PCM, Mark, WavLayout, marks_chunks, repair_wav

OGG = b"".join(
    [
        page(
            [opus_head(channels=2, pre_skip=312, rate=16000)],
            serial=1,
            sequence=0,
            position=0,
            flags=FIRST,
        ),
        page([opus_tags("callpbx")], serial=1, sequence=1, position=0),
        page([b"\x48" * 90] * 25, serial=1, sequence=2, position=24_312),
        page([b"\x48" * 300] * 25, serial=1, sequence=3, position=48_312),
    ]
)

layouts = st.builds(
    WavLayout,
    tag=st.sampled_from([PCM, MULAW]),
    rate=st.sampled_from([8000, 16000]),
    channels=st.sampled_from([1, 2]),
)


@st.composite
def wavs(draw: st.DrawFn) -> bytes:
    """Return a WAV file of ours at some moment of its life, its header right or wrong."""
    layout = draw(layouts)
    sound = draw(st.binary(max_size=300))
    header = layout.header(draw(st.integers(0, 1 << 33)), behind=draw(st.integers(0, 500)))
    marks = marks_chunks([Mark(draw(st.integers(0, 1 << 31)), "paused")] * draw(st.integers(0, 2)))
    return header + sound + marks


@st.composite
def scratched(draw: st.DrawFn, files: st.SearchStrategy[bytes]) -> bytes:
    """Return a file that was cut off, or had some octets changed."""
    content = bytearray(draw(files))
    for _ in range(draw(st.integers(0, 3))):
        if content:
            content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))])


@settings(max_examples=300)
@given(scratched(st.one_of(wavs(), st.just(OGG), st.binary(max_size=200))))
def test_whatever_stands_in_a_file_mending_ends_well(content: bytes) -> None:
    for mend in (repair_wav, repair_ogg):
        file = io.BytesIO(content)
        seconds = mend(file)
        mended = file.getvalue()
        if seconds is None:
            assert mended == content
            continue
        assert seconds >= 0
        assert len(mended) <= len(content)
        assert mend(file) == seconds
        assert file.getvalue() == mended, "mended for good"
