"""How commands print: tables for people, bare JSON for programs.

On a terminal a table is drawn by rich; anywhere else it is plain columns that `grep` and `cut`
like. rich is imported when the first table is drawn, not before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from pbx.cli.text import columns, fitted, visible, width

NOTHING = "–"
"""Stands in a table for what is not there or not known."""

SHOWN_ID = 8
"""Characters of an id that a terminal shows; commands take as many."""

BETWEEN = 2
"""Cells between two columns of a table on a terminal."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. `figures` are set flush right."""

    title: str
    figures: bool = False


def figures(title: str) -> Column:
    """Return a column of figures."""
    return Column(title, figures=True)


def can_print(character: str) -> bool:
    """Tell whether stdout can show a character."""
    try:
        character.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def short_id(id_: str | None) -> str | None:
    """Return what a table shows of an id: on a terminal as much as commands need, else all."""
    return id_[:SHOWN_ID] if id_ and sys.stdout.isatty() else id_


def print_table(
    titles: Sequence[str | Column], rows: Iterable[Sequence[object]], *, empty: str
) -> None:
    """Print rows under titles; where there are none, the sentence `empty`."""
    heads = [title if isinstance(title, Column) else Column(title) for title in titles]
    cells = [[cell(value) for value in row] for row in rows]
    if not cells:
        click.echo(empty)
    elif sys.stdout.isatty():
        _print_rich(heads, cells)
    else:
        right = frozenset(index for index, head in enumerate(heads) if head.figures)
        click.echo(columns([head.title for head in heads], cells, right))


def cell(value: object) -> str:
    """Return a value as a table shows it."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}"
    return visible(str(value))


def local_time(text: str | None) -> str | None:
    """Return a UTC time of the API as the clock on the wall here shows it."""
    if text is None:
        return None
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def list_time(text: str | None) -> str | None:
    """Return a time as a list shows it: `local_time`, on a terminal without the year."""
    shown = local_time(text)
    return shown[len("2026-") :] if shown and sys.stdout.isatty() else shown


def span(seconds: float) -> str:
    """Return a length of time as people say it: `12s`, `3m 20s`, `2h 5m`, `3d 4h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


def clock_length(seconds: float) -> str:
    """Return the length of a call as a phone's display shows it: `0:07`, `12:30`, `1:02:03`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def byte_size(count: int) -> str:
    """Return a number of bytes as `812 B`, `12.3 MB`."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _print_rich(heads: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, BETWEEN - 1, 0, 0))
    for head, cells in zip(heads, _widths(heads, rows, console.width), strict=True):
        table.add_column(head.title, overflow="fold", width=cells)
        if head.figures:
            table.columns[-1].justify = "right"
    for row in rows:
        table.add_row(*(Text(text) for text in row))
    console.print(table)


def _widths(heads: Sequence[Column], rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return how wide each column is, so that words stay whole where the terminal lets them."""
    texts = [
        (head.title, *column) for head, column in zip(heads, zip(*rows, strict=True), strict=True)
    ]
    natural = [max(map(width, column)) for column in texts]
    words = [max(width(word) for text in column for word in text.split()) for column in texts]
    least = [
        whole if head.figures else word
        for head, whole, word in zip(heads, natural, words, strict=True)
    ]
    return fitted(natural, least, room - BETWEEN * len(heads))
