"""`callpbx status`, `registrations` and `unban`: how the office is."""

from __future__ import annotations

from typing import Any

import click

from pbx.api.client import segment
from pbx.cli.office import connect_live, pass_home
from pbx.cli.output import (
    NOTHING,
    as_json,
    byte_size,
    figures,
    local_time,
    print_json,
    print_table,
    span,
)
from pbx.cli.text import plural, visible
from pbx.config import Home

Row = dict[str, Any]


@click.command()
@as_json
@pass_home
def status(home: Home, as_json: bool) -> None:
    """Show how the office is: phones, calls, media, database, bans, alarms."""
    with connect_live(home) as api:
        report = api.get("/status")
    if as_json:
        print_json(report)
        return
    for label, text in _lines(report):
        click.echo(f"{label:<10}{text}")
    server = report["server"]
    if server["bans"]:
        click.echo()
        _print_bans(server["bans"])
    if server["alarms"]:
        click.echo()
        _print_alarms(server["alarms"])


@click.command()
@as_json
@pass_home
def registrations(home: Home, as_json: bool) -> None:
    """List the phones that are registered."""
    with connect_live(home) as api:
        rows = api.get("/registrations")
    if as_json:
        print_json(rows)
        return
    print_table(
        ["Number", "Contact", "By", "Phone", figures("Expires"), figures("Round trip"), "Answers"],
        [
            (
                row["number"],
                row["contact"],
                row["transport"],
                row["user_agent"],
                span(row["expires_in_s"]),
                None if row["round_trip_ms"] is None else f"{row['round_trip_ms']:.0f} ms",
                row["reachable"],
            )
            for row in rows
        ],
        empty="No phone is registered; callpbx extension list shows who could be",
    )


@click.command()
@click.argument("address")
@pass_home
def unban(home: Home, address: str) -> None:
    """Let a banned address (or user) in again."""
    with connect_live(home) as api:
        api.delete(f"/bans/{segment(address)}")
    click.echo(f"{address} may try again")


def _lines(report: Row) -> list[tuple[str, str]]:
    """Return the summary, one subject a line."""
    server = report["server"]
    return [
        ("callpbx", f"{server['version']}, process {server['pid']}, up {span(server['uptime_s'])}"),
        ("Listens", ", ".join([*server["listen"], *server["api"]])),
        ("Phones", _phones(report)),
        ("Calls", f"{plural(server['calls'], 'call')}, {plural(server['legs'], 'leg')}"),
        ("Media", _media(server["media"])),
        ("Database", _database(server["database"])),
        ("Bans", str(len(server["bans"])) if server["bans"] else "none"),
        ("Alarms", str(len(server["alarms"])) if server["alarms"] else "none"),
    ]


def _phones(report: Row) -> str:
    registered, missing = report["registered"], report["unregistered"]
    text = f"{len(registered)} registered"
    if registered:
        text += f" ({', '.join(registered)})"
    text += f", {len(missing)} not"
    return text + (f" ({', '.join(missing)})" if missing else "")


def _media(workers: list[Row]) -> str:
    if not workers:
        return "no media worker is running"
    return "; ".join(
        f"worker {worker['worker']}: {plural(worker['legs'], 'leg')}, {_load(worker)}"
        f", {_known(worker['ports_free'])} ports free, {worker['late_ticks']} late ticks"
        for worker in workers
    )


def _load(worker: Row) -> str:
    percent = worker["load_percent"]
    return "load not known" if percent is None else f"{percent:.0f} % of a core"


def _database(health: Row) -> str:
    size = "" if health["size_bytes"] is None else f", {byte_size(health['size_bytes'])}"
    waiting = f", {plural(health['pending'], 'record')} waiting" if health["pending"] else ""
    if health["ok"]:
        return f"ok{size}{waiting}"
    return f"cannot be written: {visible(health['error'] or 'see the log')}{size}{waiting}"


def _print_bans(bans: list[Row]) -> None:
    print_table(
        ["Banned", figures("Failures"), "Until"],
        [(ban["address"], ban["failures"], local_time(ban["until"])) for ban in bans],
        empty="",
    )
    click.echo("Lift one with callpbx unban ADDRESS")


def _print_alarms(alarms: list[Row]) -> None:
    print_table(
        ["Alarm at", figures("Times"), "What"],
        [(local_time(alarm["at"]), alarm["count"], alarm["sentence"]) for alarm in alarms],
        empty="",
    )


def _known(value: object) -> str:
    return NOTHING if value is None else str(value)
