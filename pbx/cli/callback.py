"""`callpbx callback`: who waits to be called back; cancel, or try now."""

from __future__ import annotations

import click

from pbx.api.client import segment
from pbx.cli.office import connect_live, pass_home
from pbx.cli.output import (
    as_json,
    clock_length,
    figures,
    list_time,
    print_json,
    print_table,
    short_id,
)
from pbx.config import Home


@click.group()
def callback() -> None:
    """Call-backs: list, cancel, try now."""


@callback.command("list")
@as_json
@pass_home
def list_(home: Home, as_json: bool) -> None:
    """List who waits to be called back, the longest wait first."""
    with connect_live(home) as api:
        rows = api.get("/callbacks")
    if as_json:
        print_json(rows)
        return
    print_table(
        ["Id", "Queue", "Number", figures("Waits"), "Does", figures("Tries"), "Next try"],
        [
            (
                short_id(row["id"]),
                row["queue"],
                row["number"],
                clock_length(row["waited_s"]),
                row["doing"],
                f"{row['tries']} of {row['most_tries']}",
                list_time(row["next_at"]) if row["doing"] == "resting" else None,
            )
            for row in rows
        ],
        empty="Nobody waits to be called back",
    )


@callback.command()
@click.argument("name", metavar="ID")
@pass_home
def cancel(home: Home, name: str) -> None:
    """Call somebody back no more.

    ID is the call-back's, its beginning, or the number.
    """
    with connect_live(home) as api:
        api.delete(f"/callbacks/{segment(name)}")
    click.echo(f"Call-back {name} is cancelled")


@callback.command()
@click.argument("name", metavar="ID")
@pass_home
def now(home: Home, name: str) -> None:
    """Let a call-back wait in its line now, whatever its next try and its hours.

    It is put before nobody; callpbx queues raise does that. ID as in cancel.
    """
    with connect_live(home) as api:
        found = api.post(f"/callbacks/{segment(name)}/now")
    click.echo(f"Call-back {found['id']} to {found['number']} waits in queue {found['queue']} now")
