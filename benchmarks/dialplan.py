"""What a dialplan costs: to load, to check, to route by, to take a call through, to swap.

All of it on a plan of 1,000 numbers (big_plan.py) and in this process, but for `callpbx check`,
which is the command as a person types it, start of the interpreter included. What a menu costs on
the phone, and whether a reload is felt there, measures menus.py.

    python -m benchmarks.dialplan [--quick] [--json]
"""

from __future__ import annotations

import itertools
import os
import pickle
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import figures
from benchmarks.big_plan import FIGURES, NUMBERS, big_plan, number
from benchmarks.figures import Figure
from benchmarks.signalling import ROUNDS, yardstick
from pbx.call.routing import from_trunk
from pbx.demo.office import COMMAND
from pbx.dialplan.pieces import Assembly, take_apart
from pbx.ivr.check import Facts, examine
from pbx.ivr.rehearsal import Circumstances
from pbx.ivr.simulate import rehearse
from pbx.ivr.verbs import VOCABULARY
from pbx.machine import calm_collector
from pbx.plan.loader import read_plan
from pbx.plan.model import Plan
from pbx.plan.opening import judge

TODAY: Final = date(2026, 9, 28)
OPEN: Final = datetime(2026, 9, 28, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
HOLIDAY: Final = datetime(2026, 10, 1, 2, 0, tzinfo=UTC)

GOAL_LOAD: Final = "< 1"
GOAL_ROUTE: Final = "< 50"
GOAL_SWAP: Final = "< 20"

CALLERS: Final = {
    "a number → menu, key → queue → mailbox": Circumstances(
        to=number(0), from_="13800138000", at=OPEN, press=("1",)
    ),
    "a flow with lookup, hours, two menus and an order": Circumstances(
        to=number(1),
        from_="13800138000",
        at=OPEN,
        press=("5", "2", "202600123#"),
        mocks={
            "customer0": {"name": "张三", "level": "normal", "lang": "en"},
            "order": {"status": "sent", "eta": "2026-09-30"},
        },
    ),
    "a caller who keys nothing": Circumstances(to=number(2), from_="13800138000", at=OPEN),
}
"""Calls that are rehearsed: what is so on a menu's usual day."""


def measure(quick: bool) -> list[Figure]:
    """Return all figures of a dialplan."""
    rounds = 3 if quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="callpbx-bench-") as folder:
        path = Path(folder) / "dialplan.yaml"
        path.write_text(big_plan())
        return [yardstick(), *_measure_file(path, rounds), *_measure_plan(path)]


def _measure_file(path: Path, rounds: int) -> list[Figure]:
    """Time what is done with the file: the loader, the analyses, the command."""
    reading = read_plan(path, VOCABULARY)
    examined = examine(reading, Facts(today=TODAY))
    lines = len(path.read_text().splitlines())
    codes = ", ".join(problem.code for problem in examined.problems)
    remark = f"{lines:,} lines; told: {codes or 'nothing'}"
    return [
        Figure(
            f"load {FIGURES}",
            "CPU s",
            _cpu_seconds(lambda: read_plan(path, VOCABULARY), rounds),
            GOAL_LOAD,
            remark,
        ),
        Figure(
            "examine it as a whole",
            "CPU s",
            _cpu_seconds(lambda: examine(reading, Facts(today=TODAY)), rounds),
            GOAL_LOAD,
        ),
        Figure("memory of the plan", "MB", (_megabytes(path),)),
        *_measure_command(path, rounds),
    ]


def _measure_command(path: Path, rounds: int) -> list[Figure]:
    """Time `callpbx check FILE`, from its start to its end, and `python -c pass` beside it."""
    check = [*COMMAND, "check", str(path)]
    whole = [_run(check) for _ in range(rounds)]
    bare = [_run([sys.executable, "-c", "pass"]) for _ in range(rounds)]
    return [
        Figure(
            "callpbx check of it, the whole command",
            "s",
            tuple(each[0] for each in whole),
            GOAL_LOAD,
            f"largest memory {max(each[2] for each in whole):.0f} MB",
        ),
        Figure("its CPU", "CPU s", tuple(each[1] for each in whole), GOAL_LOAD),
        Figure("a Python that does nothing", "s", tuple(each[0] for each in bare)),
    ]


