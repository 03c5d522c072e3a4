"""`callpbx why`: why a call went as it did, and why an agent got the calls that it got."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import click

from pbx.api.client import ApiClient, segment
from pbx.cli.cdr import moment, moment_of
from pbx.cli.office import connect, pass_home
from pbx.cli.output import as_json, clock_length, figures, local_time, print_json, print_table
from pbx.cli.text import columns, visible, wrap
from pbx.config import Home
from pbx.errors import NotFound

PLAIN_CELLS: Final = 100  # where stdout is no terminal
INDENT: Final = " " * 13

Row = dict[str, Any]


@click.command()
@click.argument("call", metavar="CALL|AGENT")
@click.option("--since", callback=moment_of, help="Of an agent: from when on; today.")
@click.option("--until", callback=moment_of, help="Of an agent: until when; now.")
@as_json
@pass_home
def why(home: Home, call: str, since: str | None, until: str | None, as_json: bool) -> None:
    """Tell why a call went as it did, or why an agent got the calls that it got.

    CALL is an id, or so much of it as no other call has; AGENT is the number of an agent.
    """
    with connect(home) as api:
        answer = _ask(api, call, since, until)
    if as_json:
        print_json(answer)
        return
    cells = shutil.get_terminal_size().columns if sys.stdout.isatty() else PLAIN_CELLS
    if answer["kind"] == "agent":
        _print_agent(answer, cells)
        return
    for line in wrap(visible(answer["summary"]), cells):
        click.echo(line)
    click.echo()
    for line in story(answer, cells):
        click.echo(line)


def _ask(api: ApiClient, name: str, since: str | None, until: str | None) -> Any:
    """Ask about the agent of that number, else about the call of that id.

    Only a question about an agent has a time.
    """
    timed = since is not None or until is not None
    if name.isdecimal() or timed:
        now = datetime.now().astimezone()
        period = {
            "since": since or moment("today", now).isoformat(),
            "until": until or now.isoformat(),
        }
        try:
            return api.get(f"/agents/{segment(name)}/why", period)
        except NotFound as error:
            if timed:
                raise
            nobody = error
        try:
            return api.get(f"/why/{segment(name)}")
        except NotFound:
            raise NotFound(f"{nobody}, nor is there a call {name}") from None
    return api.get(f"/why/{segment(name)}")


def story(answer: Row, cells: int) -> Iterator[str]:
    """Yield the steps of a call, one line or more each, at most about `cells` wide."""
    for step in answer["steps"]:
        first, *more = wrap(visible(step["text"]), max(20, cells - len(INDENT)))
        yield f"{step['after_s']:10.3f}   {first}"
        yield from (f"{INDENT}{line}" for line in more)
        if step["decision"] is not None:
            yield from (f"{INDENT}{line}".rstrip() for line in _decision(step["decision"]))


def _decision(decision: Row) -> Iterator[str]:
    """Yield the candidates of an offer: who was chosen, who failed which test, how many more."""
    rows = [
        [
            candidate["agent"],
            "chosen" if candidate["agent"] in decision["chosen"] else _test(candidate),
            visible(candidate.get("text", "")),
            visible(decision["outcome"].get(candidate["agent"], "")),
        ]
        for candidate in decision["candidates"]
    ]
    if rows:
        yield from columns(["Agent", "Test", "Why", "Then"], rows, frozenset()).splitlines()
    if decision["others"]:
        counts = ", ".join(
            f"{count} {test.replace('_', ' ')}" for test, count in decision["others"].items()
        )
        yield f"and {sum(decision['others'].values())} more: {counts}"


def _test(candidate: Row) -> str:
    return str(candidate.get("failed") or "later").replace("_", " ")


def _print_agent(answer: Row, cells: int) -> None:
    click.echo(f"Agent {answer['agent']}, {local_time(answer['since'])}", nl=False)
    click.echo(f" to {local_time(answer['until'])}")
    for line in wrap(visible(answer["summary"]), cells):
        click.echo(line)
    click.echo()
    print_table(
        ["State", "Reason", figures("Time")],
        [
            (each["state"].replace("_", " "), each["reason"], clock_length(each["seconds"]))
            for each in answer["spent"]
        ],
        empty="Nothing is stored of what it did",
    )
    if answer["decisions"]:
        click.echo()
        print_table(
            ["Offers", figures("Times")],
            [
                ("took", answer["took"]),
                *((reason.replace("_", " "), n) for reason, n in answer["declined"].items()),
                *(
                    (f"not chosen: {test.replace('_', ' ')}", n)
                    for test, n in answer["tests"].items()
                ),
            ],
            empty="",
        )
