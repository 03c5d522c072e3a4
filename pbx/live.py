"""The running server as the API sees it: `LiveOffice` made of the exchange and what is around it.

Everything is read from memory and copied into views; nothing here decides anything.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pbx.alarms import Alarms
from pbx.api.agents import LiveAgents
from pbx.api.centre import LiveCentre
from pbx.api.office import LiveDialplan
from pbx.api.views import (
    Alarm,
    Ban,
    CallLeg,
    ConferenceMember,
    ConferenceView,
    DatabaseHealth,
    LiveCall,
    LiveStatus,
    MediaWorker,
    Registration,
    TraceEntry,
    TrunkState,
    utc_text,
)
from pbx.call import supervision
from pbx.call.call import Call
from pbx.call.conference import Member, Room, dial_out
from pbx.call.exchange import Exchange
from pbx.call.leg import Leg
from pbx.call.leg_state import LegState
from pbx.call.lookup import find_call
from pbx.call.transfer import transfer
from pbx.errors import NotFound
from pbx.events import SupervisionMode
from pbx.plan.model import Conference
from pbx.sip.flow import host_port
from pbx.sip.guard import Guard
from pbx.sip.registrar import Registrar
from pbx.trace import Trace

NOWHERE = (None, None)
"""The queue and the agent of a call that has none."""


@dataclass(frozen=True, slots=True)
class About:
    """What does not change while the server runs. `started_at` is seconds since the epoch."""

    version: str
    started_at: float
    started_monotonic: float
    listen: tuple[str, ...]
    api: tuple[str, ...]


class Live:
    """A running server's answers; satisfies `pbx.api.office.LiveOffice`."""

    def __init__(
        self,
        *,
        about: Callable[[], About],
        exchange: Exchange,
        registrar: Registrar,
        guard: Guard,
        trace: Trace,
        alarms: Alarms,
        media: Callable[[], Iterable[MediaWorker]],
        database: Callable[[], DatabaseHealth],
        reload_directory: Callable[[], Awaitable[None]],
        dialplan: LiveDialplan,
        centre: LiveCentre | None = None,
        agents: LiveAgents | None = None,
    ) -> None:
        self.dialplan = dialplan
        self.centre = centre
        self.agents = agents
        self._about = about
        self._exchange = exchange
        self._registrar = registrar
        self._guard = guard
        self._trace = trace
        self._alarms = alarms
        self._media = media
        self._database = database
        self._reload_directory = reload_directory

    def status(self) -> LiveStatus:
        """Return how the server is."""
        about, exchange = self._about(), self._exchange
        return LiveStatus(
            version=about.version,
            pid=os.getpid(),
            started_at=utc_text(about.started_at),
            uptime_s=round(exchange.now() - about.started_monotonic, 1),
            listen=about.listen,
            api=about.api,
            calls=len(exchange.calls),
            legs=sum(_open_legs(call) for call in exchange.calls.values()),
            bans=tuple(self._bans()),
            media=tuple(self._media()),
            database=self._database(),
            alarms=tuple(
                Alarm(at=utc_text(alarm.at), sentence=alarm.sentence, count=alarm.count)
                for alarm in self._alarms.newest()
            ),
            sip={**exchange.ua.snapshot(), "exchange": exchange.snapshot()},
        )

    def registrations(self) -> Sequence[Registration]:
        """Return the live bindings, sorted by number."""
        now = self._exchange.now()
        return [
            Registration(
                number=binding.aor,
                contact=str(binding.contact),
                transport=binding.flow.transport,
                user_agent=binding.user_agent,
                expires_in_s=round(binding.expires_at - now, 1),
                round_trip_ms=_rounded(binding.round_trip_ms),
                reachable=binding.reachable,
            )
            for binding in self._registrar.all(now)
        ]

    def trunks(self) -> Mapping[str, TrunkState]:
        """Return how each line is, by its name."""
        now = self._exchange.now()
        return {
            line.name: TrunkState(
                registered=line.is_registered(now),
                reachable=line.is_reachable(now),
                calls=line.calls,
                round_trip_ms=_rounded(line.round_trip_ms),
                error=line.trouble,
            )
            for line in self._exchange.lines
        }

    def calls(self) -> Sequence[LiveCall]:
        """Return the calls that are up, oldest first."""
        places = {} if self.centre is None else self.centre.places()
        return [
            LiveCall(
                id=call.id,
                from_=call.who.number,
                to=call.called,
                state=_state(call),
                since=utc_text(call.started_at),
                queue=places.get(call.id, NOWHERE)[0],
                agent=places.get(call.id, NOWHERE)[1],
                legs=tuple(_leg(leg) for leg in call.legs.values() if leg.ending is None),
            )
            for call in self._exchange.calls.values()
        ]

    async def originate(self, from_: str, to: str) -> str:
        """Ring `from_`, then call `to` as if it had dialled."""
        return await self._exchange.originate(from_, to)

    def hangup(self, call: str) -> None:
        """End a call."""
        self._exchange.hangup(call)

    async def supervise(
        self, call: str, supervisor: str, mode: SupervisionMode, asked_by: str
    ) -> None:
        """Ring a supervisor's phone and let it into the call."""
        await supervision.supervise(self._exchange, call, supervisor, mode, asked_by=asked_by)

    def transfer(self, call: str, to: str) -> None:
        """Hand the customer of a call on; its agent is let go."""
        transfer(self._exchange, call, to)

    def release(
        self, call: str, mode: supervision.ReleaseMode, supervisor: str | None, asked_by: str
    ) -> None:
        """End a call by force, or one party's part in it."""
        supervision.release(self._exchange, call, mode, supervisor, asked_by=asked_by)

    def conferences(self) -> Sequence[ConferenceView]:
        """Return the rooms of the dialplan and who is in them."""
        open_rooms = {room.rules.room: room for room in self._exchange.conferences}
        rules = {**{number: room.rules for number, room in open_rooms.items()}}
        rules |= self._exchange.plan.conferences
        return [_room(each, open_rooms.get(number)) for number, each in sorted(rules.items())]

    def lock_conference(self, room: str, on: bool) -> None:
        """Let nobody but moderators into an open room, or everybody."""
        self._exchange.conferences.find(room).locked = on

    def mute_in_conference(self, room: str, member: str, on: bool) -> None:
        """Let nobody hear a member, or again."""
        found = self._exchange.conferences.find(room)
        found.mute(found.member(member), on)

    def put_out_of_conference(self, room: str, member: str) -> None:
        """End a member's part in a room."""
        self._exchange.conferences.find(room).member(member).put_out("kicked")

    async def dial_into_conference(self, room: str, number: str) -> str:
        """Ring a phone and take it into the room once it answers."""
        return await dial_out(self._exchange, room, number)

    def start_recording(self, call: str) -> str:
        """Record a call from now on."""
        found = find_call(self._exchange.calls, call)
        return self._exchange.recordings.begin(found).id

    def pause_recording(self, recording: str, on: bool) -> None:
        """Record silence in place of a call, or the call again."""
        found = self._exchange.recordings.find(recording)
        (found.pause if on else found.resume)()

    def stop_recording(self, recording: str) -> None:
        """End a recording."""
        self._exchange.recordings.find(recording).stop()

    def unban(self, address: str) -> None:
        """Lift the ban on a source address."""
        if not self._guard.unban(address, self._exchange.now()):
            raise NotFound(f"{address} is not banned")

    def trace(self, call: str) -> Sequence[TraceEntry]:
        """Return what is remembered of a call, in order."""
        entries = self._trace.ladder(call)
        if not entries:
            raise NotFound(f"nothing is remembered of call {call}; only the newest calls are")
        return entries

    async def directory_changed(self) -> None:
        """Read the directory again."""
        await self._reload_directory()

    def _bans(self) -> Iterable[Ban]:
        about = self._about()
        epoch = about.started_at - about.started_monotonic
        for ban in self._guard.bans(self._exchange.now()):
            yield Ban(address=ban.source, failures=ban.count, until=utc_text(ban.until + epoch))


