"""Three phones and a talk of two of them, for tests of transfers: who hears whom, by number."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pbx.call.call import Call
from pbx.call.leg import Leg
from pbx.cdr.record import CallRecord
from pbx.events import TransferEnded
from pbx.media.protocol import CodeHeard, DigitHeard
from tests.kit.exchange import House
from tests.kit.softphone import PhoneCall, Softphone


class Talk:
    """Alice (101) talks to Bob (102); Carol (103) has a phone."""

    def __init__(
        self, house: House, phones: Sequence[Softphone], alice: PhoneCall, bob: PhoneCall
    ) -> None:
        self.house = house
        self.phones = dict(zip(("101", "102", "103"), phones, strict=True))
        self.alice, self.bob = alice, bob
        calls = house.exchange.calls.values()
        self.call = next(call for call in calls if call.who.number == "101")

    @property
    def carol(self) -> Softphone:
        """Return Carol's phone."""
        return self.phones["103"]

    def leg(self, number: str, call: Call | None = None) -> Leg:
        """Return the newest open leg of a number."""
        legs = (call or self.call).legs.values()
        return next(leg for leg in reversed(tuple(legs)) if leg.number == number and leg.up)

    def heard_by(self, number: str) -> set[str]:
        """Return the numbers that a party hears."""
        legs = [leg for call in self.house.exchange.calls.values() for leg in call.legs.values()]
        numbers = {leg.id: leg.number for leg in legs}
        return {numbers[leg] for leg in self.house.media.hears(self.leg(number).id)}

    def hears(self) -> dict[str, set[str]]:
        """Return who hears whom in the call."""
        up = [leg.number for leg in self.call.legs.values() if leg.up]
        return {number: self.heard_by(number) for number in up}

    def played_to(self, number: str) -> list[str]:
        """Return what a party hears played now."""
        leg = self.leg(number).id
        playing = self.house.media.playing.items()
        return [source for (each, _), play in playing if each == leg for source in play.sources]

    async def keys(self, number: str, keys: str) -> None:
        """Let a party press keys."""
        for key in keys:
            self.house.media.report(DigitHeard(self.leg(number).id, key, 100))
            await asyncio.sleep(0.1)

    async def code(self, number: str, code: str) -> None:
        """Let a party key a code, as the worker tells of it."""
        leg = self.leg(number).id
        for key in code:
            self.house.media.report(DigitHeard(leg, key, 100))
        self.house.media.report(CodeHeard(leg, code))
        await asyncio.sleep(0.1)


async def talking(house: House) -> Talk:
    """Let Alice call Bob, who answers; ten seconds later they still talk."""
    phones = await house.registered("101", "102", "103")
    for number, name in (("101", "Alice"), ("102", "Bob"), ("103", "Carol")):
        house.directory.extensions[number].name = name
    call = phones[0].call("102")
    rung = await phones[1].rung()
    rung.answer()
    await call.answered()
    await asyncio.sleep(10)
    return Talk(house, phones, call, rung)


def results(house: House) -> list[str]:
    """Return what became of the transfers, in order."""
    events = house.happened(TransferEnded)
    return [event.result for event in events if isinstance(event, TransferEnded)]


def segments(record: CallRecord) -> list[tuple[str, str, str]]:
    """Return kind, party and result of each segment."""
    return [(each.kind, each.with_, each.result) for each in record.segments]
