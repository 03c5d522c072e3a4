"""The embedded media engine: starts workers, talks to them, and replaces those that die. [io]

A worker is a process of its own with an AF_UNIX SOCK_SEQPACKET pair between (architecture §2). What
it has announced lies in stock here, so that taking a port is a look-up; commands are sent without
waiting, and wait in a bounded queue while the socket is full. A worker that ends, says nothing for
`SILENCE` or does not read is replaced, each time by one with a new number; its legs are reported
lost, once.

`workers: auto` starts one, and one more whenever the busiest has used more than `BUSY` of a core
for `GROW_AFTER`, up to one per core but one. New calls go to the worker with the fewest legs; those
that are up stay where they are. `workers: N` starts N. Each has its share of the port range. Legs
that are to hear each other are placed together by `take_port(…, beside=…)`, or brought together by
`move`: the leg's sockets and state pass through here, the commands for it follow (moves.py).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from pbx.errors import NoResource
from pbx.media.descriptors import close_all, receive_with, send_with
from pbx.media.engine import Family, MediaPort, OnEvent, OnWorkerLost
from pbx.media.moves import Moves
from pbx.media.protocol import (
    MAX_BATCH,
    MAX_MESSAGE,
    AddLeg,
    AnyCommand,
    AnyWorkerEvent,
    GiveLeg,
    LegFreed,
    LegGiven,
    PortsExhausted,
    PortsReady,
    TakeLeg,
    WorkerLoad,
    decode_events,
    encode,
)
from pbx.media.worker_process import EngineSettings, share_ports, spawn, wait_for_end

__all__ = ["EngineClient", "EngineSettings", "WorkerFigures"]

log = logging.getLogger(__name__)

SILENCE: Final = 10.0  # seconds without a word from a worker, which speaks once a second
START_TIME: Final = 30.0  # seconds that a new worker may take until its first word
FIRST_RESTART: Final = 0.1  # seconds until a worker is replaced; doubles with each early death
SLOWEST_RESTART: Final = 10.0  # seconds
STEADY: Final = 30.0  # seconds of life after which a death counts as the first again
WATCH: Final = 1.0  # seconds between two looks at who is silent, and who is busy
BUSY: Final = 0.6  # of one core, by the busiest worker
GROW_AFTER: Final = 10  # looks in a row that found the busiest so busy
MAX_QUEUE: Final = 20_000  # commands waiting for one worker; beyond, it is taken for dead
CLOSE_TIME: Final = 2.0  # seconds that a worker may take to end after EOF
_READS: Final = 64  # messages read per wake-up


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """One worker as `status` shows it: `cpu` is its share of one core over the last second."""

    number: int
    pid: int
    cpu: float
    legs: int
    late_ticks: int
    stock: dict[Family, int]
    waiting: int
    """What its socket has not taken yet: commands of this turn, and datagrams before them."""


class _Datagram(NamedTuple):
    """What a worker's socket has not taken yet; `descriptors` are closed once they are sent."""

    octets: bytes
    descriptors: Sequence[int] = ()


@dataclass(eq=False, slots=True)
class _Worker:
    """A living worker and all that dies with it."""

    number: int
    slot: int
    process: subprocess.Popen[bytes]
    socket: socket.socket
    started_at: float
    heard_at: float | None = None
    legs: set[int] = field(default_factory=set)
    stock: dict[Family, deque[int]] = field(default_factory=lambda: {4: deque(), 6: deque()})
    unsent: list[AnyCommand] = field(default_factory=list)
    queue: deque[_Datagram] = field(default_factory=deque)
    load: WorkerLoad = field(default_factory=lambda: WorkerLoad(0.0, 0, 0))

    def overdue(self, now: float) -> bool:
        """Tell whether it has been silent for longer than a living worker is."""
        if self.heard_at is None:
            return now - self.started_at > START_TIME
        return now - self.heard_at > SILENCE

    def figures(self) -> WorkerFigures:
        return WorkerFigures(
            number=self.number,
            pid=self.process.pid,
            cpu=self.load.cpu,
            legs=len(self.legs),
            late_ticks=self.load.late_ticks,
            stock={family: len(ports) for family, ports in self.stock.items()},
            waiting=len(self.unsent) + len(self.queue),
        )


