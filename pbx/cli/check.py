"""`callpbx check`: all that is wrong in dialplan.yaml and callpbx.yaml, each with its place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pbx.cli.output import as_json, print_json, print_table
from pbx.cli.text import pad, plural, visible, width
from pbx.config import Home, Problem, check_settings
from pbx.dialplan.facts import office_facts, today
from pbx.errors import Refused
from pbx.ivr.check import Checked, Facts
from pbx.ivr.check import check as check_dialplan
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.json_schema import json_schema
from pbx.plan.loader import check_plan
from pbx.plan.model import Plan

if TYPE_CHECKING:
    from pbx.ivr.expectations import Verdict

COLOURS: Final = {"error": "red", "warning": "yellow"}


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--test", is_flag=True, help="Rehearse the calls under tests:, too.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of dialplan.yaml, for editors.")
@as_json
@click.pass_context
def check(ctx: click.Context, file: Path | None, test: bool, schema: bool, as_json: bool) -> None:
    """Check the office's files, or a dialplan elsewhere."""
    if schema:
        print_json(json_schema(VOCABULARY))
        return
    home: Home = ctx.obj
    checked, others = _checked(home, file)
    verdicts = _rehearsed(checked.plan) if test and checked.plan is not None else []
    failed = [verdict.problem() for verdict in verdicts if not verdict.passed]
    problems = [*checked.problems, *failed, *others]
    if as_json:
        rows = [_as_row(problem) for problem in problems]
        print_json({"problems": rows, "tests": _test_rows(verdicts)} if test else rows)
    else:
        for line in _lines(problems):
            click.echo(line)
        if test:
            _print_tests(verdicts, checked.plan)
        click.echo(_summary(problems, file.name if file else "dialplan.yaml and callpbx.yaml"))
    if any(problem.severity == "error" for problem in problems):
        ctx.exit(1)


def find_plan(home: Home, file: Path | None = None) -> Plan:
    """Return the dialplan; print all that is wrong and raise Refused where it cannot be used."""
    plan, problems = check_plan(file or home.dialplan, VOCABULARY)
    if plan is not None:
        return plan
    for line in _lines(problems):
        click.echo(line, err=True)
    raise Refused("the dialplan cannot be used; mend what is told above")


def find_problems(home: Home, file: Path | None = None) -> list[Problem]:
    """Return the problems of `file`, or of both files of the office."""
    checked, others = _checked(home, file)
    return [*checked.problems, *others]


def _checked(home: Home, file: Path | None) -> tuple[Checked, list[Problem]]:
    """Return what is wrong with the dialplan, and with callpbx.yaml if the office is meant.

    A file that stands in the office's folder is one of its dialplans; of any other, nothing is
    known but what it says.
    """
    if file is not None and file.absolute().parent != home.path.absolute():
        return check_dialplan(file, Facts(today=today())), []
    settings, problems = check_settings(home)
    checked = check_dialplan(file or home.dialplan, office_facts(home, settings))
    return checked, problems if file is None else []


def _rehearsed(plan: Plan) -> list[Verdict]:
    """Return what became of each test; a plain check does not load what that takes."""
    from pbx.ivr.expectations import run_tests

    return list(run_tests(plan, datetime.now(UTC)))


def _lines(problems: Sequence[Problem]) -> list[str]:
    """Return the problems for people, their codes one below the other."""
    places = [visible(f"{each.file}:{each.line}:{each.column}") for each in problems]
    cells = max(map(width, places), default=0)
    return [
        f"{pad(place, cells)} {_coloured(problem)}"
        for place, problem in zip(places, problems, strict=True)
    ]


def _coloured(problem: Problem) -> str:
    code = click.style(problem.code, fg=COLOURS[problem.severity], bold=True)
    return f"{code} {visible(problem.text.removeprefix(problem.code).lstrip())}"


def _print_tests(verdicts: Sequence[Verdict], plan: Plan | None) -> None:
    if plan is None:
        click.echo("The tests were not run: mend the errors first.")
        return
    print_table(
        ["test", "passed", "where it went"],
        [(each.test.name, each.passed, each.went) for each in verdicts],
        empty="There are no tests; write some under tests: in dialplan.yaml.",
    )


def _test_rows(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    return [
        {"name": each.test.name, "passed": each.passed, "went": each.rehearsal.places}
        for each in verdicts
    ]


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


def _summary(problems: Sequence[Problem], what: str) -> str:
    if not problems:
        return f"{what}: no problems"
    errors = sum(problem.severity == "error" for problem in problems)
    return f"{plural(len(problems), 'problem')} ({plural(errors, 'error')})."
