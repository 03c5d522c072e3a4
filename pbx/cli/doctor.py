"""`callpbx doctor`: is this office, and the machine under it, fit to run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import click

from pbx.cli.checks.certificate import CERTIFICATE_CHECKS
from pbx.cli.checks.finding import Examined, Finding
from pbx.cli.checks.machine import MACHINE_CHECKS
from pbx.cli.checks.office import OFFICE_CHECKS
from pbx.cli.output import as_json, print_json
from pbx.cli.text import plural, visible
from pbx.config import Home, Settings, check_settings

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@as_json
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check the office and its machine; each line is ok, warn or fail, with the fix."""
    findings = list(examine(ctx.obj))
    if as_json:
        print_json([dataclasses.asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _print(finding)
        click.echo(_summary(findings))
    if any(finding.level == "fail" for finding in findings):
        ctx.exit(1)


def examine(home: Home) -> Iterator[Finding]:
    """Run all checks."""
    from pbx.api.lock import server_is_running

    settings, _ = check_settings(home)  # mistakes in it are one of the findings
    examined = Examined(home, settings or Settings(), server_is_running(home.lock))
    for check in (*OFFICE_CHECKS, *CERTIFICATE_CHECKS, *MACHINE_CHECKS):
        yield from check(examined)


def _print(finding: Finding) -> None:
    level = click.style(f"{finding.level:<5}", fg=COLOURS[finding.level])
    click.echo(f"{level}{finding.subject:<12}{visible(finding.sentence)}")
    if finding.fix:
        click.echo(f"{'':<17}→ {finding.fix}")


def _summary(findings: list[Finding]) -> str:
    failed = sum(finding.level == "fail" for finding in findings)
    warned = sum(finding.level == "warn" for finding in findings)
    if not failed and not warned:
        return "All is well"
    return f"{plural(failed, 'failure')}, {plural(warned, 'warning')}"
