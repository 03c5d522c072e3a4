"""A message and a mailbox, as they are kept and as the command line and the API show them.

Ids are random words of ours: files are named after them and after nothing that somebody else said.
Pure; docs/api.md says what each field means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec

from pbx.db.bulk import Row
from pbx.errors import Refused

State = Literal["recording", "new", "heard"]
"""The caller still speaks; nobody has heard it; somebody has."""

_ID: Final = re.compile(r"g?[0-9a-f]{16}")


MOST: Final = 100
"""Messages in one box; then it is full."""

SHORTEST: Final = 3.0
"""Seconds of sound that a message has, at least, which a crash cut off."""


class Draft(NamedTuple):
    """Something that is being said: the id that it will have, and the file it is recorded into."""

    id: str
    path: str


class Counts(NamedTuple):
    """How many messages nobody has heard, and how many somebody has."""

    new: int
    old: int


class MessageEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message, as it is shown. `error` is a sentence where something is wrong with it."""

    id: str
    box: str
    call: str
    received_at: str
    caller: str
    caller_name: str | None
    state: Literal["new", "heard"]
    seconds: float
    octets: int | None
    sha256: str | None
    error: str | None


class BoxEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One mailbox, as it is shown. `greeting` tells whether its owner recorded one."""

    box: str
    new: int
    old: int
    pin: bool
    mail: str | None
    greeting: bool


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row of the table `messages`, in the order of its columns. `received_at` is milliseconds."""

    id: str
    box: str
    call: str
    received_at: int
    caller: str
    caller_name: str | None
    state: State
    seconds: float | None = None
    octets: int | None = None
    sha256: str | None = None
    error: str | None = None

    @property
    def at(self) -> float:
        """Return when the caller began to speak, seconds since the epoch."""
        return self.received_at / 1000

    @property
    def new(self) -> bool:
        """Tell whether nobody has heard it."""
        return self.state == "new"

    def values(self) -> Row:
        """Return the row as the database takes it."""
        return tuple(getattr(self, name) for name in self.__struct_fields__)

    def entry(self) -> MessageEntry:
        """Return what is shown of it; it is complete."""
        return MessageEntry(
            id=self.id,
            box=self.box,
            call=self.call,
            received_at=utc_text(self.received_at),
            caller=self.caller,
            caller_name=self.caller_name,
            state="new" if self.new else "heard",
            seconds=self.seconds or 0.0,
            octets=self.octets,
            sha256=self.sha256,
            error=self.error,
        )


class Box(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row of the table `mailboxes`, in the order of its columns. `greeting` is a file's id."""

    box: str
    salt: str | None = None
    pin: str | None = None
    mail: str | None = None
    greeting: str | None = None

    def values(self) -> Row:
        """Return the row as the database takes it."""
        return tuple(getattr(self, name) for name in self.__struct_fields__)


def read_message(values: Sequence[Any]) -> Message:
    """Return a row of `messages` as the database gave it."""
    return Message(**dict(zip(Message.__struct_fields__, values, strict=True)))


def read_box(values: Sequence[Any]) -> Box:
    """Return a row of `mailboxes` as the database gave it."""
    return Box(**dict(zip(Box.__struct_fields__, values, strict=True)))


def file_name(id: str) -> str:
    """Return the name of the file of that id. Raises Refused for what is no id of ours."""
    if not _ID.fullmatch(id):
        raise Refused(f"{id!r} is no message of ours")
    return f"{id}.wav"


def id_of(file: str) -> str | None:
    """Return the id that a file's name is made of; None where it is not one of ours."""
    stem = file.removesuffix(".wav")
    return stem if file != stem and _ID.fullmatch(stem) else None


def is_greeting(id: str) -> bool:
    """Tell whether an id is a greeting's."""
    return id.startswith("g")


def utc_text(milliseconds: int) -> str:
    """Write milliseconds since the epoch as `2026-11-21T08:00:00.123Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
