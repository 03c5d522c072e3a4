"""`callpbx conference …`: the PINs of rooms, who is in them, and who shall not be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from pbx.api.client import segment
from pbx.cli.office import connect, connect_live, pass_home
from pbx.cli.output import as_json, clock_length, figures, print_json, print_table
from pbx.config import Home
from pbx.errors import ConfigError
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import check_plan

MEMBER = "MEMBER is a number, or the leg that conference list shows."


@click.group()
def conference() -> None:
    """Conference rooms: set PINs, list, lock, mute, kick, dial."""


@conference.command("set")
@click.argument("room")
@click.option("--pin", help="What members key, 4 to 10 digits.")
@click.option("--moderator-pin", help="What moderators key.")
@pass_home
def set_(home: Home, room: str, pin: str | None, moderator_pin: str | None) -> None:
    """Set the PINs of a room; its other rules stand in dialplan.yaml under conferences."""
    if pin is None and moderator_pin is None:
        raise click.UsageError("Say which PIN: --pin P, --moderator-pin P, or both")
    with connect(home) as api:
        api.put(f"/conferences/{segment(room)}/pins", {"pin": pin, "moderator_pin": moderator_pin})
    if _is_missing(home, room):
        remark = "but dialplan.yaml has no such room under conferences yet"
    else:
        remark = "dialplan.yaml says whether it asks for one"
    click.echo(f"The PINs of conference {room} are set; {remark}")


@conference.command("list")
@as_json
@pass_home
def list_(home: Home, as_json: bool) -> None:
    """List the rooms and who is in them."""
    with connect_live(home) as api:
        rooms = api.get("/conferences")
    if as_json:
        print_json(rooms)
        return
    print_table(
        ["Room", "Open for", "Member", "Name", "In for", "Is", figures("Leg")],
        [row for room in rooms for row in _rows(room)],
        empty="No conference rooms; write them under conferences in dialplan.yaml",
    )


@conference.command()
@click.argument("room")
@pass_home
def lock(home: Home, room: str) -> None:
    """Let nobody but moderators into a room."""
    with connect_live(home) as api:
        api.put(f"/conferences/{segment(room)}/lock")
    click.echo(f"Conference {room} is locked")


@conference.command()
@click.argument("room")
@pass_home
def unlock(home: Home, room: str) -> None:
    """Let everybody into a room again."""
    with connect_live(home) as api:
        api.delete(f"/conferences/{segment(room)}/lock")
    click.echo(f"Conference {room} is open to all")


@conference.command(epilog=MEMBER)
@click.argument("room")
@click.argument("member")
@pass_home
def mute(home: Home, room: str, member: str) -> None:
    """Let nobody hear a member."""
    with connect_live(home) as api:
        api.put(f"/conferences/{segment(room)}/members/{segment(member)}/mute")
    click.echo(f"Nobody hears {member} in conference {room}")


@conference.command(epilog=MEMBER)
@click.argument("room")
@click.argument("member")
@pass_home
def unmute(home: Home, room: str, member: str) -> None:
    """Let a member be heard again."""
    with connect_live(home) as api:
        api.delete(f"/conferences/{segment(room)}/members/{segment(member)}/mute")
    click.echo(f"{member} is heard again in conference {room}")


@conference.command(epilog=MEMBER)
@click.argument("room")
@click.argument("member")
@pass_home
def kick(home: Home, room: str, member: str) -> None:
    """Put a member out of a room; its call ends."""
    with connect_live(home) as api:
        api.delete(f"/conferences/{segment(room)}/members/{segment(member)}")
    click.echo(f"{member} is put out of conference {room}")


@conference.command()
@click.argument("room")
@click.argument("number")
@pass_home
def dial(home: Home, room: str, number: str) -> None:
    """Ring a phone and take it into a room once it answers, without a PIN."""
    with connect_live(home) as api:
        placed = api.post(f"/conferences/{segment(room)}/members", {"number": number})
    click.echo(f"{number} is ringing for conference {room} (call {placed['id']})")


def _is_missing(home: Home, room: str) -> bool:
    """Tell whether a dialplan that can be read has no such room."""
    try:
        plan, _ = check_plan(home.dialplan, VOCABULARY)
    except ConfigError:
        return False
    return plan is not None and room not in plan.conferences


def _rows(room: dict[str, Any]) -> list[tuple[object, ...]]:
    """Return a row for each member, the first with the room itself."""
    name = f"{room['room']} (locked)" if room["locked"] else room["room"]
    if not room["members"]:
        return [(name, None, None, None, None, "nobody is in it", None)]
    return [
        (
            name if first else None,
            _for(room["since"]) if first else None,
            member["number"],
            member["name"],
            _for(member["since"]),
            _is(member),
            member["leg"],
        )
        for first, member in ((place == 0, each) for place, each in enumerate(room["members"]))
    ]


def _is(member: dict[str, Any]) -> str:
    words = [word for word in ("moderator", "waiting", "muted", "talking") if member[word]]
    return ", ".join(words) or "listening"


def _for(since: str) -> str:
    return clock_length((datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds())
