"""One leg as a worker sees it: what is spoken with it, who hears it, and whom it hears.

What a leg says comes from its `Wire` and passes through its `RelayRow` to the leg that hears it:
its partner, itself when it echoes, or nobody; and, where it is *mixed* or *tapped*, into its
`column` of the matrix. What a leg hears is one `OutgoingStream`, whoever feeds it: the partner's
row, its own echo, or the tick through its `ear`, with the mix or with a playback that it hears
alone. Whatever changes — a description, a bridge, a playback, a lock — ends in `route`, which works
all of that out anew. Who is the partner and whether the leg is mixed is for its bridge to say.

An echo does not repeat keys: they are reported, and a phone that got its own keys back might act
on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.keys.dial import EventDialler, ToneDialler
from pbx.media.keys.keypad import Keypad
from pbx.media.keys.telephone_event import KeyPress
from pbx.media.keys.watcher import Watcher
from pbx.media.mixing.column import SoundColumn, VoiceColumn
from pbx.media.mixing.ear import Ear, Source
from pbx.media.mixing.far_end import FarEnd, Report
from pbx.media.mixing.matrix import Matrix
from pbx.media.mixing.moving import LastingCommand
from pbx.media.mixing.tick import TickLoop
from pbx.media.mixing.voice import LegVoice
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.ports import PortPair
from pbx.media.packets.relay import RelayRow
from pbx.media.packets.rtcp import RtcpReporter
from pbx.media.packets.rtp import HEADER_SIZE
from pbx.media.packets.source import SILENCE, Address
from pbx.media.packets.wire import nowhere
from pbx.media.protocol import (
    Echo,
    MediaSilent,
    PayloadMap,
    SetCodes,
    SetPart,
    SourceLocked,
    StreamFigures,
    UpdateLeg,
    Watch,
)

_HEARD: Final = ("sendrecv", "recvonly")  # directions in which we listen

PAUSE: Final = 0.05
"""Seconds without a packet after which a voice has paused."""

_NO_WISHES: Final = (False, False)
_UNWATCHED: Final = (False, False, False)


class MediaLeg(FarEnd):
    """A leg of one worker. `now` is the loop's time everywhere."""

    __slots__ = (
        "_matrix",
        "_voice_payload",
        "_watched",
        "_watcher",
        "_wishes",
        "bridge",
        "column",
        "ear",
        "echoes",
        "events",
        "gated",
        "is_ear",
        "is_voice",
        "keypad",
        "mixed",
        "overlaid",
        "partner",
        "playback",
        "tapped",
        "tones",
    )

    def __init__(
        self,
        number: int,
        pair: PortPair,
        *,
        loop: TickLoop,
        matrix: Matrix,
        report: Report,
        out: OutgoingStream,
        rtcp: RtcpReporter,
        keypad: Keypad,
        now: float,
    ) -> None:
        super().__init__(
            number,
            pair,
            loop=loop,
            report=report,
            row=RelayRow(self._hear_key, self._note_key_down),
            out=out,
            rtcp=rtcp,
            now=now,
        )
        self.keypad = keypad
        self.events: EventDialler | None = None
        """Keys being sent to it: it hears nothing else meanwhile."""
        self.tones: ToneDialler | None = None
        """The same, where it takes no telephone-events."""
        self.bridge: int | None = None
        """The number of the bridge that it is in."""
        self.partner: MediaLeg | None = None
        """The other leg of a bridge that relays."""
        self.mixed = False
        """Whether its bridge goes through the matrix."""
        self.tapped = False
        """Whether its bridge wants to hear it though it relays."""
        self.is_voice = True
        self.is_ear = True
        """Its part in whatever bridge it is in: a muted leg is no voice, a held one neither."""
        self.gated = False
        """Whether its voice passes only while it talks."""
        self.echoes = False
        self.playback: SoundColumn | None = None
        """What is played to it, in place of everything else unless it is *overlaid*."""
        self.overlaid = False
        """Whether its playback comes through the matrix."""
        self.column: VoiceColumn | None = None
        self.ear: Ear | None = None
        self._voice_payload: PayloadMap | None = None
        """What `column` was made for."""
        self._wishes = _NO_WISHES
        """Whether keys and talk are to be told."""
        self._watcher: Watcher | None = None
        self._watched = _UNWATCHED
        """What `_watcher` was made for."""
        self._matrix = matrix

    def update(self, command: UpdateLeg, now: float) -> None:
        """Take over what the description says."""
        self._wire.expect(
            command.remote, command.remote_rtcp, command.also_from, relearn=command.relearn
        )
        self._wire.secure(command.keys)
        if command.payload is not None and command.payload != self.payload:
            self.payload = command.payload
            self._row.listen_to(command.payload)
            self._drop_ear()  # before its stream's clock changes
            self.out.tune(command.payload)
        if command.direction != self._direction:
            self._direction = command.direction
            self._silent_since = self._live_since = now
        self.route_both()

    def place(self, partner: MediaLeg | None, *, mixed: bool, tapped: bool, overlaid: bool) -> bool:
        """Take the place that the leg's bridge gives it; return whether it is to be routed anew."""
        place = (partner, mixed, tapped, overlaid)
        if place == (self.partner, self.mixed, self.tapped, self.overlaid):
            return False
        self.partner, self.mixed, self.tapped, self.overlaid = place
        return True

    def leave(self) -> None:
        """Belong to no bridge; its part in the next one stays as it is."""
        self.partner = None
        self.mixed = self.tapped = self.overlaid = self.gated = False
        self.route()
        self.bridge = None

    def play(self, playback: SoundColumn | None) -> None:
        """Let the leg hear something, or nothing any more; its bridge is to be arranged then."""
        self.playback = playback
        self.overlaid = False
        self.route_both()

    def echo(self, on: bool) -> None:
        """Send back what the leg says, without its keys; or no longer."""
        self.echoes = on
        self.route_both()

    def set_codes(self, codes: Sequence[str], now: float) -> None:
        """Say which codes the party may key; keys that may begin one are withheld."""
        self.keypad.set_codes(codes, now)
        self._row.withhold(self.keypad.withholds if codes else None)

    def watch(self, *, keys: bool, talk: bool) -> None:
        """Tell keys pressed as tones, or when the party talks, or neither any more."""
        self._wishes = (keys, talk)
        self.route()

    def route_both(self) -> None:
        """Work out anew who hears this leg, and whom it hears."""
        self.route()
        if self.partner is not None:
            self.partner.route()

    def route(self) -> None:
        """Work out anew where this leg's packets go, and who feeds what it hears."""
        self._tend_column()
        self._tend_ear()
        hearer = self._hearer()
        if hearer is None or hearer.payload is None:
            self._row.rest()
            self._wire.route(self._rewrite, nowhere, self._fail, hurry=False)
        else:
            self._row.aim(hearer.out, hearer.payload, events=hearer is not self)
            self._wire.route(self._rewrite, hearer.send, self._fail)

    @property
    def _rewrite(self) -> Callable[[bytearray, int, float], bool]:
        """Return what takes a packet: the row's short way for what is done with it."""
        if self.column is None:
            return self._row.forward
        return self._row.listen if self._hearer() is None else self._row.tap

    def look_after(self, now: float) -> None:
        """Do what silence asks for: tell a key that hangs, unlock the source, report."""
        self._row.expire(now)
        arrived = self._row.arrived
        if self._wire.locked and now - max(arrived, self._live_since) >= SILENCE:
            self._wire.silent()
            self.route_both()
        if self._timeout:
            heard = max(arrived, self._rtcp.heard, self._live_since)
            if now - max(heard, self._silent_since) >= self._timeout:
                self._silent_since = now
                self._report(MediaSilent(self.number, now - heard))

    def figures(self) -> tuple[StreamFigures, StreamFigures]:
        """Return what was received and what was sent so far."""
        self.out.settle()
        row, out, rtcp = self._row, self.out, self._rtcp
        voice = None if self.column is None else self.column.voice
        round_trip = None if rtcp.round_trip is None else rtcp.round_trip * 1000
        received = StreamFigures(
            packets=row.packets,
            octets=row.octets,
            lost=max(0, row.lost),
            jitter_ms=row.jitter_ms,
            round_trip_ms=round_trip,
            dropped=row.dropped + self._wire.strangers,
            bursts=row.bursts,
            concealed_ms=self._concealed_ms + (0 if voice is None else voice.concealed_ms),
            buffer_ms=0.0 if voice is None else voice.buffer_ms,
        )
        sent = StreamFigures(
            packets=out.packets,
            octets=out.octets,
            lost=max(0, rtcp.lost),
            jitter_ms=rtcp.jitter * 1000 / out.clock,
            round_trip_ms=round_trip,
            dropped=self._unsent + self._refused,
            reported=rtcp.reported,
        )
        return received, sent

    def close(self, *, goodbye_at: float | None) -> PortPair:
        """Say goodbye unless the time is None, leave everybody, and return the sockets."""
        if goodbye_at is not None:
            self.report_rtcp(goodbye_at, goodbye=True)
        self.playback = self.events = self.tones = None
        self._wishes = _NO_WISHES
        self.echoes = False
        self.leave()
        return self._wire.close()

    def lasting(self) -> list[LastingCommand]:
        """Return what holds for the leg until it is said anew, to be said in another worker."""
        number = self.number
        commands: list[LastingCommand] = [SetPart(number, self.is_voice, self.is_ear)]
        if self.echoes:
            commands.append(Echo(number))
        if self._wishes != _NO_WISHES:
            commands.append(Watch(number, *self._wishes))
        if self.keypad.codes:
            commands.append(SetCodes(number, self.keypad.codes))
        return commands

    def take_packet(self, size: int, now: float) -> None:
        """Take RTP that came before the source was locked."""
        if self._rewrite(self._loop.buffer, size, now):
            hearer = self._hearer()
            if hearer is not None:
                hearer._try_to_send(self._loop.views[size])

    def take_lock(self, remote: Address, ssrc: int, sequence: int, now: float) -> None:
        """Take note that the source is locked."""
        self._row.trust(ssrc, sequence)
        self._live_since = now
        self.route_both()
        if remote != self._locked_to:
            self._locked_to = remote
            self._report(SourceLocked(self.number, remote))

    def _tend_column(self) -> None:
        """Decode what the leg says where somebody needs it, and only there."""
        payload = self.payload
        codec = None if payload is None else ARRAY_CODECS.get(payload.codec)
        watched = self._wishes != _NO_WISHES or self.gated
        wanted = self.tapped or watched or (self.mixed and self.is_voice)
        if payload is None or codec is None or not wanted or self._direction not in _HEARD:
            self._drop_column()
            return
        if self._voice_payload != payload:
            self._drop_column()
        if self.column is None:
            voice = LegVoice(payload, codec)
            self._voice_payload = payload
            self.column = VoiceColumn(voice, codec.rate)
            self._row.push_to(voice, since=self._lately() if self.mixed else None)
        self._tend_watcher(codec.rate)
        self.column.gated = self.gated
        self._matrix.tap(self.column, watched)

    def _drop_column(self) -> None:
        if self.column is None:
            return
        self._matrix.tap(self.column, False)
        self._row.push_to(None)
        self._stop_watcher()
        self._concealed_ms += self.column.voice.concealed_ms
        self.column = self._voice_payload = None

    def _tend_watcher(self, rate: int) -> None:
        """Let what the leg says be watched as was wished."""
        wishes = (*self._wishes, self.gated)
        if self._watched == wishes or self.column is None:
            return
        self._stop_watcher()
        keys, talk, gate = self._watched = wishes
        if any(wishes):
            self._watcher = Watcher(
                self.number,
                rate,
                self._report,
                self._hear_tone,
                self.keypad.go_down,
                keys=keys,
                talk=talk,
                gate=gate,
            )
        self.column.listening = self._watcher

    def _stop_watcher(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
        self._watcher, self._watched = None, _UNWATCHED

    def _tend_ear(self) -> None:
        """Let the tick send to the leg where it hears the mix, or a playback alone."""
        payload = self.payload
        codec = None if payload is None else ARRAY_CODECS.get(payload.codec)
        solo: Source | None = self.tones or (None if self.overlaid else self.playback)
        wanted = self.events is None and (solo is not None or (self.mixed and not self.echoes))
        if payload is None or codec is None or not wanted or not self.reachable:
            self._drop_ear()
            return
        if self.ear is None:
            self.out.settle()
            self.ear = Ear(codec, payload, self.out, nowhere, self._count_unsent)
            self.ear.at_once = self.out.sent_at > self._lately()
        if solo is not None:
            self.ear.at_once = False
        if (self.ear.send, self.ear.source) != (self.send, solo):
            self.ear.send, self.ear.source = self.send, solo
            self._matrix.change(self.bridge)
        self._matrix.feed_alone(self.ear, solo is not None)

    def _lately(self) -> float:
        """Return since when a packet counts as followed by the next without a pause."""
        return self._loop.clock() - PAUSE

    def _drop_ear(self) -> None:
        if self.ear is not None:
            self._matrix.feed_alone(self.ear, False)
            self._matrix.change(self.bridge)  # a bank must not go on sending to it
            self.ear.leave()
            self.ear = None

    def _hearer(self) -> MediaLeg | None:
        """Return whom this leg's packets are relayed to."""
        other = self if self.echoes else self.partner
        if other is None or self.payload is None or other.payload is None:
            return None
        if self._direction not in _HEARD or not other.reachable or other.playback is not None:
            return None
        if other.events is not None or other.tones is not None:
            return None
        if other.echoes and other is not self:
            return None
        ours, theirs = self.payload, other.payload
        return other if (ours.codec, ours.clock) == (theirs.codec, theirs.clock) else None

    def send_packet(self, packet: bytes) -> None:
        """Send a packet that the stream has counted already."""
        self._try_to_send(memoryview(packet))

    def _try_to_send(self, packet: memoryview) -> None:
        """Send a packet; count it when that fails."""
        try:
            self.send(packet)
        except OSError as error:
            self._count_unsent(error, packet)

    def _fail(self, error: OSError, size: int) -> None:
        """Take note of what a system call refused on this leg's route."""
        hearer = self._hearer()
        if size == 0:
            self._refused += isinstance(error, ConnectionRefusedError)
        elif hearer is not None:
            hearer._count_unsent(error, self._loop.views[size])

    def _count_unsent(self, error: OSError, packet: memoryview) -> None:
        """Count a packet that did not go out.

        ECONNREFUSED is about an earlier one: the packet is tried once more.
        """
        if isinstance(error, ConnectionRefusedError):
            try:
                self.send(packet)
            except OSError:
                pass
            else:
                return
        self._unsent += 1
        self.out.packets -= 1
        self.out.octets -= len(packet) - HEADER_SIZE

    def _note_key_down(self) -> None:
        if self._direction in _HEARD:
            self.keypad.go_down()

    def _hear_key(self, key: KeyPress, now: float) -> None:
        payload = self.payload
        if payload is None or self._direction not in _HEARD:
            return
        duration_ms = key.duration * 1000 // (payload.event_clock or payload.clock)
        heard = self._row.passes_keys and not key.withheld
        self.keypad.hear(key.digit, duration_ms, "rfc4733", heard=heard, now=now)

    def _hear_tone(self, digit: str, duration_ms: int, now: float) -> None:
        self.keypad.hear(digit, duration_ms, "inband", heard=False, now=now)
