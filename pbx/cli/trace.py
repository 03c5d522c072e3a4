"""`callpbx trace CALL`: the ladder of a call."""

from __future__ import annotations

import shutil
import sys

import click

from pbx.api.client import segment
from pbx.cli.ladder import ASCII, LINES, draw_ladder
from pbx.cli.office import connect_live, pass_home
from pbx.cli.output import as_json, can_print, print_json
from pbx.config import Home

PLAIN_CELLS = 120  # where stdout is no terminal


@click.command()
@click.argument("call")
@click.option("--full", is_flag=True, help="Print the text of each message too.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with | - > only.")
@as_json
@pass_home
def trace(home: Home, call: str, full: bool, ascii_only: bool, as_json: bool) -> None:
    """Draw what happened in a call, going on or over: both sides, audio, events."""
    with connect_live(home) as api:
        rows = api.get(f"/calls/{segment(call)}/trace")
    if as_json:
        print_json(rows)
        return
    cells = shutil.get_terminal_size().columns if sys.stdout.isatty() else PLAIN_CELLS
    marks = ASCII if ascii_only or not can_print(LINES.right) else LINES
    for line in draw_ladder(rows, cells=cells, marks=marks, details=full):
        click.echo(line)
