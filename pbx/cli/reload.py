"""`callpbx reload`: another version of the dialplan, under live calls."""

from __future__ import annotations

from typing import Any

import click

from pbx.cli.office import connect_live, pass_home
from pbx.cli.output import as_json, print_json, print_table
from pbx.cli.text import plural, visible
from pbx.config import Home

Row = dict[str, Any]

BECAUSE = 3
"""How many reasons of one number a table shows."""


@click.command()
@click.option("--dry-run", is_flag=True, help="Show which numbers would change; touch nothing.")
@click.option("--rollback", is_flag=True, help="Go back to the version before.")
@as_json
@pass_home
@click.pass_context
def reload(ctx: click.Context, home: Home, dry_run: bool, rollback: bool, as_json: bool) -> None:
    """Put dialplan.yaml as it is now in force; calls that are up finish on their version."""
    if dry_run and rollback:
        raise click.UsageError("--dry-run is for dialplan.yaml, --rollback for the version before")
    action = "dry-run" if dry_run else "rollback" if rollback else "reload"
    with connect_live(home) as api:
        report = api.post(f"/dialplan/{action}")
    errors = [problem for problem in report["problems"] if problem["severity"] == "error"]
    if as_json:
        print_json(report)
    elif dry_run:
        _print_trial(report, errors)
    else:
        _print_version(report)
    if errors:
        ctx.exit(1)


def _line(problem: Row) -> str:
    place = f"{problem['file']}:{problem['line']}:{problem['column']}"
    ending = f" — {problem['suggestion']}" if problem["suggestion"] else ""
    return visible(f"{place} {problem['code']} {problem['sentence']}{ending}")


def _print_warnings(report: Row) -> None:
    if report["problems"]:
        click.echo(f"{plural(len(report['problems']), 'warning')}: callpbx check lists them")


def _print_version(report: Row) -> None:
    _print_warnings(report)
    version, before = report["version"], report["before"]
    if version == before:
        click.echo(f"{version} is in force; the dialplan has not changed")
    elif report["rolled_back"]:
        click.echo(f"{version} is in force again (was {before})")
        click.echo(
            "dialplan.yaml is newer: the next reload or restart takes it; "
            f"to keep {version}, copy what is in var/dialplan/{version} over it"
        )
    else:
        click.echo(f"{version} is in force (was {before}); calls that are up finish on theirs")


def _print_trial(report: Row, errors: list[Row]) -> None:
    for problem in errors:
        click.echo(_line(problem))
    if errors:
        count = plural(len(report["problems"]), "problem")
        wrong = plural(len(errors), "error")
        click.echo(f"{count} ({wrong}). Reload would keep {report['version']}.")
        return
    _print_warnings(report)
    print_table(
        ["Number", "Was", "Now", "Because of"],
        [
            (row["number"], row["was"], row["now"], _because(row["because"]))
            for row in report["numbers"]
        ],
        empty="No number changes",
    )
    if report["sections"]:
        click.echo(f"Other sections that change: {', '.join(report['sections'])}")
    click.echo(f"Nothing was touched; {report['version']} is in force")


def _because(names: list[str]) -> str:
    more = len(names) - BECAUSE
    return ", ".join(names[:BECAUSE]) + (f" and {more} more" if more > 0 else "")
