"""`callpbx calls`, `call`, `hangup`, supervision: what is going on, and doing something to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from pbx.api.client import segment
from pbx.cli.office import connect_live, pass_home
from pbx.cli.output import as_json, clock_length, figures, print_json, print_table, short_id
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
                short_id(row["id"]),
                row["from"],
                row["to"],
                _state(row),
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
    click.echo(f"{_named(call).capitalize()} is ended")


def _supervise(home: Home, mode: str, supervisor: str, call: str) -> None:
    with connect_live(home) as api:
        body = {"supervisor": supervisor, "mode": mode}
        api.post(f"/calls/{segment(call)}/supervisors", body)
    click.echo(f"{supervisor} is rung to {mode}; keys 1 listen, 2 whisper, 3 barge")


@click.command()
@click.argument("supervisor")
@click.argument("call")
@pass_home
def listen(home: Home, supervisor: str, call: str) -> None:
    """Let the phone SUPERVISOR hear a call; nobody hears it.

    CALL is an id from `callpbx calls`, its beginning, or the number of a party.
    """
    _supervise(home, "listen", supervisor, call)


@click.command()
@click.argument("supervisor")
@click.argument("call")
@pass_home
def whisper(home: Home, supervisor: str, call: str) -> None:
    """Let the phone SUPERVISOR hear a call and speak to the agent alone."""
    _supervise(home, "whisper", supervisor, call)


@click.command()
@click.argument("supervisor")
@click.argument("call")
@pass_home
def barge(home: Home, supervisor: str, call: str) -> None:
    """Let the phone SUPERVISOR hear a call and speak to all."""
    _supervise(home, "barge", supervisor, call)


@click.command()
@click.argument("call")
@click.argument("to")
@pass_home
def transfer(home: Home, call: str, to: str) -> None:
    """Hand the customer of a call on to TO; its agent is let go at once.

    CALL is an id from `callpbx calls`, its beginning, or the number of a party. TO is what the
    agent could dial, or a place of the dialplan: queue:NAME, menu:NAME, flow:NAME, voicemail:NAME.
    """
    with connect_live(home) as api:
        api.post(f"/calls/{segment(call)}/transfer", {"to": to})
    click.echo(f"{_named(call).capitalize()} goes to {to}")


RELEASED = {
    "all": "{Call} is ended",
    "agent": "The agent of {call} is released; the other waits in the queue again, or hears music",
    "takeover": "The supervisor has taken {call} over",
}


@click.command()
@click.argument("call")
@click.option(
    "--mode",
    type=click.Choice(tuple(RELEASED)),
    default="all",
    show_default=True,
    help="Whom to release.",
)
@click.option("--by", metavar="SUPERVISOR", help="Who takes over, where several are on the call.")
@pass_home
def release(home: Home, call: str, mode: str, by: str | None) -> None:
    """End a call by force, release its agent alone, or take it over."""
    with connect_live(home) as api:
        api.post(f"/calls/{segment(call)}/release", {"mode": mode, "supervisor": by})
    named = _named(call)
    click.echo(RELEASED[mode].format(call=named, Call=named.capitalize()))


def _named(call: str) -> str:
    """Return what was asked for in words: the call of that id, or of the party of that number."""
    return f"the call of {call}" if call.isdecimal() else f"call {call}"


def _state(row: dict[str, Any]) -> str:
    """Return a call's state, of one that waits the queue, of one from a queue the agent."""
    if row["queue"] is None:
        return str(row["state"])
    return f"{row['state']}, {row['agent']}" if row["agent"] else f"waits in {row['queue']}"


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
