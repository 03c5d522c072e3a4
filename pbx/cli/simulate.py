"""`callpbx simulate`: what happens to a call, step by step, without making it.

With `--queue NAME` and no `--to` it is a day of that queue (simulate_queue.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from pbx.cli.check import find_plan
from pbx.cli.output import as_json, print_json
from pbx.cli.simulate_queue import Day, day_options, simulate_day
from pbx.cli.text import pad, visible, width
from pbx.config import Home, did_you_mean
from pbx.errors import Refused
from pbx.ivr.rehearsal import (
    PHONE_STATES,
    QUEUE_STATES,
    SILENCE,
    SWITCHES,
    Circumstances,
    Line,
    Mock,
)
from pbx.ivr.simulate import Rehearsal, local_moment, rehearse
from pbx.plan.model import Plan

KEYS = re.compile(r"[0-9*#A-D]+")

KIND_CELLS = 10
"""How wide the kinds of steps are at least."""

STORY_CELLS = 60
"""How wide the story may be before the places of the file."""

FEW = 5
"""Agents in a day of a queue, when nobody says how many."""

EXAMPLE = 'callpbx simulate --to 4008001234 --at "2026-10-01 09:30" --press "1 202600123#"'


@click.command(epilog=f"Example: {EXAMPLE}")
@click.option("--to", help="The number that is called.")
@click.option("--from", "from_", default="", help="The caller's number.")
@click.option("--at", help='When, in the plan\'s time zone: "2026-10-01 09:30"; else now.')
@click.option(
    "--press",
    default="",
    help='Keys, a group for each question: "1 202600123#"; a group "-" is silence.',
)
@click.option(
    "--mock",
    "mocks",
    multiple=True,
    metavar="NAME.KEY=VALUE",
    help="What a lookup finds; NAME=nothing or NAME=error too. May be given several times.",
)
@click.option(
    "--trunk",
    expose_value=False,
    help="The line that the call comes by. A dialplan treats all lines alike.",
)
@click.option(
    "--phone",
    "phones",
    multiple=True,
    metavar="NUMBER=STATE",
    help=f"What a phone does: {', '.join(PHONE_STATES)}.",
)
@click.option(
    "--queue",
    "queues",
    multiple=True,
    metavar="NAME[=STATE]",
    help=f"What becomes of the caller in a queue: {', '.join(QUEUE_STATES)}. A name alone, without"
    " --to: a day of that queue.",
)
@click.option(
    "--agents",
    type=click.IntRange(0, 10_000),
    help="How many agents are on duty in queues that --queue says nothing of; else none. In a day"
    " of a queue: how many work there; else 5.",
)
@click.option(
    "--ahead",
    type=click.IntRange(0, 10_000),
    default=0,
    help="How many callers wait in a queue before this one.",
)
@click.option(
    "--wait",
    type=click.FloatRange(0, 86_400),
    default=0.0,
    metavar="SECONDS",
    help="How long the caller waits until an agent is free; the queue's menu is offered meanwhile.",
)
@click.option(
    "--switched",
    multiple=True,
    metavar="HOURS=STATE",
    help=f"What a day/night key says: {', '.join(SWITCHES)}.",
)
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Another dialplan than the office's.",
)
@day_options
@as_json
@click.pass_context
def simulate(
    ctx: click.Context,
    /,
    to: str | None,
    from_: str,
    at: str | None,
    press: str,
    mocks: tuple[str, ...],
    phones: tuple[str, ...],
    queues: tuple[str, ...],
    agents: int | None,
    ahead: int,
    wait: float,
    switched: tuple[str, ...],
    file: Path | None,
    as_json: bool,
    **made_up: Any,
) -> None:
    """Rehearse a call: every step, its line in the file, and why it went that way.

    Or a day of a queue: --queue NAME --calls-per-hour 120 --agents 8. Nothing is called, asked or
    sent.
    """
    home: Home = ctx.obj
    plan = find_plan(home, file)
    if to is None:
        if len(queues) != 1 or "=" in queues[0]:
            raise click.UsageError("Missing option '--to', or the one '--queue NAME' of a day.")
        day = Day(agents=FEW if agents is None else agents, **made_up)
        simulate_day(plan, queues[0], day, as_json=as_json)
        return
    circumstances = Circumstances(
        to=to,
        from_=from_,
        at=_moment(plan, at),
        press=_groups(press),
        mocks=_mocks(mocks),
        phones=_states(phones, "--phone", PHONE_STATES),
        queues=_states(queues, "--queue", QUEUE_STATES, plan.queues),
        agents=agents,
        ahead=ahead,
        wait_s=wait,
        switched=_states(switched, "--switched", SWITCHES, plan.hours),
    )
    for name in circumstances.mocks:
        if name not in plan.lookups:
            near = did_you_mean(name, plan.lookups)
            there = near or f"it has {', '.join(plan.lookups) or 'none'}"
            raise click.UsageError(f'--mock: the dialplan has no lookup "{name}" — {there}')
    if plan.inbound(to) is None:
        raise Refused(
            f'"{to}" is not under numbers, and there is no anything_else: a caller would get 404'
        )
    rehearsal = rehearse(plan, circumstances)
    if as_json:
        print_json(_as_object(rehearsal))
        return
    for line in _story(rehearsal.lines):
        click.echo(line)
    outcome = rehearsal.outcome
    click.echo(f"ended: {outcome.result} ({outcome.reason})")


def _moment(plan: Plan, at: str | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    try:
        return local_moment(plan, at)
    except ValueError as error:
        raise click.UsageError(f"--at: {error}") from None


def _mocks(options: Sequence[str]) -> dict[str, Mock]:
    found: dict[str, Any] = {}
    for option in options:
        left, equals, value = option.partition("=")
        name, dot, key = left.partition(".")
        if not equals or not name:
            raise click.UsageError(f'--mock: "{option}" is no NAME.KEY=VALUE')
        if dot:
            fields = found.setdefault(name, {})
            if not isinstance(fields, dict):
                raise click.UsageError(f'--mock: "{name}" cannot find nothing and {key}')
            fields[key] = value
        elif value in ("nothing", "error"):
            found[name] = None if value == "nothing" else "error"
        else:
            raise click.UsageError(f'--mock: "{option}" is no NAME.KEY=VALUE, nor NAME=nothing')
    return found


def _groups(press: str) -> tuple[str, ...]:
    groups = tuple(press.split())
    for group in groups:
        if group != SILENCE and not KEYS.fullmatch(group):
            raise click.UsageError(f'--press: "{group}" are no keys; write 0-9, *, # or A-D')
    return groups


def _states(
    options: Sequence[str], what: str, known: Sequence[str], names: Collection[str] | None = None
) -> dict[str, Any]:
    """Return what is said of each; `names` are those that there are, None for any."""
    found = {}
    for option in options:
        name, _, state = option.partition("=")
        if not name or state not in known:
            states = ", ".join(known)
            raise click.UsageError(f'{what}: "{option}" is no NAME=STATE; states are {states}')
        if names is not None and name not in names:
            near = did_you_mean(name, names) or f"it has {', '.join(names) or 'none'}"
            raise click.UsageError(f'{what}: the dialplan has no "{name}" — {near}')
        found[name] = state
    return found


def _story(lines: Sequence[Line]) -> list[str]:
    """Return the lines as people read them: time, what, and the place in the file."""
    told, file = [], ""
    kinds = max((KIND_CELLS, *(len(line.step.kind) for line in lines)))
    for line in lines:
        step = line.step
        place = (
            f"{visible(step.file) if step.file != file else ''}:{step.line}" if step.line else ""
        )
        file = step.file if step.line else file
        named = step.text.startswith(f"{step.name} = ")  # a variable says its name itself
        story = visible(step.text if named else f"{step.name} {step.text}".strip())
        clock = f"{line.at:%H:%M:%S}.{line.at.microsecond // 100_000}"
        cells = max(STORY_CELLS, width(story) + 1)
        told.append(f"{clock} {pad(step.kind, kinds)} {pad(story, cells)} {place}".rstrip())
    return told


def _as_object(rehearsal: Rehearsal) -> dict[str, Any]:
    outcome = rehearsal.outcome
    return {
        "steps": [
            {
                "at": line.at.isoformat(timespec="milliseconds"),
                "kind": line.step.kind,
                "name": line.step.name,
                "text": line.step.text,
                "file": line.step.file,
                "line": line.step.line,
            }
            for line in rehearsal.lines
        ],
        "places": rehearsal.places,
        "outcome": {
            "kind": outcome.kind.value,
            "result": outcome.result,
            "reason": outcome.reason,
        },
    }
