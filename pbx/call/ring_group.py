"""Ringing several parties for one call: ring groups, and the verb `ring` of flows.

    all        every phone of every member rings at once
    in_order   one member after the other, the first one first
    rotate     as in_order, but each call begins with the next member

Members are extensions and numbers of the outside. One that no phone is registered for, that there
is not, or that no line goes to, is skipped and noted in the log. A member's own mailbox never takes
the call, nor does anybody outside whom its phone redirects to. What follows when nobody
takes the call is for the dialplan, so nothing here goes there.

With `confirm` keys whoever answers hears what the call is and has it once one of those keys is
pressed, while the others ring on: so no mailbox of a mobile phone ever swallows a call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pbx.call import bridge
from pbx.call.arrival import OUTSIDE
from pbx.call.keys import Wanted, collect
from pbx.call.outcome import (
    ABSENT,
    Outcome,
    failed,
    no_answer,
    reached_nobody,
)
from pbx.call.speaking import say
from pbx.plan.destination import Destination
from pbx.speech.phrases import phrase
from pbx.speech.saying import Saying
from pbx.speech.values import spoken

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.call.contact import Contact
    from pbx.call.leg import Leg
    from pbx.call.ringing import Question
    from pbx.plan.model import RingGroup

log = logging.getLogger(__name__)

CONFIRMING: Final = Wanted(least=1, most=1, end_key="", first_s=10.0)
"""How long who answered may take to press the key, counted from the end of the question."""

LONGEST_QUESTION: Final = 30.0
"""Seconds after which a question is over, whatever is announced."""


async def ring(call: Call, name: str) -> Outcome:
    """Ring the members of a group; the destination kind `ring`."""
    group = call.plan.ring_groups.get(name)
    if group is None:
        return failed(404, "unknown_number")
    members = group.members if group.how != "rotate" else _from_the_next(call, group)
    return await ring_members(call, members, together=group.how == "all", each_s=group.ring_s)


async def ring_members(
    call: Call,
    members: Sequence[Destination],
    *,
    together: bool,
    each_s: float,
    confirm: tuple[str, ...] | None = None,
    caller_id: str | None = None,
    announce: Saying | None = None,
) -> Outcome:
    """Ring parties until one takes the call, and talk to it.

    All at once for `each_s` seconds, or each for so long. `announce` is said to whoever answers
    before the two are joined; `caller_id` is the number that the parties see.
    """
    refusals: list[Outcome] = []
    for batch in _batches(members, together=together):
        contacts = [
            contact
            for member in batch
            for contact in await _contacts(call, member, caller_id, refusals)
        ]
        taken = await _taken(call, contacts, each_s, confirm, announce, refusals)
        if taken is not None:
            call.connect(taken)
            return await bridge.talk(call, taken)
    return reached_nobody(refusals)


def _batches(members: Sequence[Destination], *, together: bool) -> Sequence[Sequence[Destination]]:
    once = tuple(dict.fromkeys(members))
    return (once,) if together else [(member,) for member in once]


async def _contacts(
    call: Call, member: Destination, caller_id: str | None, refusals: list[Outcome]
) -> list[Contact]:
    """Return the phones of a member; none for one who cannot be rung, which is noted."""
    exchange = call.exchange
    if member.kind == OUTSIDE:
        by = None if call.who.trunk is not None else call.who.number
        found = await exchange.lines.dial(member.name, plan=call.plan, by=by, caller_id=caller_id)
        if isinstance(found, Outcome):
            log.info("call %s: %s is not rung: %s", call.id, member, found.reason)
            refusals.append(found)
            return []
        return [found]
    entry = exchange.directory.extension(member.name)
    contacts = [] if entry is None else await exchange.contacts(entry)
    if not contacts:
        why = "there is none" if entry is None else "no phone is registered"
        log.info("call %s: %s is not rung: %s", call.id, member, why)
        refusals.append(ABSENT)
    return [replace(contact, caller_id=caller_id) for contact in contacts]


async def _taken(
    call: Call,
    contacts: list[Contact],
    seconds: float,
    confirm: tuple[str, ...] | None,
    announce: Saying | None,
    refusals: list[Outcome],
) -> Leg | None:
    """Ring phones and return the leg that takes the call; None where none does, which is noted."""
    if not contacts:
        return None
    question = None if confirm is None else _question(call, confirm, announce)
    async with call.ring(question=question, early_media=announce is None) as ringing:
        for contact in contacts:
            ringing.add(contact)
        first = await ringing.first(seconds)
        if isinstance(first, Outcome):
            refusals += ringing.refusals
            return None
        if announce is not None and confirm is None:
            await say(first, announce, interrupt=False)
    if not first.up:
        refusals.append(no_answer())
        return None
    return first


def _question(call: Call, confirm: tuple[str, ...], announce: Saying | None) -> Question:
    """Return what asks the party of a leg to press one of those keys."""
    language = call.plan.defaults.language
    called = spoken(call.called, "digits", language)
    asked = phrase("confirm-call", language, group=called, key=confirm[0])
    sayings = (asked,) if announce is None else (announce, asked)

    async def takes(leg: Leg) -> bool:
        sources = await call.settings.speaker.sources(*sayings)
        try:
            async with asyncio.timeout(LONGEST_QUESTION):
                return await collect(leg, CONFIRMING, prompt=sources) in confirm
        except TimeoutError:
            return False

    return takes


def _from_the_next(call: Call, group: RingGroup) -> tuple[Destination, ...]:
    """Return the members, beginning one further than for the call before."""
    turns, count = call.exchange.turns, max(1, len(group.members))
    start = turns.get(group.name, 0) % count
    turns[group.name] = start + 1
    return (*group.members[start:], *group.members[:start])
