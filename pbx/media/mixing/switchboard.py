"""A worker's legs and bridges, and the commands of protocol.py carried out on them.

One method per command, looked up by its type. Commands cross events on the channel, so one that
names a leg which is gone is no mistake: it is without effect. Time-driven work is here too: the
tick, each leg's RTCP interval, the look after silent legs, and the top-up of the port stock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Final

from pbx.errors import Refused
from pbx.media.keys.dialling import Dialling
from pbx.media.keys.keypad import Keypad, KeySource
from pbx.media.mixing.bridge import Bridge
from pbx.media.mixing.leg import MediaLeg
from pbx.media.mixing.matrix import Matrix
from pbx.media.mixing.moving import adopt, pack
from pbx.media.mixing.outbox import Outbox
from pbx.media.mixing.tick import TickLoop, Timer
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.ports import PortPair, PortStock
from pbx.media.packets.rtcp import RtcpReporter
from pbx.media.protocol import (
    AddLeg,
    Announce,
    AnyCommand,
    AnyWorkerEvent,
    DigitHeard,
    Echo,
    Enter,
    FreeLeg,
    GiveLeg,
    Leave,
    LegFreed,
    LegGiven,
    LegReport,
    PauseRecording,
    Play,
    Record,
    SendDigits,
    SetCodes,
    SetGains,
    SetMediaTimeout,
    SetPart,
    StopPlaying,
    StopRecording,
    StreamFigures,
    TakeLeg,
    UpdateLeg,
    Watch,
)
from pbx.media.recording.taping import Taping
from pbx.media.sounds.playing import Playing
from pbx.media.sounds.store import SoundStore
from pbx.media.sounds.tone_plan import DEFAULT_COUNTRY

REPORT_INTERVAL: Final = (4.0, 5.0)
"""Seconds between two RTCP reports of a leg, drawn at random: legs must not report in step."""

FIRST_REPORT: Final = (1.5, 2.5)
"""Seconds until a leg's first report, half the interval as RFC 3550 §6.2 advises."""

KEY_MS: Final = 100
"""Milliseconds of a key that goes on to another leg, however long it was held."""

CARE_INTERVAL: Final = 0.5
"""Seconds between two looks after silent legs."""

log = logging.getLogger(__name__)


