"""A worker's legs, and the commands of protocol.py carried out on them.

One method per command, looked up by its type. Commands cross events on the channel, so one that
names a leg which is gone is no mistake: it is without effect. Time-driven work is here too: the
tick that paces playing files, each leg's RTCP interval, the look after silent legs, and the top-up
of the port stock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Final

from pbx.errors import Refused
from pbx.media.codecs import ARRAY_CODECS
from pbx.media.leg import MediaLeg
from pbx.media.outbox import Outbox
from pbx.media.playback import Playback
from pbx.media.ports import PortStock
from pbx.media.protocol import (
    AddLeg,
    AnyCommand,
    Echo,
    Enter,
    FreeLeg,
    Leave,
    LegFreed,
    LegReport,
    Play,
    PlaybackDone,
    SetMediaTimeout,
    SetPart,
    StopPlaying,
    StreamFigures,
    UpdateLeg,
)
from pbx.media.relay import OutgoingStream
from pbx.media.rtcp import RtcpReporter
from pbx.media.sounds import SoundStore
from pbx.media.tick import TICK, TickLoop, Timer

REPORT_INTERVAL: Final = (4.0, 5.0)
"""Seconds between two RTCP reports of a leg, drawn at random: legs must not report in step."""

FIRST_REPORT: Final = (1.5, 2.5)
"""Seconds until a leg's first report, half the interval as RFC 3550 §6.2 advises."""

CARE_INTERVAL: Final = 0.5
"""Seconds between two looks after silent legs."""

_TICK_MS: Final = round(TICK * 1000)

log = logging.getLogger(__name__)


