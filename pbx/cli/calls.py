"""`callpbx calls`, `call` and `hangup`: what is going on, and doing something about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from pbx.api.client import segment
from pbx.cli.office import connect_live, pass_home
from pbx.cli.output import as_json, clock_length, figures, print_json, print_table
from pbx.config import Home


@click.command()
@as_json
@pass_home
def calls(home: Home, as_json: bool) -> None:
    """List the calls that are going on."""
    with connect_live(home) as api:
        rows = api.get("/calls")
    if as_json:
        print_json(rows)
        return
    now = datetime.now(UTC)
    print_table(
        ["Call", "From", "To", "State", figures("For"), "Codecs", "Quality"],
        [
            (
                row["id"],
                row["from"],
                row["to"],
                row["state"],
                clock_length((now - datetime.fromisoformat(row["since"])).total_seconds()),
                _codecs(row),
                _quality(row),
            )
            for row in rows
        ],
        empty="No calls",
    )


@click.command()
@click.argument("from_", metavar="FROM")
@click.argument("to")
@as_json
@pass_home
def call(home: Home, from_: str, to: str, as_json: bool) -> None:
    """Ring the phone FROM; when it is picked up, call TO for it."""
    with connect_live(home) as api:
        placed = api.post("/calls", {"from": from_, "to": to})
    if as_json:
        print_json(placed)
    else:
        click.echo(f"{from_} is ringing; picked up, it is connected to {to} (call {placed['id']})")


@click.command()
@click.argument("call")
@pass_home
def hangup(home: Home, call: str) -> None:
    """End a call."""
    with connect_live(home) as api:
        api.delete(f"/calls/{segment(call)}")
    click.echo(f"Call {call} is ended")


def _quality(row: dict[str, Any]) -> str | None:
    """Return the score of the leg that is worst off, with what it suffers from: `3.9, 5 % lost`."""
    legs = [leg for leg in row["legs"] if leg["mos"] is not None]
    if not legs:
        return None
    worst = min(legs, key=lambda leg: leg["mos"])
    score, lost = f"MOS {worst['mos']:.1f}", worst["loss_percent"]
    return f"{score}, {lost:.1f} % lost" if lost else score


def _codecs(row: dict[str, Any]) -> str:
    return ", ".join(dict.fromkeys(leg["codec"] for leg in row["legs"] if leg["codec"]))
