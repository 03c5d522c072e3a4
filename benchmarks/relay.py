"""What relaying costs: one media worker, driven over its channel, between real RTP both ways.

For each number of calls the worker gets two joined legs a call, and `rtp_generator` talks G.711 of
20 ms on all of them. CPU is the worker's whole process as the operating system counts it; loss and
delay are what the far ends saw. The delay is one way, from one end's `send` to the other's `recv`:
two loopback hops and the relay between them, less the generator's own time only in a quiet moment.
Worker and generator are pinned to different cores where there are two.

    python -m benchmarks.relay [--quick] [--json]
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from typing import IO

from benchmarks import figures, machine
from benchmarks.figures import Figure
from pbx.media.protocol import (
    MAX_MESSAGE,
    AddLeg,
    AnyCommand,
    AnyWorkerEvent,
    Enter,
    FreeLeg,
    LegFreed,
    LegReport,
    PayloadMap,
    PortsReady,
    SourceLocked,
    UpdateLeg,
    WorkerLoad,
    decode_events,
    encode,
)
from tests.kit.namespace import network_namespace

CALLS = (100, 200, 400)
SECONDS, QUICK_SECONDS = 10.0, 2.0
SETTLE = 2.0
"""Seconds of sound before the measured window: sources are locked, buffers warm."""

PORTS = "10000-19999"
STOCK = 64
HOST = "127.0.0.1"
PATIENCE = 10.0
MAX_BEHIND_MS = 20.0
"""How late the load may send before its figures mean nothing: it lacked a core of its own."""

PCMU = PayloadMap("PCMU", send=0, receive=0, clock=8000, event_send=101, event_receive=101)


@dataclass(frozen=True)
class Seen:
    """One step: what the generator saw and what the worker used."""

    calls: int
    seconds: float
    sent: int
    lost: int
    behind_ms: float
    delay_ms: dict[str, float]
    cpu_s: float
    memory_kb: float
    overrun: int

    @property
    def us_per_packet(self) -> float:
        """Return microseconds of CPU per packet relayed."""
        return self.cpu_s * 1e6 / self.sent

    @property
    def percent_per_call(self) -> float:
        """Return the share of one core that a two-way call takes."""
        return 100 * self.cpu_s / self.seconds / self.calls


class BenchedWorker:
    """A worker process and the other end of its channel, which is read all the time."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        options = f"--fd {theirs.fileno()} --ports {PORTS} --bind6 none --stock {STOCK}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pbx.media.worker", *options.split()],
            pass_fds=(theirs.fileno(),),
            env=environment,
        )
        theirs.close()
        self.load = WorkerLoad(0.0, 0, 0)
        """What the worker told last of what it uses."""
        self._ports: Queue[int] = Queue()
        self._events: Queue[AnyWorkerEvent] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, *commands: AnyCommand) -> None:
        """Send commands, waiting for room."""
        self._ours.sendall(encode(*commands))

    def take_port(self) -> int:
        """Return an announced port, waiting for one."""
        return self._ports.get(timeout=PATIENCE)

    def wait_for(self, kind: type[AnyWorkerEvent], count: int) -> None:
        """Wait for so many events of one kind."""
        while count:
            count -= isinstance(self._events.get(timeout=PATIENCE), kind)

    def close(self) -> None:
        """End the worker by ending its channel."""
        self._ours.shutdown(socket.SHUT_RDWR)
        self.process.wait(PATIENCE)

    def _read(self) -> None:
        with self._ours:
            while datagram := self._ours.recv(MAX_MESSAGE):
                for event in decode_events(datagram):
                    if isinstance(event, PortsReady):
                        for port in event.ports:
                            self._ports.put(port)
                    elif isinstance(event, WorkerLoad):
                        self.load = event
                    elif not isinstance(event, LegReport):
                        self._events.put(event)


@contextmanager
def generator(
    order: dict[str, object], module: str = "benchmarks.rtp_generator"
) -> Iterator[tuple[subprocess.Popen[str], IO[str], IO[str]]]:
    """Run the load with its order given; yields process, its stdin and its stdout."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None
    try:
        print(json.dumps(order), file=stdin, flush=True)
        yield process, stdin, stdout
    finally:
        process.kill()
        process.wait()
        stdin.close()
        stdout.close()


def pin(pid: int, core: int) -> None:
    """Keep a process on one core where there are several."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(pid, {cores[core % len(cores)]})


def run_step(calls: int, seconds: float) -> Seen:
    """Relay `calls` two-way calls for a while in a fresh worker."""
    worker = BenchedWorker()
    pin(worker.process.pid, 0)
    pids = [worker.process.pid]
    try:
        ports = [worker.take_port()]
        idle_kb = machine.memory_kb(pids)
        for leg in range(2 * calls):
            worker.send(AddLeg(leg, ports[leg]))
            ports.append(worker.take_port())
        order = {"ports": ports[: 2 * calls], "settle": SETTLE, "seconds": seconds}
        with generator(order) as (process, stdin, stdout):
            pin(process.pid, 1)
            for leg, remote in enumerate(json.loads(stdout.readline())):
                address, rtcp = (HOST, remote), (HOST, remote + 1)
                worker.send(UpdateLeg(leg, address, rtcp, None, PCMU))
                if leg % 2:
                    worker.send(Enter(leg - 1, leg))
                    worker.send(Enter(leg, leg))
            print(file=stdin, flush=True)
            worker.wait_for(SourceLocked, 2 * calls)
            stdout.readline()
            overrun, cpu = machine.lost_datagrams(), machine.cpu_seconds(pids)
            stdout.readline()
            cpu = machine.cpu_seconds(pids) - cpu
            overrun = machine.lost_datagrams() - overrun
            seen = json.loads(stdout.readline())
            memory_kb = (machine.memory_kb(pids) - idle_kb) / calls
        for leg in range(2 * calls):
            worker.send(FreeLeg(leg))
        worker.wait_for(LegFreed, 2 * calls)
    finally:
        worker.close()
    return Seen(calls, **seen, cpu_s=cpu, memory_kb=memory_kb, overrun=overrun)


def report(seen: Seen) -> list[Figure]:
    """Return the figures of one step."""
    work = f"relay, {seen.calls} two-way G.711 calls"
    remark = f"{seen.sent:,} packets"
    if seen.behind_ms > MAX_BEHIND_MS:
        remark += f"; void: the load fell {seen.behind_ms:.0f} ms behind"
    if seen.overrun:
        remark += f"; the kernel dropped {seen.overrun}"
    delay = seen.delay_ms
    return [
        Figure(f"{work}: CPU a packet", "µs", (seen.us_per_packet,), "≤ 10", remark),
        Figure(f"{work}: CPU a call", "% of a core", (seen.percent_per_call,), "≤ 0.12"),
        Figure(f"{work}: packets lost", "packets", (float(seen.lost),), "0"),
        Figure(f"{work}: delay p50", "ms", (delay["p50"],), "≤ 0.4"),
        Figure(f"{work}: delay p99", "ms", (delay["p99"],), "≤ 5"),
        Figure(f"{work}: memory a call", "kB", (seen.memory_kb,), "≤ 60"),
    ]


def measure(quick: bool) -> list[Figure]:
    """Relay more and more calls."""
    seconds = QUICK_SECONDS if quick else SECONDS
    found: list[Figure] = []
    with network_namespace():
        for calls in CALLS:
            found += report(run_step(calls, seconds))
    return found


if __name__ == "__main__":
    figures.main(measure)
