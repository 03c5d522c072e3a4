"""`callpbx token …`: what programs need to use the API over TCP."""

from __future__ import annotations

import click

from pbx.api.client import segment
from pbx.cli.office import connect, pass_home
from pbx.cli.output import as_json, local_time, print_json, print_table
from pbx.config import Home


@click.group()
def token() -> None:
    """API tokens: add, list, remove."""


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    required=True,
    type=click.Choice(["read", "control", "admin"]),
    help="read: look; control: also make and end calls; admin: also change the directory.",
)
@as_json
@pass_home
def add(home: Home, name: str, scope: str, as_json: bool) -> None:
    """Make a token and show it, this once."""
    with connect(home) as api:
        created = api.post("/tokens", {"name": name, "scope": scope})
    if as_json:
        print_json(created)
        return
    click.echo(created["token"])
    click.echo("This is shown only now. Send it as  Authorization: Bearer TOKEN", err=True)


@token.command("list")
@as_json
@pass_home
def list_(home: Home, as_json: bool) -> None:
    """List all tokens, without their secrets."""
    with connect(home) as api:
        rows = api.get("/tokens")
    if as_json:
        print_json(rows)
        return
    print_table(
        ["Name", "Scope", "Last used"],
        [(row["name"], row["scope"], local_time(row["last_used"])) for row in rows],
        empty="No tokens yet; make one with callpbx token add NAME --scope read",
    )


@token.command()
@click.argument("name")
@pass_home
def remove(home: Home, name: str) -> None:
    """Make a token worthless at once."""
    with connect(home) as api:
        api.delete(f"/tokens/{segment(name)}")
    click.echo(f"Token {name} is removed")
