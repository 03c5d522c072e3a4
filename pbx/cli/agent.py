"""`callpbx agent …`: who takes calls of queues, with what skills, and what they do now."""

from __future__ import annotations

import re
from typing import Any

import click

from pbx.api.client import segment
from pbx.cli.extension import seconds_of
from pbx.cli.office import connect, connect_live, pass_home
from pbx.cli.output import as_json, figures, print_json, print_table, span
from pbx.config import Home

UNKNOWN = "unknown (callpbx is not running)"
"""What agents do, where no server says."""


def added(_ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    """Return skills written as `NAME:LEVEL`, or `NAME` for level 1."""
    return dict(_skill(value, lowest=1) for value in values)


def changed(
    _ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> dict[str, int]:
    """Return skills as `added` does; level 0 takes one away."""
    return dict(_skill(value, lowest=0) for value in values)


def _skill(text: str, *, lowest: int) -> tuple[str, int]:
    found = re.fullmatch(r"([^\s:,]{1,40})(?::([0-9]{1,2}))?", text)
    level = -1 if found is None else int(found[2] or 1)
    if found is None or not lowest <= level <= 10:
        also = ", and 0 takes it away" if lowest == 0 else ""
        raise click.BadParameter(f'"{text}" is no skill such as en:5; levels are 1 to 10{also}')
    return found[1], level


name_option = click.option("--name", help="The name that others see; the extension's if left out.")
capacity_option = click.option("--capacity", type=int, help="How many calls it takes at once.")
weight_option = click.option("--weight", type=int, help="Its share with the strategy weighted.")


@click.group()
def agent() -> None:
    """Agents: who takes the calls of queues."""


@agent.command()
@click.argument("number")
@click.option(
    *("--skill", "skills"),
    multiple=True,
    metavar="NAME:LEVEL",
    callback=added,
    help="A skill and its level, 1 to 10; may be given again.",
)
@name_option
@capacity_option
@weight_option
@pass_home
def add(
    home: Home,
    number: str,
    skills: dict[str, int],
    name: str | None,
    capacity: int | None,
    weight: int | None,
) -> None:
    """Make whoever sits at an extension an agent."""
    body = _given(skills=skills, name=name, capacity=capacity, weight=weight)
    with connect(home) as api:
        row = api.post("/agents", {"number": number, **body})
    click.echo(
        f"{_titled(row)} is added, with {_skills(row) or 'no skills'}{_serving(row)}; "
        f"it takes calls once logged in: callpbx agent login {number}"
    )


@agent.command("set")
@click.argument("number")
@click.option(
    *("--skill", "skills"),
    multiple=True,
    metavar="NAME:LEVEL",
    callback=changed,
    help="Adds a skill or changes its level; level 0 takes it away.",
)
@name_option
@capacity_option
@weight_option
@pass_home
def set_(
    home: Home,
    number: str,
    skills: dict[str, int],
    name: str | None,
    capacity: int | None,
    weight: int | None,
) -> None:
    """Change an agent; callers who wait feel new skills at once."""
    change = _given(skills=skills or None, name=name, capacity=capacity, weight=weight)
    if not change:
        raise click.UsageError("say what to change, such as --skill en:5")
    with connect(home) as api:
        row = api.patch(f"/agents/{segment(number)}", change)
    more = f", takes {row['capacity']} calls at once" if row["capacity"] > 1 else ""
    more += f", has weight {row['weight']}" if row["weight"] > 1 else ""
    click.echo(f"{_titled(row)} has {_skills(row) or 'no skills'}{more}{_serving(row)}")


@agent.command()
@click.argument("number")
@pass_home
def remove(home: Home, number: str) -> None:
    """Forget an agent; its extension stays, and a call that is up goes on."""
    with connect(home) as api:
        api.delete(f"/agents/{segment(number)}")
    click.echo(f"Agent {number} is removed; extension {number} stays")


@agent.command("list")
@as_json
@pass_home
def list_(home: Home, as_json: bool) -> None:
    """List all agents and what they do now."""
    with connect(home) as api:
        rows = api.get("/agents")
    if as_json:
        print_json(rows)
        return
    print_table(
        ["Number", "Name", "State", figures("For"), "Reason", "Queues", "Skills"],
        [
            (
                row["number"],
                row["name"],
                _state(row),
                None if row["seconds"] is None else span(row["seconds"]),
                _reason(row),
                _queues(row),
                _skills(row),
            )
            for row in rows
        ],
        empty="No agents yet; add one with callpbx agent add 101 --skill service:5",
    )


@agent.command()
@click.argument("number")
@pass_home
def login(home: Home, number: str) -> None:
    """Let an agent take calls."""
    _ask(home, number, "login")


@agent.command()
@click.argument("number")
@pass_home
def logout(home: Home, number: str) -> None:
    """Let an agent take no calls any more."""
    _ask(home, number, "logout")


@agent.command()
@click.argument("number")
@click.option("--reason", required=True, help="Why, in up to 40 characters.")
@click.option("--for", "for_s", callback=seconds_of, help="For how long, such as 15m.")
@pass_home
def pause(home: Home, number: str, reason: str, for_s: float | None) -> None:
    """Let an agent take a break, after the call that is up."""
    _ask(home, number, "pause", {"reason": reason, "for_s": for_s})


@agent.command()
@click.argument("number")
@pass_home
def recover(home: Home, number: str) -> None:
    """Let an agent take a short break after a hard call."""
    _ask(home, number, "recover")


@agent.command()
@click.argument("number")
@pass_home
def resume(home: Home, number: str) -> None:
    """End an agent's break, or its work after a call."""
    _ask(home, number, "resume")


@agent.command()
@click.argument("number")
@click.argument("seconds", type=click.IntRange(min=1))
@pass_home
def extend(home: Home, number: str, seconds: int) -> None:
    """Give an agent more time for the work after a call."""
    _ask(home, number, "wrap-up", {"seconds": seconds})


def _ask(home: Home, number: str, path: str, body: dict[str, Any] | None = None) -> None:
    with connect_live(home) as api:
        answer = api.post(f"/agents/{segment(number)}/{path}", body)
    click.echo(answer["sentence"])


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _titled(row: dict[str, Any]) -> str:
    return f"Agent {row['number']}" + (f" ({row['name']})" if row["name"] else "")


def _skills(row: dict[str, Any]) -> str:
    return ", ".join(f"{skill} {level}" for skill, level in row["skills"].items())


def _queues(row: dict[str, Any]) -> str:
    """Return the queues that an agent serves, those last whose callers have to wait for it."""
    later = (f"{name} later" for name in row["queues_later"] or ())
    return ", ".join((*(row["queues"] or ()), *later))


def _serving(row: dict[str, Any]) -> str:
    """Return which queues an agent serves, where a server knows: a skill is easily misspelt."""
    if row["queues"] is None:
        return ""
    return f", serves {_queues(row) or 'no queue: none asks for that'}"


def _state(row: dict[str, Any]) -> str:
    if row["state"] is None:
        return UNKNOWN
    state: str = row["state"].replace("_", " ")
    if row["state"] in ("talking", "hold", "ringing"):
        if not row["logged_in"]:
            return f"{state}, then logged out"
        if row["pause"]:
            return f"{state}, then paused"
    if row["state"] == "unreachable" and row["pause"]:
        return f"{state}, paused"
    return state


def _reason(row: dict[str, Any]) -> str | None:
    reason = ", ".join(dict.fromkeys(filter(None, (row["reason"], row["pause"]))))
    if row["ends_in_s"] is None:
        return reason or None
    left = f"{span(row['ends_in_s'])} left"
    return f"{reason}, {left}" if reason else left
