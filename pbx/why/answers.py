"""Answers "why" from what is stored: of a call, and of an agent's share of calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from pbx.acd.keeping import Stretch
from pbx.api.why_views import AgentWhy, CallWhy
from pbx.errors import NotFound, Refused
from pbx.events.bus import Stamped
from pbx.why.agent import explain_agent
from pbx.why.call import explain_call, waited_for_nobody

SHORTEST_PREFIX = 4
"""Characters of the id of a call that goes on which are enough."""


class StoredCalls(Protocol):
    """The events of calls that are over."""

    async def events_of(self, call: str) -> Sequence[Stamped]:
        """Return what happened to a call; NotFound where none is stored, Refused where several
        are."""


class StoredDecisions(Protocol):
    """What queues decided."""

    async def within(self, since: float, until: float) -> Sequence[Stamped]:
        """Return events about offers within that time (wall), in order."""


class StoredStretches(Protocol):
    """What agents did."""

    async def stretches(self, agent: str | None, since: float, until: float) -> Sequence[Stretch]:
        """Return what an agent did within that time (wall), in order."""


class Answers:
    """Answers of one office.

    `recent` returns events of calls that may go on, `doing` what an agent (None: each) does at
    present, if a server runs.
    """

    def __init__(
        self, calls: StoredCalls, decisions: StoredDecisions, stretches: StoredStretches
    ) -> None:
        self._calls = calls
        self._decisions = decisions
        self._stretches = stretches
        self.recent: Callable[[], Iterable[Stamped]] = tuple
        self.doing: Callable[[str | None], Sequence[Stretch]] = _nothing

    async def call(self, name: str) -> CallWhy:
        """Return why a call, over or going on, went as it did.

        `name` is its id or so much of it as no other has. Raises NotFound and Refused.
        """
        try:
            story = await self._calls.events_of(name)
        except NotFound:
            story = self._going_on(name)
            if not story:
                raise
        if not story:
            raise NotFound(f"the events of call {name} are gone; they are kept for some days only")
        if not waited_for_nobody(story):
            return explain_call(story)
        stretches = await self._did(None, story[0].at, story[-1].at)
        return explain_call(story, stretches)

    async def agent(self, agent: str, since: float, until: float) -> AgentWhy:
        """Return why an agent got the calls that it got within that time (wall).

        Raises NotFound where nothing is known of it, Refused for too long a time.
        """
        if until <= since:
            raise Refused("the time ends before it begins; --until must be after --since")
        story = await self._decisions.within(since, until)
        stretches = await self._did(agent, since, until)
        return explain_agent(agent, since, until, stretches=stretches, story=story)

    async def _did(self, agent: str | None, since: float, until: float) -> list[Stretch]:
        """Return what an agent, or each, did within that time, until now."""
        stored = await self._stretches.stretches(agent, since, until)
        return [*stored, *(each for each in self.doing(agent) if each.since < until)]

    def _going_on(self, name: str) -> list[Stamped]:
        """Return what is remembered of a call that goes on."""
        recent = list(self.recent())
        calls = {each.event.call for each in recent if each.event.call}
        found = {call for call in calls if call == name}
        if not found and len(name) >= SHORTEST_PREFIX:
            found = {call for call in calls if call.startswith(name)}
        if len(found) > 1:
            raise Refused(f"more than one call begins with {name}; give more of its id")
        return [each for each in recent if each.event.call in found]


def _nothing(_agent: str | None) -> Sequence[Stretch]:
    return ()
