"""`callpbx queues`: who waits, who serves, and what a supervisor does about it."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import click

from pbx.api.client import ApiClient, segment
from pbx.cli.board import ASCII, BLOCKS, NO_AGENT, Line, Marks, changes, draw_board, state_word
from pbx.cli.office import connect_live, pass_home
from pbx.cli.output import (
    NOTHING,
    as_json,
    can_print,
    clock_length,
    figures,
    print_json,
    print_table,
    short_id,
)
from pbx.cli.text import clip, plural, visible
from pbx.config import Home
from pbx.errors import Refused

EVERY: Final = 1.0  # seconds between two pictures

Row = dict[str, Any]


@click.group(invoke_without_command=True)
@click.option("--watch", is_flag=True, help="Draw a live picture, again each second; q ends it.")
@as_json
@pass_home
@click.pass_context
def queues(ctx: click.Context, home: Home, watch: bool, as_json: bool) -> None:
    """Show the queues: who waits, what agents do, how today goes."""
    if ctx.invoked_subcommand is not None:
        return
    if watch and as_json:
        raise click.UsageError("--watch draws a picture and --json prints once; take one of them")
    with connect_live(home) as api:
        if watch:
            _watch(api)
            return
        if sys.stdout.isatty() and not as_json:
            _print_board(api.get("/board"))
            return
        rows = api.get("/queues")
    if as_json:
        print_json(rows)
        return
    print_table(
        [
            *("Queue", figures("Waiting"), figures("Longest"), "Agents", figures("Level")),
            *(figures("Answered"), figures("Abandoned"), "Remarks"),
        ],
        [
            (
                row["name"],
                row["waiting"],
                clock_length(row["longest_wait_s"]),
                _states(row),
                _level(row),
                row["answered"],
                row["abandoned"],
                _remarks(row),
            )
            for row in rows
        ],
        empty="The dialplan in force has no queue",
    )


@queues.command("show")
@click.argument("name")
@as_json
@pass_home
def show_queue(home: Home, name: str, as_json: bool) -> None:
    """Show one queue: its callers in order, and its agents."""
    with connect_live(home) as api:
        queue = api.get(f"/queues/{segment(name)}")
    if as_json:
        print_json(queue)
        return
    for label, text in _summary(queue):
        click.echo(f"{label:<15}{text}")
    click.echo()
    _print_callers(queue["callers"])
    click.echo()
    _print_staff(queue["staff"])


@queues.command("close")
@click.argument("name")
@pass_home
def close_queue(home: Home, name: str) -> None:
    """Let no new callers into a queue; those who wait stay."""
    with connect_live(home) as api:
        api.order(f"/queues/{segment(name)}/close")
    click.echo(f"Queue {name} is closed to new callers; callpbx queues open {name} opens it")


@queues.command("open")
@click.argument("name")
@pass_home
def open_queue(home: Home, name: str) -> None:
    """Let callers into a queue again."""
    with connect_live(home) as api:
        api.order(f"/queues/{segment(name)}/open")
    click.echo(f"Queue {name} is open")


@queues.command("raise")
@click.argument("call")
@pass_home
def raise_caller(home: Home, call: str) -> None:
    """Put a caller before all others of its queue.

    CALL is an id, its beginning, or the caller's number.
    """
    with connect_live(home) as api:
        caller = api.get(f"/callers/{segment(call)}")
        api.order(f"{_place(caller)}/raise")
    click.echo(f"{_who(caller)} is the first in queue {caller['queue']}")


@queues.command("move")
@click.argument("call")
@click.argument("queue")
@pass_home
def move_caller(home: Home, call: str, queue: str) -> None:
    """Let a caller go on waiting in another queue; what it waited counts there.

    CALL is an id, its beginning, or the caller's number.
    """
    with connect_live(home) as api:
        caller = api.get(f"/callers/{segment(call)}")
        api.post(f"{_place(caller)}/move", {"to": queue})
    click.echo(f"{_who(caller)} waits in queue {queue}, no longer in {caller['queue']}")


def _place(caller: Row) -> str:
    return f"/queues/{segment(caller['queue'])}/callers/{segment(caller['call'])}"


def _who(caller: Row) -> str:
    return f"Caller {caller['number'] or caller['call']}"


# -- tables ----------------------------------------------------------------------------------


def _summary(queue: Row) -> list[tuple[str, str]]:
    percent, seconds = queue["target"]
    level = f"{_level(queue)} ({percent} % in {seconds:g} s is the aim)"
    if queue["service_level_formula"]:
        level += f", {queue['service_level_formula']}"
    lines = [
        ("Queue", queue["name"] + ("" if queue["open"] else ", closed to new callers")),
        ("Waiting", f"{queue['waiting']}, longest {clock_length(queue['longest_wait_s'])}"),
        ("Agents", _states(queue)),
        ("Service level", level),
        ("Today", f"{queue['answered']} answered, {queue['abandoned']} abandoned"),
    ]
    return lines + [("Alarm", alarm["sentence"]) for alarm in queue["alarms"]]


def _print_callers(callers: list[Row]) -> None:
    print_table(
        [
            *(figures("#"), "Call", "Number", figures("Waited"), figures("Priority")),
            *("Wants", "Rings at"),
        ],
        [
            (
                caller["position"],
                short_id(caller["call"]),
                caller["number"] + (" (call-back)" if caller["callback"] else ""),
                clock_length(caller["waited_s"]),
                caller["priority"],
                _wants(caller),
                ", ".join(caller["offered_to"]),
            )
            for caller in callers
        ],
        empty="Nobody waits",
    )


def _print_staff(staff: list[Row]) -> None:
    print_table(
        ["Agent", "Name", "State", figures("For"), "Reason", "Call", "Skills"],
        [
            (
                agent["number"],
                agent["name"],
                state_word(agent["state"]),
                clock_length(agent["seconds"]),
                agent["reason"],
                short_id(agent["call"]),
                _skills(agent["skills"]),
            )
            for agent in staff
        ],
        empty="No agent has the skills of this queue; callpbx agent add NUMBER --skill NAME:LEVEL",
    )


def _wants(caller: Row) -> str:
    agent = f"agent {caller['agent']}" if caller["agent"] else ""
    return ", ".join(filter(None, (agent, _skills(caller["skills"])))) or "anybody"


def _skills(skills: Row) -> str:
    return ", ".join(f"{name} {level}" for name, level in skills.items())


def _states(row: Row) -> str:
    return (
        NO_AGENT
        if not row["agents"]
        else ", ".join(f"{count} {state_word(state)}" for state, count in row["agents"].items())
    )


def _level(row: Row) -> str:
    level = row["service_level"]
    return NOTHING if level is None else f"{level:.1f} %"


def _remarks(row: Row) -> str:
    alarms = [alarm["sentence"].removeprefix(f"queue {row['name']}: ") for alarm in row["alarms"]]
    return "; ".join(([] if row["open"] else ["closed"]) + [f"ALARM {text}" for text in alarms])


# -- watching --------------------------------------------------------------------------------


def _print_board(board: Row) -> None:
    """Print on a terminal what `--watch` draws, once and whole."""
    from pbx.cli.screen import has_colours, painted

    cells = shutil.get_terminal_size().columns
    for line in draw_board(board, columns=cells, rows=sys.maxsize, marks=_marks()):
        click.echo(painted(line, colours=has_colours()))


def _marks() -> Marks:
    return BLOCKS if can_print(BLOCKS.bar) else ASCII


def _watch(api: ApiClient) -> None:
    """Show the board until somebody has seen enough; on no terminal, a line for each change."""
    board = api.get("/board")  # what is refused now is refused before anything is drawn
    if not sys.stdout.isatty():
        _print_changes(board, lambda: api.get("/board"))
        return
    from pbx.cli.screen import show

    marks = _marks()
    picture = Picture(board)

    def draw(columns: int, rows: int) -> list[Line]:
        return [
            *picture.remark(lambda: api.get("/board"), columns),
            *draw_board(picture.board, columns=columns, rows=rows - 1, marks=marks),
        ]

    show(draw, every=EVERY)


class Picture:
    """The newest board, and for how many pictures there has been none."""

    def __init__(self, board: Row) -> None:
        self.board = board
        self._missed = 0

    def remark(self, fetch: Callable[[], Row], columns: int) -> list[Line]:
        """Fetch a board; return what is to be said about one that is not to be had."""
        try:
            self.board = fetch()
        except Refused as error:
            self._missed += 1
            lost = plural(self._missed, "second")
            text = clip(visible(f"NOT CURRENT for about {lost}: {error}"), columns)
            return [((text, "alarm"),)]
        self._missed = 0
        return []


def _print_changes(board: Row, fetch: Callable[[], Row]) -> None:
    before: Row | None = None
    while True:
        for line in changes(before, board):
            click.echo(line)
        before = board
        time.sleep(EVERY)
        board = fetch()
