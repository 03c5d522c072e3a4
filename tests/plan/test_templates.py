"""The sample dialplans that `callpbx init` writes: whole, rehearsed, and without secrets.

That check has nothing to say of them beyond what is written down is held by
tests/ivr/check/test_golden.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pbx.ivr.simulate import local_moment
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import load_plan
from pbx.plan.model import LANGUAGES, Plan, PromptText
from pbx.plan.opening import judge

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "pbx" / "cli" / "templates" / "dialplan").glob("*.yaml"))
EXAMPLE = ROOT.parent / "shared" / "dialplan.example.yaml"
WRITTEN_HERE = [file for file in FILES if file.stem != "service-desk"]
PHONES = {"101", "102", "103", "104"}
CANTONESE = {"clinic", "takeaway"}
LEAST_TESTS = 5


def plan_of(file: Path) -> Plan:
    """Return a template as it is loaded."""
    return load_plan(file, VOCABULARY)


def name_of(file: Path) -> str:
    """Return what a template is called."""
    return file.stem


def states_tested(plan: Plan) -> set[str]:
    """Return what the plan's hours say at the times of its tests."""
    return {
        judge(hours, local_moment(plan, test.at)).state
        for hours in plan.hours.values()
        for test in plan.tests
        if test.at is not None
    }


def test_the_service_desk_is_the_worked_example() -> None:
    if not EXAMPLE.exists():
        pytest.skip("../shared/dialplan.example.yaml is not here")
    (file,) = (file for file in FILES if file.stem == "service-desk")
    assert file.read_bytes() == EXAMPLE.read_bytes()


@pytest.mark.parametrize("file", WRITTEN_HERE, ids=name_of)
def test_a_template_rehearses_day_and_night_and_silence(file: Path) -> None:
    plan = plan_of(file)
    assert len(plan.tests) >= LEAST_TESTS
    holidays = any(hours.holidays for hours in plan.hours.values())
    assert states_tested(plan) == {"open", "closed", *(["holiday"] if holidays else [])}
    assert any("silence" in test.name and test.press == () for test in plan.tests)


@pytest.mark.parametrize("file", WRITTEN_HERE, ids=name_of)
def test_a_template_rings_only_the_phones_that_init_adds(file: Path) -> None:
    named = set(re.findall(r"\bext:([0-9]+)", file.read_text()))
    assert named
    assert named <= PHONES


@pytest.mark.parametrize("file", WRITTEN_HERE, ids=name_of)
def test_a_template_speaks_the_same_languages_throughout(file: Path) -> None:
    wanted = [language for language in LANGUAGES if language != "yue" or file.stem in CANTONESE]
    for prompt in plan_of(file).prompts.values():
        assert list(prompt.spoken) == wanted, prompt.name
        assert all(isinstance(said, PromptText) for said in prompt.spoken.values())


@pytest.mark.parametrize("file", WRITTEN_HERE, ids=name_of)
def test_what_callers_hear_can_be_tried_from_a_phone(file: Path) -> None:
    plan = plan_of(file)
    short = plan.number("8000")
    assert short is not None
    assert short.destination in {
        route.destination for number, route in plan.numbers.items() if number != "8000"
    }


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_template_holds_no_secret(file: Path) -> None:
    assert not re.search(r"(?i)\b(pin|password|secret|token)\b", file.read_text())
