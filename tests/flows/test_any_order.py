"""Conferences and supervision in whatever order things happen: nothing is left, nothing breaks.

Each step is what a phone, a supervisor or an administrator may do at any time; what cannot be done
then is refused in a sentence. At the end everybody hangs up, and the house must be empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.call import conference, supervision
from pbx.call.lookup import find_call
from pbx.errors import NotFound, Refused
from pbx.media.protocol import CodeHeard, DigitHeard, Talking
from pbx.plan.model import Conference, Plan
from tests.kit.exchange import House, RoomPins, flow
from tests.kit.softphone import Softphone

NUMBERS: Final = ("101", "102", "103", "104")
ROOM: Final = "7001"

Step = Callable[["Crowd", str], Awaitable[object]]


class Crowd:
    """Four phones that answer, and what is done by them and to them."""

    def __init__(self, house: House, phones: list[Softphone]) -> None:
        self.house = house
        self.phones = dict(zip(NUMBERS, phones, strict=True))

    async def answer(self, phone: Softphone) -> None:
        """Answer whatever rings, a moment later."""
        while True:
            rung = await phone.rung(within=100_000)
            await asyncio.sleep(0.5)
            rung.answer()

    def legs(self, number: str) -> list[int]:
        """Return the legs of a number that have media."""
        calls = self.house.exchange.calls.values()
        legs = [leg for call in calls for leg in call.legs.values()]
        return [leg.id for leg in legs if leg.number == number and leg.media.open]

    async def enter(self, number: str) -> None:
        """Dial the room."""
        self.phones[number].call(ROOM)

    async def call(self, number: str) -> None:
        """Dial the next phone."""
        self.phones[number].call(NUMBERS[(NUMBERS.index(number) + 1) % len(NUMBERS)])

    async def hang_up(self, number: str) -> None:
        """Leave all calls."""
        for call in list(self.phones[number].calls.values()):
            call.hang_up()

    async def press(self, number: str, keys: str) -> None:
        """Press keys, once what is played is over."""
        for leg in self.legs(number):
            self.house.media.finish_playing(leg)
        await asyncio.sleep(0.01)
        for key in keys:
            for leg in self.legs(number):
                self.house.media.report(DigitHeard(leg, key, 100))

    async def talk(self, number: str) -> None:
        """Begin to talk."""
        for leg in self.legs(number):
            self.house.media.report(Talking(leg, True))

    async def code(self, number: str) -> None:
        """Key `*1` in a call."""
        for leg in self.legs(number):
            self.house.media.report(CodeHeard(leg, "*1"))

    async def watch(self, number: str) -> None:
        """Supervise the call of the next phone."""
        other = NUMBERS[(NUMBERS.index(number) + 1) % len(NUMBERS)]
        await supervision.supervise(self.house.exchange, other, number, "whisper")

    async def record(self, number: str) -> None:
        """Record a call on demand."""
        exchange = self.house.exchange
        exchange.recordings.begin(find_call(exchange.calls, number))

    async def release(self, number: str, mode: supervision.ReleaseMode) -> None:
        """Let a party go."""
        supervision.release(self.house.exchange, number, mode)

    async def kick(self, number: str) -> None:
        """Put a member out."""
        self.house.exchange.conferences.find(ROOM).member(number).put_out("kicked")

    async def mute(self, number: str) -> None:
        """Mute a member."""
        room = self.house.exchange.conferences.find(ROOM)
        room.mute(room.member(number), True)

    async def fetch(self, number: str) -> None:
        """Ring a phone for the room."""
        await conference.dial_out(self.house.exchange, ROOM, number)

    async def rest(self, number: str) -> None:
        """Let time pass, which ends prompts."""
        await asyncio.sleep(20)
        for leg in self.legs(number):
            self.house.media.finish_playing(leg)


STEPS: Final[dict[str, Step]] = {
    "enter": Crowd.enter,
    "call": Crowd.call,
    "hang up": Crowd.hang_up,
    "key the PIN": lambda crowd, number: crowd.press(number, "1234#"),
    "key the moderator's": lambda crowd, number: crowd.press(number, "9999#"),
    "key a wrong one": lambda crowd, number: crowd.press(number, "5555#"),
    "mute oneself": lambda crowd, number: crowd.press(number, "*6"),
    "lock": lambda crowd, number: crowd.press(number, "*5"),
    "switch": lambda crowd, number: crowd.press(number, "3"),
    "talk": Crowd.talk,
    "key *1": Crowd.code,
    "watch": Crowd.watch,
    "record": Crowd.record,
    "release all": lambda crowd, number: crowd.release(number, "all"),
    "release the agent": lambda crowd, number: crowd.release(number, "agent"),
    "take over": lambda crowd, number: crowd.release(number, "takeover"),
    "kick": Crowd.kick,
    "mute": Crowd.mute,
    "fetch": Crowd.fetch,
    "rest": Crowd.rest,
}

PAUSES: Final = (0.0, 0.001, 0.02, 0.6, 3.0)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(STEPS)), st.sampled_from(NUMBERS), st.sampled_from(PAUSES)
        ),
        max_size=30,
    ),
    st.booleans(),
)
def test_nothing_is_left_whatever_happens_in_whatever_order(
    steps: list[tuple[str, str, float]], strict: bool
) -> None:
    async def scenario(house: House) -> None:
        rules = Conference(
            ROOM,
            most=3,
            pin=True,
            record=True,
            announce_names=strict,
            wait_for_moderator=strict,
            end_with_moderator=strict,
        )
        house.exchange.plan = Plan("test", conferences={ROOM: rules})
        house.directory.pins[ROOM] = RoomPins("1234", "9999")
        crowd = Crowd(house, await house.registered(*NUMBERS))
        actors = [asyncio.create_task(crowd.answer(phone)) for phone in house.phones]
        for name, number, pause in steps:
            with suppress(NotFound, Refused):
                await STEPS[name](crowd, number)
            await asyncio.sleep(pause)
        for _ in range(4):
            for number in NUMBERS:
                await crowd.rest(number)
                await crowd.hang_up(number)
        for actor in actors:
            actor.cancel()

    flow(scenario)
