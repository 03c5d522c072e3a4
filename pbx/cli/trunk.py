"""`callpbx trunk …`: lines to carriers."""

from __future__ import annotations

from typing import Any

import click

from pbx.api.client import segment
from pbx.cli.extension import SRTP
from pbx.cli.office import connect, pass_home
from pbx.cli.output import as_json, figures, print_json, print_table
from pbx.config import Home


@click.group()
def trunk() -> None:
    """Lines to carriers: add, list, remove."""


@trunk.command()
@click.argument("name")
@click.option("--server", required=True, help="The carrier's SIP server: sip:HOST:PORT.")
@click.option("--username", help="The user that the carrier gave you.")
@click.option("--password", help="The password that the carrier gave you.")
@click.option("--register", is_flag=True, help="Register with the carrier.")
@click.option("--match", multiple=True, metavar="ADDRESS[:PORT]", help="Where its calls come from.")
@click.option("--number", "numbers", multiple=True, help="A number of yours; the first is shown.")
@click.option("--max", "max_calls", type=int, help="How many calls it carries at once.")
@click.option("--per-minute", type=int, help="How many calls go out by it within a minute.")
@click.option("--srtp", type=SRTP, default="optional", help="Whether its speech is encrypted.")
@as_json
@pass_home
def add(
    home: Home,
    name: str,
    server: str,
    username: str | None,
    password: str | None,
    register: bool,
    match: tuple[str, ...],
    numbers: tuple[str, ...],
    max_calls: int | None,
    per_minute: int | None,
    srtp: str,
    as_json: bool,
) -> None:
    """Add a line that registers, or that is recognised by the addresses its calls come from."""
    body = {
        "name": name,
        "server": server,
        "username": username,
        "password": password,
        "register": register,
        "match": match,
        "numbers": numbers,
        "max_calls": max_calls,
        "per_minute": per_minute,
        "srtp": srtp,
    }
    with connect(home) as api:
        created = api.post("/trunks", body)
    if as_json:
        print_json(created)
        return
    registers = f", and it registers as {username}" if register else ""
    click.echo(f"Trunk {name} is added: calls from {_sources(created)} are its calls{registers}")
    click.echo("Say in dialplan.yaml, under numbers, where its numbers lead, and under outbound")
    click.echo("what goes out by it; callpbx trunk list shows how it is")


@trunk.command("list")
@as_json
@pass_home
def list_(home: Home, as_json: bool) -> None:
    """List all lines, and how they are."""
    with connect(home) as api:
        rows = api.get("/trunks")
    if as_json:
        print_json(rows)
        return
    print_table(
        ["Name", "Server", "State", figures("Calls"), figures("At most"), "Numbers", "Last error"],
        [
            (
                row["name"],
                row["server"],
                _state(row),
                _of(row, "calls"),
                row["max_calls"],
                ", ".join(row["numbers"]),
                _of(row, "error"),
            )
            for row in rows
        ],
        empty="No trunks yet; add one with callpbx trunk add NAME --server sip:HOST",
    )


@trunk.command()
@click.argument("name")
@pass_home
def remove(home: Home, name: str) -> None:
    """Forget a line."""
    with connect(home) as api:
        api.delete(f"/trunks/{segment(name)}")
    click.echo(f"Trunk {name} is removed")


def _sources(row: dict[str, Any]) -> str:
    """Return where a line's calls come from: its server, unless it names others."""
    return ", ".join(row["match"]) or row["server"]


def _state(row: dict[str, Any]) -> str | None:
    """Return how a line is, in a word or two; None where no server runs."""
    state = row["state"]
    if state is None:
        return None
    if state["registered"] is False:
        return "not registered"
    if not state["reachable"]:
        return "unreachable"
    return "reachable" if state["registered"] is None else "registered"


def _of(row: dict[str, Any], name: str) -> Any:
    return None if row["state"] is None else row["state"][name]
