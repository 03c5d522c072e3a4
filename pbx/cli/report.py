"""`callpbx report …`: figures of queues, agents and surveys, each with its formula.

The formulas stand below every table, because four people count a service level in four ways.
"""

from __future__ import annotations

import csv
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from pbx.cli.cdr import moment_of
from pbx.cli.office import connect, pass_home
from pbx.cli.output import (
    BETWEEN,
    NOTHING,
    Column,
    as_json,
    can_print,
    cell,
    clock_length,
    figures,
    print_json,
    print_table,
)
from pbx.cli.text import pad, width, wrap
from pbx.config import Home

Row = dict[str, Any]
Report = dict[str, Any]

BARS = " ▁▂▃▄▅▆▇█"
PLAIN_BARS = " .:-=+*#@"

TITLES: dict[str, dict[str, str]] = {
    "queues": {
        "offered": "Offered",
        "answered": "Answered",
        "actual_abandons": "Abandoned",
        "answer_rate": "Answ. %",
        "sl_of_offered": "SL %",
        "asa": "ASA s",
        "longest_wait": "Longest",
        "short_abandons": "Short",
        "overflowed": "Overfl.",
        "callbacks": "Call-b.",
        "aht": "AHT",
        "fcr": "FCR %",
        "csat": "CSAT %",
        "response_rate": "Resp. %",
        "erlangs_in": "Erl.",
    },
    "agents": {
        "handled": "Handled",
        "talk": "Talk",
        "hold": "Hold",
        "wrap_up": "After call",
        "aht": "AHT",
        "ring_time": "Ring s",
        "answered_in_3": "≤ 3 s %",
        "answered_in_5": "≤ 5 s %",
        "missed": "Missed",
        "rejected": "Rejected",
        "occupancy": "Occ. %",
        "csat": "CSAT %",
    },
    "survey": {
        "asked": "Asked",
        "responses": "Answers",
        "response_rate": "Resp. %",
        "csat": "CSAT %",
    },
}
"""Report → the figures that its table shows, by their columns' titles. What is asked for most is
first: a narrow terminal leaves out the last. The others are in JSON and CSV."""

SUBJECTS = {"queues": "queue", "agents": "agent", "survey": "survey"}
"""Report → what its rows are of."""

NOBODY = {
    "queues": "No call came into a queue",
    "agents": "No agent was at work",
    "survey": "No survey was asked",
}
"""Report → what is said where it has no rows."""

LENGTHS = frozenset({"longest_wait", "aht", "talk", "hold", "wrap_up"})
"""Figures that are shown as lengths of time."""

STATES = ("available", "ringing", "talking", "hold", "wrap_up", "paused", "unreachable")


def narrowing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that all reports have."""
    for option in (
        as_json,
        click.option("--csv", "as_csv", is_flag=True, help="Print CSV."),
        click.option("--until", callback=moment_of, help="Only what began before this; now."),
        click.option(
            "--since", callback=moment_of, help="Only what began at or after this; today."
        ),
        click.option("--by", type=click.Choice(["hour", "day"]), help="One row for each."),
    ):
        command = option(command)
    return command


@click.group()
def report() -> None:
    """Figures of queues, agents, surveys, each with its formula."""


@report.command()
@narrowing
@pass_home
def queues(home: Home, /, **wanted: Any) -> None:
    """Callers: offered, answered in time, abandoned; how long they waited."""
    _report(home, "queues", **wanted)


@report.command()
@narrowing
@pass_home
def agents(home: Home, /, **wanted: Any) -> None:
    """Agents: calls handled, talk, work after the call, time in each state."""
    _report(home, "agents", **wanted)


@report.command()
@narrowing
@pass_home
def survey(home: Home, /, **wanted: Any) -> None:
    """Surveys: who was asked, who answered, how satisfied."""
    _report(home, "survey", **wanted)


def _report(home: Home, kind: str, *, as_json: bool, as_csv: bool, **query: str | None) -> None:
    with connect(home) as api:
        found = api.get(f"/reports/{kind}", query)
    if as_json:
        print_json(flat(found))
    elif as_csv:
        _print_csv(found)
    else:
        _print(found, query["by"])


def flat(found: Report) -> list[Row]:
    """Return a report's rows with their figures, and the formulas in each."""
    formulas = {column["id"]: column["formula"] for column in found["columns"]}
    kind = found["kind"]
    rows = []
    for row in found["rows"]:
        line = {SUBJECTS[kind]: row["name"], "from": row["from"], "until": row["until"]}
        line |= row["values"]
        if kind == "agents":
            line["states"] = row["states"]
        elif kind == "survey":
            line["answers"] = row["answers"]
        rows.append({**line, "reasons": row["reasons"], "formulas": formulas})
    return rows


def _print_csv(found: Report) -> None:
    """Print one line a row; the formula's name stands in the head of each column."""
    out = csv.writer(sys.stdout, lineterminator="\r\n")
    columns = found["columns"]
    heads = [f"{column['id']} ({column['name']})" for column in columns]
    out.writerow([SUBJECTS[found["kind"]], "from", "until", *heads])
    for row in found["rows"]:
        values = [row["values"][column["id"]] for column in columns]
        out.writerow([row["name"], row["from"], row["until"], *values])


