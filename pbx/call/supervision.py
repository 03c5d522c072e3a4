"""Supervisors on a live call: listen, whisper, barge, take over, release.

    listen     the supervisor hears all, nobody hears the supervisor
    whisper    the agent alone hears the supervisor
    barge      all hear each other
    release    `all` ends the call; `agent` drops the agent's leg and keeps the other party, with
               music, for `KEPT_FOR`, or lets it wait again where it came from a queue; `takeover`
               drops the agent's leg and leaves the other party with the supervisor

The supervisor's phone is rung as one more leg of the call (it answers by itself where it can) and
becomes a member of the call's bridge; a mode is nothing but its audience there, so keys 1, 2 and 3
switch it without a click. The audience stands before the leg enters: not one packet of a listener
gets out. Whoever takes a call over is a party of it from then on, and no supervisor any more.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from pbx.call.bridge import KEPT_FOR, hear_codes, hold_music, music_of
from pbx.call.endings import RELEASED
from pbx.call.leg import Leg
from pbx.call.leg_state import News
from pbx.call.lookup import find_call
from pbx.call.outcome import NORMAL_CLEARING, Outcome
from pbx.errors import NotFound, Refused
from pbx.events import (
    PartyReleased,
    SupervisionMode,
    SupervisorChanged,
    SupervisorJoined,
    SupervisorLeft,
)

if TYPE_CHECKING:
    from pbx.call.admission import ExtensionEntry
    from pbx.call.call import Call
    from pbx.call.contact import Contact
    from pbx.call.exchange import Exchange

ReleaseMode = Literal["all", "agent", "takeover"]

MODE_OF_KEY: Final[dict[str, SupervisionMode]] = {"1": "listen", "2": "whisper", "3": "barge"}

ANSWER_BY_ITSELF: Final = (
    ("Call-Info", "<sip:callpbx.invalid>;answer-after=0"),
    ("Alert-Info", "<http://callpbx.invalid>;info=alert-autoanswer;delay=0"),
)
"""The two headers by which desk phones are asked to pick up at once (no RFC; RFC 5373's own is read
by few)."""


class Supervision:
    """One supervisor on one call, from the answer to the end of the leg."""

    def __init__(self, call: Call, leg: Leg, mode: SupervisionMode) -> None:
        self.call = call
        self.leg = leg
        self.mode = mode

    def begin(self, asked_by: str = "") -> None:
        """Enter the call's bridge."""
        call, leg = self.call, self.leg
        leg.watch(self._news)
        leg.keys.listener = self._key
        leg.media.watch(keys=True)
        call.bridge.set_audience(leg, self._audience())
        call.bridge.add(leg)
        leg.media.set_codes(tuple(MODE_OF_KEY))  # nobody else hears these keys
        call.supervisors[leg] = self
        call.emit(
            SupervisorJoined(
                call=call.id,
                leg=leg.id,
                supervisor=leg.number,
                mode=self.mode,
                asked_by=asked_by,
            )
        )

    def switch(self, mode: SupervisionMode, asked_by: str = "") -> None:
        """Be heard by others than before."""
        if mode == self.mode:
            return
        self.mode = mode
        self.attend()
        self.call.emit(
            SupervisorChanged(call=self.call.id, leg=self.leg.id, mode=mode, asked_by=asked_by)
        )

    def attend(self) -> None:
        """Be heard by whoever is the agent now."""
        self.call.bridge.set_audience(self.leg, self._audience())

    def end(self) -> None:
        """Be a supervisor no longer: gone, or a party of the call from now on; once."""
        leg, call = self.leg, self.call
        if call.supervisors.pop(leg, None) is not None:
            leg.keys.listener = None
            call.bridge.set_audience(leg, None)
            call.emit(SupervisorLeft(call=call.id, leg=leg.id))

    def _audience(self) -> frozenset[Leg] | None:
        """Return who hears the supervisor; None for all."""
        if self.mode == "barge":
            return None
        agent = self.call.agent if self.mode == "whisper" else None
        return frozenset(() if agent is None else (agent,))

    def _key(self, key: str) -> None:
        mode = MODE_OF_KEY.get(key)
        if mode is not None:
            self.switch(mode)

    def _news(self, leg: Leg, news: News) -> None:
        if news is News.ENDED:
            self.end()


async def supervise(
    exchange: Exchange, call_name: str, number: str, mode: SupervisionMode, *, asked_by: str = ""
) -> None:
    """Ring the supervisor's phone and let it into the call; one that is in it changes its mode.

    Raises NotFound where there is no such call or extension, Refused where it cannot be now.
    """
    call = find_call(exchange.calls, call_name)
    for supervision in call.supervisors.values():
        if supervision.leg.number == number:
            supervision.switch(mode, asked_by)
            return
    extension = exchange.directory.extension(number)
    if extension is None:
        raise NotFound(f"there is no extension {number}")
    if call.state != "talking":
        raise Refused(f"nobody talks in call {call.id} yet; try again once it is answered")
    if call.agent is None and call.kept is None:
        raise Refused(
            f"call {call.id} is no talk of two: its caller is in a menu, a mailbox or a conference"
        )
    for leg in call.legs.values():
        if leg.number == number and leg.ending is None:
            raise Refused(_already_in(call, leg))
    contacts = await exchange.contacts(extension)
    if not contacts:
        raise Refused(f"extension {number} has no registered phone")
    if call.ending is not None:
        raise NotFound(f"there is no call {call_name}")
    call.attend(_ring(call, extension, contacts, mode, asked_by), f"supervisor {number}")


