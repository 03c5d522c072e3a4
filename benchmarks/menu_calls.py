"""What short calls to a menu cost as a whole, INVITE to record, and whether they leave anything.

SIPp calls as a trunk does: it is answered, hears a prompt, keys 1 by INFO, is thanked and hung up
by the flow that the key leads to. CPU is that of server and media workers together, records
included; what the database holds is counted afterwards. The memory after ever more calls tells what
stays behind.

    python -m benchmarks.menu_calls [--quick] [--json]
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks import figures, machine
from benchmarks.figures import Figure
from benchmarks.menus import SHORT_S, TRUNK_PORT, is_worker
from benchmarks.relay import pin
from tests.kit.namespace import network_namespace
from tests.kit.office import TestedOffice
from tests.kit.phones.sipp import Sipp, SippReport
from tests.kit.tones import tone, write_wav

DIALPLAN: Final = """
version: 1
defaults: {language: en, operator: ext:101}
prompts:
  choose: {en: Press 1.}
  thanks: {en: Thank you.}
numbers: {"900": menu:choose}
menus:
  choose: {prompt: choose, keys: {1: flow:thanks}, give_up: operator}
flows:
  thanks: [{say: thanks}, {tag: chosen}, hangup]
"""

RATE: Final = 50
PAUSE_MS: Final = 300
"""Calls a second, and how long the prompt is heard before the key."""

WARM_UP: Final = 100
CALLS: Final = 1000
LEAK_CALLS: Final = 3000
"""Calls of each of the further rounds, after which memory is looked at."""

LEAK_ROUNDS: Final = 3
LEAK_RATE: Final = 100
SETTLE_S: Final = 3.0


def measure(quick: bool) -> list[Figure]:
    """Return all figures of short calls."""
    with (
        tempfile.TemporaryDirectory(prefix="callpbx-bench-") as folder,
        network_namespace(),
        _office(Path(folder)) as office,
    ):
        processes = [pid for pid in machine.family(office.pid) if _counts(office, pid)]
        for pid in processes:
            pin(pid, 0)
        _call(Path(folder), office, WARM_UP, RATE)
        time.sleep(SETTLE_S)
        found = _measure_calls(Path(folder), office, processes, 200 if quick else CALLS)
        if not quick:
            found += _measure_leak(Path(folder), office, processes)
        office.stop()
    return found


def _office(folder: Path) -> TestedOffice:
    """Return an office that serves, with one short menu."""
    office = TestedOffice(folder / "office", dialplan=DIALPLAN, media_ports="10000-19999")
    sounds = office.folder / "sounds" / "en"
    sounds.mkdir(parents=True, exist_ok=True)
    write_wav(sounds / "choose.wav", tone(500, 5.0))
    write_wav(sounds / "thanks.wav", tone(800, SHORT_S))
    office.start()
    office.add_load_trunk(port=TRUNK_PORT)
    return office


def _counts(office: TestedOffice, pid: int) -> bool:
    return pid == office.pid or is_worker(pid)


def _call(folder: Path, office: TestedOffice, calls: int, rate: int) -> SippReport:
    """Let SIPp make so many calls."""
    place = folder / f"sipp-{time.monotonic_ns()}"
    place.mkdir()
    with Sipp(
        "chooser",
        place,
        port=TRUNK_PORT,
        target=office.server,
        calls=calls,
        rate=rate,
        pause_ms=PAUSE_MS,
        number="900",
        pin=str(max(os.sched_getaffinity(0))),
    ) as sipp:
        return sipp.finish(timeout=calls / rate * 3 + 60)


def _measure_calls(
    folder: Path, office: TestedOffice, processes: list[int], calls: int
) -> list[Figure]:
    events, rows, octets = _stored(office)
    used = [machine.cpu_seconds([pid]) for pid in processes]
    report = _call(folder, office, calls, RATE)
    time.sleep(SETTLE_S)
    server, *workers = (
        (machine.cpu_seconds([pid]) - before) / max(1, report.succeeded) * 1000
        for pid, before in zip(processes, used, strict=True)
    )
    more_events, more_rows, more_octets = _stored(office)
    name = f"a short menu call, {RATE} a second"
    remark = f"server {server:.2f}, worker {sum(workers):.2f}; {report.failed} of {calls} failed"
    each = (more_events - events) / calls
    told = (more_rows - rows) / calls
    return [
        Figure(f"{name}: CPU with its record", "CPU ms", (server + sum(workers),), remark=remark),
        Figure(f"{name}: answer delay, mean", "ms", (report.response_ms,)),
        Figure(f"{name}: events stored", "events", (each,), remark=f"in {told:.1f} rows"),
        Figure(f"{name}: the database grows by", "kB", ((more_octets - octets) / calls / 1024,)),
    ]


def _measure_leak(folder: Path, office: TestedOffice, processes: list[int]) -> list[Figure]:
    """Return how much more memory each further thousand calls takes."""
    sizes = [machine.memory_kb(processes) / 1024]
    for _ in range(LEAK_ROUNDS):
        _call(folder, office, LEAK_CALLS, LEAK_RATE)
        time.sleep(SETTLE_S)
        sizes.append(machine.memory_kb(processes) / 1024)
    calls = LEAK_ROUNDS * LEAK_CALLS
    told = ", ".join(f"{size:.1f}" for size in sizes)
    return [
        Figure(
            f"memory of all processes after {calls:,} more calls",
            "MB",
            (sizes[-1],),
            remark=f"before and after each {LEAK_CALLS:,}: {told}",
        ),
        Figure(
            "memory that a call leaves behind, in the last round",
            "kB",
            ((sizes[-1] - sizes[-2]) * 1024 / LEAK_CALLS,),
            "0",
        ),
    ]


def _stored(office: TestedOffice) -> tuple[int, int, int]:
    """Return how many events the database holds, in how many rows, and how many octets it uses."""
    path = next((office.folder / "var").glob("*.db"))
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        events, rows = database.execute(
            "SELECT sum(json_array_length(body)), count(*) FROM events"
        ).fetchone()
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    return events or 0, rows, pages * size


if __name__ == "__main__":
    figures.main(measure)
