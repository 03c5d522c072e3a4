"""What the operating system says about processes and the machine: CPU seconds, memory, cores, lost
datagrams.

All figures of a process come from /proc, so that nothing has to be built into what is measured.
"""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it: for callpbx the server and its workers."""
    found = [pid]
    for parent in found:
        for thread in Path(f"/proc/{parent}/task").iterdir():
            found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return user and system CPU seconds that the processes have used so far, summed."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory_kb(pids: Iterable[int]) -> int:
    """Return the proportional set size of the processes in kB, summed: shared pages count once."""
    total = 0
    for pid in pids:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += next(
            int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
        )
    return total


def lost_datagrams() -> int:
    """Return how many datagrams this network namespace has dropped because a buffer was full."""
    names, values = (
        line.split()
        for line in Path("/proc/net/snmp").read_text().splitlines()
        if line.startswith("Udp:")
    )
    counters = dict(zip(names[1:], map(int, values[1:]), strict=True))
    return counters["RcvbufErrors"] + counters["SndbufErrors"]


def describe() -> dict[str, object]:
    """Return what to say about the machine beside any figure that was measured on it."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def middle(values: Sequence[float]) -> dict[str, float]:
    """Return median, lowest and highest of repeated measurements."""
    return {
        "median": statistics.median(values),
        "lowest": min(values),
        "highest": max(values),
    }
