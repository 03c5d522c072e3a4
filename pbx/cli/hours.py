"""`callpbx hours`: a month of opening hours as a calendar, and where its callers are led."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import click

from pbx.cli.check import find_plan
from pbx.cli.output import as_json, print_json
from pbx.cli.text import GAP, pad, visible, width
from pbx.config import Home, did_you_mean
from pbx.errors import NotFound
from pbx.plan.hours import Schedule, State
from pbx.plan.model import Plan
from pbx.plan.opening import Slot, clock_text, slots, zone_of
from pbx.plan.uses import Use, uses_of

COLOURS: dict[State, str] = {"open": "green", "closed": "bright_black", "holiday": "yellow"}
STATES: tuple[State, ...] = ("open", "closed", "holiday")

Day = tuple[date, Sequence[Slot]]


def _month(_: click.Context, __: click.Parameter, value: str | None) -> date | None:
    """Return the first day of a month such as 2026-10."""
    try:
        first = None if value is None else date.fromisoformat(f"{value}-01")
        if first is not None and not 1970 <= first.year <= 2999:
            raise ValueError(value)
        return first
    except ValueError:
        raise click.BadParameter(f'"{value}" is no month; write 2026-10') from None


@click.command()
@click.argument("name")
@click.argument("month", required=False, callback=_month)
@as_json
@click.pass_obj
def hours(home: Home, name: str, month: date | None, as_json: bool) -> None:
    """Show when it is open: a calendar of a month, and where callers are led."""
    plan = find_plan(home)
    schedule = _find(plan, name)
    today = datetime.now(zone_of(schedule)).date()
    first = month or today.replace(day=1)
    days = [
        (day, slots(schedule, day))
        for day in (
            first.replace(day=number)
            for number in range(1, monthrange(first.year, first.month)[1] + 1)
        )
    ]
    uses = uses_of(plan, name)
    if as_json:
        print_json(_document(schedule, first, uses, days))
        return
    click.echo(f"{visible(name)}, {first:%B %Y}, times of {schedule.timezone}")
    _print_uses(name, uses)
    click.echo()
    _print_days(days, today, uses[0] if len(uses) == 1 else None)


def _find(plan: Plan, name: str) -> Schedule:
    schedule = plan.hours.get(name)
    if schedule is None:
        near = did_you_mean(name, plan.hours)
        there = f"it has {', '.join(plan.hours)}" if plan.hours else "write them under hours"
        raise NotFound(f'dialplan.yaml has no hours "{name}" — {near or there}')
    return schedule


def _print_uses(name: str, uses: Sequence[Use]) -> None:
    if not uses:
        click.echo(f'Nothing asks for them yet; write "- hours: {visible(name)}" in a flow')
    places = [f"{visible(use.place)} ({use.mark})" for use in uses]
    cells = max(map(width, places), default=0)
    for use, place in zip(uses, places, strict=True):
        leads = (f"{click.style(state, COLOURS[state])} → {use.lead(state)}" for state in STATES)
        click.echo(f"{pad(place, cells)}{GAP}{' · '.join(leads)}")


def _print_days(days: Sequence[Day], today: date, use: Use | None) -> None:
    """Print a line a day; with one `use` of the hours, each says where callers are led."""
    plain = [" ".join(text for _, text in _parts(found)) for _, found in days]
    cells = max(map(len, plain))
    for (day, found), text in zip(days, plain, strict=True):
        shown = " ".join(click.style(text, COLOURS[state]) for state, text in _parts(found))
        head = click.style(f"{day:%a %Y-%m-%d}", bold=day == today)
        note = _note(found) or ("today" if day == today else "")
        if use is not None:
            note = f"{_leads(found, use)}{GAP}{note}"
        click.echo(f"{head}{GAP}{shown}{' ' * (cells - len(text))}{GAP}{note}".rstrip())


def _parts(found: Sequence[Slot]) -> list[tuple[State, str]]:
    """Return what a day shows: its open times; a day without any, what it is instead."""
    parts: list[tuple[State, str]] = [
        ("open", f"{clock_text(slot.begin)}-{clock_text(slot.end)}")
        for slot in found
        if slot.state == "open"
    ]
    if any(slot.state == "holiday" for slot in found):
        parts.append(("holiday", "holiday"))
    return parts or [("closed", "closed")]


def _leads(found: Sequence[Slot], use: Use) -> str:
    """Return where callers of a day are led: while it is open, and else."""
    states = [state for state in STATES if any(slot.state == state for slot in found)]
    return f"→ {', else '.join(dict.fromkeys(use.lead(state) for state in states))}"


def _note(found: Sequence[Slot]) -> str:
    """Return what is special about a day: its holiday, or that it was made up for."""
    for slot in found:
        if slot.state == "holiday":
            return slot.reason.removeprefix("holiday ")
        if slot.state == "open" and slot.reason.startswith("make-up"):
            return "make-up day"
    return ""


def _document(
    schedule: Schedule,
    first: date,
    uses: Sequence[Use],
    days: Sequence[Day],
) -> dict[str, Any]:
    return {
        "name": schedule.name,
        "timezone": schedule.timezone,
        "month": f"{first:%Y-%m}",
        "override_key": schedule.override_key,
        "uses": [
            {
                "place": use.place,
                "file": use.mark.file,
                "line": use.mark.line,
                **{state: use.lead(state) for state in STATES},
            }
            for use in uses
        ],
        "days": [
            {
                "date": day.isoformat(),
                "slots": [
                    {
                        "from": clock_text(slot.begin),
                        "to": clock_text(slot.end),
                        "state": slot.state,
                        "reason": slot.reason,
                        "leads": [use.lead(slot.state) for use in uses],
                    }
                    for slot in found
                ],
            }
            for day, found in days
        ],
    }
