"""Sound files of the office: which path may be played, and whether it holds sound.

A path of dialplan.yaml is relative to the office's folder and stays inside it, whatever links and
dots are in it. Headers are read here and nothing else, with nothing but the standard library, so
that `callpbx check` is fast; the formats are those that `pbx.media.sounds.audio` plays, and raw
ones, which need no more than a header before them (`wrapped`). [io]
"""

from __future__ import annotations

import re
import stat
import struct
from pathlib import Path
from typing import BinaryIO, Final

from pbx.errors import Refused

RATES: Final = range(8000, 48001)  # Hz

G722: Final = ".g722"
RAW: Final = {
    ".ulaw": (7, 8, 8000),
    ".alaw": (6, 8, 8000),
    ".sln": (1, 16, 8000),
    ".sln16": (1, 16, 16000),
}
"""Suffix of files without a header → WAV's format tag (RFC 2361), bits a sample, samples a
second."""

SUFFIXES: Final = (".wav", G722, *RAW)
"""What can be played, in the order in which a name without a suffix is looked for."""

_PLAYED: Final = {(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64), (6, 8), (7, 8)}
"""(format tag, bits) of WAV; PCM, float, A-law and µ-law."""

_EXTENSIBLE: Final = 0xFFFE
_MAX_CHUNKS: Final = 1000
_NAME: Final = re.compile(r"\w[\w.-]*")


def inside(office: Path, path: str) -> Path:
    """Return the file that `path` names inside the office's folder, all links followed.

    Raises Refused for one that leads out of it.
    """
    if not path or "\0" in path or Path(path).is_absolute() or ".." in Path(path).parts:
        raise Refused(f'"{path}" is no path inside the office; write sounds/NAME.wav')
    try:
        root, found = office.resolve(), (office / path).resolve()
    except (OSError, RuntimeError) as error:  # a circle of links
        raise Refused(f'"{path}" cannot be followed; put the file itself there') from error
    if not found.is_relative_to(root):
        raise Refused(f'"{path}" leads out of the office by a link; put the file itself there')
    return found


def named(folder: Path, name: str, suffixes: tuple[str, ...] = SUFFIXES) -> Path | None:
    """Return the file in `folder` that is called so, whatever format it has; None: there is none.

    A name that is no plain one finds nothing, and neither does a link that leads out of the folder.
    """
    if not _NAME.fullmatch(name):
        return None
    for suffix in suffixes:
        path = folder / f"{name}{suffix}"
        if path.is_file() and (not path.is_symlink() or _leads_inside(path, folder)):
            return path
    return None


def _leads_inside(link: Path, folder: Path) -> bool:
    return link.resolve().is_relative_to(folder.resolve())


def probe(path: Path) -> str | None:
    """Return what is wrong with a sound file, as one sentence with the way out; None: it plays."""
    name = path.name
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            return f"{name} is not a file"
        if about.st_size == 0:
            return f"{name} is empty; record it anew"
        suffix = path.suffix.lower()
        if suffix == G722 or suffix in RAW:
            return None
        with path.open("rb") as file:
            return _probe_wav(file, name)
    except FileNotFoundError:
        return f"there is no file {path}"
    except OSError as error:
        return f"{name} cannot be read: {error.strerror}"


def problem_of(office: Path, path: str) -> str | None:
    """Return what is wrong with a path of dialplan.yaml, or with the file there; None: it plays."""
    try:
        return probe(inside(office, path))
    except Refused as refused:
        return str(refused)


def wrapped(path: Path) -> bytes:
    """Return a raw file as WAV; raises Refused where it cannot be read."""
    tag, bits, rate = RAW[path.suffix.lower()]
    try:
        sound = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    width = bits // 8
    form = struct.pack("<HHIIHH", tag, 1, rate, rate * width, width, bits)
    header = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body = header + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _probe_wav(file: BinaryIO, name: str) -> str | None:
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return f"{name} is not a WAV file; save it as one, 16 bits, mono"
    formed = False
    for _ in range(_MAX_CHUNKS):
        chunk = file.read(8)
        if len(chunk) < 8:
            break
        length = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data" and formed:
            # A length of 0 is that of a program that streamed: the sound goes on to the end.
            return None if file.read(1) else f"{name} is empty; record it anew"
        body_at = file.tell()
        if chunk[:4] == b"fmt ":
            problem = _probe_format(file.read(min(length, 40)), name)
            if problem:
                return problem
            formed = True
        file.seek(body_at + length + length % 2)
    return f"{name} holds no sound; save it anew as 16-bit PCM"


def _probe_format(form: bytes, name: str) -> str | None:
    if len(form) < 16:
        return f"{name} is not a WAV file; save it as one, 16 bits, mono"
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if tag == _EXTENSIBLE and len(form) >= 26:
        tag = int.from_bytes(form[24:26], "little")
    if (tag, bits) not in _PLAYED:
        return f"{name} is WAV of format {tag} with {bits} bits; save it as 16-bit PCM"
    if rate not in RATES:
        return f"{name} has {rate} samples a second; save it with 8000 to 48000"
    if not 0 < channels <= 32:
        return f"{name} has {channels} channels; save it as mono"
    return None
