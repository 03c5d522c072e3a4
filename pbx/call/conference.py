"""Conference rooms: who is in one, who may come in, and what a caller lives through there.

The destination `conference:ROOM`: answer, ask for the PIN where the room has one (the door is
conference_door.py), wait with music until a moderator is there where the room wants one, then hear
and be heard until the caller hangs up, is put out, or the room closes. A room is one bridge for the
legs of many calls; it opens with its first member and closes with its last, and its recording with
it. The moderator PIN makes a moderator. Keys in a room: `*6` mutes and unmutes oneself, `*5` locks
and unlocks it (moderators).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from pbx.call import conference_door as door
from pbx.call.bridge import Bridge
from pbx.call.conference_door import Pass
from pbx.call.keys import on_codes
from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind, failed
from pbx.call.pin_lock import PinLock
from pbx.errors import NotFound, Refused
from pbx.events import (
    ConferenceJoined,
    ConferenceLeft,
    ConferenceMuted,
    ConferenceTalking,
)
from pbx.plan.destination import Destination
from pbx.plan.model import Conference

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.call.exchange import Exchange
    from pbx.call.leg import Leg
    from pbx.call.recording import Recording

log = logging.getLogger(__name__)

MUTE: Final = "*6"
LOCK: Final = "*5"


class Member:
    """One leg in a room. `gone` is why it has to leave; it is set by whoever puts it out."""

    def __init__(self, call: Call, *, moderator: bool, name: tuple[str, ...] = ()) -> None:
        self.call = call
        self.name = name
        """What plays its name to the others, if it said one."""
        self.leg: Leg = call.caller
        self.moderator = moderator
        self.inside = False
        """False while it waits for a moderator."""
        self.talking = False
        self.since = call.exchange.clock.wall()
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def put_out(self, reason: str) -> None:
        """Let the member leave."""
        if not self.gone.done():
            self.gone.set_result(reason)


class Room:
    """A conference that is going on."""

    def __init__(self, exchange: Exchange, rules: Conference) -> None:
        self.rules = rules
        self.bridge = Bridge(exchange.media)
        self.members: dict[Leg, Member] = {}
        self.locked = False
        self.since = exchange.clock.wall()
        self._recordings = exchange.recordings

    @property
    def recording(self) -> Recording | None:
        """Return the recording of the room, if it is recorded."""
        return next(iter(self._recordings.of(self.bridge)), None)

    @property
    def moderated(self) -> bool:
        """Tell whether a moderator is there."""
        return any(member.moderator for member in self.members.values())

    @property
    def full(self) -> bool:
        """Tell whether nobody more fits in."""
        return len(self.members) >= self.rules.most

    def join(self, member: Member) -> None:
        """Take a member in, or let it wait for a moderator."""
        self.members[member.leg] = member
        if self.rules.wait_for_moderator and not self.moderated:
            member.leg.media.start_music(member.call.settings.hold_music())
            return
        for waiting in tuple(self.members.values()):
            if not waiting.inside:
                self._let_in(waiting)

    def leave(self, member: Member, reason: str) -> None:
        """Let a member go; without effect for one who has left."""
        if self.members.pop(member.leg, None) is None:
            return
        if member.inside:
            self._let_out(member, reason)
        else:
            member.leg.media.stop_music()
        if not self.members and self.recording is not None:
            self.recording.stop()
        if self.rules.end_with_moderator and member.moderator and not self.moderated:
            for other in self.members.values():
                other.put_out("moderator_left")

    def mute(self, member: Member, on: bool) -> None:
        """Let nobody hear a member, or again."""
        leg, call = member.leg, member.call
        if leg.muted == on:
            return
        leg.mute(on)
        call.emit(ConferenceMuted(call=call.id, leg=leg.id, room=self.rules.room, on=on))

    def member(self, name: str) -> Member:
        """Return the member of that number or leg. Raises NotFound, Refused where several are."""
        named = [each for each in self.members.values() if each.leg.number == name]
        named = named or [each for each in self.members.values() if str(each.leg.id) == name]
        if not named:
            raise NotFound(f"{name} is not in conference {self.rules.room}")
        if len(named) > 1:
            legs = ", ".join(str(each.leg.id) for each in named)
            raise Refused(f"{name} is in conference {self.rules.room} twice; name a leg: {legs}")
        return named[0]

    def _let_in(self, member: Member) -> None:
        leg, call = member.leg, member.call
        leg.media.stop_music()
        member.inside = True
        leg.on_talking = self._talks
        codes = self._codes(member)
        leg.keys.listener = on_codes(codes)
        leg.media.set_codes(tuple(codes))
        self.bridge.add(leg, gated=self.rules.gated)
        leg.media.watch(keys=True, talk=True)
        if self.rules.record:
            self._record(call)
        self._greet(member)
        call.emit(
            ConferenceJoined(
                call=call.id, leg=leg.id, room=self.rules.room, moderator=member.moderator
            )
        )

    def _let_out(self, member: Member, reason: str) -> None:
        leg, call = member.leg, member.call
        if member.talking:
            self._talks(leg, False)
        member.inside = False
        leg.on_talking = leg.keys.listener = None
        self.bridge.remove(leg)
        call.emit(ConferenceLeft(call=call.id, leg=leg.id, room=self.rules.room, reason=reason))
        tone = ("tone:leave",) if self.rules.tones else ()
        if tone or member.name:
            self.bridge.announce(*member.name, *tone)

    def _greet(self, member: Member) -> None:
        """Let all hear that a member came, and who."""
        tone = ("tone:join",) if self.rules.tones else ()
        if tone or member.name:
            self.bridge.announce(*tone, *member.name)

    def _record(self, call: Call) -> None:
        """Record the room, or let the record of one more call name its recording."""
        if self.recording is not None:
            self.recording.name_in(call)
            return
        try:
            self._recordings.start(self.bridge, call)
        except Refused as refusal:
            log.warning("conference %s is not recorded: %s", self.rules.room, refusal)

    def _codes(self, member: Member) -> dict[str, Callable[[], None]]:
        codes: dict[str, Callable[[], None]] = {MUTE: lambda: self._toggle_mute(member)}
        if member.moderator:
            codes[LOCK] = lambda: self._toggle_lock(member)
        return codes

    def _toggle_mute(self, member: Member) -> None:
        self.mute(member, not member.leg.muted)
        _confirm(member.leg, member.leg.muted)

    def _toggle_lock(self, member: Member) -> None:
        self.locked = not self.locked
        _confirm(member.leg, self.locked)

    def _talks(self, leg: Leg, on: bool) -> None:
        member = self.members.get(leg, None)
        if member is not None:
            member.talking = on
        call = leg.call
        call.emit(ConferenceTalking(call=call.id, leg=leg.id, room=self.rules.room, on=on))


class Conferences:
    """The rooms that are open, by number, and who may try no more PINs."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}
        self.pin_lock = PinLock()

    def __len__(self) -> int:
        """Return how many rooms are open."""
        return len(self._rooms)

    def __iter__(self) -> Iterator[Room]:
        return iter(tuple(self._rooms.values()))

    def find(self, number: str) -> Room:
        """Return an open room; raises NotFound where nobody is in it."""
        room = self._rooms.get(number)
        if room is None:
            raise NotFound(f"nobody is in conference {number}")
        return room

    def open(self, exchange: Exchange, rules: Conference) -> Room:
        """Return the room, opened if it was closed."""
        room = self._rooms.get(rules.room)
        if room is None:
            room = self._rooms[rules.room] = Room(exchange, rules)
        return room

    def refuses(self, rules: Conference, admitted: Pass) -> str | None:
        """Return why somebody with that pass cannot come in now; None for who can."""
        room = self._rooms.get(rules.room)
        if room is None:
            return None
        if room.full:
            return "conference_full"
        return "conference_locked" if room.locked and admitted != "moderator" else None

    def close_if_empty(self, room: Room) -> None:
        """Close a room that its last member has left."""
        if not room.members and self._rooms.get(room.rules.room) is room:
            del self._rooms[room.rules.room]