def _room(rules: Conference, room: Room | None) -> ConferenceView:
    return ConferenceView(
        room=rules.room,
        max=rules.most,
        pin=rules.pin,
        locked=room is not None and room.locked,
        recording=room is not None and room.recording is not None,
        since=None if room is None else utc_text(room.since),
        members=() if room is None else tuple(map(_member, room.members.values())),
    )


def _member(member: Member) -> ConferenceMember:
    return ConferenceMember(
        number=member.leg.number,
        name=member.call.who.name,
        call=member.call.id,
        leg=member.leg.id,
        moderator=member.moderator,
        muted=member.leg.muted,
        talking=member.talking,
        waiting=not member.inside,
        since=utc_text(member.since),
    )


def _open_legs(call: Call) -> int:
    return sum(leg.ending is None for leg in call.legs.values())


def _state(call: Call) -> str:
    held = any(leg.held and leg.ending is None for leg in call.legs.values())
    return "held" if held and call.state == "talking" else call.state


def _leg(leg: Leg) -> CallLeg:
    quality = leg.media.figures.worse
    measured = quality.loss_percent is not None
    return CallLeg(
        leg=leg.id,
        role=leg.role,
        number=leg.number,
        state="held" if leg.held else _LEG_STATES[leg.state],
        codec=leg.codec,
        remote=host_port(*leg.flow.remote),
        mos=_rounded(quality.mos, 2),
        loss_percent=_rounded(quality.loss_percent, 2),
        jitter_ms=_rounded(quality.figures.jitter_ms if measured else None),
        round_trip_ms=_rounded(quality.figures.round_trip_ms),
    )


_LEG_STATES = {
    LegState.NEW: "ringing",
    LegState.RINGING: "ringing",
    LegState.UP: "answered",
    LegState.ENDED: "ended",
}


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)
