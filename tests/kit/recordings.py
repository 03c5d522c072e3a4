"""What stands in the file of a recording, as anybody reads it who knows the format alone."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from pbx.demo.tones import Sound
from pbx.media.codecs.g711 import PCMU


def sides_of(file: Path) -> list[Sound]:
    """Return the sound of each side of a WAV file, µ-law or 16 bits; raise where it is not whole.

    The sizes in the header must be those of the file.
    """
    content = file.read_bytes()
    assert content[:4] == b"RIFF", f"{file} is no RIFF file"
    assert struct.unpack_from("<I", content, 4)[0] == len(content) - 8, "RIFF size"
    chunks = _chunks(content)
    tag, sides, rate = struct.unpack_from("<HHI", chunks[b"fmt "])
    octets = chunks[b"data"]
    plain = np.frombuffer(octets, "<i2") if tag == 1 else PCMU.expand[np.frombuffer(octets, "u1")]
    return [Sound(side, rate) for side in plain.reshape(-1, sides).T.astype(np.int16)]


def labels_of(file: Path) -> list[tuple[int, str]]:
    """Return the marks in a WAV file: sample and word."""
    chunks = _chunks(file.read_bytes())
    points = chunks.get(b"cue ", bytes(4))[4:]
    words = chunks.get(b"LIST", b"adtl")[4:].split(b"labl")[1:]
    samples = [struct.unpack_from("<I", points, 24 * n + 20)[0] for n in range(len(points) // 24)]
    return [
        (sample, word[8:].rstrip(b"\0").decode())
        for sample, word in zip(samples, words, strict=True)
    ]


def _chunks(content: bytes) -> dict[bytes, bytes]:
    found, start = {}, 12
    while start < len(content):
        name, size = struct.unpack_from("<4sI", content, start)
        found[name] = content[start + 8 : start + 8 + size]
        assert len(found[name]) == size, f"chunk {name!r} is cut off"
        start += 8 + size + size % 2
    return found