class Switchboard:
    """All legs of one worker.

    `random_bits(n)` returns n random bits; `epoch` makes the loop's time seconds since 1900;
    `country` is whose tones are heard.
    """

    def __init__(
        self,
        stock: PortStock,
        outbox: Outbox,
        *,
        loop: TickLoop,
        random_bits: Callable[[int], int],
        epoch: float,
        country: str = DEFAULT_COUNTRY,
    ) -> None:
        self._stock = stock
        self._outbox = outbox
        self._loop = loop
        self._random_bits = random_bits
        self._epoch = epoch
        self._legs: dict[int, MediaLeg] = {}
        self._bridges: dict[int, Bridge] = {}
        self._bridge_of: dict[int, Bridge] = {}
        """By leg."""
        self._matrix = Matrix(self._need_ticks)
        self._playing = Playing(outbox.post, self._arrange, SoundStore(country=country))
        self._dialling: Dialling[MediaLeg] = Dialling(loop.call_at, self._arrange)
        self._taping = Taping(loop, outbox.post, self._end_bridge)
        self._reports: dict[int, Timer] = {}
        self._top_up_at = inf
        self._top_up_timer: Timer | None = None
        self._actions: dict[type[AnyCommand], Callable[[Any, float], None]] = {
            AddLeg: self._add,
            UpdateLeg: self._update,
            Enter: self._enter,
            Leave: self._leave,
            SetPart: self._set_part,
            SetGains: self._set_gains,
            Echo: self._echo,
            Play: self._play,
            Announce: self._announce,
            StopPlaying: self._stop_playing,
            Watch: self._watch,
            SetCodes: self._set_codes,
            SendDigits: self._send_digits,
            Record: self._record,
            PauseRecording: self._pause_recording,
            StopRecording: self._stop_recording,
            SetMediaTimeout: self._set_timeout,
            GiveLeg: self._give,
            FreeLeg: self._free,
        }

    def __len__(self) -> int:
        """Return how many legs are open."""
        return len(self._legs)

    @property
    def mixed(self) -> int:
        """Return how many legs the matrix hears or is heard by."""
        return sum(leg.column is not None or leg.ear is not None for leg in self._legs.values())

    @property
    def music_frames(self) -> int:
        """Return how many payloads of music were coded since the start."""
        return self._playing.music_frames

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

    def take(self, command: TakeLeg, descriptors: Sequence[int], now: float) -> None:
        """Go on with a leg that another worker gave; `descriptors` are its two sockets.

        One that cannot be used is told as one that is not here.
        """
        try:
            pair, state, lasting = adopt(command.state, descriptors, self._stock)
        except Refused as refusal:
            log.error("leg %d is lost: %s", command.leg, refusal)
            self._outbox.post(LegGiven(command.leg, None))
            return
        rtcp = RtcpReporter.resume(state.rtcp, now)
        leg = self._open(command.leg, pair, state.out.resume(now), rtcp, now)
        leg.resume(state, now)
        leg.route()
        for each in lasting:
            self.carry_out(each, now)

    def close(self) -> None:
        """Let go of all sockets, without goodbyes, and complete what is recorded."""
        for leg in self._legs.values():
            leg.close(goodbye_at=None).close()
        self._legs.clear()
        self._stock.close()
        self._taping.close()

    # Commands

    def _add(self, command: AddLeg, now: float) -> None:
        pair = self._stock.take(command.port) if command.leg not in self._legs else None
        if pair is None:
            log.debug("leg %d: port %d is not in stock", command.leg, command.port)
            return
        bits = self._random_bits
        # 15 bits: SRTP's first packets may be lost, but not with them a wrap (RFC 3711 §3.3.1).
        out = OutgoingStream(ssrc=bits(32), sequence=bits(15), timestamp=bits(32))
        cname = f"{bits(96):024x}"  # RFC 7022 §4.2
        self._open(command.leg, pair, out, RtcpReporter(cname=cname, epoch=self._epoch), now)
        self._top_up_soon(now)

    def _open(
        self, number: int, pair: PortPair, out: OutgoingStream, rtcp: RtcpReporter, now: float
    ) -> MediaLeg:
        """Make a leg on these sockets."""
        leg = self._legs[number] = MediaLeg(
            number,
            pair,
            loop=self._loop,
            matrix=self._matrix,
            report=self._report_of_leg,
            out=out,
            rtcp=rtcp,
            keypad=self._keypad(number),
            now=now,
        )
        self._report_later(number, FIRST_REPORT, now)
        return leg

    def _keypad(self, number: int) -> Keypad:
        return Keypad(
            number,
            report=self._report_of_leg,
            on_down=lambda: self._stop_on_key(number),
            pass_on=lambda digit, source, now: self._pass_key_on(number, digit, source, now),
            wake=self._loop.call_at,
        )

    def _update(self, command: UpdateLeg, now: float) -> None:
        if leg := self._leg(command.leg):
            spoken = leg.payload
            leg.update(command, now)
            if leg.payload != spoken or not leg.reachable:
                self._dialling.stop(leg)
            self._arrange(leg)
            self._playing.check(leg)

    def _enter(self, command: Enter, now: float) -> None:
        leg = self._leg(command.leg)
        if leg is None:
            return
        bridge = self._bridges.get(command.bridge)
        if self._bridge_of.get(leg.number) is not bridge or bridge is None:
            self._take_out(leg, now)
            bridge = self.bridge(command.bridge)
            self._bridge_of[leg.number] = bridge
        bridge.enter(leg, gated=command.gated)

    def _leave(self, command: Leave, now: float) -> None:
        if leg := self._leg(command.leg):
            self._take_out(leg, now)

    def _set_part(self, command: SetPart, now: float) -> None:
        if leg := self._leg(command.leg):
            leg.is_voice, leg.is_ear = command.speaks, command.hears
            self._arrange(leg)

    def _set_gains(self, command: SetGains, now: float) -> None:
        if bridge := self._bridges.get(command.bridge):
            bridge.set_gains(command.gains)

    def _announce(self, command: Announce, now: float) -> None:
        bridge = self._bridges.get(command.bridge)
        if bridge is None:
            return
        try:
            self._playing.announce(bridge, command)
        except Refused as refusal:
            log.error("nothing is announced in bridge %d: %s", command.bridge, refusal)

    def _echo(self, command: Echo, now: float) -> None:
        if leg := self._leg(command.leg):
            leg.echo(command.on)
            self._arrange(leg)

    def _play(self, command: Play, now: float) -> None:
        if leg := self._leg(command.leg):
            self._loop.tick_while(True, at_once=True)
            self._playing.play(leg, command)
            self._need_ticks()

    def _stop_playing(self, command: StopPlaying, now: float) -> None:
        if leg := self._leg(command.leg):
            self._playing.stop(leg, command)

    def _watch(self, command: Watch, now: float) -> None:
        if leg := self._leg(command.leg):
            leg.watch(keys=command.keys, talk=command.talk)

    def _set_codes(self, command: SetCodes, now: float) -> None:
        if leg := self._leg(command.leg):
            leg.set_codes(command.codes, now)

    def _send_digits(self, command: SendDigits, now: float) -> None:
        if leg := self._leg(command.leg):
            self._dialling.dial(leg, command.digits, command.duration_ms, now)

    def _pass_key_on(self, number: int, digit: str, source: KeySource, now: float) -> None:
        """Let those hear a key who hear the leg. A tone they hear anyway, but not as an event."""
        leg, bridge = self._legs.get(number), self._bridge_of.get(number)
        if leg is None or bridge is None:
            return
        for hearer in bridge.hearers_of_keys(leg):
            takes_events = hearer.payload is not None and hearer.payload.event_send is not None
            if takes_events or source != "inband":
                self._dialling.dial(hearer, digit, KEY_MS, now)

    def _record(self, command: Record, now: float) -> None:
        self._taping.record(self.bridge(command.bridge), command)

    def _pause_recording(self, command: PauseRecording, now: float) -> None:
        self._taping.pause(command)

    def _stop_recording(self, command: StopRecording, now: float) -> None:
        self._taping.stop(command)

    def _set_timeout(self, command: SetMediaTimeout, now: float) -> None:
        if leg := self._leg(command.leg):
            leg.watch_silence(command.seconds, now)

    def _free(self, command: FreeLeg, now: float) -> None:
        leg = self._legs.get(command.leg)
        if leg is None:
            self._outbox.post(LegFreed(command.leg, StreamFigures(), StreamFigures()))
            return
        pair = self._let_go(leg, now, goodbye=True)
        self._outbox.post(LegFreed(command.leg, *leg.figures()))
        self._stock.give_back(pair, now)
        self._top_up_soon(now)

    def _give(self, command: GiveLeg, now: float) -> None:
        """Part with a leg: it goes on in another worker, on the same sockets."""
        leg = self._leg(command.leg)
        if leg is None:
            self._outbox.post(LegGiven(command.leg, None))
            return
        leg.keypad.finish(now)
        lasting = leg.lasting()
        pair = self._let_go(leg, now, goodbye=False)
        state = pack(leg.state(now), lasting)
        self._stock.part_with(pair)
        self._outbox.hand_over(LegGiven(leg.number, state), (pair.rtp, pair.rtcp))

    def _let_go(self, leg: MediaLeg, now: float, *, goodbye: bool) -> PortPair:
        """Forget a leg; return its sockets, still bound."""
        self._take_out(leg, now)
        self._playing.stop(leg)
        self._dialling.stop(leg)
        del self._legs[leg.number]
        self._reports.pop(leg.number).cancel()
        return leg.close(goodbye_at=now if goodbye else None)

    def _leg(self, number: int) -> MediaLeg | None:
        leg = self._legs.get(number)
        if leg is None:
            log.debug("leg %d is not here", number)
        return leg

    # Bridges

    def bridge(self, number: int) -> Bridge:
        """Return a bridge, which begins here where there is none."""
        return self._bridges.setdefault(number, Bridge(number, self._matrix))

    def _take_out(self, leg: MediaLeg, now: float) -> None:
        """Take a leg out of its bridge, which ends with its last member or recording.

        Keys that it has withheld are for those that it leaves.
        """
        leg.keypad.finish(now)
        bridge = self._bridge_of.pop(leg.number, None)
        if bridge is not None:
            bridge.leave(leg)
            if bridge.ended:
                self._end_bridge(bridge)

    def _end_bridge(self, bridge: Bridge) -> None:
        del self._bridges[bridge.number]
        self._playing.forget(bridge)

    def _arrange(self, leg: MediaLeg) -> None:
        """Let a leg and its bridge decide anew, because something of the leg has changed."""
        leg.route_both()
        if bridge := self._bridge_of.get(leg.number):
            bridge.arrange()

    # The tick

    def _need_ticks(self) -> None:
        """Run ticks while the matrix or a playback needs them."""
        self._loop.tick_while(self._matrix.needed or self._playing.active)

    def _tick(self, now: float) -> None:
        """Go on by 20 ms: all that is heard through the matrix, and all that is played."""
        self._taping.catch_up()
        self._playing.begin_tick()
        self._matrix.tick(now)
        self._playing.end_tick()
        self._dialling.end_tick()
        self._need_ticks()

    def _report_of_leg(self, event: AnyWorkerEvent) -> None:
        """Pass on what a leg has to tell; a key may end what is played to it."""
        self._outbox.post(event)
        if isinstance(event, DigitHeard):
            self._stop_on_key(event.leg)

    def _stop_on_key(self, number: int) -> None:
        """End what a key is to end: when it goes down, if that could be seen."""
        if leg := self._legs.get(number):
            self._playing.stop_on_key(leg)

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