def restart_delay(deaths: int) -> float:
    """Return the seconds until a worker is replaced whose `deaths` forerunners died early."""
    return min(FIRST_RESTART * (1 << min(deaths, 16)), SLOWEST_RESTART)


class EngineClient:
    """A `MediaEngine` whose workers are child processes; for use in one event loop.

    `on_event` gets what workers say of legs; `on_worker_lost` the legs that died with a worker.
    Both may be set until `start`.
    """

    def __init__(
        self, settings: EngineSettings, *, on_event: OnEvent, on_worker_lost: OnWorkerLost
    ) -> None:
        self.on_event = on_event
        self.on_worker_lost = on_worker_lost
        self._settings = settings
        slots = settings.workers or settings.most_workers
        self._count = settings.workers or 1
        self._ports = [share_ports(settings.ports, slot, slots) for slot in range(slots)]
        self._busy_looks = 0
        self._workers: dict[int, _Worker] = {}
        self._numbers: Iterator[int] = itertools.count(1)
        self._legs: Iterator[int] = itertools.count(1)
        self._bridges: Iterator[int] = itertools.count(1)
        self._early_deaths = [0] * slots
        self._announced: set[int] = set()
        self._all_announced = asyncio.Event()
        self._timers: set[asyncio.TimerHandle] = set()
        self._burials: set[asyncio.Task[int]] = set()
        self._moves = Moves()
        self._buffer = bytearray(MAX_MESSAGE)

    async def start(self) -> None:
        """Start the workers; `ready` tells when they are of use."""
        for slot in range(self._count):
            self._start_worker(slot)
        self._later(WATCH, self._watch)

    async def ready(self) -> None:
        """Wait until each worker has announced its first ports."""
        await self._all_announced.wait()

    async def close(self) -> None:
        """End all workers and wait until they are gone: 1 s as a rule, 2 s at most."""
        for timer in self._timers:
            timer.cancel()
        for worker in list(self._workers.values()):
            self._forget(worker)
            self._bury(worker, CLOSE_TIME)
        await asyncio.gather(*self._burials)

    def take_port(self, family: Family, *, beside: MediaPort | None = None) -> MediaPort:
        """Return a bound port; raise NoResource when none is in stock."""
        if beside is not None:
            candidates = [self._workers[beside.worker]] if beside.worker in self._workers else []
        else:
            candidates = list(self._workers.values())
        stocked = [worker for worker in candidates if worker.stock[family]]
        if not stocked:
            raise NoResource(f"no IPv{family} media port is ready")
        worker = min(stocked, key=lambda each: len(each.legs))
        return MediaPort(worker.number, worker.stock[family].popleft(), family)

    def give_back(self, port: MediaPort) -> None:
        """Return a taken port that no AddLeg was sent for."""
        worker = self._workers.get(port.worker)
        if worker is not None:
            worker.stock[port.family].append(port.port)

    def send(self, port: MediaPort, command: AnyCommand) -> None:
        """Send `command` to the worker of `port`, in order, without waiting."""
        if self._moves and self._moves.hold(port.worker, command):
            return
        worker = self._workers.get(port.worker)
        if worker is not None:
            if isinstance(command, AddLeg):
                worker.legs.add(command.leg)
            self._post(worker, command)
        elif isinstance(command, AddLeg):
            asyncio.get_running_loop().call_soon(
                self.on_worker_lost, port.worker, frozenset({command.leg})
            )

    def move(self, port: MediaPort, leg: int, *, beside: MediaPort) -> MediaPort:
        """Bring a leg to the worker of `beside`; return its port as it is from now on.

        A leg whose worker dies on the way is reported lost.
        """
        giver = self._workers.get(port.worker)
        if port.worker == beside.worker or giver is None or beside.worker not in self._workers:
            return port
        if self._moves.lead(leg, beside.worker):
            self._post(giver, GiveLeg(leg))
        return port._replace(worker=beside.worker)

    def next_leg(self) -> int:
        """Return a leg number that was never used in this run."""
        return next(self._legs)

    def next_bridge(self) -> int:
        """Return a number for a bridge or a recording that was never used in this run."""
        return next(self._bridges)

    def figures(self) -> list[WorkerFigures]:
        """Return how each living worker does."""
        return [worker.figures() for worker in self._workers.values()]

    # Starting and replacing

    def _start_worker(self, slot: int) -> None:
        loop = asyncio.get_running_loop()
        number = next(self._numbers)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            process = spawn(self._settings, theirs, number=number, ports=self._ports[slot])
        except OSError as error:
            ours.close()
            log.error("media worker %d cannot be started: %s", number, error)
            self._restart_later(slot, lived=0.0)
            return
        finally:
            theirs.close()
        ours.setblocking(False)
        worker = _Worker(number, slot, process, ours, loop.time())
        self._workers[number] = worker
        loop.add_reader(ours, self._read, worker)
        log.info("media worker %d started, pid %d", number, process.pid)

    def _lose(self, worker: _Worker, why: str, *, grace: float) -> None:
        """Let a worker go, report its legs and have another one started."""
        if worker.number not in self._workers:
            return
        self._forget(worker)
        self._moves.forget(worker.legs)
        self._bury(worker, grace)
        log.error(
            "media worker %d (pid %d) is lost: %s; %d legs end",
            worker.number,
            worker.process.pid,
            why,
            len(worker.legs),
        )
        self._restart_later(
            worker.slot, lived=asyncio.get_running_loop().time() - worker.started_at
        )
        self.on_worker_lost(worker.number, frozenset(worker.legs))

    def _restart_later(self, slot: int, *, lived: float) -> None:
        deaths = 0 if lived >= STEADY else self._early_deaths[slot]
        self._early_deaths[slot] = deaths + 1
        self._later(restart_delay(deaths), lambda: self._start_worker(slot))

    def _forget(self, worker: _Worker) -> None:
        loop = asyncio.get_running_loop()
        del self._workers[worker.number]
        loop.remove_reader(worker.socket)
        loop.remove_writer(worker.socket)
        worker.socket.close()
        for datagram in worker.queue:
            close_all(datagram.descriptors)
        worker.queue.clear()

    def _bury(self, worker: _Worker, grace: float) -> None:
        task = asyncio.get_running_loop().create_task(wait_for_end(worker.process, grace=grace))
        self._burials.add(task)
        task.add_done_callback(self._burials.discard)

    def _watch(self) -> None:
        now = asyncio.get_running_loop().time()
        for worker in list(self._workers.values()):
            if worker.overdue(now):
                self._lose(worker, "it says nothing any more", grace=0.0)
        self._grow_when_busy()
        self._later(WATCH, self._watch)

    def _grow_when_busy(self) -> None:
        """Start one more worker once the busiest has been busy for long enough."""
        if self._count == len(self._ports):
            return
        busiest = max((worker.load.cpu for worker in self._workers.values()), default=0.0)
        self._busy_looks = self._busy_looks + 1 if busiest > BUSY else 0
        if self._busy_looks >= GROW_AFTER:
            self._busy_looks = 0
            self._count += 1
            self._start_worker(self._count - 1)

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        def fire() -> None:
            self._timers.discard(timer)
            call()

        timer = asyncio.get_running_loop().call_later(delay, fire)
        self._timers.add(timer)

    # Talking

    def _post(self, worker: _Worker, command: AnyCommand) -> None:
        """Let the command go with all others of this turn of the loop."""
        if not worker.unsent:
            asyncio.get_running_loop().call_soon(self._flush, worker)
        worker.unsent.append(command)

    def _flush(self, worker: _Worker) -> None:
        commands, worker.unsent = worker.unsent, []
        for start in range(0, len(commands), MAX_BATCH):
            self._write(worker, _Datagram(encode(*commands[start : start + MAX_BATCH])))

    def _write(self, worker: _Worker, datagram: _Datagram) -> None:
        if not worker.queue:
            try:
                _send(worker.socket, datagram)
            except BlockingIOError:
                asyncio.get_running_loop().add_writer(worker.socket, self._drain, worker)
            else:
                return
        worker.queue.append(datagram)
        if len(worker.queue) > MAX_QUEUE:
            asyncio.get_running_loop().call_soon(self._overrun, worker)

    def _overrun(self, worker: _Worker) -> None:
        self._lose(worker, "it does not take its commands", grace=0.0)

    def _drain(self, worker: _Worker) -> None:
        try:
            while worker.queue:
                _send(worker.socket, worker.queue[0])
                worker.queue.popleft()
        except BlockingIOError:
            return
        asyncio.get_running_loop().remove_writer(worker.socket)

    def _read(self, worker: _Worker) -> None:
        buffer = self._buffer
        for _ in range(_READS):
            if worker.number not in self._workers:
                return
            try:
                size, descriptors = receive_with(worker.socket, buffer)
            except BlockingIOError:
                return
            except OSError as error:
                self._lose(worker, str(error), grace=CLOSE_TIME)
                return
            if size == 0:
                self._lose(worker, "it ended", grace=CLOSE_TIME)
                return
            worker.heard_at = asyncio.get_running_loop().time()
            try:
                events = decode_events(bytes(buffer[:size]))
            except msgspec.DecodeError as error:
                log.error("media worker %d: %d unreadable bytes: %s", worker.number, size, error)
                events = []
            for event in events:
                if isinstance(event, LegGiven):
                    self._pass_on(worker, event, descriptors)
                    descriptors = []
                else:
                    self._take(worker, event)
            close_all(descriptors)

    def _take(self, worker: _Worker, event: AnyWorkerEvent) -> None:
        match event:
            case PortsReady(family, ports):
                worker.stock[family].extend(ports)
                self._announced.add(worker.slot)
                if len(self._announced) == self._count:
                    self._all_announced.set()
            case PortsExhausted(family):
                log.warning("media worker %d: no further IPv%d port", worker.number, family)
            case WorkerLoad():
                worker.load = event
            case LegFreed(leg):
                worker.legs.discard(leg)
                self.on_event(worker.number, event)
            case _:
                self.on_event(worker.number, event)

    def _pass_on(self, giver: _Worker, given: LegGiven, descriptors: list[int]) -> None:
        """Send a leg that left one worker to the other, and after it what was kept for it."""
        leg, move = given.leg, self._moves.end(given.leg)
        taker = self._workers.get(move.taker) if move is not None else None
        if move is None or taker is None or given.state is None:
            close_all(descriptors)
            if leg in giver.legs:
                giver.legs.discard(leg)
                self.on_worker_lost(giver.number, frozenset({leg}))
            return
        giver.legs.discard(leg)
        taker.legs.add(leg)
        self._flush(taker)
        self._write(taker, _Datagram(encode(TakeLeg(leg, given.state)), descriptors))
        for command in move.held:
            self._post(taker, command)


def _send(line: socket.socket, datagram: _Datagram) -> None:
    """Send a datagram, or raise BlockingIOError.

    A worker that is dead takes anything: the reader sees EOF next and reports it.
    """
    try:
        send_with(line, *datagram)
    except BlockingIOError:
        raise
    except OSError as error:
        log.debug("a worker cannot be reached: %s", error)
    close_all(datagram.descriptors)
