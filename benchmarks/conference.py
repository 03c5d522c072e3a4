"""What mixing costs: one media worker, driven over its channel, with real RTP both ways.

Rooms in which everybody talks, calls between two codecs, recorded calls, and legs that hear hold
music. CPU is the worker's whole process as the operating system counts it, over a steady window;
gaps and loss are what the far ends saw. Late ticks are the worker's own count. Worker and generator
are pinned to different cores where there are two. What the mixing alone takes is measured in this
process, on the arrays of a room of that size.

    python -m benchmarks.conference [--quick] [--json]
"""

from __future__ import annotations

import json
import tempfile
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import figures, machine
from benchmarks.figures import Figure
from benchmarks.relay import HOST, MAX_BEHIND_MS, SETTLE, BenchedWorker, generator, pin
from pbx.media.mixing.mixer import EarRow, MixPlan
from pbx.media.protocol import (
    AddLeg,
    AnyCommand,
    Enter,
    FreeLeg,
    LegFreed,
    PayloadMap,
    Play,
    Record,
    SourceLocked,
    UpdateLeg,
)
from tests.kit.namespace import network_namespace

PCMU = PayloadMap("PCMU", send=0, receive=0, clock=8000)
PCMA = PayloadMap("PCMA", send=8, receive=8, clock=8000)

ROOMS = ((100, 100), (400, 400), (400, 4))
"""Parties in all, and in each room."""

CALLS, HELD = 100, 1000
SECONDS, QUICK_SECONDS = 10.0, 2.0


@dataclass(frozen=True)
class Work:
    """One step: which legs there are, and what is done with them."""

    name: str
    legs: int
    payload: Callable[[int], PayloadMap]
    arrange: Callable[[int], Sequence[AnyCommand]]
    """What is said of a leg behind its description."""
    speaks: int | None = None
    """How many legs talk; None means all."""


@dataclass(frozen=True)
class Seen:
    """What the generator saw and what the worker used."""

    seconds: float
    sent: int
    heard: int
    lost: int
    behind_ms: float
    gap_ms: dict[str, float]
    cpu_s: float
    ticks: int
    late_ticks: int
    overrun: int

    def percent_per(self, units: int) -> float:
        """Return the share of one core that each of `units` takes."""
        return self.cpu_s / self.seconds / units * 100


def run_step(work: Work, seconds: float) -> Seen:
    """Do one kind of work for a while in a fresh worker."""
    worker = BenchedWorker()
    pin(worker.process.pid, 0)
    pids = [worker.process.pid]
    payloads = [work.payload(leg) for leg in range(work.legs)]
    try:
        ports = [worker.take_port() for _ in range(1)]
        for leg in range(work.legs):
            worker.send(AddLeg(leg, ports[leg]))
            ports.append(worker.take_port())
        speaks = work.legs if work.speaks is None else work.speaks
        order = {
            "ports": ports[: work.legs],
            "payload_types": [payload.receive for payload in payloads],
            "speaks": speaks,
            "settle": SETTLE,
            "seconds": seconds,
        }
        with generator(order, "benchmarks.talk_generator") as (process, stdin, stdout):
            pin(process.pid, 1)
            for leg, remote in enumerate(json.loads(stdout.readline())):
                address, rtcp = (HOST, remote), (HOST, remote + 1)
                worker.send(UpdateLeg(leg, address, rtcp, None, payloads[leg]))
                worker.send(*work.arrange(leg))
            print(file=stdin, flush=True)
            worker.wait_for(SourceLocked, speaks)
            stdout.readline()
            before = worker.load
            overrun, cpu = machine.lost_datagrams(), machine.cpu_seconds(pids)
            stdout.readline()
            cpu = machine.cpu_seconds(pids) - cpu
            overrun = machine.lost_datagrams() - overrun
            after = worker.load  # told within the last second, as the one before
            seen = json.loads(stdout.readline())
        for leg in range(work.legs):
            worker.send(FreeLeg(leg))
        worker.wait_for(LegFreed, work.legs)
    finally:
        worker.close()
    return Seen(
        **seen,
        cpu_s=cpu,
        ticks=after.ticks - before.ticks,
        late_ticks=after.late_ticks - before.late_ticks,
        overrun=overrun,
    )


