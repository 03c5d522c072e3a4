"""Calling an extension: all of its phones ring, somebody talks, or its mailbox takes the call.

The mailbox is for a call that was sent to the extension itself. Whoever rings its phones for
another reason (a ring group, a queue, a supervisor, a conference) uses `call.ring` or
`ring_and_talk`, and no mailbox ever takes such a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pbx.call import bridge
from pbx.call.outcome import Outcome, failed, not_registered
from pbx.events import Result
from pbx.plan.destination import Destination

if TYPE_CHECKING:
    from pbx.call.admission import ExtensionEntry
    from pbx.call.call import Call, Script
    from pbx.call.contact import Contact

VOICEMAIL: Final = "voicemail"
"""The destination kind of mailboxes."""

WHY_THE_MAILBOX: Final[dict[Result, str]] = {
    "no_answer": "no_answer",
    "busy": "busy",
    "rejected": "busy",
    "unavailable": "unavailable",
}
"""Results after which the mailbox takes the call, and what it is told: a person who declines is
busy."""


async def extension(call: Call, number: str) -> Outcome:
    """Ring every phone of an extension, then its mailbox; the destination kind `ext`."""
    entry = call.exchange.directory.extension(number)
    if entry is None:
        return failed(404, "unknown_number")
    contacts = await call.exchange.contacts(entry)
    if contacts:
        outcome = await ring_and_talk(call, contacts, entry.no_answer_s)
    else:
        outcome = not_registered()
    reason = WHY_THE_MAILBOX.get(outcome.result)
    if reason is None or not entry.voicemail or VOICEMAIL not in call.exchange.destinations:
        return outcome
    return await call.go(Destination(VOICEMAIL, number), reason=reason)


async def ring_and_talk(call: Call, contacts: list[Contact], seconds: float) -> Outcome:
    """Ring all contacts at once; talk to the first that answers until one side leaves."""
    async with call.ring() as ringing:
        for contact in contacts:
            ringing.add(contact)
        first = await ringing.first(seconds)
    if isinstance(first, Outcome):
        return first
    call.connect(first)
    return await bridge.talk(call, first)


async def click_to_dial(
    call: Call,
    extension: ExtensionEntry,
    contacts: list[Contact],
    script: Script,
) -> Outcome:
    """Ring the phones of whoever wants to call; once one answers, it is the caller of `script`."""
    async with call.ring() as ringing:
        for contact in contacts:
            ringing.add(contact)
        first = await ringing.first(extension.no_answer_s)
    if isinstance(first, Outcome):
        return first
    call.caller_leg = first
    return await script(call)
