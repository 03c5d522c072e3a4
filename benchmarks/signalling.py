"""What signalling costs: microseconds per message and transaction, CPU milliseconds per call, calls
a second.

The first part times functions in this process. The second runs `callpbx serve` with SIPp on both
sides, a trunk that calls in and a phone with a fixed contact, and reads from the operating system
what all callpbx processes used together; the record of every call is part of it. Server and load
are pinned to different cores where there are two.

    python -m benchmarks.signalling [--quick] [--json]
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import figures, machine
from benchmarks.figures import Figure
from pbx.sip.message import parse_message
from tests.kit.namespace import network_namespace
from tests.kit.office import TestedOffice
from tests.kit.phones.sipp import Sipp, SippReport

INVITE = (
    b"INVITE sip:102@192.0.2.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.7:5060;rport;branch=z9hG4bKPj2f7c1d0e9b8a4c6e8f1a2b3c4d5e6f70\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Alice" <sip:101@192.0.2.1>;tag=a4b1c2d3e4f5\r\n'
    b"To: <sip:102@192.0.2.1>\r\n"
    b"Contact: <sip:101@192.0.2.7:5060;ob>\r\n"
    b"Call-ID: 9f8e7d6c5b4a39281706f5e4d3c2b1a0\r\n"
    b"CSeq: 20718 INVITE\r\n"
    b"Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE\r\n"
    b"Supported: replaces, 100rel, timer, norefersub\r\n"
    b"Session-Expires: 1800\r\n"
    b"Min-SE: 90\r\n"
    b"User-Agent: a phone of the usual size\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 246\r\n"
    b"\r\n"
    b"v=0\r\no=- 3941260000 3941260000 IN IP4 192.0.2.7\r\ns=call\r\nc=IN IP4 192.0.2.7\r\n"
    b"t=0 0\r\nm=audio 4000 RTP/AVP 0 8 9 120\r\n"
    b"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:9 G722/8000\r\na=rtpmap:120 telephone-event/8000\r\n"
    b"a=fmtp:120 0-16\r\na=sendrecv\r\n"
)


@dataclass(frozen=True)
class Load:
    """One run: `rate` calls a second for `seconds`, and what is asked of it."""

    rate: int
    seconds: int
    goal: str = "all answered"


LOADS = (
    Load(100, 20),
    Load(300, 20),
    Load(500, 30),
    Load(700, 60, goal="< 0.1 % failed"),
    Load(875, 20, goal="≥ 80 % answered, the rest 503 at once"),
)
QUICK = (Load(100, 5),)

WARM_UP_S = 2
HOLD_MS = 100
"""Seconds of calls before anything is counted, and how long each call stays up."""

ROUNDS = 7
SETTLE_S = 3.0
"""Seconds after a run in which its last records are written; they count."""

SERVER_CORE, LOAD_CORE = 0, 1


def measure(quick: bool) -> list[Figure]:
    """Return all figures of signalling."""
    return [yardstick(), *measure_messages(), *measure_calls(quick)]


def yardstick() -> Figure:
    """Time work that never changes: it tells how fast the machine is just now."""
    turns = microseconds(lambda: sum(itertools.repeat(1, 100_000)), loops=20)
    return Figure("yardstick: adding up 100,000 ones", "µs", turns)


def measure_messages() -> list[Figure]:
    """Time parsing and serialising one INVITE of a usual phone."""
    invite = parse_message(INVITE)
    return [
        Figure(
            f"parse an INVITE of {len(INVITE)} octets",
            "µs",
            microseconds(lambda: parse_message(INVITE)),
            "≈ 10",
        ),
        Figure("parse it and read its typed fields", "µs", microseconds(_parse_and_read)),
        Figure("serialise it", "µs", microseconds(lambda: bytes(invite))),
    ]


def _parse_and_read() -> None:
    message = parse_message(INVITE)
    _ = message.via, message.cseq, message.call_id, message.from_, message.to, message.contacts


def microseconds(work: Callable[[], object], *, loops: int = 2000) -> tuple[float, ...]:
    """Return the microseconds that `work` takes, once per round."""
    work()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in itertools.repeat(None, loops):
            work()
        times.append((time.perf_counter() - started) / loops * 1e6)
    return tuple(times)


def measure_calls(quick: bool) -> list[Figure]:
    """Measure complete two-leg calls, each load through a server of its own."""
    found = []
    for load in QUICK if quick else LOADS:
        with tempfile.TemporaryDirectory(prefix="callpbx-bench-") as folder, network_namespace():
            found += _measure(Path(folder), load)
    return found


def _measure(folder: Path, load: Load) -> list[Figure]:
    with TestedOffice(folder / "office", numbers=["900"], media_ports="10000-19999") as office:
        office.start()
        office.add_fixed_phone("900", port=5080)
        office.add_load_trunk(port=5081)
        office.stop()
        ready = _seconds(office.start)
        processes = machine.family(office.pid)
        for pid in processes:
            _pin(pid, SERVER_CORE)
        idle = machine.memory_kb(processes)
        _call(folder / "warm-up", office, Load(min(load.rate, 100), WARM_UP_S))
        used, lost = _used(processes), machine.lost_datagrams()
        report = _call(folder / "run", office, load)
        time.sleep(SETTLE_S)
        used = [after - before for after, before in zip(_used(processes), used, strict=True)]
        lost = machine.lost_datagrams() - lost
        grown = machine.memory_kb(processes)
        office.stop()
    return [
        *_figures_of(load, report, used=used, lost=lost),
        Figure(f"memory after {report.created} calls, all processes", "MB", (grown / 1024,)),
        Figure("memory when idle, all processes", "MB", (idle / 1024,), "< 120"),
        Figure("ready after start, from the second on", "s", (ready,), "< 2"),
    ]


def _used(processes: Iterable[int]) -> list[float]:
    return [machine.cpu_seconds([pid]) for pid in processes]


def _figures_of(load: Load, report: SippReport, *, used: list[float], lost: int) -> list[Figure]:
    """Return the figures of one run; `used` CPU seconds by the server, then by each worker."""
    at = f"at {load.rate} a second for {load.seconds} s"
    server, *workers = (seconds / max(1, report.succeeded) * 1000 for seconds in used)
    cost = server + sum(workers)
    remark = (
        f"server {server:.2f}, workers {sum(workers):.2f}; "
        f"{report.retransmissions} repeated, {lost} datagrams lost"
    )
    failed = report.failed / max(1, report.created) * 100
    return [
        Figure(
            f"a complete two-leg call with its record, {at}", "CPU ms", (cost,), "≤ 1.0", remark
        ),
        Figure(f"calls failed {at}", "%", (failed,), load.goal, f"of {report.created}"),
        Figure(f"answer delay {at}, mean", "ms", (report.response_ms,)),
    ]


def _call(folder: Path, office: TestedOffice, load: Load) -> SippReport:
    """Let SIPp call SIPp through the office; return what the caller counted."""
    folder.mkdir()
    pin = str(LOAD_CORE) if _cores() > 1 else ""
    with (
        Sipp("answerer", folder, port=5080, pin=pin),
        Sipp(
            "caller",
            folder,
            port=5081,
            target=office.server,
            calls=load.rate * load.seconds,
            rate=load.rate,
            pause_ms=HOLD_MS,
            number="900",
            pin=pin,
        ) as caller,
    ):
        return caller.finish(timeout=load.seconds + 60)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _pin(pid: int, core: int) -> None:
    """Keep all threads of a process on one core, where there are several."""
    if _cores() > 1:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})


if __name__ == "__main__":
    figures.main(measure)
