"""No false alarms: what check says of the example and of every template is what is written down.

tests/data/golden/NAME.golden has what `callpbx check` prints for NAME.yaml at a fixed date, without
the places. A file without one has nothing to be told but that there is no line for emergency calls.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pbx.ivr.check import Facts, check
from pbx.ivr.expectations import run_tests
from pbx.marks.problem import NO_EMERGENCY_LINE

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "data" / "golden"
TODAY = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
EXAMPLE = ROOT.parent / "shared" / "dialplan.example.yaml"
TEMPLATES = sorted(
    file
    for file in (ROOT / "pbx" / "cli" / "templates").rglob("*.yaml")
    if file.name != "callpbx.yaml"
)


def name_of(file: Path) -> str:
    """Return what a template is called: its own name, or its folder's."""
    return file.parent.name if file.name == "dialplan.yaml" else file.stem


def compare(file: Path, golden: Path) -> None:
    """Hold what is told of a file to what is written down; its tests pass."""
    checked = check(file, Facts(TODAY.date()))
    assert [str(each) for each in checked.problems if each.severity == "error"] == []
    assert checked.plan is not None
    assert [str(each.problem()) for each in run_tests(checked.plan, TODAY) if not each.passed] == []
    told = [each.text for each in checked.problems if each.code != NO_EMERGENCY_LINE]
    assert told == (golden.read_text().splitlines() if golden.exists() else [])


def test_the_example_raises_no_false_alarm() -> None:
    if not EXAMPLE.exists():
        pytest.skip("the example of the format is not here")
    compare(EXAMPLE, GOLDEN / "example.golden")


@pytest.mark.parametrize("file", TEMPLATES, ids=name_of)
def test_templates_raise_no_false_alarm(file: Path) -> None:
    compare(file, GOLDEN / f"{name_of(file)}.golden")


def test_there_are_templates() -> None:
    assert TEMPLATES
