"""What callers reach: the destination `voicemail:BOX`, and the features `*97` and `*98`.

`*97` is for the phone whose own box it is: it is let in at once where no PIN is set, as it has
proved by digest who it is. `*98` is any box from any phone of the office, and only by PIN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pbx.call.features import Features
from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind, failed
from pbx.call.routing import Destinations
from pbx.voicemail.boxes import Boxes, find_box
from pbx.voicemail.door import Door
from pbx.voicemail.leave import Visit
from pbx.voicemail.listen import Owner, heard
from pbx.voicemail.speech import hear, words

if TYPE_CHECKING:
    from pbx.call.call import Call

OWN: Final = "*97"
ANY: Final = "*98"


class Voicemail:
    """The mailboxes of an exchange, as callers and owners live through them."""

    def __init__(self, boxes: Boxes) -> None:
        self.boxes = boxes
        self.door = Door(boxes)

    def register(self, destinations: Destinations, features: Features) -> None:
        """Let calls come here."""
        destinations.register("voicemail", self.voicemail)
        features.register("voicemail", OWN, self.own)
        features.register("any_voicemail", ANY, self.any)

    async def voicemail(self, call: Call, name: str, *, reason: str | None = None) -> Outcome:
        """Leave a message in the box `name`; `reason` is why nobody answered: no_answer, busy or
        unavailable."""
        place = find_box(call.plan, call.exchange.directory, name)
        if place is None:
            return failed(404, "unknown_mailbox")
        call.caller.answer(call.caller.speaks())
        with call.if_left("voicemail"):
            return await Visit(call, place, self.boxes).run(reason)

    async def own(self, call: Call) -> Outcome:
        """Hear the box of the phone that calls."""
        number = call.who.number
        if call.who.trunk is not None or call.exchange.directory.extension(number) is None:
            return await self.any(call)
        call.caller.answer(call.caller.speaks())
        call.connected()
        return await self._let_in(call, number, free=not self.boxes.has_pin(number))

    async def any(self, call: Call) -> Outcome:
        """Hear a box that is asked for."""
        call.caller.answer(call.caller.speaks())
        call.connected()
        place = await self.door.named(call)
        if place is None:
            await hear(call, words(call, "goodbye"))
            return _turned_away("no_mailbox")
        if not self.boxes.has_pin(place.name):
            await hear(call, words(call, "mailbox-without-pin"))
            return _turned_away("no_pin")
        return await self._let_in(call, place.name, free=False)

    async def _let_in(self, call: Call, box: str, *, free: bool) -> Outcome:
        if not free and not await self.door.opened(call, box):
            return _turned_away("wrong_pin")
        await Owner(call, box, self.boxes).run()
        return heard()


def _turned_away(reason: str) -> Outcome:
    return Outcome(OutcomeKind.FAILED, "rejected", reason, 200, NORMAL_CLEARING, "system")
