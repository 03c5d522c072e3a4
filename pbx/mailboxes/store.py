"""[io] All mailboxes of an office, in memory as they are in the database.

Whoever asks never waits: a box has a hundred messages at most, so all of them are here. What
changes is written soon after (writer.py). A message is a draft while its caller speaks: its row is
there from the beginning, so that a crash loses neither what was said nor whose it was. PINs are
compared in a thread, as that is slow on purpose.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace
from sqlalchemy import Connection, select

from pbx.db import schema
from pbx.db.engine import Storage
from pbx.directory.pins import check_pin, pin_digest
from pbx.errors import Refused
from pbx.mailboxes.mending import Kept, mended, shortened
from pbx.mailboxes.model import (
    MOST,
    Box,
    Counts,
    Draft,
    Message,
    file_name,
    read_box,
    read_message,
)
from pbx.mailboxes.writer import Writer

log = logging.getLogger(__name__)

_ID_BYTES: Final = 8
_SALT_BYTES: Final = 16

_NOTHING: Final = Counts(0, 0)


class Mailboxes:
    """The mailboxes of an office; their files are below `folder`.

    `changed` is called with the name of a box whose counts have changed, `arrived` with each
    message that is new: a server sets both.
    """

    def __init__(self, database: Storage, folder: Path) -> None:
        self.changed: Callable[[str], None] = lambda _box: None
        self.arrived: Callable[[Message], None] = lambda _message: None
        self.folder = folder
        self.loaded = False
        """Whether what is in the database is here too."""
        self.cut_off: tuple[Message, ...] = ()
        """Drafts of a server that was killed, as `load` found them."""
        self.writer = Writer(database)
        self._database = database
        self._messages: dict[str, Message] = {}
        self._drafts: dict[str, Message] = {}
        self._of: dict[str, dict[str, None]] = {}
        """The ids of each box's messages, oldest first."""
        self._boxes: dict[str, Box] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self) -> None:
        """Read all that there is; call it before anything else."""
        messages, boxes = await self._database.read(_read_all)
        self.loaded = True
        self._boxes = {box.box: box for box in boxes}
        self._messages, self._of = {}, {}
        for message in messages:
            if message.state != "recording":
                self._put(message)
        self.cut_off = tuple(each for each in messages if each.state == "recording")

    async def close(self) -> None:
        """Write what is left."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.writer.close()

    # -- what is there -----------------------------------------------------------------------

    def counts(self, box: str) -> Counts:
        """Return how many messages are new and how many are not."""
        ids = self._of.get(box)
        if not ids:
            return _NOTHING
        new = sum(self._messages[id].new for id in ids)
        return Counts(new, len(ids) - new)

    def is_full(self, box: str) -> bool:
        """Tell whether no message fits in any more; those that are being said count."""
        said = sum(draft.box == box for draft in self._drafts.values())
        return len(self._of.get(box, ())) + said >= MOST

    def messages(self, box: str) -> tuple[Message, ...]:
        """Return the messages of a box, oldest first."""
        return tuple(self._messages[id] for id in self._of.get(box, ()))

    def find(self, id: str) -> Message | None:
        """Return a message; None where there is none."""
        return self._messages.get(id)

    def boxes(self) -> tuple[str, ...]:
        """Return the names of all boxes that have messages, or for which something was set."""
        return tuple(sorted({*(box for box, ids in self._of.items() if ids), *self._boxes}))

    def settings(self, box: str) -> Box:
        """Return what was set for a box."""
        return self._boxes.get(box) or Box(box=box)

    def path(self, id: str) -> Path:
        """Return where the sound of a message or greeting is. Raises Refused for no id of ours."""
        return self.folder / file_name(id)

    def file(self, message: str) -> str | None:
        """Return the path of a message's sound; None where the message is gone."""
        return str(self.path(message)) if message in self._messages else None

    def knows(self, id: str) -> bool:
        """Tell whether a file of that id belongs to something."""
        greetings = {box.greeting for box in self._boxes.values()}
        return id in self._messages or id in self._drafts or id in greetings

    # -- messages ----------------------------------------------------------------------------

    def begin(
        self, box: str, *, call: str, caller: str, caller_name: str | None, at: float
    ) -> Draft:
        """Make room for a message that a caller is about to say at `at` (wall)."""
        message = Message(
            id=secrets.token_hex(_ID_BYTES),
            box=box,
            call=call,
            received_at=round(at * 1000),
            caller=caller,
            caller_name=caller_name,
            state="recording",
        )
        self._drafts[message.id] = message
        self.writer.put_message(message)
        return Draft(message.id, str(self.path(message.id)))

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
        """Put a message that was said into its box; without effect for an unknown draft.

        Behind `seconds` of speech the file has so much `silence`, which is cut off before.
        """
        message = self._drafts.get(draft)
        kept = Kept(round(seconds, 3), octets, sha256, error)
        if message is not None and silence:
            self._begin(self._shorten(message, kept))
        elif message is not None:
            del self._drafts[draft]
            self.receive(message, kept)

    def receive(self, draft: Message, kept: Kept) -> None:
        """Put a message into its box: it is new."""
        message = replace(
            draft,
            state="new",
            seconds=kept.seconds,
            octets=kept.octets,
            sha256=kept.sha256,
            error=kept.error,
        )
        self._put(message)
        self.writer.put_message(message)
        self.changed(message.box)
        self.arrived(message)

    def mend(self, draft: str) -> None:
        """Keep what is whole of a message whose media worker died, if it is long enough."""
        message = self._drafts.get(draft)
        if message is not None:
            self._begin(self._mend(message))

    def drop(self, draft: str) -> None:
        """Forget what was said, and its file."""
        message = self._drafts.pop(draft, None)
        if message is not None:
            self.writer.drop_message(draft, self.path(draft))
        elif not self.knows(draft):
            self.writer.drop_file(self.path(draft))

    def mark_heard(self, message: str) -> None:
        """Note that somebody heard a message; without effect where it is gone."""
        found = self._messages.get(message)
        if found is not None and found.new:
            self._messages[message] = heard = replace(found, state="heard")
            self.writer.put_message(heard)
            self.changed(heard.box)

    def delete(self, message: str) -> None:
        """Delete a message and its file; without effect where it is gone."""
        found = self._messages.pop(message, None)
        if found is not None:
            del self._of[found.box][message]
            self.writer.drop_message(message, self.path(message))
            self.changed(found.box)

    def forget_heard(self, before: float) -> int:
        """Delete what was heard, and left before that time (wall); return how many."""
        old = [each.id for each in self._messages.values() if not each.new and each.at < before]
        for message in old:
            self.delete(message)
        return len(old)

    # -- greetings, PINs, addresses ----------------------------------------------------------

    def greeting(self, box: str) -> str | None:
        """Return the path of the greeting that the owner recorded, if there is one."""
        id = self.settings(box).greeting
        return str(self.path(id)) if id is not None else None

    def begin_greeting(self) -> Draft:
        """Make room for a greeting that is about to be said."""
        id = f"g{secrets.token_hex(_ID_BYTES)}"
        return Draft(id, str(self.path(id)))

    def keep_greeting(self, box: str, draft: str) -> None:
        """Greet callers of a box with what was said, in place of what was before."""
        before = self.settings(box)
        self._set(replace(before, greeting=draft))
        if before.greeting is not None:
            self.writer.drop_file(self.path(before.greeting))

    def forget_greeting(self, box: str) -> None:
        """Greet callers of a box as if nothing had been recorded."""
        before = self.settings(box)
        if before.greeting is not None:
            self._set(replace(before, greeting=None))
            self.writer.drop_file(self.path(before.greeting))

    def has_pin(self, box: str) -> bool:
        """Tell whether a PIN is set."""
        return self.settings(box).pin is not None

    async def is_pin(self, box: str, pin: str) -> bool:
        """Tell whether it is the box's PIN; the same work where there is none."""
        kept = self.settings(box)
        digest = await self._digest(pin, kept.salt or "")
        return kept.pin is not None and hmac.compare_digest(kept.pin, digest)

    async def set_pin(self, box: str, pin: str) -> None:
        """Ask for this PIN from now on. Raises Refused for one that is too easy."""
        check_pin(pin)
        if pin == box:
            raise Refused(f"the PIN of mailbox {box} is its own number; choose another PIN")
        salt = secrets.token_hex(_SALT_BYTES)
        digest = await self._digest(pin, salt)
        self._set(replace(self.settings(box), salt=salt, pin=digest))

    def clear_pin(self, box: str) -> None:
        """Ask for no PIN any more."""
        self._set(replace(self.settings(box), salt=None, pin=None))

    def mail(self, box: str) -> str | None:
        """Return the address that was set for a box, if one was."""
        return self.settings(box).mail

    def set_mail(self, box: str, address: str | None) -> None:
        """Mail the messages of a box there; None for nowhere."""
        self._set(replace(self.settings(box), mail=address))

    def remove(self, box: str) -> None:
        """Forget a box with all that is in it: whoever gets its number next has a new one."""
        for message in self.messages(box):
            self.delete(message.id)
        self.forget_greeting(box)
        if self._boxes.pop(box, None) is not None:
            self.writer.drop_box(box)

    # -- inside ------------------------------------------------------------------------------

    async def _digest(self, pin: str, salt: str) -> str:
        return await asyncio.to_thread(pin_digest, pin, salt)

    def _put(self, message: Message) -> None:
        self._messages[message.id] = message
        self._of.setdefault(message.box, {})[message.id] = None

    def _set(self, box: Box) -> None:
        self._boxes[box.box] = box
        self.writer.put_box(box)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="file of a message")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the %s could not be seen to", task.get_name(), exc_info=error)

    async def _shorten(self, draft: Message, kept: Kept) -> None:
        kept = await asyncio.to_thread(shortened, self.path(draft.id), kept)
        if self._drafts.pop(draft.id, None) is not None:
            self.receive(draft, kept)

    async def _mend(self, draft: Message) -> None:
        kept = await asyncio.to_thread(mended, self.path(draft.id))
        if kept is None:
            self.drop(draft.id)
        elif self._drafts.pop(draft.id, None) is not None:
            self.receive(draft, kept)


def _read_all(connection: Connection) -> tuple[list[Message], list[Box]]:
    rows = schema.messages
    messages = connection.execute(select(rows).order_by(rows.c.received_at, rows.c.id))
    boxes = connection.execute(select(schema.mailboxes))
    return [read_message(row) for row in messages], [read_box(row) for row in boxes]
