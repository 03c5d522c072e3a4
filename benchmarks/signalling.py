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
from collections.abc import Callable
from pathlib import Path

from benchmarks import figures, machine
from benchmarks.figures import Figure
from pbx.sip.message import parse_message
from tests.kit.namespace import network_namespace
from tests.kit.office import TestedOffice, eventually
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

RATES = (100, 300, 700)
"""Calls a second at which the cost of a call is measured."""

SECONDS, QUICK_SECONDS = 20, 5
HELD_SECONDS = 60
HOLD_MS = 100
"""How long a run lasts, how long the highest rate is held, and how long a call stays up."""

ROUNDS = 7
SETTLE_S = 3.0
"""Seconds after a run in which its last records are written; they count."""


def measure(quick: bool) -> list[Figure]:
    """Return all figures of signalling."""
    return [*measure_messages(), *measure_calls(quick)]


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
    """Measure complete two-leg calls through a server of their own, at several rates."""
    found = []
    for rate in RATES[:1] if quick else RATES:
        with tempfile.TemporaryDirectory(prefix="callpbx-bench-") as folder, network_namespace():
            found += _measure_rate(Path(folder), rate, QUICK_SECONDS if quick else SECONDS)
    return found


def _measure_rate(folder: Path, rate: int, seconds: int) -> list[Figure]:
    office = TestedOffice(folder / "office", numbers=["900"], media_ports="10000-19999")
    with office:
        office.start()
        office.add_fixed_phone("900", port=5080)
        office.add_load_trunk(port=5081)
        office.stop()
        started = time.perf_counter()
        office.start()
        ready = time.perf_counter() - started
        processes = machine.family(office.pid)
        if (os.cpu_count() or 1) > 1:
            for pid in processes:
                os.sched_setaffinity(pid, {0})
        idle = machine.memory_kb(processes)
        before = machine.cpu_seconds(processes)
        report = _call(folder, office, rate, seconds)
        eventually(lambda: office.ask("calls"), lambda calls: not calls, timeout=60)
        time.sleep(SETTLE_S)
        used = machine.cpu_seconds(processes) - before
        grown = machine.memory_kb(processes)
        lost = machine.lost_datagrams()
        office.stop()
    failed = f"{report.failed} of {report.created} failed, {report.retransmissions} repeated"
    return [
        Figure(
            f"one complete two-leg call with its record, {rate} a second",
            "CPU ms",
            (used / max(1, report.succeeded) * 1000,),
            "≤ 1.0",
            f"{failed}, {lost} datagrams lost",
        ),
        Figure(f"answer delay at {rate} a second, mean", "ms", (report.response_ms,)),
        Figure(f"memory after {report.created} calls, all processes", "MB", (grown / 1024,)),
        Figure("memory when idle, all processes", "MB", (idle / 1024,), "< 120"),
        Figure("ready after start, from the second on", "s", (ready,), "< 2"),
    ]


def _call(folder: Path, office: TestedOffice, rate: int, seconds: int) -> SippReport:
    pin = "1" if (os.cpu_count() or 1) > 1 else ""
    calls = rate * seconds
    with (
        Sipp("answerer", folder, port=5080, pin=pin),
        Sipp(
            "caller",
            folder,
            port=5081,
            target=office.server,
            calls=calls,
            rate=rate,
            pause_ms=HOLD_MS,
            number="900",
            pin=pin,
        ) as caller,
    ):
        return caller.finish(timeout=seconds + 60)


if __name__ == "__main__":
    figures.main(measure)
