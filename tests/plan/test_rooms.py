"""Section `conferences`: what a line may say, and its mistakes."""

from __future__ import annotations

import pytest

from pbx.plan.loader import parse_plan
from pbx.plan.model import Conference, Destination


def test_a_room_has_defaults_and_what_its_line_says() -> None:
    text = """\
version: 1
numbers:
  "4001": conference:7001
conferences:
  "7001": {max: 12, record: yes, wait_for_moderator: yes, pin: yes, tones: no}
  "7002": {}
  7003:
"""
    plan, problems = parse_plan(text, "dialplan.yaml")
    assert problems == []
    assert plan is not None
    assert plan.conference("7001") == Conference(
        "7001", 12, record=True, wait_for_moderator=True, pin=True, tones=False, line=5
    )
    assert plan.conference("7002") == Conference("7002", line=6)
    assert plan.conference("7003") == Conference("7003", line=7)
    assert plan.conference("7004") is None
    assert plan.destination("4001") == Destination("conference", "7001")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('"7001": {max: 1}', '"1" is no whole number from 2 to 500'),
        ('"7001": {pin: 1234}', '"1234" is neither yes nor no'),
        ('"7001": {maxx: 5}', 'unknown key "maxx" in conference 7001 — did you mean "max"?'),
        ('"room": {}', '"room" is no number of a conference room'),
        ('"7001": 50', "conference 7001 must hold lines of KEY: VALUE"),
    ],
)
def test_a_mistake_is_told_with_its_place(lines: str, problem: str) -> None:
    plan, problems = parse_plan(f"version: 1\nconferences:\n  {lines}\n", "dialplan.yaml")
    assert plan is None
    (found,) = map(str, problems)
    assert found.startswith("dialplan.yaml:3:")
    assert problem in found


def test_a_destination_must_be_a_room() -> None:
    text = 'version: 1\nnumbers:\n  "4001": conference:7002\nconferences:\n  "7001": {}\n'
    plan, (problem,) = parse_plan(text, "dialplan.yaml")
    assert plan is None
    assert 'E014 unknown conference "7002" — did you mean "7001"?' in str(problem)
