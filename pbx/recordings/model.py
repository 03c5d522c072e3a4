"""What the index says of a recording: the JSON object that the command line and the API show.

Times are UTC with milliseconds, seconds are floats of sound. Pure; docs/api.md says what each field
means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

import msgspec

from pbx.errors import Refused

State = Literal["recording", "complete", "interrupted", "missing", "deleted"]
"""Going on; whole; cut off by a crash and mended; its file is gone; its file was deleted in its
time."""

KEPT: Final[tuple[State, ...]] = ("complete", "interrupted")
"""States in which there is a file to listen to."""

MEDIA_TYPES: Final = {".wav": "audio/wav", ".opus": "audio/ogg; codecs=opus"}
"""By the end of the file's name."""

FILE_NAME: Final = re.compile(r"(?P<id>(?P<call>[\w]+)-\d+)\.(?:wav|opus)")
"""Names of recordings' files: their id, which begins with their call's."""


class Pause(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stretch of silence that somebody asked for; seconds of sound from the start.

    `to_s` is None while it goes on.
    """

    from_s: float
    to_s: float | None = None


class RecordingEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One recording.

    `seconds`, `octets` and `sha256` are None until the file is complete, `error` is a sentence
    where something is wrong with it. `file` is its path below var/recordings.
    """

    id: str
    call: str
    started_at: str
    state: State
    format: str
    seconds: float | None = None
    octets: int | None = None
    sha256: str | None = None
    error: str | None = None
    pauses: tuple[Pause, ...] = ()
    file: str

    @property
    def media_type(self) -> str:
        """Return the media type of the file."""
        return MEDIA_TYPES[PurePosixPath(self.file).suffix]


class Access(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who fetched the sound, and when: the name of a token, or `socket` for the office's owner."""

    at: str
    by: str


class RecordingDetails(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A recording, and who listened to it, oldest first."""

    recording: RecordingEntry
    accesses: tuple[Access, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingQuery:
    """Which recordings, newest first.

    Times are seconds since the epoch: `since` included, `until` not. `call` is a call's id.
    """

    since: float | None = None
    until: float | None = None
    call: str | None = None
    limit: int = 100
    before: str | None = None
    """The id of the last recording of the page before this one."""


def inside(file: str) -> PurePosixPath:
    """Return the path of an index row, below the folder of recordings; raises Refused for one that
    leads out of it."""
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or not FILE_NAME.fullmatch(path.name):
        raise Refused(f"{file} is no file of a recording")
    return path
