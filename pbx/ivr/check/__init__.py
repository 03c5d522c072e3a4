"""What is wrong with a dialplan as a whole: what `callpbx check` says, and what guards each reload.

    checked = check(path, Facts(today=date(2026, 10, 1)))
    if checked.plan is None: ...

The loader tells what is wrong with single lines. The analyses here look at the plan that it made:
one file per idea, one row each in `ANALYSES`. They look at a plan with mistakes, too, as far as
what is left of it can be judged, so that all problems are told at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pbx.ivr.check.circles import check_circles
from pbx.ivr.check.endings import check_flow_ends, check_operator, check_way_back
from pbx.ivr.check.facts import Facts
from pbx.ivr.check.menus import check_menus
from pbx.ivr.check.outside import (
    check_agents,
    check_early_lookups,
    check_emergency,
    check_settings,
)
from pbx.ivr.check.prompts import check_prompts
from pbx.ivr.check.schedules import check_schedules
from pbx.ivr.check.subject import Analysis, Subject
from pbx.ivr.check.unreached import check_unreached
from pbx.ivr.check.variables import check_variables
from pbx.ivr.verbs import VOCABULARY
from pbx.marks.problem import Problem
from pbx.plan.loader import Reading, read_plan
from pbx.plan.model import Plan

__all__ = ["ANALYSES", "Checked", "Facts", "check", "examine"]

ANALYSES: Final[tuple[Analysis, ...]] = (
    check_variables,
    check_operator,
    check_way_back,
    check_prompts,
    check_circles,
    check_emergency,
    check_unreached,
    check_menus,
    check_schedules,
    check_early_lookups,
    check_agents,
    check_settings,
    check_flow_ends,
)
"""What is looked for, one row each."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A dialplan and all that is wrong with it; `plan` is None where it cannot be used."""

    plan: Plan | None
    problems: tuple[Problem, ...]


def check(path: Path, facts: Facts) -> Checked:
    """Read a dialplan, with all that it includes, and examine it. Raises ConfigError where there
    is no such file."""
    return examine(read_plan(path, VOCABULARY), facts)


def examine(reading: Reading, facts: Facts) -> Checked:
    """Examine a dialplan that was read; its problems come file by file, from top to bottom."""
    subject = Subject(reading, facts)
    found = [*reading.problems]
    for analysis in ANALYSES:
        found += analysis(subject)
    problems = _sorted(found, reading.plan.files)
    usable = all(problem.severity != "error" for problem in problems)
    return Checked(reading.plan if usable else None, problems)


def _sorted(problems: Iterable[Problem], files: tuple[str, ...]) -> tuple[Problem, ...]:
    order = {file: number for number, file in enumerate(files)}
    return tuple(
        sorted(
            dict.fromkeys(problems),
            key=lambda each: (
                *(order.get(each.file, len(order)), each.line, each.column),
                each.code,
            ),
        )
    )
