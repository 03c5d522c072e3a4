"""[io] The mailboxes as the command line and the API see and change them.

With a server it works on the same memory as calls do; without one it reads the database first. What
is changed is written when a call of this returns.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pbx.errors import NotFound, Refused, StorageError
from pbx.mailboxes.model import BoxEntry, Message, MessageEntry
from pbx.mailboxes.store import Mailboxes

_ADDRESS: Final = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,255}")
_MAX_NAME: Final = 80  # characters


class OfficeMailboxes:
    """The mailboxes of an office, for its administrator."""

    def __init__(self, boxes: Mailboxes) -> None:
        self._boxes = boxes

    async def boxes(self) -> list[BoxEntry]:
        """Return the boxes that have messages, or for which something was set, sorted by name."""
        await self._ready()
        return [self._entry(box) for box in self._boxes.boxes()]

    async def messages(
        self, *, box: str | None = None, limit: int = 100, before: str | None = None
    ) -> list[MessageEntry]:
        """Return messages of one box or of all, newest first, those after `before` in the list.

        Raises NotFound where `before` is none.
        """
        await self._ready()
        names = self._boxes.boxes() if box is None else (box,)
        found = [message for name in names for message in self._boxes.messages(name)]
        found.sort(key=_age, reverse=True)
        if before is not None:
            last = _age(await self._one(before))
            found = [message for message in found if _age(message) < last]
        return [message.entry() for message in found[:limit]]

    async def message(self, message: str) -> MessageEntry:
        """Return one message; raises NotFound."""
        return (await self._one(message)).entry()

    async def fetch(self, message: str) -> tuple[MessageEntry, Path]:
        """Return a message and its file. Raises NotFound, and Refused where the file is gone."""
        found = await self._one(message)
        path = self._boxes.path(found.id)
        if path.is_symlink() or not path.is_file():
            raise Refused(f"the file of message {found.id} is gone from {path}")
        return found.entry(), path

    async def delete(self, message: str) -> None:
        """Delete a message and its file; raises NotFound."""
        found = await self._one(message)
        self._boxes.delete(found.id)
        await self._written()

    async def change(
        self,
        box: str,
        *,
        pin: str | None = None,
        mail: str | None = None,
        standard_greeting: bool = False,
    ) -> None:
        """Set PIN or address of a box; None leaves one as it is, an empty text clears it.

        `standard_greeting` forgets the one that the owner recorded. Raises Refused.
        """
        await self._ready()
        if not 0 < len(box) <= _MAX_NAME or not box.isprintable():
            raise Refused(f"a mailbox has a name of 1 to {_MAX_NAME} printable characters")
        if mail and not (mail.isprintable() and _ADDRESS.fullmatch(mail)):
            raise Refused(f"{mail!r} is no e-mail address such as office@example.com")
        if pin:
            await self._boxes.set_pin(box, pin)
        elif pin is not None:
            self._boxes.clear_pin(box)
        if mail is not None:
            self._boxes.set_mail(box, mail or None)
        if standard_greeting:
            self._boxes.forget_greeting(box)
        await self._written()

    async def remove(self, box: str) -> None:
        """Forget a box with all that is in it; without effect where there is none."""
        await self._ready()
        self._boxes.remove(box)
        await self._written()

    async def _one(self, message: str) -> Message:
        await self._ready()
        found = self._boxes.find(message)
        if found is None:
            raise NotFound(f"there is no message {message}")
        return found

    def _entry(self, box: str) -> BoxEntry:
        counts, kept = self._boxes.counts(box), self._boxes.settings(box)
        return BoxEntry(
            box=box,
            new=counts.new,
            old=counts.old,
            pin=kept.pin is not None,
            mail=kept.mail,
            greeting=kept.greeting is not None,
        )

    async def _ready(self) -> None:
        if not self._boxes.loaded:
            await self._boxes.load()

    async def _written(self) -> None:
        if not await self._boxes.writer.flush():
            raise StorageError("the database takes nothing now; free some space on its disk")


def _age(message: Message) -> tuple[int, str]:
    return message.received_at, message.id
