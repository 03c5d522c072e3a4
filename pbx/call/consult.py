"""Asking somebody before a transfer, on any phone: the code `*2`, and three together by `*3`.

    *2          the other party hears music, who keyed it hears a dial tone and keys a number
    a number    it rings, and the two talk: nobody else hears them, and no recording
    hanging up  the parties left talk to each other; one that only rings still goes on ringing, and
                is a blind transfer from then on
    *2 again    back to the first party, as it is where the other is busy, silent or leaves
    *3          all three hear each other, until one of them leaves

It is the first party's call from `*2` on, so it outlives whoever keyed the code. Where the first
party hangs up meanwhile, the call ends. What is consulted is a phone: an extension or a number
outside.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from pbx.call import hold_reminder
from pbx.call.bridge import Bridge, hear_codes, music_of
from pbx.call.joining import pair, part, rejoin
from pbx.call.keys import Wanted, collect
from pbx.call.outcome import Outcome, no_answer
from pbx.call.transfer import (
    RECALL_S,
    RUNG,
    Transfer,
    come_back,
    contacts_of,
    gone,
    hand_on,
    result_of,
    target_of,
)
from pbx.call.unless import Unless
from pbx.events import HoldEnded, HoldStarted

if TYPE_CHECKING:
    from pbx.call.leg import Leg

NUMBER: Final = Wanted(least=1, most=32, end_key="#", first_s=10.0, between_s=3.0)
"""A number that is keyed in a call: `#` ends it, or three seconds of nothing."""

DIAL_TONE: Final = ("tone:dial",)
BACK: Final = ("tone:leave",)
"""What is heard by whoever has the first party back."""
NO_SUCH_NUMBER: Final = ("tone:special_information",)
REFUSED: Final = ("tone:leave",)


def set_aside(leg: Leg, *, to: Bridge | None = None) -> Leg:
    """Let the other party of `leg` hear music while `leg` does something else; return it."""
    call = leg.call
    party = part(leg, to=to)
    party.media.start_music(music_of(call))
    call.emit(HoldStarted(call=call.id, leg=leg.id))
    hold_reminder.start(leg)
    leg.keys.clear()
    return party


def take_back(leg: Leg, party: Leg, tone: tuple[str, ...]) -> Leg:
    """Let `leg` talk to the party again that was set aside."""
    hold_reminder.stop(leg)
    rejoin(party, leg, shown=True)
    leg.call.emit(HoldEnded(call=leg.call.id, leg=leg.id))
    leg.media.start_playing(tone, others=1.0)
    return leg


async def dialled(leg: Leg) -> str | None:
    """Return the number that a party keys after a dial tone; None for none in time."""
    tone = leg.media.start_playing(DIAL_TONE, loop=True, stop_on_key=True)
    try:
        return await collect(leg, NUMBER)
    finally:
        tone.stop()
        hear_codes(leg)


def is_free(leg: Leg) -> bool:
    """Tell whether the talk of `leg` can be handed on now; if not, its party hears that."""
    handing = leg.call.handing
    if leg.other is not None and handing.ready and not handing.loops(leg.call.exchange.now()):
        return True
    leg.media.start_playing(REFUSED, others=1.0)
    return False


# -- the codes ------------------------------------------------------------------------------------


def consult(leg: Leg) -> None:
    """Begin to ask somebody, or return to the first party; the code `*2`."""
    consultation = leg.call.handing.consultation
    if consultation is not None:
        consultation.wish(leg, "back")
    elif is_free(leg):
        consultation = Consultation(leg)
        leg.call.handing.consultation = consultation
        leg.call.handing.wish(consultation.run)


def bring_together(leg: Leg) -> None:
    """Let all three hear each other; the code `*3`."""
    consultation = leg.call.handing.consultation
    if consultation is not None:
        consultation.wish(leg, "together")


def hand_on_blind(leg: Leg) -> None:
    """Ask for a number and hand the other party on to it; the code `##`."""
    if is_free(leg):
        leg.call.handing.wish(partial(_hand_on_blind, leg, set_aside(leg)))


async def _hand_on_blind(leg: Leg, party: Leg) -> Leg | Outcome:
    number: str | None = None
    async with Unless(leg.ended):
        number = await dialled(leg)
    if not leg.up:
        return gone(leg)
    if number is None:
        return take_back(leg, party, BACK)
    destination = target_of(leg.call, number)
    if destination is None:
        return take_back(leg, party, NO_SUCH_NUMBER)
    transfer = Transfer(party, leg, number, destination)
    party.media.stop_music()
    transfer.begin()
    leg.close(reason="transferred")
    return await hand_on(transfer)


# -- a consultation -------------------------------------------------------------------------------


class Consultation:
    """One consultation, from `*2` to whatever becomes of it. `asking` is who keyed the code."""

    def __init__(self, asking: Leg) -> None:
        self.asking = asking
        self._call = asking.call
        self._side = Bridge(self._call.exchange.media)
        self.party = set_aside(asking, to=self._side)
        self._wish: asyncio.Future[Literal["back", "together"]]
        self._wish = asyncio.get_running_loop().create_future()
        self._talking = False

    def wish(self, leg: Leg, what: Literal["back", "together"]) -> None:
        """Take a code of whoever asks; of anybody else, or too early, it means nothing."""
        if leg is self.asking and (what == "back" or self._talking) and not self._wish.done():
            self._wish.set_result(what)

    async def run(self) -> Leg | Outcome:
        """Ask somebody; the turn of a talk (handing.py)."""
        try:
            return await self._ask()
        finally:
            self._call.handing.consultation = None
            hold_reminder.stop(self.asking)

    async def _ask(self) -> Leg | Outcome:
        asking, call = self.asking, self._call
        number: str | None = None
        async with Unless(asking.ended, self._wish):
            number = await dialled(asking)
        if not asking.up:
            return gone(asking)
        if number is None or self._wish.done():
            return take_back(asking, self.party, BACK)
        target = target_of(call, number)
        if target is None or target.kind not in RUNG:
            return take_back(asking, self.party, NO_SUCH_NUMBER)
        transfer = Transfer(self.party, asking, number, target, kind="attended")
        transfer.begin()
        try:
            return await self._ring(transfer)
        finally:
            if call.ending is not None:
                transfer.end("cancelled")

    async def _ring(self, transfer: Transfer) -> Leg | Outcome:
        """Ring whoever is asked; who asks may hang up meanwhile."""
        asking, call = self.asking, self._call
        contacts = await contacts_of(call, transfer.destination, by=asking)
        if isinstance(contacts, Outcome):
            return await self._not_taken(transfer, contacts)
        first: Leg | Outcome = no_answer()
        async with call.ring(role="consulted", hears=asking) as ringing:
            for contact in contacts:
                ringing.add(contact)
            asking.ended.add_done_callback(lambda _: ringing.heard_by(self.party))
            async with Unless(self._wish):
                first = await ringing.first(RECALL_S)
        if self._wish.done():
            if not isinstance(first, Outcome):
                first.close(reason="not_wanted")
            transfer.end("cancelled")
            return self._back(asking)
        if isinstance(first, Outcome) or not first.up:
            refusal = first if isinstance(first, Outcome) else no_answer()
            return await self._not_taken(transfer, refusal)
        return await self._talk(transfer, first)

    async def _not_taken(self, transfer: Transfer, refusal: Outcome) -> Leg | Outcome:
        """Return to the first party, or give it back to whoever has hung up already."""
        if not self.asking.up:
            self.party.media.stop_music()
            return await come_back(transfer, refusal)
        transfer.end(result_of(refusal))
        return self._back(self.asking)

    async def _talk(self, transfer: Transfer, asked: Leg) -> Leg | Outcome:
        """Let the two talk, until one of them leaves or a code says what follows."""
        asking = self.asking
        if asking.up:
            pair(asking, asked, self._side)
            self._talking = True
            futures = (asking.ended, asked.ended, self._wish)
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
            self._talking = False
        if not asking.up:
            return self._complete(transfer, asked)
        asking.other = asked.other = None
        if asked.up and self._wish.done() and self._wish.result() == "together":
            transfer.end("three_way")
            return await together(self.party, asking, asked)
        asked.close(reason="not_wanted")
        transfer.end("cancelled")
        return self._back(asking)

    def _complete(self, transfer: Transfer, asked: Leg) -> Leg | Outcome:
        """Let the first party talk to whoever was asked: who asked has hung up."""
        if not asked.up:
            return gone(self.asking)
        transfer.end("completed")
        asked.role = "called"
        rejoin(self.party, asked)
        return asked

    def _back(self, asking: Leg) -> Leg | Outcome:
        if not asking.up:
            return gone(asking)
        return take_back(asking, self.party, BACK)


# -- three together -------------------------------------------------------------------------------


async def together(party: Leg, asking: Leg, asked: Leg) -> Leg | Outcome:
    """Let three parties hear each other until one leaves; the two that are left talk on."""
    call = party.call
    hold_reminder.stop(asking)
    asked.role = "called"
    rejoin(party, asking, shown=True)
    call.emit(HoldEnded(call=call.id, leg=asking.id))
    call.bridge.add(asked)
    call.handing.heir = asking
    three = (party, asking, asked)
    try:
        await asyncio.wait([leg.ended for leg in three], return_when=asyncio.FIRST_COMPLETED)
    finally:
        call.handing.heir = None
    left = [leg for leg in three if leg.up]
    if len(left) < 2:
        return gone(next(leg for leg in (asking, asked, party) if not leg.up))
    rejoin(*left)
    return left[1]
