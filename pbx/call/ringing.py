"""Several contacts rung at once: the first 2xx wins, everybody else is let go.

`async with call.ring() as ringing` owns the legs that it rings. Leaving the block, by whatever way,
closes each leg that was not handed over; losers of a race get CANCEL with `Reason: SIP;cause=200`
so that phones list no missed call (RFC 3326). A 6xx speaks for the whole number and ends the
ringing (RFC 3261 §16.7 step 5). A 302 of a phone is followed to internal numbers only (at most
five; one number twice is a loop): to the best of its Contacts that has a phone, and to the next
when nobody rings any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from pbx.call.contact import Contact
from pbx.call.endings import ANSWERED_ELSEWHERE, ELSEWHERE
from pbx.call.leg import Leg
from pbx.call.leg_state import News, Role
from pbx.call.outcome import (
    LegEnding,
    Outcome,
    failed,
    most_telling,
    no_answer,
    not_registered,
    unanswered,
)

if TYPE_CHECKING:
    from pbx.call.call import Call

MAX_REDIRECTIONS = 5


class Ringing:
    """The legs that ring for one call, and what becomes of them."""

    def __init__(self, call: Call, role: Role | None = None) -> None:
        self._call = call
        self._role = role
        self._news: asyncio.Queue[tuple[Leg, News]] = asyncio.Queue()
        self._live: set[Leg] = set()
        self._refusals: list[Outcome] = []
        self._rung: set[str] = set()
        self._alternatives: tuple[str, ...] = ()  # of a redirection, not yet tried
        self._redirections = 0
        self._taken: Leg | None = None

    async def __aenter__(self) -> Ringing:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        caller = self._call.caller_leg
        if caller is not None and self._role is None:
            caller.media.stop_music()  # the ringing that it heard
        for leg in tuple(self._live):
            if leg is self._taken:
                continue
            if self._taken is not None or self._call.answered_elsewhere:
                leg.close(reason=ANSWERED_ELSEWHERE, headers=ELSEWHERE)
            else:
                leg.close(reason="not_wanted")
        self._live.clear()

    def add(self, contact: Contact) -> None:
        """Ring one more contact."""
        self._rung.add(contact.number)
        self._live.add(self._call.invite(contact, on_news=self._tell, role=self._role))

    async def first(self, seconds: float) -> Leg | Outcome:
        """Return the leg that answered first and hand it over, or why nobody did within
        `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self._live:
                    leg, news = await self._news.get()
                    if leg not in self._live:
                        continue
                    if news is News.ANSWERED:
                        self._taken = leg
                        return leg
                    if news is not News.ENDED:
                        self._progressed(leg, news)
                    elif await self._is_final(leg):
                        break
        except TimeoutError:
            return no_answer()
        return most_telling(self._refusals or (failed(480, "no_contact"),))

    def _tell(self, leg: Leg, news: News) -> None:
        self._news.put_nowait((leg, news))

    def _progressed(self, leg: Leg, news: News) -> None:
        if self._role == "supervisor":
            return  # nobody waits for a supervisor
        if news is News.EARLY_MEDIA and len(self._live) == 1:
            self._call.early_media(leg)
        elif self._call.caller_leg is not None:
            self._call.caller_leg.ring()

    async def _is_final(self, leg: Leg) -> bool:
        """Note that a leg ended unanswered; True when it spoke for all of them."""
        self._live.discard(leg)
        ending = leg.ending
        assert ending is not None
        if ending.contacts:
            await self._follow(ending.contacts)
        else:
            self._refusals.append(_refusal(ending))
        if not self._live and self._alternatives:
            alternatives, self._alternatives = self._alternatives, ()
            await self._follow(alternatives)
        return ending.status >= 600

    async def _follow(self, targets: Sequence[str]) -> None:
        """Ring the phones of the first of these numbers that has some."""
        exchange = self._call.exchange
        moved_out = True
        for place, target in enumerate(targets, 1):
            entry = exchange.directory.extension(target)
            if entry is None:
                continue
            moved_out = False
            if target in self._rung or self._redirections == MAX_REDIRECTIONS:
                self._refusals.append(failed(482, "loop"))
                continue
            self._redirections += 1
            self._rung.add(target)
            self._call.routed(f"ext:{target}")
            contacts = await exchange.contacts(entry)
            for contact in contacts:
                self.add(contact)
            if contacts:
                self._alternatives = (*targets[place:], *self._alternatives)
                return
            self._refusals.append(not_registered())
        if moved_out:
            self._refusals.append(unanswered(480, "moved_elsewhere"))


def _refusal(ending: LegEnding) -> Outcome:
    if ending.by == "local":
        return failed(ending.status, ending.reason)
    return unanswered(ending.status)
