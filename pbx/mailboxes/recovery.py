"""[io] Brings rows and files of mailboxes together at the start of a server.

Messages whose caller spoke when the last server was killed are kept, if there is enough of them. A
row whose file is gone is forgotten. A file without a row is left where it is, and said: nobody can
tell any more whose it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pbx.mailboxes.mending import mended
from pbx.mailboxes.model import id_of, is_greeting
from pbx.mailboxes.store import Mailboxes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done: messages mended, those too short or lost, those whose file was gone,
    greetings whose file was gone, and files that belong to nothing (names, sorted)."""

    mended: int = 0
    dropped: int = 0
    missing: int = 0
    greetings: int = 0
    strange: tuple[str, ...] = ()


async def recover(boxes: Mailboxes, alarm: Callable[[str], object]) -> Recovered:
    """Mend what a crash left, and say what did not fit; may run beside calls."""
    files = await asyncio.to_thread(_files, boxes.folder)  # before anything is asked of the memory
    mended_, dropped = await _mend(boxes)
    missing, greetings = await _forget_missing(boxes, files)
    strange = await _strange(boxes, files)
    done = Recovered(mended_, dropped, missing, greetings, strange)
    if done != Recovered():
        log.warning(
            "voicemail: %d messages mended, %d dropped, %d files and %d greetings are gone",
            *(mended_, dropped, missing, greetings),
        )
    if missing:
        alarm(f"{missing} voicemail messages are lost: their files are gone from {boxes.folder}")
    if strange:
        alarm(
            f"{len(strange)} files in {boxes.folder} belong to no mailbox, {strange[0]} is one; "
            "listen to them and remove them"
        )
    return done


async def _mend(boxes: Mailboxes) -> tuple[int, int]:
    kept_of = {}
    for draft in boxes.cut_off:
        kept_of[draft.id] = await asyncio.to_thread(mended, boxes.path(draft.id))
    whole = 0
    for draft in boxes.cut_off:
        kept = kept_of[draft.id]
        if kept is not None:
            boxes.receive(draft, kept)
            whole += 1
        else:
            boxes.writer.drop_message(draft.id, boxes.path(draft.id))
    dropped = len(boxes.cut_off) - whole
    boxes.cut_off = ()
    return whole, dropped


async def _forget_missing(boxes: Mailboxes, files: frozenset[str]) -> tuple[int, int]:
    """Forget messages and greetings without a file; return how many of each."""
    messages = [each.id for box in boxes.boxes() for each in boxes.messages(box)]
    greetings = {boxes.settings(box).greeting: box for box in boxes.boxes()}
    named = [id for id in (*messages, *greetings) if id is not None and id not in files]
    lost = await asyncio.to_thread(_missing, boxes, named)
    for id in lost:
        if id in greetings:
            boxes.forget_greeting(greetings[id])
        else:
            boxes.delete(id)
    silent = len([id for id in lost if id in greetings])
    return len(lost) - silent, silent


def _files(folder: Path) -> frozenset[str]:
    return frozenset(id for file in folder.iterdir() if (id := id_of(file.name)) is not None)


def _missing(boxes: Mailboxes, ids: list[str]) -> list[str]:
    """Return which files are not there, now that the messages are known."""
    return [id for id in ids if not boxes.path(id).is_file()]


async def _strange(boxes: Mailboxes, files: frozenset[str]) -> tuple[str, ...]:
    """Return the names of messages' files that nobody knows; greetings of that kind were never
    completed, and go."""
    await boxes.writer.flush()  # what was dropped is gone
    alone = sorted(id for id in files if not boxes.knows(id))
    found = []
    for id in alone:
        if is_greeting(id):
            boxes.drop(id)
        else:
            found.append(id)
    missing = set(await asyncio.to_thread(_missing, boxes, found))
    return tuple(boxes.path(id).name for id in found if id not in missing)