def rooms(parties: int, size: int) -> Work:
    """Return rooms of one size in which everybody talks."""
    name = f"conference, {parties} talking in rooms of {size}"
    return Work(name, parties, lambda leg: PCMU, lambda leg: [Enter(leg, leg // size)])


def transcoded(calls: int) -> Work:
    """Return two-party calls between the two laws."""
    return Work(
        f"{calls} calls PCMU to PCMA",
        2 * calls,
        lambda leg: PCMA if leg % 2 else PCMU,
        lambda leg: [Enter(leg, leg // 2)],
    )


def recorded(calls: int, folder: Path) -> Work:
    """Return two-party calls in one codec, each recorded in stereo."""

    def arrange(leg: int) -> list[AnyCommand]:
        entering: list[AnyCommand] = [Enter(leg, leg // 2)]
        if leg % 2:
            path = str(folder / f"{leg}.wav")
            entering.append(Record(leg, leg // 2, path, left=leg))
        return entering

    return Work(f"{calls} recorded calls", 2 * calls, lambda leg: PCMU, arrange)


def held(legs: int, music: Path, *, talking: bool) -> Work:
    """Return legs that hear music, whether they talk into it or not."""
    return Work(
        f"{legs} held legs that {'talk' if talking else 'are silent'}",
        legs,
        lambda leg: PCMA,
        lambda leg: [Play(leg, leg, (f"music:{music}",), loop=True)],
        speaks=None if talking else 0,
    )


def mixing(parties: int) -> Figure:
    """Return what the mixing alone takes of a room's tick."""
    frames = np.random.default_rng(1).integers(-1500, 1500, (parties, 160)).astype(np.int16)
    plan = MixPlan([list(range(parties))], [EarRow(0, own=n) for n in range(parties)])
    runs = 200
    started = time.process_time()
    for _ in range(runs):
        plan.run(frames)
    us = (time.process_time() - started) / runs / parties * 1e6
    return Figure(f"mixing alone, a room of {parties}: CPU a leg and tick", "µs", (us,), "< 1")


def report(work: Work, seen: Seen, units: int, unit: str, goal: str) -> list[Figure]:
    """Return the figures of one step."""
    remark = f"{seen.sent:,} packets in, {seen.heard:,} out"
    if seen.behind_ms > MAX_BEHIND_MS:
        remark += f"; void: the load fell {seen.behind_ms:.0f} ms behind"
    if seen.overrun:
        remark += f"; the kernel dropped {seen.overrun}"
    late = seen.late_ticks / max(1, seen.ticks) * 100
    us = seen.cpu_s * 1e6 / (seen.seconds * 50) / work.legs
    percent = seen.percent_per(units)
    return [
        Figure(f"{work.name}: CPU a {unit}", "% of a core", (percent,), goal, remark),
        Figure(f"{work.name}: CPU a leg and tick", "µs", (us,)),
        Figure(f"{work.name}: ticks late", "%", (late,), "< 0.1", f"of {seen.ticks}"),
        Figure(f"{work.name}: packets lost", "packets", (float(seen.lost),), "0"),
        Figure(f"{work.name}: between packets p99", "ms", (seen.gap_ms["p99"],), "≤ 25"),
    ]


def steps(folder: Path) -> Iterator[tuple[Work, int, str, str]]:
    """Yield each work with how many units it is, of what, and the goal for each."""
    for parties, size in ROOMS:
        yield rooms(parties, size), parties, "party", "≤ 0.06"
    yield transcoded(CALLS), CALLS, "call", "≤ 0.15"
    yield recorded(CALLS, folder), CALLS, "call", "≤ 0.2"
    music = write_music(folder / "music.wav")
    yield held(HELD, music, talking=False), HELD, "leg", "≤ 0.03"
    yield held(HELD // 2, music, talking=True), HELD // 2, "leg", ""


def write_music(path: Path) -> Path:
    """Write half a minute of something like music."""
    seconds = np.arange(30 * 8000) / 8000
    chord = np.array([[220.0], [277.2], [329.6]])
    sound = np.sin(2 * np.pi * chord * seconds).sum(axis=0) * 4000
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())
    return path


def measure(quick: bool) -> list[Figure]:
    """Measure each kind of work."""
    seconds = QUICK_SECONDS if quick else SECONDS
    found = [mixing(100), mixing(400)]
    with network_namespace(), tempfile.TemporaryDirectory() as folder:
        for work, units, unit, goal in steps(Path(folder)):
            found += report(work, run_step(work, seconds), units, unit, goal)
    return found


if __name__ == "__main__":
    figures.main(measure)
