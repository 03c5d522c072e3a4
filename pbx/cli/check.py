"""`callpbx check`: all that is wrong in dialplan.yaml and callpbx.yaml, each with its place."""

from __future__ import annotations

from pathlib import Path

import click

from pbx.cli.output import as_json, print_json
from pbx.cli.text import plural
from pbx.config import Home, Problem, check_settings
from pbx.errors import Refused
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import check_plan
from pbx.plan.model import Plan


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@as_json
@click.pass_context
def check(ctx: click.Context, file: Path | None, as_json: bool) -> None:
    """Check the office's files, or a dialplan elsewhere."""
    home: Home = ctx.obj
    problems = find_problems(home, file)
    if as_json:
        print_json([_as_row(problem) for problem in problems])
    else:
        for problem in problems:
            click.echo(str(problem))
        click.echo(_summary(problems, file.name if file else "dialplan.yaml and callpbx.yaml"))
    if any(problem.severity == "error" for problem in problems):
        ctx.exit(1)


def find_plan(home: Home, file: Path | None = None) -> Plan:
    """Return the dialplan; print all that is wrong and raise Refused where it cannot be used."""
    plan, problems = check_plan(file or home.dialplan, VOCABULARY)
    if plan is not None:
        return plan
    for problem in problems:
        click.echo(str(problem), err=True)
    raise Refused("the dialplan cannot be used; mend what is told above")


def find_problems(home: Home, file: Path | None = None) -> list[Problem]:
    """Return the problems of `file`, or of both files of the office."""
    _, problems = check_plan(file or home.dialplan, VOCABULARY)
    return problems if file else [*problems, *check_settings(home)[1]]


def _as_row(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "sentence": problem.sentence,
        "suggestion": problem.suggestion,
    }


def _summary(problems: list[Problem], what: str) -> str:
    if not problems:
        return f"{what}: no problems"
    errors = sum(problem.severity == "error" for problem in problems)
    return f"{plural(len(problems), 'problem')} ({plural(errors, 'error')})"
