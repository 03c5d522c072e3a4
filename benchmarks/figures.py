"""A figure: what was measured, in which unit, against which goal; and how it is printed.

Each benchmark is a module with `measure(quick) -> list[Figure]`; `run.py` runs them all. Several
runs give the median with the lowest and the highest beside it, because one figure alone says
nothing about its neighbours.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe


@dataclass(frozen=True)
class Figure:
    """One measured thing. `goal` is a sentence such as "≤ 1.0"; `remark` what else was seen."""

    work: str
    unit: str
    values: tuple[float, ...]
    goal: str = ""
    remark: str = ""

    @property
    def median(self) -> float:
        """Return the middle of the values."""
        return statistics.median(self.values)

    def text(self) -> str:
        """Return the median, and the range where there were several runs."""
        if len(self.values) == 1:
            return _round(self.values[0])
        low, high = _round(min(self.values)), _round(max(self.values))
        return f"{_round(self.median)} ({low}–{high})"


def _round(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def table(figures: Iterable[Figure]) -> Table:
    """Return the figures as a table for a terminal."""
    drawn = Table("work", "measured", "unit", "goal", "remark", box=None, padding=(0, 2, 0, 0))
    for figure in figures:
        drawn.add_row(figure.work, figure.text(), figure.unit, figure.goal, figure.remark)
    return drawn


def markdown(figures: Iterable[Figure]) -> str:
    """Return the figures as a Markdown table."""
    rows = ["| work | measured | unit | goal | remark |", "|---|---|---|---|---|"]
    rows += [f"| {f.work} | {f.text()} | {f.unit} | {f.goal} | {f.remark} |" for f in figures]
    return "\n".join(rows)


def as_json(figures: Sequence[Figure]) -> str:
    """Return the figures and the machine as one JSON document."""
    document = {
        "machine": describe(),
        "figures": [{**asdict(figure), "median": figure.median} for figure in figures],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def terminal() -> Console:
    """Return the terminal, or where there is none, a page that is wide enough for the table."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)


def main(measure: Callable[[bool], list[Figure]]) -> None:
    """Be one benchmark's command line: `--quick` for short runs, `--json` instead of the table."""
    figures = measure("--quick" in sys.argv)
    if "--json" in sys.argv:
        print(as_json(figures))
    else:
        terminal().print(table(figures))
