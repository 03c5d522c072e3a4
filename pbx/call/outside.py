"""Calling a number of the outside: the destination kind `number`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pbx.call.extension import ring_and_talk
from pbx.call.outcome import Outcome

if TYPE_CHECKING:
    from pbx.call.call import Call

RINGING: Final = 120.0
"""Seconds that a number of the outside rings; its own network usually ends it before."""


async def outside(
    call: Call,
    number: str,
    *,
    caller_id: str | None = None,
    by: str | None = None,
    ring_s: float = RINGING,
) -> Outcome:
    """Call a number of the outside and talk to who answers; the destination kind `number`.

    `by` is the extension on whose behalf it is: the caller's own where the caller is one, else that
    of whoever transfers; None for what the dialplan says. `caller_id` is what a queue or ring group
    wants to show.
    """
    if by is None and call.who.trunk is None:
        by = call.who.number
    contact = await call.exchange.lines.dial(number, plan=call.plan, by=by, caller_id=caller_id)
    if isinstance(contact, Outcome):
        return contact
    return await ring_and_talk(call, [contact], ring_s)