def _print(found: Report, by: str | None) -> None:
    kind, rows = found["kind"], found["rows"]
    if not rows:
        click.echo(f"{NOBODY[kind]} in this time; another one: --since yesterday, --since 7d")
        return
    if by == "hour":
        _print_bars(rows, next(iter(TITLES[kind])))
    heads: list[str | Column] = [] if by is None else ["From"]
    heads.append(SUBJECTS[kind].capitalize())
    # What nothing is known of in any row has no column: the reason is told below.
    titles = {
        id_: title
        for id_, title in TITLES[kind].items()
        if any(row["values"][id_] is not None for row in rows)
    }
    states = _states(rows)
    heads += [*map(figures, titles.values()), *map(figures, map(_state_title, states))]
    lines = [_cells(row, titles, states, by) for row in rows]
    shown = _fitting(heads, lines)
    print_table(heads[:shown], [line[:shown] for line in lines], empty="")
    if shown < len(heads):
        click.echo(
            f"… and {len(heads) - shown} columns more on a wider terminal, by --csv or --json"
        )
    _print_answers(rows)
    explained = dict(list(titles.items())[: shown - (1 if by is None else 2)])
    _print_legend(found, explained, rows)


def _fitting(heads: Sequence[str | Column], lines: Sequence[Sequence[object]]) -> int:
    """Return how many columns fit on the terminal; all where there is none."""
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    used = 0
    for place, head in enumerate(heads):
        title = head.title if isinstance(head, Column) else head
        used += max(width(title), *(width(cell(line[place])) for line in lines)) + BETWEEN
        if used > room:
            return place
    return len(heads)


def _state_title(state: str) -> str:
    return state.replace("_", " ").capitalize()


def _cells(row: Row, titles: Iterable[str], states: list[str], by: str | None) -> list[object]:
    cells: list[object] = [] if by is None else [_when(row["from"], by)]
    cells.append("all" if row["name"] is None else row["name"])
    cells += [_value(id_, row["values"][id_]) for id_ in titles]
    return [*cells, *(clock_length(row["states"].get(state, 0.0)) for state in states)]


def _value(id_: str, value: float | None) -> object:
    return clock_length(value) if value is not None and id_ in LENGTHS else value


def _when(text: str, by: str) -> str:
    moment = datetime.fromisoformat(text)
    return f"{moment:%Y-%m-%d}" if by == "day" else f"{moment:%Y-%m-%d %H:%M}"


def _states(rows: Iterable[Row]) -> list[str]:
    seen = {state for row in rows for state in row["states"]}
    return [state for state in STATES if state in seen]


def _print_bars(rows: list[Row], id_: str) -> None:
    """Draw how much there was in each hour: one character for each hour of a day."""
    bars = BARS if can_print("█") else PLAIN_BARS
    days: dict[str, dict[int, float]] = {}
    for row in rows:
        if row["name"] is not None:
            moment = datetime.fromisoformat(row["from"])
            hours = days.setdefault(f"{moment:%Y-%m-%d}", {})
            hours[moment.hour] = hours.get(moment.hour, 0) + (row["values"][id_] or 0)
    most = max((count for hours in days.values() for count in hours.values()), default=0)
    click.echo(f"{id_.capitalize()} by hour, at most {most:g}\n")
    click.echo(f"{'':10} 0     6     12    18    ")
    for day, hours in days.items():
        counts = (hours.get(hour, 0) for hour in range(24))
        click.echo(f"{day} {''.join(_bar(bars, count, most) for count in counts)}".rstrip())
    click.echo()


def _bar(bars: str, count: float, most: float) -> str:
    """Return a character as high as `count` is of `most`; whatever is there can be seen."""
    if not count:
        return bars[0]
    return bars[max(1, round((len(bars) - 1) * count / most))]


def _print_answers(rows: Iterable[Row]) -> None:
    for row in rows:
        if row["answers"]:
            said = ", ".join(f"{meaning} {count}" for meaning, count in row["answers"].items())
            click.echo(f"\n{row['name']}: {said}")


def _print_legend(found: Report, titles: Mapping[str, str], rows: list[Row]) -> None:
    """Say by which formula each column was computed, and why some figure is not there."""
    columns = {column["id"]: column for column in found["columns"]}
    shown = [(title, columns[id_]) for id_, title in titles.items()]
    widest = max(width(title) for title, _ in shown)
    click.echo()
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    for title, column in shown:
        first, *more = wrap(_meaning(column), room - widest - 2)
        click.echo(f"{pad(title, widest)}  {first}")
        for line in more:
            click.echo(f"{'':{widest}}  {line}")
    names = TITLES[found["kind"]]
    for id_, reason in sorted({pair for row in rows for pair in row["reasons"].items()}):
        if id_ in titles:
            click.echo(f"{NOTHING} in {names[id_]}: {reason}")
        elif id_ in names and all(row["values"][id_] is None for row in rows):
            click.echo(f"No {names[id_]}: {reason}")
    click.echo(f"Hours and days are those of {found['timezone']}")


def _meaning(column: Mapping[str, str]) -> str:
    return f"{column['zh']} {column['name']} = {column['formula']}"
