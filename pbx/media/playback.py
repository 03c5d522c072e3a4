"""Playing files: clips shared by all who hear them, and one playback's place in its clip.

A `Clip` is a sound file coded for one codec. It is read and coded 50 ms at a time, as the first
listener gets there, and kept: music that a hundred callers hear is coded once. Who plays is the
20 ms tick; a `Playback` says what goes out for the time that passed, so that timestamps come from
counted samples and never from the clock.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from pbx.errors import Refused
from pbx.media.audio import WavReader
from pbx.media.codecs import ARRAY_CODECS, ArrayCodec

CACHE_OCTETS: Final = 64 << 20
"""Coded sound that is kept when nobody plays it: over two hours of G.711."""


class Clip:
    """A file in the coding of one codec, read as far as somebody has heard it."""

    def __init__(self, file: BinaryIO, name: str, codec: ArrayCodec) -> None:
        self.codec = codec
        self._reader: WavReader | None = WavReader(file, name, codec.rate)
        self._file = file
        self._coded = bytearray()

    @property
    def size(self) -> int:
        """Return the octets coded so far."""
        return len(self._coded)

    def payload(self, start: int, count: int) -> bytes:
        """Return `count` octets from `start` on; fewer at the end of the file."""
        while self._reader is not None and len(self._coded) < start + count:
            self._read_on(self._reader)
        return bytes(self._coded[start : start + count])

    def close(self) -> None:
        """Read no further."""
        self._reader = None
        self._file.close()

    @property
    def complete(self) -> bool:
        """Return whether the file was read to its end."""
        return self._reader is None

    def _read_on(self, reader: WavReader) -> None:
        try:
            samples = reader.read()
        except OSError:  # a disk that fails ends the sound, not the worker
            self.close()
            return
        if len(samples):
            self._coded += self.codec.encode(None, samples.reshape(1, -1))[0]
        else:
            self.close()


class ClipStore:
    """Opens clips, and keeps the latest of them."""

    def __init__(self, limit: int = CACHE_OCTETS) -> None:
        self._limit = limit
        self._clips: OrderedDict[tuple[str, int, int, str], Clip] = OrderedDict()

    def open(self, path: str, codec_name: str) -> Clip:
        """Return the file at `path` coded for that codec; raises Refused with a sentence."""
        codec = ARRAY_CODECS.get(codec_name)
        if codec is None:
            raise Refused(f"{path} cannot be played in {codec_name} yet")
        try:
            about = Path(path).stat()
            key = (path, about.st_mtime_ns, about.st_size, codec_name)
            clip = self._clips.get(key) or self._read(path, codec)
        except OSError as error:
            raise Refused(f"{path} cannot be read: {error.strerror}") from error
        self._clips[key] = clip
        self._clips.move_to_end(key)
        self._forget_oldest()
        return clip

    def _read(self, path: str, codec: ArrayCodec) -> Clip:
        if not Path(path).is_file():
            raise Refused(f"{path} is not a file")
        with ExitStack() as opened:
            clip = Clip(opened.enter_context(Path(path).open("rb")), path, codec)
            opened.pop_all()  # from here on the clip closes its file
        return clip

    def close(self) -> None:
        """Forget all clips and close their files."""
        for clip in self._clips.values():
            clip.close()
        self._clips.clear()

    def _forget_oldest(self) -> None:
        kept = sum(clip.size for clip in self._clips.values())
        for key, clip in list(self._clips.items())[:-1]:
            if kept > self._limit and clip.complete:
                kept -= clip.size
                del self._clips[key]


class Playback:
    """One leg hearing one clip. `number` is signalling's name for it."""

    __slots__ = ("_clip", "_credit", "_position", "loop", "number", "path")

    def __init__(self, number: int, path: str, clip: Clip, *, loop: bool) -> None:
        self.number = number
        self.path = path
        self.loop = loop
        self._clip = clip
        self._position = 0
        self._credit = 0

    def recode(self, clip: Clip) -> None:
        """Go on from the same place in another coding of the file."""
        self._position = self._position * clip.codec.rate // self._clip.codec.rate
        self._clip = clip

    def due(self, milliseconds: int, ptime: int) -> int:
        """Let time pass; return how many packets of `ptime` milliseconds it makes."""
        packets, self._credit = divmod(self._credit + milliseconds, ptime)
        return packets

    def next_payload(self, octets: int) -> bytes | None:
        """Return the next packet's payload, filled up with silence at the end; None after it.

        A loop goes round without a gap; a file without sound ends at once all the same.
        """
        payload = self._clip.payload(self._position, octets)
        self._position += len(payload)
        while len(payload) < octets and self.loop and self._position:
            more = self._clip.payload(0, octets - len(payload))
            self._position = len(more)
            payload += more
        if not payload:
            return None
        silence = self._clip.codec.silence
        return payload + bytes((silence,)) * (octets - len(payload))
