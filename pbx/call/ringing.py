"""Several contacts rung at once: the first 2xx wins, everybody else is let go.

`async with call.ring() as ringing` owns the legs that it rings. Leaving the block, by whatever way,
closes each leg that was not handed over; losers of a race get CANCEL with `Reason: SIP;cause=200`
so that phones list no missed call (RFC 3326). A 6xx speaks for the whole number that was rung, and
for no other (RFC 3261 §16.7 step 5). A 302 of a phone is followed to internal numbers only (at most
five; one number twice is a loop): to the best of its Contacts that has a phone, and to the next
when nobody rings for that number any more.

A contact by a line to a carrier brings further lines (`otherwise`): the next one is rung where the
line failed, by 408, 5xx or no answer at all, never where the party said something. A carrier's 302
is followed nowhere.

With a `Question` a 2xx alone wins nothing: whoever answers is asked, and has the call once it says
yes. The others go on ringing meanwhile, and more than one may be asked at a time.

Where it is not `audible`, the caller notices nothing of it: it waits, and hears music. Somebody
else may hear it ring, who is up: `hears`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
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

Question = Callable[[Leg], Awaitable[bool]]
"""Asks the party of a leg that was answered; True: it takes the call. It ends by itself."""

_News = News | bool
"""What a leg tells, or what its party said to the question."""


class Ringing:
    """The legs that ring for one call, and what becomes of them."""

    def __init__(
        self,
        call: Call,
        role: Role | None = None,
        question: Question | None = None,
        *,
        early_media: bool = True,
        audible: bool = True,
        hears: Leg | None = None,
    ) -> None:
        self.elsewhere = False
        """Whether somebody else has the call: those who are let go list no missed call."""
        self.rang = False
        """Whether a phone said that it rings."""
        self._audible = audible and role is None
        self._hears = hears
        self._call = call
        self._role = role
        self._question = question
        self._early_media = early_media and question is None
        self._news: asyncio.Queue[tuple[Leg, _News]] = asyncio.Queue()
        self._live: dict[Leg, str] = {}  # each with the number that it was rung for
        self._otherwise: dict[Leg, tuple[Contact, ...]] = {}
        self._asked: dict[Leg, asyncio.Task[object]] = {}
        self._refusals: dict[str, list[Outcome]] = {}
        self._rung: set[str] = set()
        self._alternatives: dict[str, tuple[str, ...]] = {}  # of redirections, not yet tried
        self._redirections = 0
        self._scope = ExitStack()

    async def __aenter__(self) -> Ringing:
        if self._audible:
            self._scope.enter_context(self._call.seeking())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._scope.close()
        caller = self._call.caller_leg
        if caller is not None and self._audible:
            caller.media.stop_music()  # the ringing that it heard
        if self._hears is not None:
            self._hears.media.stop_music()
        self._let_go(elsewhere=self.elsewhere or self._call.answered_elsewhere)

    def heard_by(self, leg: Leg) -> None:
        """Let the party of `leg` hear it ring from now on, in the place of who heard it."""
        leg.media.stop_music()
        self._hears = leg
        if self.rang:
            leg.ring()

    def add(self, contact: Contact, *, member: str | None = None) -> None:
        """Ring one more contact, for the number `member` where that is not its own."""
        self._rung.add(contact.number)
        leg = self._call.invite(contact, on_news=self._tell, role=self._role)
        self._otherwise[leg] = contact.otherwise
        self._live[leg] = contact.number if member is None else member

    async def first(self, seconds: float) -> Leg | Outcome:
        """Return the leg that answered first and hand it over, or why nobody did within
        `seconds`; who was asked by then may still say yes."""
        try:
            async with asyncio.timeout(seconds):
                taker = await self._taker()
        except TimeoutError:
            for leg in tuple(self._live):
                if leg not in self._asked:
                    self._drop(leg, no_answer())
            taker = await self._taker()
            if taker is None:
                return no_answer()
        if taker is None:
            return most_telling(self.refusals or (failed(480, "no_contact"),))
        del self._live[taker]
        self._let_go(elsewhere=True)
        return taker

    @property
    def refusals(self) -> tuple[Outcome, ...]:
        """Return why each number that was rung did not take the call, of those that did not."""
        return tuple(most_telling(each) for each in self._refusals.values())

    # -- what becomes of legs ----------------------------------------------------------------

    async def _taker(self) -> Leg | None:
        """Return the leg that takes the call; None once nobody is left."""
        while self._live:
            leg, news = await self._news.get()
            if leg not in self._live:
                continue
            if news is True or (news is News.ANSWERED and self._question is None):
                return leg
            if news is News.ANSWERED:
                self._ask(leg)
            elif news is News.ENDED:
                await self._ended(leg)
            elif news is False:
                self._drop(leg, no_answer())
            else:
                self._progressed(leg, early_media=news is News.EARLY_MEDIA)
        return None

    def _tell(self, leg: Leg, news: News) -> None:
        self._news.put_nowait((leg, news))

    def _let_go(self, *, elsewhere: bool) -> None:
        """Close every leg that is left."""
        for leg in tuple(self._live):
            self._close(leg, elsewhere=elsewhere)

    def _close(self, leg: Leg, *, elsewhere: bool = False) -> None:
        del self._live[leg]
        asked = self._asked.pop(leg, None)
        if asked is not None:
            asked.cancel()
        if elsewhere:
            leg.close(reason=ANSWERED_ELSEWHERE, headers=ELSEWHERE)
        else:
            leg.close(reason="not_wanted")

    def _drop(self, leg: Leg, refusal: Outcome) -> None:
        """Let go of one leg while others are wanted still."""
        self._refuse(self._live[leg], refusal)
        self._close(leg)

    def _refuse(self, member: str, refusal: Outcome) -> None:
        self._refusals.setdefault(member, []).append(refusal)

    def _progressed(self, leg: Leg, *, early_media: bool) -> None:
        self.rang = True
        if self._hears is not None:
            self._hears.ring()
        if not self._audible:
            return  # nobody waits for a supervisor, and who waits in a queue hears music
        if early_media and len(self._live) == 1 and self._early_media:
            self._call.early_media(leg)
        elif self._call.caller_leg is not None:
            self._call.caller_leg.ring()

    def _ask(self, leg: Leg) -> None:
        """Ask a party that answered; its answer comes as news."""
        assert self._question is not None
        asked = self._call.attend(self._put(self._question, leg), f"asking {leg.number}")
        self._asked[leg] = asked
        asked.add_done_callback(partial(self._has_said, leg))

    @staticmethod
    async def _put(question: Question, leg: Leg) -> bool:
        return await question(leg)

    def _has_said(self, leg: Leg, asked: asyncio.Task[object]) -> None:
        yes = not asked.cancelled() and asked.exception() is None and asked.result() is True
        self._news.put_nowait((leg, yes))

    async def _ended(self, leg: Leg) -> None:
        """Note that a leg ended before it had the call, and ring whoever stands in for it."""
        member = self._live.pop(leg)
        asked = self._asked.pop(leg, None)
        others = self._otherwise.pop(leg, ())
        ending = leg.ending
        assert ending is not None
        if asked is not None:
            asked.cancel()
            self._refuse(member, no_answer())
        elif others and _line_failed(ending):
            self.add(replace(others[0], otherwise=others[1:]), member=member)
        elif ending.contacts and leg.trunk is None:
            await self._follow(ending.contacts, member)
        else:
            self._refuse(member, _refusal(ending))
        if ending.status >= 600:
            self._give_up(member)
        if member not in self._live.values():
            await self._follow(self._alternatives.pop(member, ()), member)

    def _give_up(self, member: str) -> None:
        """Ring nobody for that number any more: one of its phones spoke for all."""
        self._alternatives.pop(member, None)
        for leg in [leg for leg, number in self._live.items() if number == member]:
            self._close(leg)

    async def _follow(self, targets: Sequence[str], member: str) -> None:
        """Ring the phones of the first of these numbers that has some."""
        if not targets:
            return
        exchange = self._call.exchange
        moved_out = True
        for place, target in enumerate(targets, 1):
            entry = exchange.directory.extension(target)
            if entry is None:
                continue
            moved_out = False
            if target in self._rung or self._redirections == MAX_REDIRECTIONS:
                self._refuse(member, failed(482, "loop"))
                continue
            self._redirections += 1
            self._rung.add(target)
            self._call.routed(f"ext:{target}")
            contacts = await exchange.contacts(entry)
            for contact in contacts:
                self.add(contact, member=member)
            if contacts:
                rest = self._alternatives.get(member, ())
                self._alternatives[member] = (*targets[place:], *rest)
                return
            self._refuse(member, not_registered())
        if moved_out:
            self._refuse(member, unanswered(480, "moved_elsewhere"))


def _line_failed(ending: LegEnding) -> bool:
    """Tell whether it was the line that failed, and not the party that said no."""
    return ending.by == "remote" and (ending.status == 408 or 500 <= ending.status < 600)


def _refusal(ending: LegEnding) -> Outcome:
    if ending.by == "local":
        return failed(ending.status, ending.reason)
    return unanswered(ending.status)
