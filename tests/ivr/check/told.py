"""What check says of a text, for tests: codes and places, or whole sentences."""

from __future__ import annotations

from datetime import date

from pbx.ivr.check import Facts, examine
from pbx.ivr.verbs import VOCABULARY
from pbx.marks import Problem
from pbx.marks.problem import NO_EMERGENCY_LINE
from pbx.plan.loader import read_text

FACTS = Facts(date(2026, 9, 1))
DOOR = 'numbers: {"400": flow:door}\n'
"""A number that leads to flow door."""


def problems(text: str, facts: Facts = FACTS) -> list[Problem]:
    """Return the problems of a dialplan of these sections, without W026; `version` is on line 0."""
    checked = examine(read_text(f"version: 1\n{text}", "d.yaml", VOCABULARY), facts)
    return [each for each in checked.problems if each.code != NO_EMERGENCY_LINE]


def told(text: str, facts: Facts = FACTS) -> list[str]:
    """Return CODE:LINE of each problem; lines count from 1 in the text itself."""
    return [f"{each.code}:{each.line - 1}" for each in problems(text, facts)]


def sentences(text: str, facts: Facts = FACTS) -> list[str]:
    """Return the sentence of each problem, with its suggestion."""
    return [each.text for each in problems(text, facts)]
