"""The owner of a box hears the messages: new ones first, one key for each thing to do.

The messages are those that were there when the owner came. What is marked for deletion is deleted
when the owner leaves or hangs up, so that the same key brings it back until then. A message is
heard once its sound was played to the end, or the owner keyed something in the middle of it. Three
times in a row no key, or none that means anything, and the owner is gone.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from pbx.call.hearing import Stop
from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind
from pbx.speech.saying import Saying
from pbx.voicemail.boxes import Boxes, Draft, Message
from pbx.voicemail.speech import BEEP, hear, local, words
from pbx.voicemail.take import Taken, take

if TYPE_CHECKING:
    from pbx.call.call import Call

PATIENCE: Final = 5.0
"""Seconds that the owner may take for a key, after all was said."""

TRIES: Final = 3
"""How often in a row no key may come that means something."""

GREETING_MOST: Final = 60.0
GREETING_LEAST: Final = 1.0
"""Seconds of a greeting."""

LEAVE: Final = frozenset("#*")
GREET: Final = "0"

_DIALLED = re.compile(r"\+?[0-9*#]+")


class Owner:
    """One owner at a box, with the messages in the order in which they are heard."""

    def __init__(self, call: Call, box: str, boxes: Boxes) -> None:
        self.call = call
        self.box = box
        self._boxes = boxes
        # Python's sort keeps the oldest first among the new, and among the others.
        self._messages = sorted(boxes.messages(box), key=lambda message: not message.new)
        self._at = 0
        self._marked: set[str] = set()
        self._acts: Mapping[str, Callable[[Message], Awaitable[bool]]] = {
            "4": self._previous,
            "5": self._again,
            "6": self._next,
            "7": self._mark,
            "9": self._save,
        }

    async def run(self) -> None:
        """Let the owner hear and choose until it leaves; what was marked is deleted then."""
        self.call.caller.media.watch(keys=True)
        try:
            await self._say(*self._greeting())
            await self._choose()
        finally:
            for message in self._marked:
                self._boxes.delete(message)
        await self._say(self._words("goodbye"))

    async def _choose(self) -> None:
        """Play the message that is due, ask for a key and do what it means, again and again."""
        play, missed = True, 0
        while missed < TRIES:
            message = self._messages[self._at] if self._messages else None
            if play and message is not None:
                await self._play(message)
            await self._say(self._words("message-menu" if message else "greeting-offer"))
            key = await self.call.caller.keys.next(PATIENCE)
            if key is not None and key in LEAVE:
                return
            known = key == GREET or (message is not None and key in self._acts)
            missed = 0 if known else missed + 1
            play = known and await self._act(key or "", message)
            if key is not None and not known:
                await self._say(self._words("invalid-key"))

    async def _act(self, key: str, message: Message | None) -> bool:
        """Do what a key means; return whether a message shall be played."""
        if key == GREET or message is None:
            await self._record_greeting()
            return False
        return await self._acts[key](message)

    # -- hearing -----------------------------------------------------------------------------

    def _greeting(self) -> tuple[Saying, ...]:
        if not self._messages:
            return (self._words("no-messages"),)
        new = sum(message.new for message in self._messages)
        counts = {"new": str(new), "old": str(len(self._messages) - new)}
        return (self._words("you-have", **counts),)

    async def _play(self, message: Message) -> None:
        caller = self.call.caller
        await self._say(self._heading(message))
        if caller.keys.waiting:
            return
        file = self._boxes.file(message.id)
        if file is None:
            await self._say(self._words("message-missing"))
        elif await caller.play(f"file:{file}", stop_on_key=True) or caller.keys.waiting:
            self._boxes.mark_heard(message.id)
        else:
            await self._say(self._words("message-missing"))

    def _heading(self, message: Message) -> Saying:
        values = {
            "index": str(self._at + 1),
            "count": str(len(self._messages)),
            "when": f"{local(self.call, message.at):%Y-%m-%d %H:%M}",
        }
        if _DIALLED.fullmatch(message.caller):
            return self._words("message-heading", number=message.caller, **values)
        return self._words("message-heading-unknown", **values)

    async def _say(self, *sayings: Saying | str) -> None:
        await hear(self.call, *sayings)

    def _words(self, name: str, **values: str) -> Saying:
        return words(self.call, name, **values)

    # -- what keys mean ----------------------------------------------------------------------

    async def _previous(self, _message: Message) -> bool:
        self._at = max(0, self._at - 1)
        return True

    async def _again(self, _message: Message) -> bool:
        return True

    async def _next(self, _message: Message) -> bool:
        if self._at + 1 < len(self._messages):
            self._at += 1
            return True
        await self._say(self._words("no-more-messages"), self._words("greeting-offer"))
        return False

    async def _mark(self, message: Message) -> bool:
        """Delete a message later, or no longer."""
        if message.id in self._marked:
            self._marked.discard(message.id)
            await self._say(self._words("message-undeleted"))
        else:
            self._marked.add(message.id)
            await self._say(self._words("message-deleted"))
        return False

    async def _save(self, message: Message) -> bool:
        self._marked.discard(message.id)
        self._boxes.mark_heard(message.id)
        await self._say(self._words("message-kept"))
        return await self._next(message)

    # -- the owner's own greeting ------------------------------------------------------------

    async def _record_greeting(self) -> None:
        await self._say(self._words("greeting-record"))
        await self.call.caller.play(BEEP)
        draft = self._boxes.begin_greeting()
        await take(
            self.call, draft.path, most=GREETING_MOST, then=partial(self._greeting_taken, draft)
        )
        if self._boxes.greeting(self.box) == draft.path:
            await self._say(self._words("greeting-saved"), f"file:{draft.path}")
        else:
            await self._say(self._words("greeting-too-short"))

    def _greeting_taken(self, draft: Draft, taken: Taken) -> None:
        whole = taken.file.error is None and taken.seconds >= GREETING_LEAST
        if whole and taken.stop is not Stop.GONE:
            self._boxes.keep_greeting(self.box, draft.id)
        else:
            self._boxes.drop(draft.id)


def heard() -> Outcome:
    """Return the outcome of an owner's visit."""
    return Outcome(OutcomeKind.LEFT, "answered", "left", 200, NORMAL_CLEARING, "system")
