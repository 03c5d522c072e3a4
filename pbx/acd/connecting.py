"""From an agent's answer to the talk: what each hears before they hear each other.

The caller alone hears the agent's number, the agent alone the queue's name, both at once and for a
few seconds at most; then the two are joined. An agent who hangs up in between has not taken the
call. What is heard is made while the phone rings, so nobody waits for it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from pbx.acd.announcing import whisper
from pbx.speech.phrases import phrase

if TYPE_CHECKING:
    from pbx.acd.model import RandomSource
    from pbx.call.call import Call
    from pbx.call.leg import Leg
    from pbx.plan.model import Queue

PATIENCE: Final = 0.5
"""Seconds that an agent who answered waits for sounds that are not made yet."""

LONGEST: Final = 3.0
"""Seconds that the introduction may take; the phrase of a number is shorter than two."""


class Introduction:
    """What is said before an agent and a caller hear each other; its sounds are made at once."""

    def __init__(self, call: Call, queue: Queue, agent: str) -> None:
        self._call = call
        self._queue = queue
        self._agent = agent
        self._to_caller: tuple[str, ...] = ()
        self._to_agent: tuple[str, ...] = ()
        self._made = call.attend(self._make(), f"the introduction of {agent}")

    def close(self) -> None:
        """Make nothing any more."""
        self._made.cancel()

    async def hold(self, leg: Leg) -> bool:
        """Let both hear what is theirs; False where the agent hung up meanwhile."""
        await _first(PATIENCE, self._made, leg.ended)
        said = [
            self._call.attend(party.play(*sources), "an introduction")
            for party, sources in ((self._call.caller, self._to_caller), (leg, self._to_agent))
            if sources and leg.up
        ]
        now = self._call.exchange.now
        end, going_on = now() + LONGEST, said
        try:
            while going_on and leg.up and now() < end:
                await _first(end - now(), *going_on, leg.ended)
                going_on = [each for each in going_on if not each.done()]
        finally:
            for each in going_on:
                each.cancel()
        return leg.up

    async def _make(self) -> None:
        call, speaker = self._call, self._call.settings.speaker
        if self._queue.say_agent_number:
            number = phrase("queue-agent", call.language, number=self._agent)
            self._to_caller = await speaker.sources(number)
        if self._queue.whisper:
            self._to_agent = await speaker.sources(whisper(call, self._queue))


async def _first(seconds: float, *futures: asyncio.Future[Any]) -> None:
    """Wait until one of them is over, or for so long."""
    await asyncio.wait(futures, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


def record(call: Call, queue: Queue, rng: RandomSource) -> None:
    """Record the call from now on, if the queue wants so of this one."""
    if queue.record_who == "all" and rng.random() * 100 < queue.record_percent:
        call.exchange.recordings.want(call)
