"""Checks a dialplan: what the process beside the server does with each question. [io]

The texts that belong to a plan are read after it. Where somebody saved a file between the two, the
version of the plan shows it, and all is read once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pbx.config import Home, check_settings
from pbx.dialplan.changes import changes_between
from pbx.dialplan.facts import office_facts
from pbx.dialplan.pieces import take_apart
from pbx.dialplan.question import Answer, Question
from pbx.errors import ConfigError
from pbx.ivr.check import examine
from pbx.ivr.expectations import run_tests
from pbx.ivr.verbs import VOCABULARY
from pbx.marks import Problem
from pbx.plan.files import version_of
from pbx.plan.loader import Reading, load_plan, read_plan
from pbx.plan.model import Plan

ATTEMPTS: Final = 5
"""How often files may be saved while they are read."""

Texts = Mapping[str, str]


def answer(question: Question) -> Answer:
    """Return what there is to say of a dialplan; every mistake of its files is in the answer."""
    try:
        found = _read(question.path)
        if found is None:
            return Answer(refusal=f"{question.path.name} is being changed all the time")
        reading, texts = found
        plan, problems = reading.plan, list(reading.problems)
        if not question.kept:
            home = Home(question.path.parent)
            facts = office_facts(home, check_settings(home)[0])
            problems = list(examine(reading, facts).problems)
            if not _has_error(problems):
                problems += failed_tests(plan)
        answer = Answer(tuple(problems), plan.files)
        if _has_error(problems):
            return answer
        if question.compare_with is not None:
            running = load_plan(question.compare_with, VOCABULARY)
            return replace(answer, changes=changes_between(running, plan))
        return replace(answer, pieces=take_apart(plan), texts=texts)
    except (ConfigError, OSError) as error:
        return Answer(refusal=str(error))


def _read(path: Path) -> tuple[Reading, Texts] | None:
    """Return a dialplan and its texts; None where they are different each time."""
    for _ in range(ATTEMPTS):
        reading = read_plan(path, VOCABULARY)
        texts = texts_of(path, reading.plan) if reading.usable else {}
        if texts is not None:
            return reading, texts
    return None


def _has_error(problems: Iterable[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def failed_tests(plan: Plan) -> list[Problem]:
    """Return what is wrong with each of the plan's tests that fails."""
    return [test.problem() for test in run_tests(plan, datetime.now(UTC)) if not test.passed]


def texts_of(path: Path, plan: Plan) -> Texts | None:
    """Return the texts that `plan` was made of, by name; None where the files are others now."""
    try:
        texts = {name: (path.parent / name).read_text("utf-8-sig") for name in plan.files}
    except (OSError, UnicodeDecodeError):
        return None
    return texts if version_of(texts.values()) == plan.version_id else None
