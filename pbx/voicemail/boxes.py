"""What voicemail needs of the outside, as Protocols; and which boxes there are.

A box is one of the office (`voicemail` in dialplan.yaml) or an extension's, by its number. All of
`Boxes` but `is_pin` works from memory and never waits; the disk follows by itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from pbx.plan.model import Plan

if TYPE_CHECKING:
    from pbx.call.admission import DirectoryLookup

SHORTEST: Final = 3.0
"""Seconds of a message, at least; what is shorter is none."""


class Message(Protocol):
    """A message that was left."""

    @property
    def id(self) -> str:
        """Return what names it."""

    @property
    def box(self) -> str:
        """Return the box that it is in."""

    @property
    def at(self) -> float:
        """Return when it was left, seconds since the epoch."""

    @property
    def caller(self) -> str:
        """Return the caller's number; "" where it is not known."""

    @property
    def caller_name(self) -> str | None:
        """Return the caller's name, if it is known."""

    @property
    def seconds(self) -> float | None:
        """Return how long it is."""

    @property
    def new(self) -> bool:
        """Tell whether nobody has heard it."""


class Draft(Protocol):
    """Something that is being said: `path` is the file that it is recorded into."""

    @property
    def id(self) -> str:
        """Return what names it, and the message that it becomes."""

    @property
    def path(self) -> str:
        """Return the path of the file."""


class Boxes(Protocol):
    """The messages, greetings and PINs of all boxes; `pbx.mailboxes` keeps them."""

    def counts(self, box: str) -> tuple[int, int]:
        """Return how many messages are new and how many are not."""

    def is_full(self, box: str) -> bool:
        """Tell whether no message fits in any more."""

    def messages(self, box: str) -> tuple[Message, ...]:
        """Return the messages of a box, oldest first."""

    def file(self, message: str) -> str | None:
        """Return the path of a message's sound; None where the message is gone."""

    def begin(
        self, box: str, *, call: str, caller: str, caller_name: str | None, at: float
    ) -> Draft:
        """Make room for a message that a caller is about to say at `at` (wall)."""

    def keep(
        self,
        draft: str,
        *,
        seconds: float,
        octets: int,
        sha256: str | None,
        error: str | None,
        silence: float = 0.0,
    ) -> None:
        """Put a message that was said into its box: `seconds` of speech, `octets` of file.

        Behind the speech the file has so much `silence`, which is cut off. `error` is a sentence
        where something is wrong with the file.
        """

    def mend(self, draft: str) -> None:
        """Keep what is whole of a message whose media worker died, if it is long enough."""

    def drop(self, draft: str) -> None:
        """Forget what was said, and its file."""

    def mark_heard(self, message: str) -> None:
        """Note that somebody heard a message; without effect where it is gone."""

    def delete(self, message: str) -> None:
        """Delete a message and its file; without effect where it is gone."""

    def greeting(self, box: str) -> str | None:
        """Return the path of the greeting that the owner recorded, if there is one."""

    def begin_greeting(self) -> Draft:
        """Make room for a greeting that is about to be said."""

    def keep_greeting(self, box: str, draft: str) -> None:
        """Greet callers of a box with what was said, in place of what was before."""

    def has_pin(self, box: str) -> bool:
        """Tell whether a PIN is set."""

    async def is_pin(self, box: str, pin: str) -> bool:
        """Tell whether it is the box's PIN, which takes some milliseconds of a thread."""

    def mail(self, box: str) -> str | None:
        """Return the address that was set for a box, if one was."""


class Lamps(Protocol):
    """The lamps on phones that tell of messages waiting (RFC 3842)."""

    def changed(self, box: str) -> None:
        """Let the phones that belong to a box show its counts anew."""


class Post(Protocol):
    """Who sends e-mail."""

    async def mail(self, to: str, subject: str, body: str, attachment: Path | None = None) -> None:
        """Send one; raises a CallpbxError with one sentence where that fails."""


class Place(NamedTuple):
    """A box as the dialplan and the directory know it; `greeting` is the name of a prompt."""

    name: str
    extension: bool
    greeting: str | None = None
    mail: str | None = None


def find_box(plan: Plan, directory: DirectoryLookup, name: str) -> Place | None:
    """Return the box `name`; None where neither dialplan nor directory has it."""
    extension = directory.extension(name) is not None
    office = plan.voicemail.get(name)
    if office is not None:
        return Place(name, extension, office.greeting, office.mail)
    return Place(name, extension) if extension else None


_LETTERS: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")


def keyed_box(plan: Plan, directory: DirectoryLookup, keys: str) -> Place | None:
    """Return the box that somebody means who keys its number, or its name as the letters stand on
    the keys (ITU-T E.161); None where none or more than one is meant."""
    place = find_box(plan, directory, keys)
    if place is not None:
        return place
    meant = [name for name in plan.voicemail if name.lower().translate(_LETTERS) == keys]
    return find_box(plan, directory, meant[0]) if len(meant) == 1 else None
