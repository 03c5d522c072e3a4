"""Broken dialplans for tests: the place of the mistake is marked in the text itself.

    found = mistake("hours:\\n  office: {timezone: ▸shanghai}")

reads the text without its mark, and returns the one problem, which must stand where the mark was.
"""

from __future__ import annotations

from pbx.ivr.verbs import VOCABULARY
from pbx.marks import Problem
from pbx.plan.loader import parse_plan
from pbx.plan.model import Plan
from pbx.plan.vocabulary import Vocabulary

PLACE = "▸"
HEAD = "version: 1\n"


def problems(text: str, vocabulary: Vocabulary = VOCABULARY) -> list[Problem]:
    """Return the problems of a dialplan of these sections; `version` is added."""
    return parse_plan(HEAD + text, "d.yaml", vocabulary)[1]


def loaded(text: str, vocabulary: Vocabulary = VOCABULARY) -> Plan:
    """Return the plan of these sections, in which nothing is wrong; warnings are."""
    plan, found = parse_plan(HEAD + text, "d.yaml", vocabulary)
    assert plan is not None, [str(problem) for problem in found]
    return plan


def mistake(text: str, vocabulary: Vocabulary = VOCABULARY) -> str:
    """Return code, sentence and suggestion of the one problem, which must stand at the mark."""
    before, mark, _ = (HEAD + text).partition(PLACE)
    assert mark, "the place of the mistake is not marked"
    found = problems(text.replace(PLACE, ""), vocabulary)
    assert len(found) == 1, [str(problem) for problem in found]
    (problem,) = found
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert (problem.line, problem.column) == (line, column), str(problem)
    return problem.text
