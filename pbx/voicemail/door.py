"""The door of a mailbox: whose it is, and the PIN.

A PIN may be tried three times a call, and ten times in all before the box is locked to the caller
(`pbx.call.pin_lock`). Comparing takes milliseconds elsewhere, so tries take turns: else as many
calls could try at once as there are.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from pbx.call.keys import Wanted, collect
from pbx.call.pin_lock import PinLock
from pbx.voicemail.boxes import Boxes, Place, keyed_box
from pbx.voicemail.speech import hear, words

if TYPE_CHECKING:
    from pbx.call.call import Call

TRIES: Final = 3
PIN: Final = Wanted(least=1, most=10, end_key="#", first_s=10.0, between_s=4.0)
NUMBER: Final = Wanted(least=1, most=20, end_key="#", first_s=10.0, between_s=4.0)


class Door:
    """Lets callers in to their boxes, and remembers who had wrong PINs."""

    def __init__(self, boxes: Boxes) -> None:
        self.lock = PinLock()
        self._boxes = boxes
        self._turn = asyncio.Lock()

    async def named(self, call: Call) -> Place | None:
        """Ask for the number of a box; None where none of that number came in three tries."""
        names: tuple[str, ...] = ("enter-mailbox",)
        for _ in range(TRIES):
            keys = await collect(call.caller, NUMBER, prompt=await _prompt(call, *names))
            if keys is not None:
                place = keyed_box(call.plan, call.exchange.directory, keys)
                if place is not None:
                    return place
                names = ("mailbox-unknown", "enter-mailbox")
        return None

    async def opened(self, call: Call, box: str) -> bool:
        """Ask for the PIN of a box; False for who does not have it, and has been told.

        Keys are masked from the first prompt to the last: impatient people key the next try while
        they hear that the last was wrong.
        """
        with call.caller.keys.masked():
            refusal = await self._tried(call, box)
            if refusal is not None:
                await hear(call, words(call, refusal))
        return refusal is None

    async def _tried(self, call: Call, box: str) -> str | None:
        """Return the phrase that turns the caller away, None for who had the PIN."""
        names: tuple[str, ...] = ("enter-pin",)
        for _ in range(TRIES):
            if self._is_locked(call, box):
                break
            prompt = await _prompt(call, *names)
            pin = await collect(call.caller, PIN, prompt=prompt, secret=True)
            if pin is not None and await self._is_right(call, box, pin):
                return None
            names = ("enter-pin",) if pin is None else ("wrong-pin", "enter-pin")
        return "locked" if self._is_locked(call, box) else "wrong-pin"

    async def _is_right(self, call: Call, box: str, pin: str) -> bool:
        who, now = _who(call, box), call.exchange.now
        async with self._turn:
            if self.lock.locked(who, now()):
                return False
            if await self._boxes.is_pin(box, pin):
                return True
            self.lock.wrong(who, now())
            return False

    def _is_locked(self, call: Call, box: str) -> bool:
        return self.lock.locked(_who(call, box), call.exchange.now())


async def _prompt(call: Call, *names: str) -> tuple[str, ...]:
    return await call.settings.speaker.sources(*(words(call, name) for name in names))


def _who(call: Call, box: str) -> tuple[str, str, str]:
    """Return as whom the lock knows a caller at a box."""
    return box, call.who.trunk or "", call.who.number
