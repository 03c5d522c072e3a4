"""A leg's media as signalling sees it: its port, its offer/answer, its commands, its figures.

A port is taken when the first description is written (taking one is synchronous: workers announce
bound ports beforehand). Every agreed description goes to the worker at once. Freeing is idempotent;
the worker answers it with the leg's figures, and until they are in, `awaits_figures` holds the
call's record open.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pbx.call.quality import LegFigures
from pbx.media.engine import Family, MediaEngine, MediaPort
from pbx.media.formats import AudioDescription, Capabilities
from pbx.media.negotiation import NegotiatedMedia
from pbx.media.offer_answer import Offer, OfferAnswer, no_keys
from pbx.media.protocol import (
    AddLeg,
    AnyCommand,
    Echo,
    Enter,
    FreeLeg,
    Leave,
    Play,
    PlaybackDone,
    SendDigits,
    SetCodes,
    SetMediaTimeout,
    SetPart,
    StopPlaying,
    StreamFigures,
    Watch,
)
from pbx.media.sdes import RandomBytes, Security


@dataclass(frozen=True, slots=True)
class Playing:
    """Something that is being played to a leg. `done` is what became of it."""

    media: LegMedia
    number: int
    done: asyncio.Future[PlaybackDone]

    def stop(self) -> None:
        """Stop it; without effect when it is over."""
        self.media.stop_playing(self.number)


class LegMedia:
    """Port, descriptions and commands of one leg; `number` names the leg to the workers."""

    def __init__(
        self,
        engine: MediaEngine,
        *,
        session_id: int,
        host: str,
        also_from: str | None,
        security: Security = Security.OFF,
        random_bytes: RandomBytes = no_keys,
    ) -> None:
        self._engine = engine
        self._host = host
        self._also_from = also_from
        self._offer_answer = OfferAnswer(session_id, security=security, random_bytes=random_bytes)
        self._port: MediaPort | None = None
        self._playbacks: dict[int, asyncio.Future[PlaybackDone]] = {}
        self._put_off: Play | None = None  # until the far end has said where it is, and its codec
        self._last_playback = 0
        self._music: int | None = None
        self._stops_on_key = 0
        self._named: AudioDescription | None = None
        self.number = engine.next_leg()
        self._part = SetPart(self.number)
        self._watched = Watch(self.number)
        self._wants_keys = self._wants_talk = False
        self.awaits_figures = False
        self.silence_limit = 0.0
        """Seconds of silence that the worker reports; 0 for never."""
        self.last_codec = ""
        self.figures = LegFigures()

    @property
    def open(self) -> bool:
        """Tell whether the leg has a port."""
        return self._port is not None

    @property
    def port(self) -> MediaPort | None:
        """Return the port; the worker that holds it is where the leg's bridge must be."""
        return self._port

    # -- descriptions ------------------------------------------------------------------------

    @property
    def agreed(self) -> NegotiatedMedia | None:
        """Return what both sides agreed on, None before the first answer."""
        return self._offer_answer.media

    @property
    def offered(self) -> Offer | None:
        """Return the far end's offer that waits for our answer."""
        return self._offer_answer.offer_received

    @property
    def offer_open(self) -> bool:
        """Tell whether our own offer waits for its answer."""
        return self._offer_answer.offer_sent

    @property
    def keeps_codec(self) -> bool:
        """Tell whether the offer that waits still has the codec in use."""
        return self._offer_answer.keeps_codec

    @property
    def takes_events(self) -> bool:
        """Tell whether the far end takes keys as telephone-events."""
        agreed = self._offer_answer.media
        return agreed is not None and agreed.payload.event_send is not None

    @property
    def described(self) -> bytes | None:
        """Return our last description as it was sent."""
        return self._offer_answer.body

    @property
    def codec(self) -> str | None:
        """Return the name of the codec in use."""
        agreed = self._offer_answer.media
        return agreed.codec.name if agreed is not None else None

    def could_speak(self, capabilities: Capabilities) -> Capabilities:
        """Return those of `capabilities` that the far end has, as far as it said.

        An offer of its names all that it has, an answer only what it chose. Raises SdpError(488)
        when nothing is left.
        """
        return capabilities if self._named is None else capabilities.shared_by(self._named)

    def take_offer(self, body: bytes) -> Offer:
        """Take the far end's offer; it waits for `answer`. Raises SdpError."""
        offer = self._offer_answer.receive_offer(body)
        if self._named is None:
            self._named = offer.audio
        return offer

    def answer(self, capabilities: Capabilities, *, beside: LegMedia | None = None) -> bytes:
        """Answer the waiting offer.

        Raises SdpError(488) and NoResource; the offer then waits on.
        """
        offer = self._offer_answer.offer_received
        self._take_port(offer.family if offer is not None else 4, beside)
        body = self._offer_answer.answer(capabilities)
        if offer is not None:
            self._named = offer.audio
        self._tell_worker(relearn=True)
        return body

    def keep(self) -> bytes:
        """Answer the waiting offer with the codec in use: hold, resume, refresh."""
        body = self._offer_answer.keep()
        self._tell_worker(relearn=True)
        return body

    def drop_offer(self) -> None:
        """Forget an offer that came to nothing: theirs that we refused, ours that they did."""
        self._offer_answer.drop_offer()

    def offer(self, capabilities: Capabilities, *, beside: LegMedia | None = None) -> bytes:
        """Return our offer. Raises SdpError(488) when nothing can be offered, and NoResource."""
        self._take_port(6 if ":" in self._host else 4, beside)
        return self._offer_answer.offer(capabilities)

    def take_answer(self, body: bytes) -> None:
        """Take the far end's answer to our offer. Raises SdpError."""
        self._offer_answer.receive_answer(body)
        self._tell_worker(relearn=True)

    # -- commands ----------------------------------------------------------------------------

    def expect_packets_within(self, seconds: float) -> None:
        """Ask to be told when nothing comes for so long; 0 means never."""
        if seconds != self.silence_limit:
            self.silence_limit = seconds
            self._send(SetMediaTimeout(self.number, seconds))

    def enter(self, bridge: int, *, gated: bool = False) -> None:
        """Hear the members of a bridge and be heard by them."""
        self._send(Enter(self.number, bridge, gated))

    def leave(self) -> None:
        """Hear nobody, and be heard by nobody."""
        self._send(Leave(self.number))

    def move_beside(self, port: MediaPort) -> None:
        """Go to the worker of `port`, if the leg is elsewhere: no packet is lost on the way."""
        if self._port is not None and self._port.worker != port.worker:
            self._port = self._engine.move(self._port, self.number, beside=port)

    def take_part(self, *, speaks: bool, hears: bool) -> None:
        """Say whether the leg is a voice and an ear of its bridge."""
        part = SetPart(self.number, speaks, hears)
        if part != self._part:
            self._part = part
            self._send(part)

    def watch(self, *, keys: bool | None = None, talk: bool | None = None) -> None:
        """Ask to be told of the party's keys and of its talking, or no longer; None: as before.

        Keys are looked for in its sound only where it has agreed on no telephone-event.
        """
        self._wants_keys = self._wants_keys if keys is None else keys
        self._wants_talk = self._wants_talk if talk is None else talk
        agreed = self._offer_answer.media
        tones_only = agreed is not None and agreed.payload.event_receive is None
        watched = Watch(self.number, self._wants_keys and tones_only, self._wants_talk)
        if watched != self._watched:
            self._watched = watched
            self._send(watched)

    def set_codes(self, codes: tuple[str, ...]) -> None:
        """Ask to be told of these codes; whoever hears the leg does not hear them."""
        self._send(SetCodes(self.number, codes))

    def send_digits(self, digits: str) -> None:
        """Let the far end hear keys."""
        self._send(SendDigits(self.number, digits))

    def echo(self) -> None:
        """Send back what comes in."""
        self._send(Echo(self.number))

    def start_playing(
        self,
        sources: tuple[str, ...],
        *,
        loop: bool = False,
        others: float = 0.0,
        stop_on_key: bool = False,
    ) -> Playing:
        """Play sources to the party, in place of what was played before.

        A caller who made no offer can be played to once its ACK has brought the answer to ours.
        """
        self._end_put_off()
        self._last_playback += 1
        self._music = None
        self._stops_on_key = self._last_playback if stop_on_key else 0
        done: asyncio.Future[PlaybackDone] = asyncio.get_running_loop().create_future()
        self._playbacks[self._last_playback] = done
        play = Play(
            self.number, self._last_playback, sources, loop, others, stop_on_key=stop_on_key
        )
        if self._offer_answer.media is None:
            self._put_off = play
        else:
            self._send(play)
        return Playing(self, self._last_playback, done)

    def stop_playing(self, playback: int) -> None:
        """Stop a playback, if it still goes on."""
        if self._put_off is not None and self._put_off.playback == playback:
            self._end_put_off()
        elif playback in self._playbacks:
            self._send(StopPlaying(self.number, playback))

    def key_pressed(self) -> None:
        """End what a key ends. The worker does so for a key that it hears itself, at once, but not
        for one that came by INFO, or while what it ends was still on its way to the worker."""
        self.stop_playing(self._stops_on_key)

    def start_music(self, source: str | None) -> None:
        """Let the party hear hold music until `stop_music`, or until something else is played."""
        if source is not None and self._music is None:
            self._music = self.start_playing((source,), loop=True).number

    def stop_music(self) -> None:
        """End the hold music, if it plays."""
        music, self._music = self._music, None
        if music is not None:
            self.stop_playing(music)

    def take_figures(self, received: StreamFigures, sent: StreamFigures) -> None:
        """Take what the worker reports of both directions."""
        agreed = self._offer_answer.media
        self.figures.take(received, sent, agreed.payload if agreed is not None else None)

    def played(self, event: PlaybackDone) -> None:
        """Wake the script that waits for this playback."""
        done = self._playbacks.pop(event.playback, None)
        if done is not None and not done.done():
            done.set_result(event)

    def free(self) -> None:
        """Let the port go; the figures come as `LegFreed`."""
        if self._port is not None:
            self.last_codec = self.codec or ""
            self._send(FreeLeg(self.number))
            self._port = None
            self._end_put_off()

    def lost(self) -> None:
        """Note that the worker is gone, and the port with it."""
        self.last_codec = self.codec or self.last_codec
        self._port = None
        self._forget_playbacks()

    def _end_put_off(self) -> None:
        """Play no more what could not be played yet."""
        play, self._put_off = self._put_off, None
        if play is not None:
            self.played(PlaybackDone(self.number, play.playback, finished=False))

    def _forget_playbacks(self) -> None:
        """Wake whoever waits for a playback: nothing is played to a leg without a port."""
        playbacks, self._playbacks = self._playbacks, {}
        for number, done in playbacks.items():
            if not done.done():
                done.set_result(PlaybackDone(self.number, number, finished=False))

    def _take_port(self, family: Family, beside: LegMedia | None) -> None:
        if self._port is not None:
            return
        neighbour = beside._port if beside is not None else None
        self._port = self._engine.take_port(family, beside=neighbour)
        self.awaits_figures = True
        self._offer_answer.local = (self._host, self._port.port)
        self._send(AddLeg(self.number, self._port.port))

    def _tell_worker(self, *, relearn: bool) -> None:
        agreed = self._offer_answer.media
        if agreed is not None:
            self._send(agreed.update(self.number, also_from=self._also_from, relearn=relearn))
            self.watch()
            if self._put_off is not None:
                play, self._put_off = self._put_off, None
                self._send(play)

    def _send(self, command: AnyCommand) -> None:
        if self._port is not None:
            self._engine.send(self._port, command)
