"""WAV files as recordings are written: the header, the marks behind the sound, and mending.

The header has room for all sizes from the start and is written anew, in place, whenever sound was
added, so that a file is whole at any moment but for what came last. Layout (Microsoft's RIFF, with
the `fact` chunk that it asks for where samples are coded): RIFF, fmt, fact, data, and, where there
was a pause, `cue ` and a `LIST` of labels, which players pass over and editors show. Sizes beyond
4 GB are written as the largest there is; players then read to the end.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

HEADER_SIZE: Final = 58
"""Octets before the first sample."""

PCM: Final = 1
MULAW: Final = 7
"""Format tags (RFC 2361)."""

_LARGEST: Final = 0xFFFF_FFFF
_FASTEST: Final = 192_000  # samples a second
_HEADER: Final = struct.Struct("<4sI4s 4sIHHIIHHH 4sII 4sI")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the sound with a word to it; `sample` counts from 0, per channel."""

    sample: int
    label: str


@dataclass(frozen=True, slots=True)
class WavLayout:
    """How the samples of a file are written. `width` is octets a sample, `rate` in Hz."""

    tag: int
    rate: int
    channels: int

    @property
    def width(self) -> int:
        """Return the octets of a sample."""
        return 1 if self.tag == MULAW else 2

    @property
    def block(self) -> int:
        """Return the octets of one moment: a sample of each channel."""
        return self.width * self.channels

    def header(self, octets: int, *, behind: int = 0) -> bytes:
        """Return the header of a file with `octets` of sound and `behind` octets after it."""
        return _HEADER.pack(
            b"RIFF",
            min(HEADER_SIZE - 8 + octets + behind, _LARGEST),
            b"WAVE",
            b"fmt ",
            18,
            self.tag,
            self.channels,
            self.rate,
            self.rate * self.block,
            self.block,
            8 * self.width,
            0,
            b"fact",
            4,
            min(octets // self.block, _LARGEST),
            b"data",
            min(octets, _LARGEST),
        )


def marks_chunks(marks: Sequence[Mark]) -> bytes:
    """Return the chunks that stand behind the sound: a cue point and a label for each mark."""
    if not marks:
        return b""
    points = b"".join(
        struct.pack("<II4sIII", number, mark.sample, b"data", 0, 0, mark.sample)
        for number, mark in enumerate(marks, 1)
    )
    labels = b"".join(
        _chunk(b"labl", struct.pack("<I", number) + mark.label.encode() + b"\0")
        for number, mark in enumerate(marks, 1)
    )
    cue = _chunk(b"cue ", struct.pack("<I", len(marks)) + points)
    return cue + _chunk(b"LIST", b"adtl" + labels)


def read_layout(header: bytes) -> WavLayout | None:
    """Return how the samples behind our own `header` are written; None for any other file."""
    if len(header) < HEADER_SIZE:
        return None
    fields = _HEADER.unpack_from(header)
    layout = WavLayout(tag=fields[5], channels=fields[6], rate=fields[7])
    if layout.tag not in (PCM, MULAW) or layout.channels not in (1, 2):
        return None
    if not 0 < layout.rate <= _FASTEST:
        return None
    ours = layout.header(0)
    kept = (slice(0, 4), slice(8, 46), slice(50, 54))  # all but the sizes
    return layout if all(header[part] == ours[part] for part in kept) else None


def repair_wav(file: BinaryIO) -> float | None:
    """Let the header say what the file holds; return its seconds of sound.

    Half a moment at the end is cut off. None where the file is not one of ours.
    """
    file.seek(0)
    header = file.read(HEADER_SIZE)
    layout = read_layout(header)
    if layout is None:
        return None
    size = file.seek(0, 2)
    said = _HEADER.unpack_from(header)[-1]
    file.seek(HEADER_SIZE + said)
    behind = size - HEADER_SIZE - said if file.read(4) == b"cue " else 0
    octets = size - HEADER_SIZE - behind
    octets -= 0 if behind else octets % layout.block
    right = layout.header(octets, behind=behind)
    if header != right or HEADER_SIZE + octets + behind != size:
        file.truncate(HEADER_SIZE + octets + behind)
        file.seek(0)
        file.write(right)
    return octets / layout.block / layout.rate


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
