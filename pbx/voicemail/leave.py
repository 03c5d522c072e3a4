"""A caller leaves a message: greeting, beep, what is said, and a word that it is kept.

A message is kept however its caller ends, if there are three seconds of it. Somebody who ends a
shorter one by `#` may try once more. `VoicemailLeft` comes once for each `VoicemailEntered`, with
the message if there is one.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from pbx.call.hearing import Stop
from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind
from pbx.events import VoicemailEntered, VoicemailLeft
from pbx.voicemail.boxes import SHORTEST, Boxes, Draft, Place
from pbx.voicemail.speech import BEEP, greeting, hear, words
from pbx.voicemail.take import Taken, take

if TYPE_CHECKING:
    from pbx.call.call import Call

log = logging.getLogger(__name__)

LONGEST: Final = 180.0
"""Seconds of a message, at most."""

TRIES: Final = 2
"""How often a caller may begin who ends too soon."""


class Visit:
    """One caller at one box."""

    def __init__(self, call: Call, place: Place, boxes: Boxes) -> None:
        self.call = call
        self.place = place
        self.boxes = boxes
        self._taking: Draft | None = None
        self._over = False
        self._left = False

    async def run(self, reason: str | None) -> Outcome:
        """Greet the caller and take a message down; return what became of it."""
        call = self.call
        call.emit(VoicemailEntered(call=call.id, box=self.place.name))
        try:
            return await self._leave(reason)
        finally:
            self._over = True
            if self._taking is None:
                self._leaves()

    async def _leave(self, reason: str | None) -> Outcome:
        call = self.call
        call.caller.media.watch(keys=True)
        refusal = call.exchange.recordings.refused
        if refusal is not None or self.boxes.is_full(self.place.name):
            log.warning("call %s: mailbox %s takes no message", call.id, self.place.name)
            await hear(call, words(call, "mailbox-full"), words(call, "goodbye"))
            return _left("mailbox_full")
        await hear(call, *greeting(call, self.boxes, self.place, reason))
        for _ in range(TRIES):
            await call.caller.play(BEEP)
            taken = await self._take()
            if self._left or taken is None:
                await hear(call, words(call, "message-saved"), words(call, "goodbye"))
                return _left("message")
            if taken.stop is not Stop.KEY:
                break
            await hear(call, words(call, "message-too-short"))
        await hear(call, words(call, "goodbye"))
        return _left("no_message")

    async def _take(self) -> Taken | None:
        call = self.call
        draft = self._taking = self.boxes.begin(
            self.place.name,
            call=call.id,
            caller=call.who.number,
            caller_name=call.who.name,
            at=call.exchange.clock.wall(),
        )
        return await take(call, draft.path, most=LONGEST, then=partial(self._taken, draft))

    def _taken(self, draft: Draft, taken: Taken) -> None:
        """Keep what was said, or forget it; the caller may be gone."""
        self._taking = None
        file = taken.file
        if not file.octets and file.error is not None:
            log.warning("call %s: the message is cut off: %s", self.call.id, file.error)
            self.boxes.mend(draft.id)
        elif taken.seconds < SHORTEST:
            self.boxes.drop(draft.id)
        else:
            self.boxes.keep(
                draft.id,
                seconds=taken.seconds,
                octets=file.octets,
                sha256=file.sha256,
                error=file.error,
                silence=file.seconds - taken.seconds,
            )
            self._leaves(draft.id, taken.seconds)
        if self._over:
            self._leaves()

    def _leaves(self, message: str | None = None, seconds: float | None = None) -> None:
        """Tell that the caller left, once."""
        if not self._left:
            self._left = True
            seconds = None if seconds is None else round(seconds, 3)
            self.call.emit(
                VoicemailLeft(
                    call=self.call.id, box=self.place.name, message=message, seconds=seconds
                )
            )


def _left(reason: str) -> Outcome:
    return Outcome(OutcomeKind.LEFT, "voicemail", reason, 200, NORMAL_CLEARING, "system")
