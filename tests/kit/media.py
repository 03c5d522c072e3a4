"""A media engine in memory, for tests of calls: no process, no socket, no sound.

It gives ports from 10000 up, writes down every command, knows which legs are open and joined, and
answers FreeLeg with LegFreed and StopPlaying with PlaybackDone, soon after, as a worker does.
Everything else that a worker may say, the test says: `report(DigitHeard(leg, "5", 100))`,
`finish_playing(leg)`, `lose_worker()`. `leaks()` names what a call left behind.
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
    FreeLeg,
    Join,
    LegFreed,
    Play,
    PlaybackDone,
    StopPlaying,
    StreamFigures,
    Unjoin,
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
        self.joined: dict[int, int] = {}
        """Who hears whom, both ways: leg → leg."""
        self.playing: dict[int, Play] = {}
        """Playbacks that go on, by their number."""
        self._soon = soon
        self._ports: Iterator[int] = count(FIRST_PORT, 2)
        self._legs: Iterator[int] = count(1)
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
            case Join(leg, other):
                self._unjoin(leg)
                self._unjoin(other)
                self.joined |= {leg: other, other: leg}
            case Unjoin(leg):
                self._unjoin(leg)
            case Play():
                self.playing[command.playback] = command
            case StopPlaying(leg, playback):
                self._stop_playing(leg, playback)
            case FreeLeg(leg):
                self._free(leg)
            case _:
                pass

    def next_leg(self) -> int:
        """Return 1, 2, 3…"""
        return next(self._legs)

    # What a test does and asks

    def report(self, event: AnyWorkerEvent) -> None:
        """Let the worker say `event`, at once."""
        self.on_event(self.worker, event)

    def finish_playing(self, leg: int) -> None:
        """Let every playback of `leg` reach its end, at once."""
        for playback in [number for number, play in self.playing.items() if play.leg == leg]:
            del self.playing[playback]
            self.report(PlaybackDone(leg, playback, finished=True))

    def lose_worker(self) -> None:
        """Let the worker die with all its legs and ports, and a new one start."""
        lost, legs = self.worker, frozenset(self._port_of)
        self.worker += 1
        self._taken.clear()
        self._port_of.clear()
        self.joined.clear()
        self.playing.clear()
        self.on_worker_lost(lost, legs)

    @property
    def legs(self) -> frozenset[int]:
        """Return the open legs."""
        return frozenset(self._port_of)

    def port_of(self, leg: int) -> int:
        """Return the RTP port of an open leg."""
        return self._port_of[leg].port

    def sent(self, kind: type[_Command], leg: int | None = None) -> list[_Command]:
        """Return the commands of one kind, of one leg or of all, oldest first."""
        return [
            command
            for command in self.commands
            if isinstance(command, kind) and (leg is None or command.leg == leg)
        ]

    def update_of(self, leg: int) -> UpdateLeg:
        """Return what the worker was last told of the leg; raises IndexError before the first."""
        return self.sent(UpdateLeg, leg)[-1]

    def leaks(self) -> list[str]:
        """Return what is still open or taken; an empty list after calls that ended well."""
        legs = [f"leg {leg} is open on port {port.port}" for leg, port in self._port_of.items()]
        return legs + [f"port {port.port} is taken and unused" for port in sorted(self._taken)]

    def _later(self, call: Callable[[], None]) -> None:
        if self._soon is not None:
            self._soon(call)
        else:
            asyncio.get_running_loop().call_soon(call)

    def _unjoin(self, leg: int) -> None:
        other = self.joined.pop(leg, None)
        if other is not None:
            self.joined.pop(other, None)

    def _stop_playing(self, leg: int, playback: int) -> None:
        if self.playing.pop(playback, None) is not None:
            self._say_later(PlaybackDone(leg, playback, finished=False))

    def _free(self, leg: int) -> None:
        self._unjoin(leg)
        for playback in [number for number, play in self.playing.items() if play.leg == leg]:
            self._stop_playing(leg, playback)
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