def _run(command: Sequence[str]) -> tuple[float, float, float]:
    """Run a command; return its seconds, CPU seconds, and largest memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, code, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(code)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def _measure_plan(path: Path) -> list[Figure]:
    """Time what calls do with the plan once it is there."""
    plan = read_plan(path, VOCABULARY).plan
    named, unnamed = number(NUMBERS // 2), "+8613800138000"
    schedule = plan.hours["h0"]
    return [
        Figure(
            "route a number of a carrier",
            "µs",
            _cpu_us(lambda: from_trunk(named, plan=plan)),
            GOAL_ROUTE,
        ),
        Figure(
            "route one that is not named",
            "µs",
            _cpu_us(lambda: from_trunk(unnamed, plan=plan)),
            GOAL_ROUTE,
        ),
        Figure("judge opening hours", "µs", _cpu_us(lambda: judge(schedule, OPEN))),
        Figure(
            "judge them on a holiday, and when they open again",
            "µs",
            _cpu_us(lambda: judge(schedule, HOLIDAY)),
        ),
        *(_measure_call(plan, name, caller) for name, caller in CALLERS.items()),
        *_measure_swap(plan),
    ]


def _measure_call(plan: Plan, name: str, caller: Circumstances) -> Figure:
    """Time a rehearsed call, which runs what a live one runs but for sound and signalling."""
    steps = len(rehearse(plan, caller).lines)
    took = _cpu_us(lambda: rehearse(plan, caller), loops=200)
    remark = f"{steps} steps told, {sorted(took)[len(took) // 2] / steps:.0f} µs each"
    return Figure(f"rehearse {name}", "µs", took, remark=remark)


def _measure_swap(plan: Plan) -> list[Figure]:
    """Time what a reload does in the server: pieces one by one, then the plan of them."""
    pieces = take_apart(plan)
    calm_collector()  # as the server does when it starts
    longest, whole = [], []
    for _ in range(ROUNDS):
        assembly = Assembly()
        longest.append(max(_cpu_ms(partial(assembly.add, piece)) for piece in pieces))
        whole.append(_cpu_ms(assembly.plan))
    return [
        Figure("reload: unpack one piece, the longest", "ms", tuple(longest), GOAL_SWAP),
        Figure("reload: make a plan of the pieces", "ms", tuple(whole), GOAL_SWAP),
    ]


def _cpu_ms(work: Callable[[], object]) -> float:
    """Return the CPU milliseconds of `work`: others on the machine do not count."""
    started = time.process_time_ns()
    work()
    return (time.process_time_ns() - started) / 1e6


def _cpu_seconds(work: Callable[[], object], rounds: int) -> tuple[float, ...]:
    """Return the CPU seconds that `work` takes, once per round."""
    return tuple(_cpu_ms(work) / 1000 for _ in range(rounds))


def _cpu_us(work: Callable[[], object], *, loops: int = 2000) -> tuple[float, ...]:
    """Return the CPU microseconds that `work` takes, once per round of `loops`."""

    def again() -> None:
        for _ in itertools.repeat(None, loops):
            work()

    work()
    return tuple(_cpu_ms(again) / loops * 1000 for _ in range(ROUNDS))


def _megabytes(path: Path) -> float:
    """Return how much memory a plan keeps once it is loaded."""
    tracemalloc.start()
    plan = read_plan(path, VOCABULARY).plan
    plan = pickle.loads(pickle.dumps(plan))  # as a reload gives it to the server
    before = tracemalloc.get_traced_memory()[0]
    del plan
    kept = before - tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept / 1e6


if __name__ == "__main__":
    figures.main(measure)
