"""A thousand versions of the dialplan under a hundred calls: none is lost, each keeps its own."""

from __future__ import annotations

import asyncio
from collections import deque

from pbx.call.call import Call
from pbx.plan.destination import Destination
from pbx.plan.model import NumberRoute, Plan
from tests.kit.exchange import House, flow
from tests.kit.softphone import PhoneCall

RELOADS = 1000
CALLS = 100
SWAP_EVERY_S = 0.02
NEW_CALL_EVERY = 10
"""So many reloads between one call that ends and another that begins."""

FIRST = 200
"""The first of the numbers that are called."""


def version(number: int) -> Plan:
    """Return a dialplan that leads 4000 to another phone each time."""
    lead = Destination("ext", str(FIRST + number % CALLS))
    return Plan(f"v{number}", numbers={"4000": NumberRoute("4000", lead)})


class Office:
    """A hundred callers, a hundred who answer, and whom each version leads to."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.number = 0
        self.up: deque[tuple[PhoneCall, PhoneCall]] = deque()
        self.pinned: dict[Call, Plan] = {}

    async def reload(self) -> None:
        """Put the next version in force."""
        self.number += 1
        self.house.exchange.plan = version(self.number)
        await asyncio.sleep(SWAP_EVERY_S)
        for call, plan in self.pinned.items():
            assert call.plan is plan

    async def call(self) -> None:
        """Let the next caller call 4000, which whoever this version names answers."""
        known = set(self.house.exchange.calls.values())
        phones = {phone.number: phone for phone in self.house.phones}
        wanted = self.house.exchange.plan.numbers["4000"].destination.name
        outgoing = phones[str(100 + int(wanted) - FIRST)].call("4000")
        rung = await phones[wanted].rung()
        (call,) = set(self.house.exchange.calls.values()) - known
        assert call.plan is self.house.exchange.plan
        self.pinned[call] = call.plan
        await self.reload()  # while it rings
        rung.answer()
        await outgoing.answered()
        self.up.append((outgoing, rung))

    async def end_oldest(self) -> None:
        """Let the caller of the oldest call hang up."""
        outgoing, rung = self.up.popleft()
        outgoing.hang_up()
        await rung.ended()


def test_a_thousand_reloads_under_a_hundred_calls_lose_none() -> None:
    async def scenario(house: House) -> None:
        office = Office(house)
        house.exchange.plan = version(0)
        await house.registered(*(str(number) for number in range(100, 100 + CALLS)))
        await house.registered(*(str(number) for number in range(FIRST, FIRST + CALLS)))
        for _ in range(CALLS):
            await office.call()
        while office.number < RELOADS:
            await office.reload()
            if office.number % NEW_CALL_EVERY == 0:
                await office.end_oldest()
                await office.call()
            assert len(house.exchange.calls) >= CALLS
        while office.up:
            await office.end_oldest()
        versions = {call.id: plan.version_id for call, plan in office.pinned.items()}
        await house.settle()
        records = house.records
        assert {id_: record.dialplan_version for id_, record in records.items()} == versions
        assert {record.result for record in records.values()} == {"answered"}

    flow(scenario)
