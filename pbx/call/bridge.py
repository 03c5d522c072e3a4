"""Who hears whom: the members of one bridge and the gains between them, as signalling decides it.

A `Bridge` is the media worker's gain matrix seen from here: members hear each other unless a part
(mute, hold) or a gain says otherwise. Each call has one of its own for as long as it lives, a
conference room has one for all its members. All legs of a bridge are on one worker: the first
member's; a leg that joins later is brought there. Where two members speak one codec and nobody else
listens, the worker relays; that is its business.

`connect` and `talk` are the plain call: answer the caller after the called party, let both hear
each other, wait until one leaves. A caller who already speaks another codec than the called party
chose is re-invited with that one where it has it (architecture §6), else the worker transcodes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from pbx.call import renegotiation
from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind, answered
from pbx.media.engine import MediaEngine, MediaPort
from pbx.media.keys.codes import CodeMatcher
from pbx.media.protocol import Announce, AnyCommand, SetGains

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.call.leg import Leg

KEPT_FOR = 300.0
"""Seconds that a party stays alone whose other side was let go by a supervisor."""


class Bridge:
    """One bridge; `number` names it to the worker."""

    def __init__(self, engine: MediaEngine) -> None:
        self._engine = engine
        self._audiences: dict[Leg, frozenset[Leg]] = {}
        self._told: tuple[tuple[int, int, float], ...] = ()
        self._port: MediaPort | None = None
        self.number = engine.next_bridge()
        self.members: dict[Leg, None] = {}
        """In the order in which they came."""

    @property
    def placed(self) -> bool:
        """Tell whether the bridge has a worker: from its first member on."""
        return self._port is not None

    @property
    def worker(self) -> int | None:
        """Return the number of that worker."""
        return self._port.worker if self._port is not None else None

    def add(self, leg: Leg, *, gated: bool = False) -> None:
        """Let `leg` hear the others and be heard by its audience, which is all if not said.

        It leaves the bridge it was in. Without effect on a leg that has no media yet.
        """
        if leg.media.port is None:
            return
        if leg.bridge is not self:
            if leg.bridge is not None:
                leg.bridge.forget(leg)
            leg.bridge = self
        if self._port is None:
            self._port = leg.media.port
        else:
            leg.media.move_beside(self._port)
        self.members[leg] = None
        self._tell()
        leg.media.enter(self.number, gated=gated)

    def remove(self, leg: Leg) -> None:
        """Let the leg hear nobody here and be heard by nobody; it stays up, alone."""
        if leg in self.members:
            leg.media.leave()
            self.forget(leg)

    def forget(self, leg: Leg) -> None:
        """Note that a member is gone: its worker knows already."""
        self.members.pop(leg, None)
        self._audiences.pop(leg, None)
        if leg.bridge is self:
            leg.bridge = None

    def set_audience(self, speaker: Leg, listeners: Collection[Leg] | None) -> None:
        """Say who hears `speaker`, now and whoever else comes; None for all."""
        if listeners is None:
            self._audiences.pop(speaker, None)
        else:
            self._audiences[speaker] = frozenset(listeners)
        self._tell()

    def announce(self, *sources: str) -> None:
        """Play something to all members, over what they hear."""
        if self.members:
            self.send(Announce(self.number, sources))

    def send(self, command: AnyCommand) -> None:
        """Send a command to this bridge's worker; without effect before the first member."""
        if self._port is not None:
            self._engine.send(self._port, command)

    def _tell(self) -> None:
        gains = tuple(
            (ear.id, voice.id, 0.0)
            for voice, audience in self._audiences.items()
            for ear in self.members
            if ear is not voice and ear not in audience
        )
        if gains != self._told:
            self._told = gains
            self.send(SetGains(self.number, gains))


def join(leg: Leg, other: Leg) -> None:
    """Let two legs of a call hear each other; each is told of the other's new codec from now on."""
    leg.other, other.other = other, leg
    for each in (leg, other):
        leg.call.bridge.add(each)
    hold_music(leg)
    hold_music(other)


def music_of(call: Call) -> str | None:
    """Return the source of what a party hears that is held in a call."""
    return call.settings.hold_music(call.music)


def hold_music(leg: Leg) -> None:
    """Let the party beside a holding `leg` hear music, or no longer."""
    other = leg.other
    if other is None:
        return
    if leg.held and not other.held:
        other.media.start_music(music_of(leg.call))
    else:
        other.media.stop_music()


def connect(call: Call, called: Leg) -> None:
    """Answer the caller with what `called` speaks, or else with what it has, and let the two hear
    each other.

    Raises SdpError and NoResource when the caller cannot be answered.
    """
    caller = call.caller
    caller.answer(called.speaks().followed_by(call.settings.capabilities))
    join(caller, called)
    renegotiation.match_codecs(called)
    hear_codes(caller)
    hear_codes(called)
    call.connected()
    call.bridged(caller, called)


def hear_codes(leg: Leg) -> None:
    """Let a party at one of the office's phones key the codes of a call, in place of others."""
    if leg.is_extension:
        codes = leg.call.exchange.in_call
        leg.codes = CodeMatcher(codes)
        leg.media.set_codes(tuple(codes))
        leg.media.watch(keys=True)


async def talk(call: Call, called: Leg) -> Outcome:
    """Wait until the called leg ends, or whoever took its place, and do what is to happen to the
    talk meanwhile. (The caller's own end cancels this coroutine.)"""
    handing, leg = call.handing, called
    while True:
        turn = await handing.next_turn(leg)
        if turn is not None:
            taken = await turn()
            if isinstance(taken, Outcome):
                return taken
            leg = taken
            continue
        if handing.succession is None:
            assert leg.ending is not None
            return answered(leg.ending, "caller" if leg.role == "caller" else "called")
        try:
            async with asyncio.timeout(KEPT_FOR):
                leg = await handing.succession
        except TimeoutError:
            break
        handing.succession = None
    return Outcome(OutcomeKind.ANSWERED, "answered", "released", 200, NORMAL_CLEARING, "supervisor")
