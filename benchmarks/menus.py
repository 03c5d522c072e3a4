"""What a menu costs on the phone: from a key to the next prompt, and the CPU of a step.

A real office in a network namespace, callers with real RTP (menu_callers.py). Its prompts are tones
of half a minute that each key interrupts, or of 0.3 s that are over before the next key: then the
worker rests, and is woken up by it.

    python -m benchmarks.menus [--quick] [--json]
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import figures, machine
from benchmarks.figures import Figure
from benchmarks.menu_callers import Order
from benchmarks.relay import generator, pin
from tests.kit.namespace import network_namespace
from tests.kit.office import TestedOffice
from tests.kit.tones import tone, write_wav

LOW_HZ, HIGH_HZ = 500, 2000
LONG_S, SHORT_S = 30.0, 0.3

TRUNK_PORT: Final = 5081
SIP_PORT: Final = 5060

GOAL_STEP: Final = "< 30"
GOAL_STOP: Final = "≤ 150"

DIALPLAN: Final = """
version: 1
defaults: {language: en, operator: ext:101, menu: {timeout: 20s}}
prompts:
  low: {en: Low.}
  high: {en: High.}
  low_short: {en: Low.}
  high_short: {en: High.}
numbers:
  "900": menu:low
  "901": menu:low_short
menus:
  low: {prompt: low, keys: {1: menu:high}, give_up: operator}
  high: {prompt: high, keys: {1: menu:low}, give_up: operator}
  low_short: {prompt: low_short, keys: {1: menu:high_short}, give_up: operator}
  high_short: {prompt: high_short, keys: {1: menu:low_short}, give_up: operator}
"""


@dataclass(frozen=True)
class Work:
    """One run: what it is called, and what the callers do."""

    name: str
    order: Order


def works(quick: bool) -> Iterator[Work]:
    """Yield what is measured."""

    def order(number: str, steps: int, **more: Any) -> Order:
        few = min(steps, 24)
        return Order(SIP_PORT, TRUNK_PORT, number, steps=few if quick else steps, **more)

    yield Work("1 caller, prompts interrupted", order("900", 240))
    yield Work("1 caller, prompts heard to their end", order("901", 240, every=0.7))
    yield Work("1 caller in G.722", order("900", 120, codec="G722"))
    yield Work("1 caller in opus", order("900", 120, codec="opus"))
    yield Work(
        "100 callers, prompts interrupted",
        order("900", 600, callers=100, every=5.0, quiet=10.0),
    )


def measure(quick: bool) -> list[Figure]:
    """Measure each kind of work in an office of its own."""
    found = []
    for work in works(quick):
        with tempfile.TemporaryDirectory(prefix="callpbx-bench-") as folder, network_namespace():
            found += _measure(Path(folder), work)
    return found


@contextmanager
def office(folder: Path) -> Iterator[TestedOffice]:
    """Serve an office with the menus."""
    codecs = ("pcmu", "g722", "opus")
    with TestedOffice(folder / "office", dialplan=DIALPLAN, codecs=codecs) as made:
        sounds = made.folder / "sounds" / "en"
        sounds.mkdir(parents=True, exist_ok=True)
        for name, hz in (("low", LOW_HZ), ("high", HIGH_HZ)):
            write_wav(sounds / f"{name}.wav", tone(hz, LONG_S))
            write_wav(sounds / f"{name}_short.wav", tone(hz, SHORT_S))
        made.start()
        made.add_load_trunk(port=TRUNK_PORT)
        yield made
        made.stop()


def _measure(folder: Path, work: Work) -> list[Figure]:
    with office(folder) as served:
        server, *children = machine.family(served.pid)
        workers = [pid for pid in children if is_worker(pid)]
        for pid in (server, *workers):
            pin(pid, 0)
        order: dict[str, object] = asdict(work.order)
        with generator(order, "benchmarks.menu_callers") as (process, _, stdout):
            pin(process.pid, 1)
            used = []
            for _ in ("settled", "keys", "closed"):
                stdout.readline()
                used.append([machine.cpu_seconds([server]), machine.cpu_seconds(workers)])
            seen = json.loads(stdout.readline())
    return _figures_of(work, seen, used)


def is_worker(pid: int) -> bool:
    """Tell a media worker from what renders speech."""
    return b"pbx.media.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _figures_of(work: Work, seen: dict[str, Any], used: list[list[float]]) -> list[Figure]:
    """Return the figures of one run; `used` are CPU seconds of server and workers at the beginning,
    when keys began, and at the end."""
    steps = len(seen["step"])
    remark = f"{steps} steps"
    if seen["missing"]:
        remark += f"; {seen['missing']} prompts were not heard"
    late = sorted(seen["late"])
    remark += f"; the load itself late by {late[int(len(late) * 0.99)]:.1f} at p99"
    name = work.name
    cpu = []
    for before, between, after in zip(*used, strict=True):
        resting = (between - before) / seen["quiet_s"]
        cpu.append((after - between - resting * seen["keys_s"]) / max(1, steps) * 1000)
    server, workers = cpu
    return [
        _shares(f"{name}: key up → next prompt", seen["step"], GOAL_STEP, remark),
        _shares(f"{name}: key down → the prompt ends", seen["stop"], GOAL_STOP),
        Figure(
            f"{name}: CPU a step",
            "CPU ms",
            (server + workers,),
            remark=f"server {server:.2f}, worker {workers:.2f}",
        ),
    ]


def _shares(name: str, times: list[float], goal: str, remark: str = "") -> Figure:
    """Return the median, with the largest of 99 % beside it."""
    ordered = sorted(times) or [0.0]
    p50, p99 = (ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
    rest = f"p99 {p99:.1f}, all {ordered[0]:.1f}–{ordered[-1]:.1f}"
    return Figure(name, "ms, p50", (p50,), goal, f"{rest}; {remark}" if remark else rest)


if __name__ == "__main__":
    figures.main(measure)