class Switchboard:
    """All legs of one worker.

    `random_bits(n)` returns n random bits; `epoch` makes the loop's time seconds since 1900.
    """

    def __init__(
        self,
        stock: PortStock,
        outbox: Outbox,
        *,
        loop: TickLoop,
        random_bits: Callable[[int], int],
        epoch: float,
    ) -> None:
        self._stock = stock
        self._outbox = outbox
        self._loop = loop
        self._random_bits = random_bits
        self._epoch = epoch
        self._legs: dict[int, MediaLeg] = {}
        self._playing: dict[int, MediaLeg] = {}
        self._reports: dict[int, Timer] = {}
        self._bridges: dict[int, set[int]] = {}
        self._apart: set[int] = set()
        self._sounds = SoundStore()
        self._top_up_at = inf
        self._top_up_timer: Timer | None = None
        self._actions: dict[type[AnyCommand], Callable[[Any, float], None]] = {
            AddLeg: self._add,
            UpdateLeg: self._update,
            Enter: self._enter,
            Leave: self._leave,
            SetPart: self._set_part,
            Echo: self._echo,
            Play: self._play,
            StopPlaying: self._stop_playing,
            SetMediaTimeout: self._set_timeout,
            FreeLeg: self._free,
        }

    def __len__(self) -> int:
        """Return how many legs are open."""
        return len(self._legs)

    def start(self, now: float) -> None:
        """Bind the first ports and begin to look after legs."""
        self._loop.on_tick = self._tick
        self._top_up(now)
        self._look_after(now)

    def carry_out(self, command: AnyCommand, now: float) -> None:
        """Do what a command says."""
        action = self._actions.get(type(command))
        if action is None:
            log.warning("%s is not in this version yet", type(command).__name__)
        else:
            action(command, now)

    def close(self) -> None:
        """Let go of all sockets, without goodbyes."""
        for leg in self._legs.values():
            leg.close(goodbye_at=None).close()
        self._legs.clear()
        self._stock.close()

    # Commands

    def _add(self, command: AddLeg, now: float) -> None:
        pair = self._stock.take(command.port) if command.leg not in self._legs else None
        if pair is None:
            log.debug("leg %d: port %d is not in stock", command.leg, command.port)
            return
        bits = self._random_bits
        self._legs[command.leg] = MediaLeg(
            command.leg,
            pair,
            loop=self._loop,
            report=self._outbox.post,
            out=OutgoingStream(ssrc=bits(32), sequence=bits(16), timestamp=bits(32)),
            rtcp=RtcpReporter(cname=f"{bits(96):024x}", epoch=self._epoch),  # RFC 7022 §4.2
            now=now,
        )
        self._report_later(command.leg, FIRST_REPORT, now)
        self._top_up_soon(now)

    def _update(self, command: UpdateLeg, now: float) -> None:
        leg = self._leg(command.leg)
        if leg is None:
            return
        leg.update(command, now)
        if leg.playback is not None:
            try:
                self._check_playable(leg)
            except Refused as refusal:
                self._end_playback(leg, finished=False, error=str(refusal))

    def _enter(self, command: Enter, now: float) -> None:
        if self._leg(command.leg) is None:
            return
        self._take_out(command.leg)
        self._bridges.setdefault(command.bridge, set()).add(command.leg)
        self._connect(command.bridge)

    def _leave(self, command: Leave, now: float) -> None:
        self._take_out(command.leg)

    def _set_part(self, command: SetPart, now: float) -> None:
        (self._apart.discard if command.speaks and command.hears else self._apart.add)(command.leg)
        for bridge, members in self._bridges.items():
            if command.leg in members:
                self._connect(bridge)

    def _take_out(self, number: int) -> None:
        for bridge, members in tuple(self._bridges.items()):
            if number in members:
                members.discard(number)
                self._legs[number].unjoin()
                self._connect(bridge)
                if not members:
                    del self._bridges[bridge]

    def _connect(self, bridge: int) -> None:
        """Relay between the two members of a bridge, where they are two and take part."""
        members = [self._legs[number] for number in self._bridges[bridge]]
        if len(members) == 2 and not self._apart.intersection(self._bridges[bridge]):
            members[0].join(members[1])
        else:
            for leg in members:
                leg.unjoin()

    def _echo(self, command: Echo, now: float) -> None:
        if leg := self._leg(command.leg):
            leg.echo(command.on)

    def _play(self, command: Play, now: float) -> None:
        leg = self._leg(command.leg)
        if leg is None:
            return
        self._end_playback(leg, finished=False)
        try:
            self._check_playable(leg, command.sources)
            sounds = [self._sounds.open(source) for source in command.sources]
        except Refused as refusal:
            done = PlaybackDone(command.leg, command.playback, False, str(refusal))
            self._outbox.post(done)
            return
        leg.play(Playback(command.playback, sounds, loop=command.loop, others=command.others))
        self._playing[command.leg] = leg
        self._loop.tick_while(True)

    def _stop_playing(self, command: StopPlaying, now: float) -> None:
        leg = self._leg(command.leg)
        if leg and leg.playback is not None and leg.playback.number == command.playback:
            self._end_playback(leg, finished=False)

    def _set_timeout(self, command: SetMediaTimeout, now: float) -> None:
        if leg := self._leg(command.leg):
            leg.watch_silence(command.seconds, now)

    def _free(self, command: FreeLeg, now: float) -> None:
        self._take_out(command.leg)
        self._apart.discard(command.leg)
        leg = self._legs.pop(command.leg, None)
        if leg is None:
            self._outbox.post(LegFreed(command.leg, StreamFigures(), StreamFigures()))
            return
        self._end_playback(leg, finished=False)
        self._reports.pop(command.leg).cancel()
        pair = leg.close(goodbye_at=now)
        self._outbox.post(LegFreed(command.leg, *leg.figures()))
        self._stock.give_back(pair, now)
        self._top_up_soon(now)

    def _leg(self, number: int) -> MediaLeg | None:
        leg = self._legs.get(number)
        if leg is None:
            log.debug("leg %d is not here", number)
        return leg

    # Playing

    def _tick(self, now: float) -> None:
        """Send what 20 ms of every playback make. The fence: one that fails ends alone."""
        self._sounds.advance()
        for leg in tuple(self._playing.values()):
            try:
                self._play_on(leg, now)
            except Exception:
                log.exception("leg %d: a playback failed", leg.number)
                self._end_playback(leg, finished=False, error="the file cannot be played")

    def _play_on(self, leg: MediaLeg, now: float) -> None:
        playback, payload = leg.playback, leg.payload
        if playback is None or payload is None:
            return
        codec = ARRAY_CODECS[payload.codec]
        for _ in range(playback.due(_TICK_MS, payload.ptime)):
            sound = playback.next_payload(codec, payload.ptime)
            if sound is None:
                error = playback.error
                self._end_playback(leg, finished=error is None, error=error)
                return
            leg.send_frame(sound, now)

    def _check_playable(self, leg: MediaLeg, sources: Sequence[str] = ("a sound",)) -> None:
        """Refuse what a leg cannot hear in its codec, or before it has one."""
        what = ", ".join(source.removeprefix("file:") for source in sources)
        if leg.payload is None:
            raise Refused(f"{what} cannot be played before a codec is agreed on")
        if leg.payload.codec not in ARRAY_CODECS:
            raise Refused(f"{what} cannot be played in {leg.payload.codec}")

    def _end_playback(self, leg: MediaLeg, *, finished: bool, error: str | None = None) -> None:
        playback = leg.playback
        if playback is None:
            return
        leg.play(None)
        del self._playing[leg.number]
        self._loop.tick_while(bool(self._playing))
        self._outbox.post(PlaybackDone(leg.number, playback.number, finished, error))

    # Time

    def _report_later(self, number: int, interval: tuple[float, float], now: float) -> None:
        shortest, longest = interval
        when = now + shortest + (longest - shortest) * self._random_bits(16) / 0x10000
        self._reports[number] = self._loop.call_at(when, lambda at: self._report(number, at))

    def _report(self, number: int, now: float) -> None:
        leg = self._legs[number]
        self._report_later(number, REPORT_INTERVAL, now)
        leg.report_rtcp(now)
        self._outbox.post(LegReport(number, *leg.figures()))

    def _look_after(self, now: float) -> None:
        self._loop.call_at(now + CARE_INTERVAL, self._look_after)
        for leg in self._legs.values():
            leg.look_after(now)

    def _top_up(self, now: float) -> None:
        self._top_up_at = inf
        for event in self._stock.top_up(now):
            self._outbox.post(event)
        self._top_up_soon(now)

    def _top_up_soon(self, now: float) -> None:
        due = self._stock.due(now)
        if due < self._top_up_at:
            if self._top_up_timer is not None:
                self._top_up_timer.cancel()
            self._top_up_at = due
            self._top_up_timer = self._loop.call_at(due, self._top_up)
