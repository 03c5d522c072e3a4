"""Several contacts rung at once: the first 2xx wins, everybody else is let go.

`async with call.ring(...) as ringing` owns the legs that it rings. Leaving the block, by whatever
way, closes each leg that was not handed over; losers of a race get CANCEL with `Reason:
SIP;cause=200` so that phones list no missed call (RFC 3326). A 302 of a phone is followed to
internal numbers only (at most five; one number twice is a loop).
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING

from pbx.call.contact import Contact
from pbx.call.leg import ELSEWHERE, Leg, News
from pbx.call.outcome import (
    LegEnding,
    Outcome,
    cause_of,
    failed,
    most_telling,
    no_answer,
    unanswered,
)

if TYPE_CHECKING:
    from pbx.call.call import Call

MAX_REDIRECTIONS = 5


class Ringing:
    """The legs that ring for one call, and what becomes of them."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._news: asyncio.Queue[tuple[Leg, News]] = asyncio.Queue()
        self._live: set[Leg] = set()
        self._endings: list[LegEnding] = []
        self._rung: set[str] = set()
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
        for leg in tuple(self._live):
            if leg is not self._taken:
                if self._taken is not None:
                    leg.close(reason="answered_elsewhere", headers=ELSEWHERE)
                else:
                    leg.close(reason="not_wanted")
        self._live.clear()

    def add(self, contact: Contact) -> None:
        """Ring one more contact."""
        self._rung.add(contact.number)
        self._live.add(self._call.invite(contact, on_news=self._tell))

    async def first(self, seconds: float) -> Leg | Outcome:
        """Return the leg that answered first and hand it over;

        or why nobody did within `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                while self._live:
                    leg, news = await self._news.get()
                    if leg in self._live and self._heard(leg, news):
                        self._taken = leg
                        return leg
        except TimeoutError:
            return no_answer()
        return self._nobody()

    def _tell(self, leg: Leg, news: News) -> None:
        self._news.put_nowait((leg, news))

    def _heard(self, leg: Leg, news: News) -> bool:
        """Act on one piece of news; True when `leg` is the one."""
        if news is News.ANSWERED:
            return True
        if news is News.ENDED:
            self._live.discard(leg)
            if leg.ending is not None:
                self._lost(leg.ending)
        elif news is News.EARLY_MEDIA and len(self._live) == 1:
            self._call.early_media(leg)
        elif self._call.caller_leg is not None:
            self._call.caller_leg.ring()
        return False

    def _lost(self, ending: LegEnding) -> None:
        if not ending.contacts:
            self._endings.append(ending)
            return
        for target in ending.contacts:
            contacts = self._call.exchange.internal_contacts(target)
            if contacts is None:
                continue
            if target in self._rung or self._redirections == MAX_REDIRECTIONS:
                self._endings.append(LegEnding("local", "loop", 482, cause_of(482)))
                return
            self._redirections += 1
            self._call.routed(f"ext:{target}")
            for contact in contacts:
                self.add(contact)
            return
        self._endings.append(LegEnding("remote", "moved_elsewhere", 480, cause_of(480)))

    def _nobody(self) -> Outcome:
        if not self._endings:
            return failed(480, "no_contact")
        ending = most_telling(self._endings)
        if ending.by == "local":
            return failed(ending.status, ending.reason)
        return unanswered(ending.status)
