"""Calling a number of the outside: the destination kind `number`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pbx.call.extension import ring_and_talk
from pbx.call.outcome import Outcome

if TYPE_CHECKING:
    from pbx.call.call import Call

RINGING: Final = 120.0
"""Seconds that a number of the outside rings; its own network usually ends it before."""


async def outside(call: Call, number: str) -> Outcome:
    """Call a number of the outside and talk to who answers; the destination kind `number`.

    It is on behalf of the caller's extension, where the caller is at one, else the dialplan's own.
    """
    by = call.who.number if call.who.trunk is None else None
    contact = await call.exchange.lines.dial(number, plan=call.plan, by=by)
    if isinstance(contact, Outcome):
        return contact
    return await ring_and_talk(call, [contact], RINGING)
