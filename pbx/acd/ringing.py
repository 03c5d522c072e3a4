"""An agent's phones ring for one caller, who goes on hearing music and notices nothing.

Each ends in one of three ways: an answered leg, which waits to be joined with the caller; a reason
why the agent did not take the call; or it is stopped, because the caller is gone or served.

What a phone's refusal means: 603 is a person who pressed "reject", and so are 486 and 600 of a
phone that rang before; of one that did not, they say that its line is busy. A phone that rang and
gives up with 408 or 480 was not answered; one that never rang cannot be reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pbx.acd.connecting import Introduction
from pbx.acd.model import DeclineReason
from pbx.call.endings import ANSWERED_ELSEWHERE, ELSEWHERE
from pbx.call.keys import Wanted, collect
from pbx.call.outcome import Outcome
from pbx.call.supervision import ANSWER_BY_ITSELF
from pbx.speech.phrases import phrase

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.call.leg import Leg
    from pbx.call.ringing import Question, Ringing
    from pbx.plan.model import Queue

CONFIRMING: Final = Wanted(least=1, most=1, end_key="", first_s=5.0)
"""How long an agent may take to press the key, counted from the end of the question."""

LONGEST_QUESTION: Final = 15.0
"""Seconds after which the question is over, however long it is."""

_DECLINES: Final = frozenset({603, 607, 608})
_BUSY: Final = frozenset({486, 600})
_AWAY: Final = frozenset({404, 408, 410, 480, 503})


class AgentRinging:
    """The phones of one agent that ring for one caller. `leg` is the one that was answered."""

    def __init__(self, call: Call, agent: str, queue: Queue, seconds: float) -> None:
        self.agent = agent
        self.queue = queue
        self.leg: Leg | None = None
        self.introduction = Introduction(call, queue, agent)
        self._call = call
        self._seconds = seconds
        self._ringing: Ringing | None = None
        self._task: asyncio.Task[DeclineReason | None] | None = None

    def start(
        self,
        before: Callable[[], Awaitable[None]],
        then: Callable[[AgentRinging, DeclineReason | None], None],
    ) -> None:
        """Ring. `before` is called once the phones are known and before the first rings; `then`
        once, with the reason why the agent does not take the call, None for one who answered."""
        call = self._call
        name = f"call {call.id}: agent {self.agent}"
        self._task = asyncio.get_running_loop().create_task(self._ring(before), name=name)
        self._task.add_done_callback(lambda task: self._over(task, then))

    def stop(self, *, elsewhere: bool) -> None:
        """Ring no longer: somebody `elsewhere` has the caller, or nobody wants it to ring."""
        self.introduction.close()
        leg, self.leg = self.leg, None
        if leg is not None and elsewhere:
            leg.close(reason=ANSWERED_ELSEWHERE, headers=ELSEWHERE)
        elif leg is not None:
            leg.close(reason="not_wanted")
        if self._ringing is not None:
            self._ringing.elsewhere = elsewhere
        if self._task is not None:
            self._task.cancel()

    def _over(
        self,
        task: asyncio.Task[DeclineReason | None],
        then: Callable[[AgentRinging, DeclineReason | None], None],
    ) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._call.fail(error)
        else:
            then(self, task.result())

    async def _ring(self, before: Callable[[], Awaitable[None]]) -> DeclineReason | None:
        exchange = self._call.exchange
        entry = exchange.directory.extension(self.agent)
        contacts = [] if entry is None else await exchange.contacts(entry)
        if not contacts:
            return "unreachable"
        await before()
        headers = ANSWER_BY_ITSELF if self.queue.auto_answer else ()
        question = None if self.queue.confirm_key is None else self._question(self.queue)
        async with self._call.ring(question=question, audible=False) as ringing:
            self._ringing = ringing
            for contact in contacts:
                ringing.add(replace(contact, headers=(*contact.headers, *headers)))
            first = await ringing.first(self._seconds)
            if isinstance(first, Outcome):
                return why(first, rang=ringing.rang)
            self.leg = first
        return None

    def _question(self, queue: Queue) -> Question:
        """Return what asks an agent to press the queue's key."""
        call, language, key = self._call, self._call.plan.defaults.language, queue.confirm_key or ""
        asked = phrase("confirm-call", language, group=queue.name, key=key)

        async def takes(leg: Leg) -> bool:
            sources = await call.settings.speaker.sources(asked)
            try:
                async with asyncio.timeout(LONGEST_QUESTION):
                    return await collect(leg, CONFIRMING, prompt=sources) == key
            except TimeoutError:
                return False

        return takes


def why(refusal: Outcome, *, rang: bool) -> DeclineReason:
    """Return why an agent did not take a call whose phones said that."""
    if refusal.reason == "no_answer":
        return "no_answer"
    if refusal.status in _DECLINES:
        return "rejected"
    if refusal.status in _BUSY:
        return "rejected" if rang else "busy"
    if refusal.status in _AWAY:
        return "no_answer" if rang else "unreachable"
    return "failed"
