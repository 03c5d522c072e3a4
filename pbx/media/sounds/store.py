"""Sounds by name: what `file:`, `tone:`, `music:` and `silence:` in a command stand for.

The store opens each source once and keeps the latest, with what of them has been decoded and coded:
listeners share it. A file that was changed is opened anew for whoever comes next.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from pbx.errors import Refused
from pbx.media.sounds.audio import SoundFile, open_sound
from pbx.media.sounds.clip import CACHE_OCTETS, PER_MS, UNIT_MS, Clip, Frame, Shelf, Silence, Source
from pbx.media.sounds.live_music import LiveMusic, Sound
from pbx.media.sounds.loudness import music_gain
from pbx.media.sounds.rates import rate_filter
from pbx.media.sounds.tone_plan import DEFAULT_COUNTRY, TONE_PLANS, tone_clip

MAX_CLIPS: Final = 256
"""Clips that are kept, and with them files that are open, besides those being played."""

MAX_SILENCE_MS: Final = 3_600_000

_PLACES_PER_SAMPLE: Final = 2


class FileSource(Source):
    """Makes the sound of a file at other rates than its own, louder by a factor."""

    def __init__(self, file: SoundFile, gain: float = 1.0) -> None:
        self._file = file
        self._gain = gain

    def read(self, unit: int, rate: int) -> Frame:
        """Return a unit of the file."""
        file = self._file
        size = rate * UNIT_MS // 1000
        if file.rate == rate:
            samples = file.read(unit * size, size)
        else:
            samples = rate_filter(file.rate, rate).read(file.read, unit * size, size)
        if self._gain != 1.0:
            samples = samples * self._gain
        return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


def file_clip(shelf: Shelf, file: SoundFile, gain: float = 1.0) -> Clip:
    """Return a sound file as a clip; its length is rounded up to whole samples of 8 kHz."""
    samples = -(-file.frames * 8000 // file.rate)
    return Clip(FileSource(file, gain), shelf, samples * _PLACES_PER_SAMPLE)


class SoundStore:
    """Opens sounds. `country` says whose tones are heard, `limit` how many octets are kept."""

    def __init__(self, *, country: str = DEFAULT_COUNTRY, limit: int = CACHE_OCTETS) -> None:
        if country not in TONE_PLANS:
            raise Refused(f"there are no tones of {country}; choose of {', '.join(TONE_PLANS)}")
        self._country = country
        self._shelf = Shelf(limit)
        self._clips: OrderedDict[tuple[str | int, ...], Clip] = OrderedDict()
        self._music: dict[str, LiveMusic] = {}
        self._kinds: dict[str, Callable[[str], Sound]] = {
            "file": self._open_file,
            "tone": self._open_tone,
            "music": self._open_music,
            "silence": self._open_silence,
        }

    def open(self, source: str) -> Sound:
        """Return what a source names; raises Refused with a sentence that says what to do."""
        kind, colon, name = source.partition(":")
        opener = self._kinds.get(kind)
        if not colon or opener is None:
            raise Refused(f"{source} is no sound; write file:, tone:, music: or silence: before it")
        if "\0" in name:
            raise Refused(f"{name} cannot be read: no such name")
        return opener(name)

    def advance(self) -> None:
        """Let 20 ms pass: live music goes on. To be called once a tick, before its first frame."""
        for music in self._music.values():
            music.turn()

    @property
    def music_frames(self) -> int:
        """Return how many payloads of music were coded since the start, whoever heard them."""
        return sum(music.coded for music in self._music.values())

    def _open_file(self, path: str) -> Clip:
        return self._keep(self._version(path), lambda: file_clip(self._shelf, open_sound(path)))

    def _open_level(self, path: str) -> Clip:
        """Return a file at the level of music."""

        def read() -> Clip:
            file = open_sound(path)
            return file_clip(self._shelf, file, music_gain(file))

        return self._keep(("music", *self._version(path)), read)

    def _open_tone(self, name: str) -> Clip:
        return self._keep(
            ("tone", name), lambda: tone_clip(self._shelf, name, country=self._country)
        )

    def _open_silence(self, milliseconds: str) -> Clip:
        if not milliseconds.isascii() or not milliseconds.isdigit() or len(milliseconds) > 9:
            raise Refused(f"silence:{milliseconds} is no time; give milliseconds, as silence:500")
        length = min(int(milliseconds), MAX_SILENCE_MS)
        return self._keep(("silence", length), lambda: self._silence(length))

    def _silence(self, milliseconds: int) -> Clip:
        return Clip(Silence(), self._shelf, milliseconds * PER_MS, repeats=1)

    def _open_music(self, path: str) -> LiveMusic:
        key = os.path.realpath(path)
        music = self._music.get(key)
        if music is None or music.ended:
            coded = music.coded if music is not None else 0
            music = LiveMusic(Path(path), self._open_level)
            music.coded += coded
            self._music[key] = music
        return music

    def _version(self, path: str) -> tuple[str | int, ...]:
        """Return what tells a file from all others and from what it was before."""
        try:
            about = Path(path).stat()
        except OSError as error:
            raise Refused(f"{path} cannot be read: {error.strerror}") from error
        return path, about.st_ino, about.st_mtime_ns, about.st_size

    def _keep(self, key: tuple[str | int, ...], make: Callable[[], Clip]) -> Clip:
        clip = self._clips.get(key)
        if clip is None:
            clip = self._clips[key] = make()
            if len(self._clips) > MAX_CLIPS:
                self._clips.popitem(last=False)
        else:
            self._clips.move_to_end(key)
        return clip