async def conference(call: Call, name: str, *, invited: bool = False) -> Outcome:
    """Take part in a conference; the destination kind `conference`.

    Who was `invited`, rung by the room itself, is asked for no PIN.
    """
    exchange = call.exchange
    rules = call.plan.conference(name)
    if rules is None:
        return failed(404, "unknown_number")
    call.caller.answer(call.caller.speaks())
    call.connected()
    rooms = exchange.conferences
    admitted = "member" if invited else await door.admitted(call, rules, rooms.pin_lock)
    if admitted is None:
        locked = rooms.pin_lock.locked(door.guest(call, rules), exchange.now())
        return await door.turned_away(call, "pin_locked" if locked else "wrong_pin")
    refusal = rooms.refuses(rules, admitted)
    said: tuple[str, ...] = ()
    if rules.announce_names and refusal is None:
        said = await door.said_name(call)
        refusal = rooms.refuses(rules, admitted)  # it filled up meanwhile, or was locked
    if refusal is not None:
        return await door.turned_away(call, refusal)
    room = rooms.open(exchange, rules)
    member = Member(call, moderator=admitted == "moderator", name=said)
    reason = "left"
    try:
        room.join(member)
        reason = await member.gone
    finally:
        room.leave(member, reason)
        rooms.close_if_empty(room)
    await call.caller.play("tone:leave")
    return Outcome(OutcomeKind.LEFT, "answered", reason, 200, NORMAL_CLEARING, "system")


async def dial_out(exchange: Exchange, room: str, number: str) -> str:
    """Ring an extension and take it into a room once it answers; return the call's id.

    Raises NotFound for an unknown room or extension, Refused where it cannot be rung now.
    """
    if exchange.plan.conference(room) is None:
        raise NotFound(f"there is no conference {room} in the dialplan")

    async def enter(call: Call) -> Outcome:
        return await call.go(Destination("conference", room), invited=True)

    return await exchange.originate(number, room, script=enter)


def _confirm(leg: Leg, on: bool) -> None:
    """Let a member hear that a key worked: two tones up for on, down for off."""
    sources = ("tone:join",) if on else ("tone:leave",)
    leg.media.start_playing(sources, others=1.0)
