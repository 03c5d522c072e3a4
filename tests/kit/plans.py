"""Dialplans for tests: written as text, read by the real loader with the real verbs."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent, indent
from typing import Any

from pbx.ivr.rehearsal import Circumstances
from pbx.ivr.simulate import Rehearsal, local_moment, rehearse
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import parse_plan
from pbx.plan.model import Plan

NUMBER = "4008001234"
"""The number that the plans of tests begin with."""

PROMPTS = """
prompts:
  hello: {zh: 您好。, en: Hello.}
  choose: {zh: 请按1。, en: Press 1.}
  number_please: {zh: 请输入订单号。, en: Your order number please.}
  bye: {zh: 再见。, en: Goodbye.}
"""


def plan_of(text: str, *, prompts: bool = True) -> Plan:
    """Return the plan that `text` is, `version` and a few prompts added; it must have no error."""
    whole = "version: 1\n" + (PROMPTS if prompts else "") + dedent(text)
    plan, problems = parse_plan(whole, "dialplan.yaml", VOCABULARY)
    errors = [str(problem) for problem in problems if problem.severity == "error"]
    assert plan is not None, errors
    return plan


def flow_of(steps: str, more: str = "", flows: str = "") -> Plan:
    """Return a plan whose only number starts a flow with these steps.

    `flows` are other flows, `more` other sections.
    """
    text = f'numbers: {{"{NUMBER}": flow:main}}\nflows:\n  main:\n'
    text += indent(dedent(steps).strip("\n"), "    ") + "\n"
    text += indent(dedent(flows).strip("\n"), "  ") + "\n"
    return plan_of(text + dedent(more))


def rehearsed(plan: Plan, *, at: str = "2026-09-28 10:00", **told: Any) -> Rehearsal:
    """Rehearse a call to `NUMBER`; `press` is one text."""
    press = tuple(told.pop("press", "").split())
    moment = local_moment(plan, at)
    return rehearse(plan, Circumstances(to=told.pop("to", NUMBER), at=moment, press=press, **told))


def story(rehearsal: Rehearsal) -> list[str]:
    """Return the lines of a rehearsal as short texts."""
    return [f"{line.step.kind} {line.step.name} {line.step.text}" for line in rehearsal.lines]


MONDAY = datetime(2026, 9, 28, 2, 0, tzinfo=UTC)
"""10:00 in Shanghai."""
