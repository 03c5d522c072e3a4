"""Hold music as a radio plays it: one place for all who hear it, wherever they come in.

A `LiveMusic` plays a file, or the files of a folder in turn, round and round. Each 20 ms of it are
decoded once for each rate and coded once for each codec, by the first listener who asks in a tick;
for all others it is a look-up. While nobody listens it stands still.

`LiveMusic.turn` ends a tick's frame. Packets of other than 20 ms are coded as streams of their own,
shared too, from which a listener takes packets one by one.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from pbx.errors import Refused
from pbx.media.codecs.array_codec import ArrayCodec
from pbx.media.sounds.clip import Clip, Frame
from pbx.media.sounds.reel import FRAME, Reel

PATIENCE: Final = 50
"""Ticks that a packet stream goes on without being asked for: a second."""

SUFFIXES: Final = (".wav", ".g722")
"""Files of a folder that are music."""

log = logging.getLogger(__name__)


def music_files(path: Path) -> list[Path]:
    """Return the files that `music:PATH` plays, by name; raises Refused where there are none."""
    try:
        if not path.is_dir():
            return [path]
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    if not files:
        raise Refused(f"{path} holds no sound; put WAV files there")
    return files


class LiveMusic:
    """One source of music. `open_clip` opens one file of it, at the level of music.

    Raises Refused when none of its files can be played.
    """

    def __init__(self, path: Path, open_clip: Callable[[str], Clip]) -> None:
        self._path = path
        self._open_clip = open_clip
        self._refusal = Refused(f"{path} holds no sound; put WAV files there")
        """Why the last file that could not be played could not be."""
        self._reel = Reel(self._clips())
        if self._reel.ended:
            raise self._refusal
        self._heard = False
        self._frames: dict[int, Frame] = {}
        self._payloads: dict[str, bytes] = {}
        self._encoders: dict[str, Any] = {}
        self._streams: dict[tuple[str, int], PacketStream] = {}
        self.coded = 0
        """How many payloads were coded since the start, whoever heard them."""

    @property
    def ended(self) -> bool:
        """Return whether nothing can be played any more: its files are gone."""
        return self._reel.ended

    def frame(self, rate: int) -> Frame:
        """Return this tick's 20 ms at 8000 or 16000 Hz, int16 (rate / 50,), shared."""
        frame = self._frames.get(rate)
        if frame is None:
            frame = self._frames[rate] = self._read(rate)
        return frame

    def payload(self, codec: ArrayCodec) -> bytes:
        """Return this tick's 20 ms coded, the same for all who ask."""
        payload = self._payloads.get(codec.name)
        if payload is None:
            payload = self._payloads[codec.name] = self._encode(codec)
        return payload

    def packets(self, codec: ArrayCodec, ptime: int) -> PacketStream:
        """Return the stream of packets of another length than 20 ms."""
        key = (codec.name, ptime)
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = PacketStream(codec, ptime)
            self.coded += stream.feed(self.frame(codec.rate))
        stream.patience = PATIENCE
        return stream

    def turn(self) -> None:
        """Go on by 20 ms, if anybody heard the last ones."""
        if not self._heard:
            return
        self._heard = False
        self._frames = {}
        self._payloads = {}
        self._reel.move(FRAME)
        for key, stream in list(self._streams.items()):
            stream.patience -= 1
            if stream.patience < 0:
                del self._streams[key]
            else:
                self.coded += stream.feed(self.frame(stream.codec.rate))

    def _read(self, rate: int) -> Frame:
        self._heard = True
        try:
            frame = self._reel.frame(rate)
        except Refused as refusal:
            self._pass_over(refusal)
            self._reel.skip()
            frame = None
        return np.zeros(rate // 50, np.int16) if frame is None else frame

    def _encode(self, codec: ArrayCodec) -> bytes:
        self.coded += 1
        frame = self.frame(codec.rate).reshape(1, -1)
        if codec.name not in self._encoders:
            self._encoders[codec.name] = codec.encoder()
        state = self._encoders[codec.name]
        return codec.encode(None if state is None else [state], frame)[0]

    def _clips(self) -> Iterator[Clip]:
        """Yield the clips in turn, as long as one of a round can be played."""
        found = True
        while found:
            found = False
            for file in self._files():
                try:
                    clip = self._open_clip(str(file))
                except Refused as refusal:
                    self._pass_over(refusal)
                    continue
                if clip.length:
                    found = True
                    yield clip

    def _files(self) -> list[Path]:
        try:
            return music_files(self._path)
        except Refused as refusal:
            self._pass_over(refusal)
            return []

    def _pass_over(self, refusal: Refused) -> None:
        self._refusal = refusal
        log.warning("music: %s", refusal)


class PacketStream:
    """Music in packets of `ptime` milliseconds, numbered from 0.

    A listener comes in two packets behind the newest, so that the next is always there when its
    own time for it has come, however the two fall between ticks.
    """

    def __init__(self, codec: ArrayCodec, ptime: int) -> None:
        self.codec = codec
        self.patience = PATIENCE
        self._encoder = codec.encoder()
        self._size = codec.rate * ptime // 1000
        self._waiting = np.zeros(2 * self._size, np.int16)  # who comes first hears a pause first
        self._packets: deque[bytes] = deque(maxlen=200 // ptime + 3)
        self._next = 0
        self._code()

    def feed(self, frame: Frame) -> int:
        """Take 20 ms; return how many packets came of them."""
        self._waiting = np.concatenate((self._waiting, frame))
        return self._code()

    def packet(self, number: int | None) -> tuple[bytes, int]:
        """Return that packet, or where it is gone or not there yet the one to begin with.

        The number of what was returned comes with it.
        """
        oldest = self._next - len(self._packets)
        if number is None or not oldest <= number < self._next:
            number = max(oldest, self._next - 2)
        return self._packets[number - oldest], number

    def _code(self) -> int:
        whole = len(self._waiting) // self._size
        states = None if self._encoder is None else [self._encoder]
        for part in self._waiting[: whole * self._size].reshape(whole, self._size):
            self._packets.append(self.codec.encode(states, part.reshape(1, -1))[0])
        self._waiting = self._waiting[whole * self._size :]
        self._next += whole
        return whole


Sound = Clip | LiveMusic
"""What a source names."""