def _already_in(call: Call, leg: Leg) -> str:
    if leg.role == "supervisor" and not leg.up:
        return f"{leg.number} is being rung for call {call.id}"
    return f"{leg.number} is a party of call {call.id} and cannot supervise it"


async def _ring(
    call: Call,
    extension: ExtensionEntry,
    contacts: list[Contact],
    mode: SupervisionMode,
    asked_by: str,
) -> None:
    async with call.ring(role="supervisor") as ringing:
        for contact in contacts:
            ringing.add(replace(contact, headers=ANSWER_BY_ITSELF))
        first = await ringing.first(extension.no_answer_s)
    if not isinstance(first, Outcome) and first.up:
        Supervision(call, first, mode).begin(asked_by)


def release(
    exchange: Exchange,
    call_name: str,
    mode: ReleaseMode,
    supervisor: str | None = None,
    *,
    asked_by: str = "",
) -> None:
    """End a call by force, or one party's part in it.

    `takeover` needs a supervisor who is in the call: `supervisor`, or the only one. Raises NotFound
    and Refused.
    """
    call = find_call(exchange.calls, call_name)
    by = supervisor or next((leg.number for leg in call.supervisors), None)
    if mode == "all":
        _tell_queue(call, call.agent)
        call.emit(PartyReleased(call=call.id, mode=mode, by=by, asked_by=asked_by))
        call.hang_up("released", cause=NORMAL_CLEARING, by="supervisor")
        return
    if mode == "takeover" and call.kept is not None and call.kept.up:
        _take_over(call, call.kept, _supervisor_in(call, supervisor))
        call.emit(PartyReleased(call=call.id, mode=mode, by=by, asked_by=asked_by))
        return
    agent = call.agent
    if agent is None or not agent.up or agent.other is None:
        raise Refused(f"call {call.id} has no agent now: none is connected yet, or any more")
    customer = agent.other
    successor = _supervisor_in(call, supervisor) if mode == "takeover" else None
    _tell_queue(call, agent)
    if mode == "agent" and call.queued is not None and customer is call.caller_leg:
        _part(call, agent, customer)
        call.queued.again()
    else:
        _let_go(call, agent, customer)
    if successor is not None:
        _take_over(call, customer, successor)
    call.emit(PartyReleased(call=call.id, mode=mode, by=by, leg=agent.id, asked_by=asked_by))
    agent.close(reason="released", headers=RELEASED)


def _tell_queue(call: Call, agent: Leg | None) -> None:
    """Let the queue that the call came from know, before the agent is free for the next."""
    if call.queued is not None and agent is not None:
        call.queued.released(agent)


def _supervisor_in(call: Call, number: str | None) -> Leg:
    present = [leg for leg in call.supervisors if number in (None, leg.number)]
    if not present:
        who = f"{number} is not" if number else "no supervisor is"
        raise Refused(f"{who} in call {call.id}; first callpbx listen SUPERVISOR {call.id}")
    if len(present) > 1:
        raise Refused("several supervisors are in the call; name the one who takes over")
    return present[0]


def _part(call: Call, agent: Leg, customer: Leg) -> None:
    """Let the two hear each other no longer."""
    call.bridge.remove(agent)
    agent.other = customer.other = None


def _let_go(call: Call, agent: Leg, customer: Leg) -> None:
    """Keep the customer, alone, with music; whoever calls this closes the agent's leg."""
    _part(call, agent, customer)
    call.kept = customer
    if agent is call.caller_leg:
        call.caller_leg = None
        call.attend(_give_up(call, customer), "a party that waits alone")
    else:
        call.handing.keep_going()
    customer.media.start_music(music_of(call))


async def _give_up(call: Call, customer: Leg) -> None:
    """End a call that nobody has taken over; where a called party was let go, `talk` does."""
    await asyncio.sleep(KEPT_FOR)
    if call.kept is customer:
        call.hang_up("released", by="supervisor")


def _take_over(call: Call, customer: Leg, supervisor: Leg) -> None:
    """Put the supervisor's leg in the place of the agent's that was let go."""
    call.kept = None
    call.supervisors[supervisor].end()
    customer.media.stop_music()
    customer.other, supervisor.other = supervisor, customer
    if call.caller_leg is None:
        call.caller_leg = supervisor
    else:
        call.handing.succeed(supervisor)
    hold_music(customer)
    hold_music(supervisor)
    hear_codes(supervisor)
    for supervision in call.supervisors.values():
        supervision.attend()
    call.bridged(customer, supervisor)


__all__ = ["ReleaseMode", "Supervision", "release", "supervise"]
