"""A media engine in memory, for tests of calls: no process, no socket, no sound.

It gives ports from 10000 up, writes down every command, knows which legs are open and who hears
whom (`hears(leg)`), and answers FreeLeg with LegFreed, StopPlaying with PlaybackDone and
StopRecording with RecordingDone, soon after, as a worker does. Everything else that a worker may
say, the test says: `report(DigitHeard(leg, "5", 100))`, `finish_playing(leg)`, `lose_worker()`.
`leaks()` names what a call left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from typing import TypeVar

from pbx.errors import NoResource
from pbx.media.engine import Family, MediaPort, OnEvent, OnWorkerLost
from pbx.media.protocol import (
    AddLeg,
    AnyCommand,
    AnyWorkerEvent,
    DigitHeard,
    Enter,
    FreeLeg,
    Leave,
    LegFreed,
    PauseRecording,
    Play,
    PlaybackDone,
    Record,
    RecordingDone,
    SetGains,
    SetPart,
    StopPlaying,
    StopRecording,
    StreamFigures,
    UpdateLeg,
)

_Command = TypeVar("_Command", bound=AnyCommand)

FIRST_PORT = 10_000


def _ignore_event(_worker: int, _event: AnyWorkerEvent) -> None:
    pass


def _ignore_loss(_worker: int, _legs: frozenset[int]) -> None:
    pass


class FakeMediaEngine:
    """A `MediaEngine` whose only worker is a few dictionaries.

    The two callbacks may be set later. `soon` runs a function after the current one; left out, it
    is the running event loop's `call_soon`.
    """

    def __init__(
        self,
        *,
        on_event: OnEvent = _ignore_event,
        on_worker_lost: OnWorkerLost = _ignore_loss,
        soon: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self.on_event = on_event
        self.on_worker_lost = on_worker_lost
        self.worker = 1
        """The number of the worker that lives now."""
        self.exhausted = False
        """Set it, and `take_port` finds nothing."""
        self.commands: list[AnyCommand] = []
        """Every command sent to a living worker, oldest first."""
        self.figures: dict[int, tuple[StreamFigures, StreamFigures]] = {}
        """What LegFreed shall say of a leg: received, sent."""
        self.bridges: dict[int, dict[int, None]] = {}
        """The members of each bridge, in the order in which they came."""
        self.parts: dict[int, SetPart] = {}
        """What each leg was told to take part as."""
        self.gains: dict[int, dict[tuple[int, int], float]] = {}
        """The special gains of each bridge: (listener, speaker) → gain."""
        self.recording: dict[int, Record] = {}
        """Recordings that go on, by their number."""
        self.recorded_s = 1.0
        """How many seconds RecordingDone shall say."""
        self.plays_through = False
        """Set it, and what is played ends by itself: `silence:MS` takes so long, a tone 0.2 s."""
        self.paused: set[int] = set()
        """Those of them that are paused."""
        self.playing: dict[tuple[int, int], Play] = {}
        """Playbacks that go on, by leg and number."""
        self._soon = soon
        self._ports: Iterator[int] = count(FIRST_PORT, 2)
        self._legs: Iterator[int] = count(1)
        self._bridges: Iterator[int] = count(1)
        self._taken: set[MediaPort] = set()
        self._port_of: dict[int, MediaPort] = {}

    # What a call does

    def take_port(self, family: Family, *, beside: MediaPort | None = None) -> MediaPort:
        """Return the next port; raise NoResource when `exhausted`, or beside a dead worker's."""
        if self.exhausted or (beside is not None and beside.worker != self.worker):
            raise NoResource(f"no IPv{family} media port is left")
        port = MediaPort(self.worker, next(self._ports), family)
        self._taken.add(port)
        return port

    def give_back(self, port: MediaPort) -> None:
        """Take an unused port back."""
        self._taken.discard(port)

    def send(self, port: MediaPort, command: AnyCommand) -> None:
        """Write the command down and do what it says."""
        if port.worker != self.worker:
            if isinstance(command, AddLeg):
                lost, leg = port.worker, command.leg
                self._later(lambda: self.on_worker_lost(lost, frozenset({leg})))
            return
        self.commands.append(command)
        match command:
            case AddLeg():
                if port not in self._taken:
                    raise AssertionError(f"{port} was given to leg {command.leg} but never taken")
                self._taken.discard(port)
                self._port_of[command.leg] = port
            case Enter(leg, bridge):
                self._leave(leg)
                self.bridges.setdefault(bridge, {})[leg] = None
            case Leave(leg):
                self._leave(leg)
            case SetPart(leg):
                self.parts[leg] = command
            case SetGains(bridge, gains):
                self.gains[bridge] = {(ear, voice): gain for ear, voice, gain in gains}
            case Record(recording):
                self.recording[recording] = command
            case PauseRecording(recording, paused):
                (self.paused.add if paused else self.paused.discard)(recording)
            case StopRecording(recording):
                self._stop_recording(recording)
            case Play():
                self._play(command)
            case StopPlaying(leg, playback):
                self._stop_playing(leg, playback)
            case FreeLeg(leg):
                self._free(leg)
            case _:
                pass

    def next_leg(self) -> int:
        """Return 1, 2, 3…"""
        return next(self._legs)

    def next_bridge(self) -> int:
        """Return 1, 2, 3…"""
        return next(self._bridges)

    def move(self, port: MediaPort, leg: int, *, beside: MediaPort) -> MediaPort:
        """Bring a leg to the worker of `beside`: at once, as there is no sound to lose."""
        moved = port._replace(worker=beside.worker)
        self._port_of[leg] = moved
        return moved

    # What a test does and asks

    def report(self, event: AnyWorkerEvent) -> None:
        """Let the worker say `event`, at once. A key ends what is played until one is pressed."""
        self.on_event(self.worker, event)
        if isinstance(event, DigitHeard):
            for (leg, playback), play in tuple(self.playing.items()):
                if leg == event.leg and play.stop_on_key:
                    self._stop_playing(leg, playback)

    def finish_playing(self, leg: int) -> None:
        """Let every playback of `leg` reach its end, at once."""
        for playing in [playing for playing in self.playing if playing[0] == leg]:
            del self.playing[playing]
            self.report(PlaybackDone(*playing, finished=True))

    def lose_worker(self) -> None:
        """Let the worker die with all its legs and ports, and a new one start."""
        lost, legs = self.worker, frozenset(self._port_of)
        self.worker += 1
        self._taken.clear()
        self._port_of.clear()
        self.bridges.clear()
        self.recording.clear()
        self.playing.clear()
        self.on_worker_lost(lost, legs)

    @property
    def legs(self) -> frozenset[int]:
        """Return the open legs."""
        return frozenset(self._port_of)

    def hears(self, leg: int) -> dict[int, float]:
        """Return whom a leg hears, and how loud: the legs of its bridge with a gain above 0."""
        for bridge, members in self.bridges.items():
            if leg in members:
                special = self.gains.get(bridge, {})
                gains = {each: self._gain(leg, each, special) for each in members if each != leg}
                return {each: gain for each, gain in gains.items() if gain > 0}
        return {}

    @property
    def joined(self) -> dict[int, int]:
        """Return the pairs of legs that hear each other and nobody else, both ways."""
        heard = {leg: self.hears(leg) for members in self.bridges.values() for leg in members}
        return {
            leg: other
            for leg, others in heard.items()
            for other in others
            if len(others) == 1 and list(heard.get(other, ())) == [leg]
        }

    def port_of(self, leg: int) -> int:
        """Return the RTP port of an open leg."""
        return self._port_of[leg].port

    def sent(self, kind: type[_Command], leg: int | None = None) -> list[_Command]:
        """Return the commands of one kind, of one leg or of all, oldest first."""
        return [
            command
            for command in self.commands
            if isinstance(command, kind) and (leg is None or getattr(command, "leg", None) == leg)
        ]

    def update_of(self, leg: int) -> UpdateLeg:
        """Return what the worker was last told of the leg; raises IndexError before the first."""
        return self.sent(UpdateLeg, leg)[-1]

    def leaks(self) -> list[str]:
        """Return what is still open or taken; an empty list after calls that ended well."""
        legs = [f"leg {leg} is open on port {port.port}" for leg, port in self._port_of.items()]
        ports = [f"port {port.port} is taken and unused" for port in sorted(self._taken)]
        return legs + ports + [f"recording {number} goes on" for number in self.recording]

    def _later(self, call: Callable[[], None]) -> None:
        if self._soon is not None:
            self._soon(call)
        else:
            asyncio.get_running_loop().call_soon(call)

    def _gain(self, ear: int, voice: int, special: dict[tuple[int, int], float]) -> float:
        listens, speaks = self.parts.get(ear), self.parts.get(voice)
        if (listens is not None and not listens.hears) or (
            speaks is not None and not speaks.speaks
        ):
            return 0.0
        return special.get((ear, voice), 1.0)

    def _leave(self, leg: int) -> None:
        for bridge, members in tuple(self.bridges.items()):
            members.pop(leg, None)
            if not members:
                del self.bridges[bridge]

    def _stop_recording(self, recording: int) -> None:
        if self.recording.pop(recording, None) is not None:
            self.paused.discard(recording)
            self._say_later(RecordingDone(recording, self.recorded_s, 8058, "0" * 64))

    def _stop_playing(self, leg: int, playback: int) -> None:
        if self.playing.pop((leg, playback), None) is not None:
            self._say_later(PlaybackDone(leg, playback, finished=False))

    def _play(self, play: Play) -> None:
        """Play, unless the leg has agreed on no codec yet: the worker refuses that."""
        self._stop_all(play.leg)
        if not self.sent(UpdateLeg, play.leg):
            self._say_later(PlaybackDone(play.leg, play.playback, False, "no codec yet"))
            return
        self.playing[play.leg, play.playback] = play
        if self.plays_through:
            self._play_through(play)

    def _play_through(self, play: Play) -> None:
        """Finish a playback when its time is over, unless it plays for ever."""
        if play.loop or any(source.startswith("music:") for source in play.sources):
            return
        kinds = [source.partition(":") for source in play.sources]
        seconds = sum(int(rest) / 1000 if kind == "silence" else 0.2 for kind, _, rest in kinds)

        def finish() -> None:
            if self.playing.pop((play.leg, play.playback), None) is not None:
                self.report(PlaybackDone(play.leg, play.playback, finished=True))

        asyncio.get_running_loop().call_later(seconds, finish)

    def _stop_all(self, leg: int) -> None:
        for playing in [playing for playing in self.playing if playing[0] == leg]:
            self._stop_playing(*playing)

    def _free(self, leg: int) -> None:
        self._leave(leg)
        self.parts.pop(leg, None)
        self._stop_all(leg)
        self._port_of.pop(leg, None)
        received, sent = self.figures.get(leg, (StreamFigures(), StreamFigures()))
        self._say_later(LegFreed(leg, received, sent))

    def _say_later(self, event: AnyWorkerEvent) -> None:
        """Say it after the current function, unless the worker has died by then."""
        worker = self.worker

        def say() -> None:
            if worker == self.worker:
                self.on_event(worker, event)

        self._later(say)
